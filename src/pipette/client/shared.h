// Shared: what all hosts of a client have in common. Internal to client/.
//
// Lifetime  outlives them.   Threads  the loop's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <system_error>

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

  // Of a call that begins now.
  Terms begin_call(const CallOptions& call) {
    ++counts.calls;
    budget.earn();
    Terms terms;
    terms.deadline = std::min(call.deadline, after(runtime.loop().now(), call.timeout.value_or(options.timeout)));
    terms.retries = call.retries != nullptr ? call.retries : &options.retries;
    terms.redirects = call.redirects != nullptr ? call.redirects : &options.redirects;
    terms.trace = call.trace != nullptr ? call.trace : options.trace ? &options.trace : nullptr;
    terms.fields = call.fields;
    terms.max_body_bytes = call.max_response_body_bytes.value_or(options.max_response_body_bytes);
    terms.expects_continue = call.expects_continue;
    terms.decompresses = options.decompresses;
    return terms;
  }
  // `call`, ended by the stop of its options, and with its end told to its trace.
  Task<Result<void>> watch(Task<Result<void>> call, const CallOptions& of, const Terms& terms);

  Runtime& runtime;
  const ClientOptions options;
  Dialer dialer;
  RetryBudget budget;
  Random random;
  ClientCounts counts;
};

// A call that ends as it begins.
Task<Result<void>> failed_call(std::error_code error);

}  // namespace pipette::client
