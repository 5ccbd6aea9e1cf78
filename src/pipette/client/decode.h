// Undoes the content codings of responses, for clients that are told to. Internal to client/.
//
//   a request without Accept-Encoding and Range ──> asks for what coding/ can undo ──> Content-Encoding is undone
//
// What is undone has neither Content-Encoding nor Content-Length any more. A coding that nobody has asked for and
// that is not known stays.
//
// Spec      RFC 9110 §8.4, §12.5.3.
// Errors    Errc::bad_content_coding; body_too_large.
#pragma once

#include <cstdint>
#include <optional>

#include "pipette/base/result.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/client/terms.h"
#include "pipette/coding/decoder.h"

namespace pipette::client {

// Whether the codings of the response are ours to undo.
bool asks_for_codings(const Request& request, const Terms& terms);
// For the body of `response`, whose fields are changed; nothing where there is nothing to undo.
std::optional<coding::Decoder> decoder_of(Response& response);
// The whole body.
Result<void> decode(Response& response, std::uint64_t max_bytes);

}  // namespace pipette::client
