// Decides where a message body ends.
//
//   head --> body_length() --> none | exactly N octets | chunked | until the connection closes
//
// The only place where Content-Length and Transfer-Encoding are interpreted; readers and writers both ask
// here, so the two sides cannot disagree (request smuggling, RFC 9112 §11.2).
//
// Spec      RFC 9112 §6.3, steps 1-8 (numbered in framing.cc).
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

Result<BodyLength> body_length(const RequestHead& head);
// `method` is that of the request which `head` answers.
Result<BodyLength> body_length(const ResponseHead& head, Method method);

}  // namespace pipette::http
