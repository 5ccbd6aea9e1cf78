// Decides what a conditional request comes to.
//
//   method, request fields, what there is now --> evaluate_conditions()
//     --> proceed | proceed_without_range | not_modified (304) | precondition_failed (412)
//
// Call it when the request is known to succeed, just before its effect: where the plain answer would be neither 2xx
// nor 412, conditions are ignored (RFC 9110 §13.2.1), and only the caller knows. Range is the caller's too: see
// range.h, unless the verdict says to ignore it.
//
// A malformed condition is on the safe side. If-Match then matches nothing; If-None-Match too when reading, while it
// fails when changing; dates, which must be one valid date on one line, are ignored; If-Range is false.
//
// Spec      RFC 9110 §13.2.2, steps 1-6 (numbered in conditional.cc), §13.1, §8.8.
// Units     dates count in whole seconds.
// Lifetime  reads its arguments during the call only.   Threads  a pure function, any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "pipette/base/time.h"
#include "pipette/http/entity_tag.h"
#include "pipette/http/fields.h"
#include "pipette/http/method.h"

namespace pipette::http {

// The selected representation, as it is now.
struct Representation {
  bool exists = true;
  std::optional<EntityTag> etag = std::nullopt;
  std::optional<WallTime> last_modified = std::nullopt;
  // Whether it never changes twice within a second, as far as the server knows (RFC 9110 §8.8.2.2). If-Range with a
  // date needs that; besides, the second of last_modified must be over.
  bool is_date_strong = true;
};

enum class Verdict : std::uint8_t { proceed, proceed_without_range, not_modified, precondition_failed };

Verdict evaluate_conditions(Method method, const Fields& request, const Representation& current, WallTime now);

}  // namespace pipette::http
