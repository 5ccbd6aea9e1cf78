// A connection of which too much was read: what was, comes first.
//
//   connection = with_leftover(loop, std::move(connection), input.readable());      // for whoever speaks next on it
//
// What a head was read with may hold octets of the protocol behind it (RFC 9110 §7.8, §9.3.6).
//
// Lifetime  copies `first`; the loop outlives the connection.   Threads  the loop's.
#pragma once

#include <memory>

#include "pipette/async/loop.h"
#include "pipette/base/bytes.h"
#include "pipette/net/connection.h"

namespace pipette::net {

// `connection` itself when nothing is left over.
std::unique_ptr<Connection> with_leftover(async::Loop& loop, std::unique_ptr<Connection> connection, Bytes first);

}  // namespace pipette::net
