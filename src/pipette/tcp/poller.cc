#include "pipette/tcp/internal/poller.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

#include "pipette/tcp/internal/socket.h"

namespace pipette::tcp {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::seconds;

// As many as the loop runs before it looks again.
constexpr int kEventsALook = 64;
// Waiting longer is waiting several times.
constexpr Duration kLongestWait = std::chrono::hours(1);

constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;

int control(int set, int operation, int fd, std::uint32_t events, Socket* told) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = told;
  return ::epoll_ctl(set, operation, fd, &event);
}

// Systems without epoll_pwait2, and sandboxes that do not know it, count in milliseconds: then it is as many as are not
// too early.
int wait_for_events(int set, std::array<epoll_event, kEventsALook>& events, Duration at_most) {
  if (at_most == Duration::max()) return ::epoll_wait(set, events.data(), kEventsALook, -1);
  if (at_most <= Duration::zero()) return ::epoll_wait(set, events.data(), kEventsALook, 0);
  const Duration wait = std::min(at_most, kLongestWait);
  const auto whole = std::chrono::floor<seconds>(wait);
  timespec time{};
  time.tv_sec = whole.count();
  time.tv_nsec = (wait - whole).count();
  const int count = ::epoll_pwait2(set, events.data(), kEventsALook, &time, nullptr);
  if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
  return ::epoll_wait(set, events.data(), kEventsALook, static_cast<int>(ceil<milliseconds>(wait).count()));
}

}  // namespace

Poller::Poller() : set_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (set_ >= 0 && wake_ >= 0 && control(set_, EPOLL_CTL_ADD, wake_, EPOLLIN | EPOLLET, nullptr) == 0) return;
  const std::system_error error(errno, std::system_category(), "a loop needs descriptors");
  if (wake_ >= 0) ::close(wake_);
  if (set_ >= 0) ::close(set_);
  throw error;
}

Poller::~Poller() {
  ::close(wake_);
  ::close(set_);
}

Result<void> Poller::add(Socket& socket) {
  if (control(set_, EPOLL_CTL_ADD, socket.fd(), kReading, &socket) != 0) return fail(to_error(errno));
  return {};
}

void Poller::add_writing(Socket& socket) { control(set_, EPOLL_CTL_MOD, socket.fd(), kReading | EPOLLOUT, &socket); }

void Poller::remove(Socket& socket) { control(set_, EPOLL_CTL_DEL, socket.fd(), 0, nullptr); }

void Poller::look(Duration at_most) {
  std::array<epoll_event, kEventsALook> events;
  const int count = wait_for_events(set_, events, at_most);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr) static_cast<Socket*>(event.data.ptr)->happened(event.events);
  }
}

// Nobody reads what is written: each write is an edge, and that is all that is wanted of it.
void Poller::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

}  // namespace pipette::tcp
