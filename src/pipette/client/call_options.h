// CallOptions: what one call does otherwise than its client says.
//
//   CallOptions options = ctx.call_options();      // for the sake of a request: ends with it
//   options.timeout = 2s;
//   Result<Response> page = co_await client.get(url, options);
//
// Lifetime  what is pointed to, and the source of the stop, outlive the call.
#pragma once

#include <cstdint>
#include <optional>

#include "pipette/async/call_options.h"
#include "pipette/base/time.h"
#include "pipette/client/redirect.h"
#include "pipette/client/retry.h"
#include "pipette/client/trace.h"
#include "pipette/http/fields.h"

namespace pipette::client {

struct CallOptions : async::CallOptions {
  CallOptions() {}  // NOLINT(modernize-use-equals-default): it is an argument of awaited calls
  CallOptions(const async::CallOptions& until) : async::CallOptions(until) {}  // NOLINT(google-explicit-constructor)

  std::optional<Duration> timeout;                       // of the whole call, in place of the client's
  std::optional<std::uint64_t> max_response_body_bytes;  // in place of the client's
  const http::OwnedFields* fields = nullptr;             // beside the request's, which win
  const RetryPolicy* retries = nullptr;                  // in place of the client's; the budget is the client's
  const RedirectPolicy* redirects = nullptr;             // in place of the client's
  const Trace* trace = nullptr;                          // in place of the client's
  // The body waits until the server wants it (100), or for expect_continue_timeout (RFC 9110 §10.1.1).
  bool expects_continue = false;

  // Whether it differs from others in its time at most.
  bool is_ordinary() const {
    return !stop.stop_possible() && !max_response_body_bytes && fields == nullptr && retries == nullptr &&
           redirects == nullptr && trace == nullptr && !expects_continue;
  }
};

inline const CallOptions kOrdinaryCall;

}  // namespace pipette::client

namespace pipette {
using client::CallOptions;
}  // namespace pipette
