// recv and send, as the kernel has them.
//
// The C library's are places where a thread can be cancelled. In a process of several threads glibc has to note that
// before and after each call, which costs some 30 ns; and nobody cancels threads here. AddressSanitizer watches the C
// library's, so it gets those.
//
// Errors  errno.
#pragma once

#include <cstddef>
#include <span>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
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

// For one piece, send() takes some 45 ns less.
inline ssize_t send_gathered(int fd, std::span<iovec> pieces) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace pipette::tcp
