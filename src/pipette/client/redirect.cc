#include "pipette/client/redirect.h"

#include <array>
#include <string>

#include "pipette/base/ascii.h"
#include "pipette/http/status.h"
#include "pipette/http/uri.h"

namespace pipette::client {
namespace {

using http::Method;

constexpr std::array<std::string_view, 8> kOfTheBody = {
    "Content-Type",  "Content-Encoding",    "Content-Language", "Content-Location",
    "Content-Range", "Content-Disposition", "Content-MD5",      "Digest",
};
constexpr std::array<std::string_view, 6> kOfTheOrigin = {
    "Authorization", "Cookie", "Cookie2", "Proxy-Authorization", "Proxy-Authenticate", "WWW-Authenticate",
};

bool drops_body(int status, Method method) {
  if (status == 303) return method != Method::head && method != Method::get;
  return (status == 301 || status == 302) && method == Method::post;
}

bool is_same_origin(const http::HttpUrl& a, const http::HttpUrl& b) {
  return a.is_https == b.is_https && a.port == b.port && ascii::equal_ignoring_case(a.host, b.host);
}

}  // namespace

bool asks_for_redirect(const Request& request, const Response& response) {
  if (!http::is_redirect(response.status) || !response.fields.contains("Location")) return false;
  return request.body_source == nullptr || drops_body(response.status, request.method);
}

Result<void> follow(const Response& response, int hops, const RedirectPolicy& policy, Request& request) {
  if (hops > policy.max) return fail(Errc::too_many_redirects);
  http::Uri target;
  if (const Result<void> parsed = target.parse(request.url); !parsed) return parsed;
  if (const Result<void> met = target.resolve(*response.header("Location")); !met) return met;
  const std::string url(target.full_uri());
  const Result<http::HttpUrl> from = http::parse_http_url(request.url);
  const Result<http::HttpUrl> to = http::parse_http_url(url);
  if (!to) return fail(to.error());
  if (from->is_https && !to->is_https && !policy.allows_downgrade) return fail(Errc::refused_redirect);
  if (!is_same_origin(*from, *to)) {
    for (const std::string_view name : kOfTheOrigin) request.fields.remove(name);
  }
  request.fields.remove("Host");  // it was for the first one
  if (drops_body(response.status, request.method)) {
    request.method = Method::get;
    request.body.clear();
    request.body_source = nullptr;
    for (const std::string_view name : kOfTheBody) request.fields.remove(name);
  }
  request.url = url;
  if (policy.follow_if && !policy.follow_if({response, request, hops})) return fail(Errc::refused_redirect);
  return {};
}

}  // namespace pipette::client
