// The orderly end of a connection, so that the last answer arrives.
//
//   finish writing ──> close_write ──> read and drop what still comes, within bounds ──> done
//
// Closing with unread input makes a kernel send a reset, which may destroy an answer that is still on its
// way; so we stop sending and linger until the peer has finished too (RFC 9112 §9.6).
//
// Errors    Errc::timed_out at `deadline`, Errc::body_too_large when the peer goes on sending; in both cases,
//           and in any other, the connection may be destroyed now.
// Lifetime  `connection` outlives the task. Its deadlines are overwritten.
#pragma once

#include <cstddef>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/net/connection.h"

namespace pipette::net {

inline constexpr std::size_t kMaxLingerBytes = 256 * 1024;

Task<Result<void>> close(Connection& connection, TimePoint deadline, std::size_t max_linger_bytes = kMaxLingerBytes);

}  // namespace pipette::net
