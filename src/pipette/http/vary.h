// Vary: which fields of the request a response was chosen by. Servers add to it; caches match it.
//
//   add_vary(response, "Accept-Encoding")                 Vary: Origin  -->  Vary: Origin, Accept-Encoding
//   vary_matches(response, the request it answered, another request)  -->  may it answer that one too?
//
// Spec      RFC 9110 §12.5.5, RFC 9111 §4.1.
// Errors    Errc::bad_field_name; bad_field_list when the Vary that is there is malformed. Nothing is changed then.
// Threads   add_vary() one; vary_matches() any.
#pragma once

#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/fields.h"

namespace pipette::http {

// Adds `name`, or "*", unless it is there, in any case. "*" takes the place of all names, and stays alone.
Result<void> add_vary(OwnedFields& response, std::string_view name);

// Whether the two requests have the same values in every field that the Vary of `response` names. White space around
// commas, and how the elements are spread over lines, do not matter in the Accept fields; elsewhere lines must be the
// same. "*" and a malformed Vary never match.
bool vary_matches(const Fields& response, const Fields& original, const Fields& request);

}  // namespace pipette::http
