#include "pipette/tcp/internal/connection.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace pipette::tcp {
namespace {

// How many pieces one system call is given; what is behind them goes with the next.
constexpr std::size_t kPiecesACall = 64;

// Calls again what a signal interrupted.
template <class Call>
auto without_interruption(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

Connection::~Connection() {
  assert(!socket_->slot(net::Direction::read).has_waiter() && !socket_->slot(net::Direction::write).has_waiter());
  if (state_ == State::open) make_close_reset();
}

Result<std::size_t> Connection::try_read(MutableBytes into) {
  assert(!into.empty());
  if (const auto error = refusal(net::Direction::read)) return fail(error);
  const auto count = without_interruption([&] { return ::recv(fd(), into.data(), into.size(), 0); });
  if (count < 0) return failed(errno);
  if (count == 0 && broken_) return fail(broken_);
  return static_cast<std::size_t>(count);
}

Result<std::size_t> Connection::try_write(std::span<const Bytes> pieces) {
  if (const auto error = refusal(net::Direction::write)) return fail(error);
  std::array<iovec, kPiecesACall> vectors;
  msghdr message{};
  message.msg_iov = vectors.data();
  for (const Bytes piece : pieces) {
    if (piece.empty()) continue;
    if (message.msg_iovlen == vectors.size()) break;
    vectors[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  if (message.msg_iovlen == 0) return 0;
  if (state_ == State::write_closed) return fail(Errc::broken_pipe);
  if (broken_) return fail(broken_);
  const auto count = without_interruption([&] { return ::sendmsg(fd(), &message, MSG_NOSIGNAL); });
  if (count >= 0) return static_cast<std::size_t>(count);
  // The peer had finished sending and was then gone. Reading still ends in order.
  if (errno == EPIPE) return fail(Errc::connection_reset);
  return failed(errno);
}

Result<void> Connection::try_close_write() {
  if (const auto error = refusal(net::Direction::write)) return fail(error);
  if (state_ == State::write_closed) return {};
  if (broken_) return fail(broken_);
  if (::shutdown(fd(), SHUT_WR) != 0) return failed(errno);
  state_ = State::write_closed;
  return {};
}

void Connection::wait(net::Direction direction, net::Waiter& waiter) { socket_->wait(direction, waiter); }

void Connection::set_deadline(net::Direction direction, TimePoint deadline) {
  socket_->slot(direction).set_deadline(deadline);
}

void Connection::abort() {
  if (state_ == State::aborted) return;
  state_ = State::aborted;
  make_close_reset();
  socket_->close();
}

std::error_code Connection::refusal(net::Direction direction) {
  if (state_ == State::aborted) return make_error_code(Errc::operation_canceled);
  if (socket_->slot(direction).is_expired()) return make_error_code(Errc::timed_out);
  return {};
}

std::unexpected<std::error_code> Connection::failed(int system_error) {
  // A peer that does not answer any more is gone; timed_out is for deadlines that somebody has set.
  const std::error_code error = to_error(system_error == ETIMEDOUT ? ECONNRESET : system_error);
  if (system_error != EAGAIN) broken_ = error;
  return fail(error);
}

// Lingering for no time at all is how a TCP socket is told to close with RST.
void Connection::make_close_reset() {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

}  // namespace pipette::tcp
