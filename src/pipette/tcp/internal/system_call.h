// recv and send, as the kernel has them.
//
// The C library's are places where a thread can be cancelled. In a process of several threads glibc has to note that
// before and after each call, which costs some 30 ns; and nobody cancels threads here. AddressSanitizer watches the C
// library's, so it gets those.
//
// Errors  errno.
#pragma once

#include <cstddef>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "pipette/base/poison.h"

namespace pipette::tcp {

inline ssize_t receive(int fd, void* into, std::size_t size) {
  if constexpr (kPoisons) return ::recv(fd, into, size, 0);
  return ::syscall(SYS_recvfrom, fd, into, size, 0, nullptr, nullptr);
}

inline ssize_t send(int fd, const void* octets, std::size_t size) {
  if constexpr (kPoisons) return ::send(fd, octets, size, MSG_NOSIGNAL);
  return ::syscall(SYS_sendto, fd, octets, size, MSG_NOSIGNAL, nullptr, 0);
}

}  // namespace pipette::tcp
