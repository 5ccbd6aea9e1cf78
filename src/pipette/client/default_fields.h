// Fields beside those that a message has already. Internal to client/.
#pragma once

#include <cstddef>

#include "pipette/base/result.h"
#include "pipette/http/fields.h"

namespace pipette::client {

// Adds to `fields` those of `more` whose names `own` has not; `own` may be what `fields` was made from.
inline Result<void> add_default_fields(http::OwnedFields& fields, const http::OwnedFields& more,
                                       const http::OwnedFields& own) {
  for (std::size_t i = 0; i < more.size(); ++i) {
    const http::Field field = more[i];
    if (own.contains(field.name)) continue;
    if (const Result<void> added = fields.add(field.name, field.value); !added) return added;
  }
  return {};
}

}  // namespace pipette::client
