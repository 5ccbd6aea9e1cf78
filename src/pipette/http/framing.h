// Decides where a message body ends.
//
//   head --> body_length() --> none | exactly N octets | chunked | until the connection closes
//
// The only place where Content-Length and Transfer-Encoding are interpreted; readers and writers both ask
// here, so the two sides cannot disagree (request smuggling, RFC 9112 §11.2).
//
// Spec      RFC 9112 §6.3, steps 1-8 (numbered below and in framing.cc).
// Units     octets.
// Errors    Errc::bad_content_length, conflicting_framing, bad_transfer_coding, unknown_transfer_coding. After
//           each the connection must be closed.
// Lifetime  reads `head` during the call only.   Threads  pure functions, any thread.
#pragma once

#include <cstdint>

#include "pipette/base/result.h"
#include "pipette/http/head.h"

namespace pipette::http {

struct BodyLength {
  enum class Kind : std::uint8_t { none, exact, chunked, until_close };

  Kind kind = Kind::none;
  std::uint64_t size = 0;  // for Kind::exact

  bool operator==(const BodyLength&) const = default;
};

inline Result<BodyLength> body_length(const RequestHead& head);
// `method` is that of the request which `head` answers.
Result<BodyLength> body_length(const ResponseHead& head, Method method);

namespace internal {

// Steps 3-6: what the two fields say. Kind::none when neither is there.
Result<BodyLength> declared_length(bool is_http_1_0, const Fields& fields);

}  // namespace internal

inline Result<BodyLength> body_length(const RequestHead& head) {
  // Step 7: a request with neither field has no body.
  const bool has_neither =
      !head.fields.contains(FieldName::content_length) && !head.fields.contains(FieldName::transfer_encoding);
  if (has_neither) return BodyLength();
  return internal::declared_length(head.is_http_1_0, head.fields);
}

}  // namespace pipette::http
