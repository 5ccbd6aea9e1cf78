// The URLs a client is given, taken apart.
//
//   http://app:8080/a/b?q=1#frag  -->  scheme http · host app · port 8080 · target /a/b?q=1
//
// Spec      RFC 9110 §4.2, RFC 3986. Userinfo is refused (RFC 9110 §4.2.4), a fragment is dropped, an empty path
//           is "/".
// Errors    Errc::bad_url, unsupported_scheme.
// Lifetime  views into the text that was parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipette/base/result.h"

namespace pipette::http {

struct Url {
  bool is_https = false;
  std::string_view authority;  // host with its port, as written: what a Host field says
  std::string_view host;       // without its port; an IPv6 address keeps its brackets
  std::uint16_t port = 0;
  std::string_view target;  // path and query; may lack its leading "/" (see target_prefix)

  // "/" when `target` is empty or begins with "?", else "".
  std::string_view target_prefix() const { return target.starts_with('/') ? "" : "/"; }
};

Result<Url> parse_url(std::string_view text);

// `url`, whose views point into the text at `from`, with views into an equal text at `to`.
Url moved(const Url& url, const char* from, const char* to);

// Whether `target` can be sent in a request line: visible octets that RFC 3986 allows, valid percent signs.
bool is_target(std::string_view target);

}  // namespace pipette::http
