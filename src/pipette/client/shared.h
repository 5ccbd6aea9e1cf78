// Shared: what all hosts of a client have in common. Internal to client/.
//
// Lifetime  outlives them.   Threads  the loop's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pipette/async/task.h"
#include "pipette/base/random.h"
#include "pipette/base/result.h"
#include "pipette/client/call_options.h"
#include "pipette/client/dialer.h"
#include "pipette/client/options.h"
#include "pipette/client/retry.h"
#include "pipette/client/terms.h"
#include "pipette/net/runtime.h"

namespace pipette::client {

// What a client has done so far.
struct ClientCounts {
  std::uint64_t calls = 0;
  std::uint64_t requests = 0;  // that were begun to be sent, repetitions and redirects included
  std::uint64_t dials = 0;
  std::uint64_t reused = 0;  // requests on a connection that had been used before
  std::uint64_t waited = 0;  // for a connection
  std::uint64_t repeated = 0;
  std::uint64_t redirected = 0;
};

struct Shared {
  Shared(Runtime& of, ClientOptions told);

  // Until when a call may take that begins now.
  TimePoint begin_call(const CallOptions& call) {
    ++counts.calls;
    budget.earn();
    return std::min(call.deadline, after(runtime.loop().now(), call.timeout.value_or(options.timeout)));
  }
  Terms terms_of(const CallOptions& call, TimePoint deadline) const;
  // `call`, ended by the stop of its options, and with its end told to its trace.
  Task<Result<void>> watch(Task<Result<void>> call, const CallOptions& of, const Terms& terms);

  Runtime& runtime;
  const ClientOptions options;
  Dialer dialer;
  RetryBudget budget;
  Random random;
  ClientCounts counts;
  Terms ordinary;  // of a call without options of its own, but for its deadline
};

}  // namespace pipette::client
