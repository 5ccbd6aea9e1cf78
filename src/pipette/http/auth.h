// Credentials: Basic and Bearer, as Authorization and Proxy-Authorization carry them.
//
//   "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" <--> { user "Aladdin", password "open sesame" }
//   "Bearer mF_9.B5f-4.1JqM"             <--> "mF_9.B5f-4.1JqM"
//
// The scheme is read in any case and is followed by spaces, then by one token68 and nothing else. A user has no ":";
// neither user nor password has control characters; both are octets, which a server that says charset="UTF-8" may
// take for UTF-8. Base64 must be padded and canonical, so that two texts never mean the same credentials.
//
// Spec      RFC 9110 §11.4, RFC 7617 §2 (Basic), RFC 6750 §2.1 (Bearer).
// Errors    Errc::bad_credentials; then nothing has been appended.
// Threads   pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"

namespace pipette::http {

struct BasicCredentials {
  std::string_view user;
  std::string_view password;

  bool operator==(const BasicCredentials&) const = default;
};

// The views point into `decoded`, whose old content is lost.
Result<BasicCredentials> parse_basic(std::string_view value, std::string& decoded);
Result<void> write_basic(const BasicCredentials& credentials, std::string& out);

// The token is a view into `value`.
Result<std::string_view> parse_bearer(std::string_view value);
Result<void> write_bearer(std::string_view token, std::string& out);

// Whether two secrets are equal, in a time that depends on their sizes only: nobody who measures it learns how much
// of a guess was right. The sizes are no secret; compare digests where they should be.
bool equal_in_constant_time(Bytes a, Bytes b);

}  // namespace pipette::http
