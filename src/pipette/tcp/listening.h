// What is said of sockets that listen when they go from one process to another.
//
//   the old process   for (const Listening& each : runtime.listening()) pass on each.descriptor
//                     runtime.leave_unix_paths()                      once the new one has them
//   the new process   runtime.adopt_listener(descriptor)              for each, also of socket activation
//
// A descriptor that is passed on leads to the same queue: whoever waits there to be accepted is accepted by either.
#pragma once

#include "pipette/base/result.h"
#include "pipette/net/address.h"

namespace pipette::tcp {

struct Listening {
  net::Address address;
  int descriptor = -1;  // the listener's, for as long as it listens
};

// What becomes of the path of a Unix socket when its listener closes.
enum class UnixPath : unsigned char { leave, remove };

// Where a descriptor listens, which stays whoever's it is; Errc::not_supported when it does not, or is no stream
// socket of TCP or Unix.
Result<net::Address> listens_at(int descriptor);

}  // namespace pipette::tcp
