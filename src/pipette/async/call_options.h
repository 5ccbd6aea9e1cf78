// CallOptions: until when an operation may go on for somebody else's sake.
//
//   co_await client.get(url, ctx.call_options());     // ends with the request that it is made for
//
// A client's have more (client/call_options.h), and are made from these.
//
// Lifetime  the source of the stop outlives the operation.
#pragma once

#include "pipette/async/stop.h"
#include "pipette/base/time.h"

namespace pipette::async {

struct CallOptions {
  StopToken stop;
  TimePoint deadline = kNever;  // beside those that the operation has anyway
};

}  // namespace pipette::async
