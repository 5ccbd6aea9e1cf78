// The credentials of one request: its Authorization, in place of one that is there.
//
//   set_basic(request, "Aladdin", "open sesame")     Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==
//   set_bearer(request, "mF_9.B5f-4.1JqM")           Authorization: Bearer mF_9.B5f-4.1JqM
//
// They are readable on the way to an http URL. A redirect to another origin leaves them behind (redirect.h).
//
// Spec      RFC 7617 §2, RFC 6750 §2.1.
// Errors    Errc::bad_credentials, as http/auth.h says, and those of OwnedFields::set(). Nothing has changed then.
// Threads   one a request.
#pragma once

#include <string_view>

#include "pipette/base/result.h"
#include "pipette/client/request.h"

namespace pipette::client {

Result<void> set_basic(Request& request, std::string_view user, std::string_view password);
Result<void> set_bearer(Request& request, std::string_view token);

}  // namespace pipette::client
