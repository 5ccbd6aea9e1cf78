// The heads of messages: start line and fields, as views into the octets they were parsed from.
//
//   GET /a/b?q=1 HTTP/1.1 CRLF          HTTP/1.1 404 Not Found CRLF
//   *( name ":" value CRLF ) CRLF       *( name ":" value CRLF ) CRLF
//
// Spec      RFC 9112 §2-§5.
// Lifetime  the views are good while those octets stand still: for a request, until its handler returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipette/http/fields.h"
#include "pipette/http/method.h"

namespace pipette::http {

// What is read, and so what is written.
inline constexpr std::size_t kMaxMethodBytes = 32;
inline constexpr std::size_t kMaxReasonBytes = 1024;

// The four forms of a request target, RFC 9112 §3.2.
enum class TargetForm : std::uint8_t { origin, absolute, authority, asterisk };

struct RequestHead {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;
  TargetForm form = TargetForm::origin;
  std::string_view authority;  // of an absolute or authority target, else the Host field; may be empty in HTTP/1.0
  std::string_view path;       // as it was sent; "/" when an absolute target has none, "*" for the asterisk form
  std::string_view query;      // without its "?"
  bool is_http_1_0 = false;    // otherwise 1.1 or a later 1.x, which is served as 1.1 (RFC 9110 §6.2)
  Fields fields;
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  bool is_http_1_0 = false;
  Fields fields;
};

// What the Connection fields ask for, lists and case respected (RFC 9110 §7.6.1).
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};
ConnectionOptions connection_options(const Fields& fields);

// Whether the connection may carry another message after this one (RFC 9112 §9.3).
inline bool persists(bool is_http_1_0, const Fields& fields) {
  if (!fields.contains(FieldName::connection)) return !is_http_1_0;
  const ConnectionOptions options = connection_options(fields);
  return !options.close && (!is_http_1_0 || options.keep_alive);
}

}  // namespace pipette::http
