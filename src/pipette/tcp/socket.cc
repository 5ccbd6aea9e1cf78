#include "pipette/tcp/internal/socket.h"

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

struct ErrnoRow {
  int system_error;
  Errc code;
};

constexpr std::array kErrnoRows = {
    ErrnoRow{EAGAIN, Errc::would_block},
    ErrnoRow{ETIMEDOUT, Errc::timed_out},
    ErrnoRow{ECONNRESET, Errc::connection_reset},
    ErrnoRow{ENOTCONN, Errc::connection_reset},
    ErrnoRow{EPIPE, Errc::broken_pipe},
    ErrnoRow{ECONNREFUSED, Errc::connection_refused},
    ErrnoRow{ECONNABORTED, Errc::connection_aborted},
    ErrnoRow{ECANCELED, Errc::operation_canceled},
    ErrnoRow{EADDRINUSE, Errc::address_in_use},
    ErrnoRow{EADDRNOTAVAIL, Errc::address_not_available},
    ErrnoRow{EMFILE, Errc::too_many_open_files},
    ErrnoRow{ENFILE, Errc::too_many_open_files_in_system},
    ErrnoRow{EHOSTUNREACH, Errc::host_unreachable},
    ErrnoRow{ENETUNREACH, Errc::network_unreachable},
    ErrnoRow{EAFNOSUPPORT, Errc::not_supported},
    ErrnoRow{EOPNOTSUPP, Errc::not_supported},
};

}  // namespace

std::error_code to_error(int system_error) {
  for (const ErrnoRow& row : kErrnoRows) {
    if (row.system_error == system_error) return make_error_code(row.code);
  }
  return {system_error, std::system_category()};
}

Socket::Socket(Loop& loop, int descriptor)
    : loop_(loop), fd_(descriptor), slots_{net::WaitSlot(loop), net::WaitSlot(loop)} {}

Result<void> Socket::begin() { return loop_.poller().add(*this); }

void Socket::wait(net::Direction direction, net::Waiter& waiter) {
  slot(direction).wait(waiter);
  if (!is_open() || known_[index(direction)] == Known::ready) {
    slot(direction).wake();
  } else if (direction == net::Direction::write) {
    begin_writing();
  }
}

void Socket::found_nothing(net::Direction direction) {
  known_[index(direction)] = Known::drained;
  if (direction == net::Direction::write) begin_writing();
}

void Socket::found_less(net::Direction direction) {
  if (!is_ending_) found_nothing(direction);
}

void Socket::happened(std::uint32_t events) {
  constexpr std::uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnds) != 0) is_ending_ = true;
  if ((events & (EPOLLIN | kEnds)) != 0) make_ready(net::Direction::read);
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) make_ready(net::Direction::write);
}

void Socket::close() {
  if (!is_open()) return;
  loop_.poller().remove(*this);
  ::close(std::exchange(fd_, -1));
  for (net::WaitSlot& slot : slots_) slot.wake();
}

void Socket::make_ready(net::Direction direction) {
  known_[index(direction)] = Known::ready;
  slot(direction).wake();
}

void Socket::begin_writing() {
  if (!std::exchange(is_told_of_writing_, true)) loop_.poller().add_writing(*this);
}

}  // namespace pipette::tcp
