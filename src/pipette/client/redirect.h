// What a client asks next when a response sends it elsewhere.
//
//   301, 302  a POST becomes a GET, without its body; other methods stay
//   303       everything but HEAD becomes a GET, without its body
//   307, 308  method and body stay
//
// A body that goes takes the fields along that describe it (Content-…). To another origin (scheme, host or port) go
// neither Authorization, Cookie, Proxy-Authorization nor what else is between the user and the first one.
//
// Spec      RFC 9110 §15.4; what browsers do where that leaves a choice.
// Errors    Errc::too_many_redirects; refused_redirect from https to http, and what follow_if does not want; bad_uri
//           and unsupported_scheme for a Location that leads nowhere. A response without a Location stands as it is.
#pragma once

#include <functional>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"

namespace pipette::client {

struct Redirect {
  const Response& response;
  const Request& next;  // what would be asked
  int hops;             // from 1
};

struct RedirectPolicy {
  int max = 10;  // 0: a redirect is a response like any other
  bool allows_downgrade = false;
  std::function<bool(const Redirect&)> follow_if;  // null: yes. Must not throw.
};

// Not where it would take a body along that is not there any more.
bool asks_for_redirect(const Request& request, const Response& response);
// Makes of `request`, which was answered by `response`, what is to be asked next, for the `hops`-th time.
Result<void> follow(const Response& response, int hops, const RedirectPolicy& policy, Request& request);

}  // namespace pipette::client
