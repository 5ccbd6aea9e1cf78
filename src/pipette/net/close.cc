#include "pipette/net/close.h"

#include <array>

namespace pipette::net {

Task<Result<void>> close(Connection& connection, TimePoint deadline, std::size_t max_linger_bytes) {
  connection.set_deadline(Direction::read, deadline);
  connection.set_deadline(Direction::write, deadline);
  for (;;) {
    const Result<void> closed = connection.try_close_write();
    if (closed) break;
    if (closed.error() != make_error_code(Errc::would_block)) co_return fail(closed.error());
    co_await Readiness(connection, Direction::write);
  }
  std::array<char, 1024> dropped;
  std::size_t total = 0;
  while (total <= max_linger_bytes) {
    const Result<std::size_t> count = co_await connection.read_some(dropped);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return {};
    total += *count;
  }
  co_return fail(Errc::body_too_large);
}

}  // namespace pipette::net
