#include "pipette/app/internal/parent.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

#include "pipette/app/internal/environment.h"

namespace pipette::app {

Parent::Parent() {
  if (number_in(variable(kListenParent)) != ::getppid()) return;
  our_number_ = number_in<std::size_t>(variable(kProcessNumber)).value_or(0);
  const std::optional<int> number = number_in(variable(kReadyDescriptor));
  if (!number) return;
  waits_ = tcp::Descriptor(*number);
  ::fcntl(*number, F_SETFD, FD_CLOEXEC);  // or a program that we start could keep it from seeing our end
  ::unsetenv(kReadyDescriptor);
}

void Parent::wait_for_leave() {
  if (!waits_.is_open()) return;
  std::array<char, 1> word = {'r'};
  if (::send(waits_.get(), word.data(), word.size(), MSG_NOSIGNAL) == 1) {
    while (::recv(waits_.get(), word.data(), word.size(), 0) < 0 && errno == EINTR) {
    }
  }
  waits_.close();
}

}  // namespace pipette::app
