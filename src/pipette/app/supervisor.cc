#include "pipette/app/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "pipette/app/internal/environment.h"
#include "pipette/tcp/descriptor.h"

namespace pipette::app {
namespace {

constexpr timeval kPatience = {.tv_sec = 2, .tv_usec = 0};

Duration asked_watchdog() {
  const std::string_view process = variable("WATCHDOG_PID");
  if (!process.empty() && number_in(process) != ::getpid()) return Duration::zero();
  constexpr std::int64_t kMost = 1'000'000'000'000;  // eleven days
  return std::chrono::microseconds(std::min(number_in<std::int64_t>(variable("WATCHDOG_USEC")).value_or(0), kMost));
}

}  // namespace

Supervisor::Supervisor() : Supervisor(std::string(variable("NOTIFY_SOCKET")), asked_watchdog()) {}

Supervisor::Supervisor(std::string socket, Duration watchdog)
    : socket_(std::move(socket)), watchdog_(socket_.empty() ? Duration::zero() : watchdog) {}

bool Supervisor::tell(std::string_view state) const { return send(state, 0); }

bool Supervisor::tell_alive() const { return send("WATCHDOG=1", MSG_DONTWAIT); }

bool Supervisor::send(std::string_view state, int flags) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof to.sun_path) return false;
  std::ranges::copy(socket_, to.sun_path);
  if (socket_.front() == '@') to.sun_path[0] = '\0';
  // The name of an abstract socket has no end of its own: it is as long as is said.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const tcp::Descriptor from(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!from.is_open()) return false;
  ::setsockopt(from.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  ssize_t sent = 0;
  do {
    sent = ::sendto(from.get(), state.data(), state.size(), MSG_NOSIGNAL | flags,
                    reinterpret_cast<const sockaddr*>(&to), size);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(state.size());
}

}  // namespace pipette::app
