// Terms: what holds for one call, of its client's options and its own. Internal to client/.
//
// Lifetime  what is pointed to outlives the call.
#pragma once

#include <cstdint>

#include "pipette/base/time.h"
#include "pipette/client/redirect.h"
#include "pipette/client/retry.h"
#include "pipette/client/trace.h"
#include "pipette/http/fields.h"

namespace pipette::client {

struct Terms {
  TimePoint deadline = kNever;
  const RetryPolicy* retries = nullptr;
  const RedirectPolicy* redirects = nullptr;
  const Trace* trace = nullptr;                  // null: nobody wants to know
  const http::OwnedFields* fields = nullptr;     // beside the request's, which win
  const http::OwnedFields* overrides = nullptr;  // in place of the request's
  std::uint64_t max_body_bytes = 0;
  bool expects_continue = false;
  bool wants_upgrade = false;
  bool decompresses = false;

  void tell(TraceEvent event) const {
    if (trace != nullptr) (*trace)(event);
  }
};

}  // namespace pipette::client
