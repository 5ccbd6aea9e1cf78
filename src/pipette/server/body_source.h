// BodySource: where a response's body comes from, piece by piece, when it is not there as a whole.
//
//   ctx.set_body_source(std::make_unique<Rows>(query), 4096);      // its length; left out: chunked
//
// The server asks for the next piece when the one before has been taken by the network, so a slow client holds one
// piece in memory.
//
// Errors    what read() returns or throws cuts the response short, which the client notices.
// Lifetime  owned by the exchange, and destroyed with it, read to its end or not.   Threads  the loop's.
#pragma once

#include <cstddef>

#include "pipette/async/task.h"
#include "pipette/base/bytes.h"
#include "pipette/base/result.h"

namespace pipette::server {

class BodySource {
 public:
  virtual ~BodySource() = default;
  // Fills the front of `into`, which is not empty; 0 at the end.
  virtual Task<Result<std::size_t>> read(MutableBytes into) = 0;
};

}  // namespace pipette::server

namespace pipette {
using server::BodySource;
}  // namespace pipette
