#include "pipette/tcp/internal/connection.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

#include "pipette/tcp/internal/endpoint.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/internal/system_call.h"

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

Result<std::unique_ptr<Connection>> Connection::adopt(Loop& loop, int descriptor) {
  auto connection = std::make_unique<Connection>(loop, descriptor);
  if (const Result<void> begun = connection->socket_.begin(); !begun) return fail(begun.error());
  return connection;
}

Connection::~Connection() {
  assert(!socket_.slot(net::Direction::read).has_waiter() && !socket_.slot(net::Direction::write).has_waiter());
  if (state_ == State::open) make_close_reset();
}

Result<std::size_t> Connection::try_read(MutableBytes into) {
  assert(!into.empty());
  if (const auto error = refusal(net::Direction::read)) return fail(error);
  const bool is_probe = into.size() == 1;
  const bool is_drained = !broken_ && socket_.is_drained(net::Direction::read);
  if (is_drained && (!is_probe || socket_.loop().has_just_looked())) return fail(Errc::would_block);
  const auto received = without_interruption([&] { return receive(fd(), into.data(), into.size()); });
  if (received < 0) return failed(net::Direction::read, errno);
  if (received == 0 && broken_) return fail(broken_);
  const auto count = static_cast<std::size_t>(received);
  if (count > 0 && count < into.size()) socket_.found_less(net::Direction::read);
  if (count > 0 && is_probe) socket_.found_more(net::Direction::read);
  return count;
}

Result<std::size_t> Connection::try_write(std::span<const Bytes> pieces) {
  if (const auto error = refusal(net::Direction::write)) return fail(error);
  std::array<iovec, kPiecesACall> vectors;
  std::size_t used = 0;
  std::size_t size = 0;
  for (const Bytes piece : pieces) {
    if (piece.empty()) continue;
    if (used == vectors.size()) break;
    vectors[used++] = {const_cast<char*>(piece.data()), piece.size()};
    size += piece.size();
  }
  if (used == 0) return 0;
  if (state_ == State::write_closed) return fail(Errc::broken_pipe);
  if (broken_) return fail(broken_);
  if (socket_.is_drained(net::Direction::write)) return fail(Errc::would_block);
  const auto sent = without_interruption([&] {
    if (used == 1) return send(fd(), vectors[0].iov_base, size);
    return send_gathered(fd(), std::span(vectors).first(used));
  });
  // The peer had finished sending and was then gone. Reading still ends in order.
  if (sent < 0 && errno == EPIPE) return fail(Errc::connection_reset);
  if (sent < 0) return failed(net::Direction::write, errno);
  const auto count = static_cast<std::size_t>(sent);
  if (count < size) socket_.found_less(net::Direction::write);
  return count;
}

Result<void> Connection::try_close_write() {
  if (const auto error = refusal(net::Direction::write)) return fail(error);
  if (state_ == State::write_closed) return {};
  if (broken_) return fail(broken_);
  if (::shutdown(fd(), SHUT_WR) != 0) return failed(net::Direction::write, errno);
  state_ = State::write_closed;
  return {};
}

void Connection::wait(net::Direction direction, net::Waiter& waiter) { socket_.wait(direction, waiter); }

void Connection::set_deadline(net::Direction direction, TimePoint deadline) {
  socket_.slot(direction).set_deadline(deadline);
}

void Connection::abort() {
  if (state_ == State::aborted) return;
  state_ = State::aborted;
  make_close_reset();
  socket_.close();
}

bool Connection::has_peer() {
  if (remote_address(fd()).kind() != net::Address::Kind::none) return true;
  socket_.found_nothing(net::Direction::write);
  return false;
}

std::error_code Connection::refusal(net::Direction direction) {
  if (state_ == State::aborted) return make_error_code(Errc::operation_canceled);
  if (socket_.slot(direction).is_expired()) return make_error_code(Errc::timed_out);
  return {};
}

std::unexpected<std::error_code> Connection::failed(net::Direction direction, int system_error) {
  if (system_error == EAGAIN) {
    socket_.found_nothing(direction);
    return fail(Errc::would_block);
  }
  // A peer that does not answer any more is gone; timed_out is for deadlines that somebody has set.
  broken_ = to_error(system_error == ETIMEDOUT ? ECONNRESET : system_error);
  return fail(broken_);
}

// Lingering for no time at all is how a TCP socket is told to close with RST.
void Connection::make_close_reset() {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

}  // namespace pipette::tcp
