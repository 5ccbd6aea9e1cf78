// BodySource: where a body comes from, piece by piece, when it is not there as a whole.
//
//   ctx.set_body_source(std::make_unique<Rows>(query), 4096);      // of a response, and its length; left out: chunked
//   request.body_source = &rows;                                   // of a request
//
// Who sends it asks for the next piece when the one before has been taken by the network, so a slow peer holds one
// piece in memory.
//
// Errors    what read() returns or throws cuts the message short, which the peer notices.
// Lifetime  that of a response is destroyed with its exchange, read to its end or not.   Threads  the loop's.
#pragma once

#include <cstddef>

#include "pipette/async/task.h"
#include "pipette/base/bytes.h"
#include "pipette/base/result.h"

namespace pipette::net {

class BodySource {
 public:
  virtual ~BodySource() = default;
  // Fills the front of `into`, which is not empty; 0 at the end.
  virtual Task<Result<std::size_t>> read(MutableBytes into) = 0;
};

}  // namespace pipette::net

namespace pipette {
using net::BodySource;
}  // namespace pipette
