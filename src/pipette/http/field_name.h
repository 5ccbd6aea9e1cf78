// Field names: the ones this stack or its users look up often are interned, so that looking one up is an
// index and not a search.
//
//   intern("content-LENGTH") --> FieldName::content_length        intern("X-Anything") --> FieldName::other
//   append_canonical_name("x-ANYTHING", out) --> X-Anything       append_canonical_name("etag", out) --> ETag
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pipette::http {

enum class FieldName : std::uint8_t {
  other,
  accept,
  accept_charset,
  accept_encoding,
  accept_language,
  accept_ranges,
  age,
  allow,
  authorization,
  cache_control,
  connection,
  content_disposition,
  content_encoding,
  content_language,
  content_length,
  content_location,
  content_range,
  content_type,
  cookie,
  date,
  etag,
  expect,
  expires,
  forwarded,
  from,
  host,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  last_modified,
  link,
  location,
  max_forwards,
  origin,
  pragma,
  proxy_authenticate,
  proxy_authorization,
  range,
  referer,
  retry_after,
  server,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_proto,
  x_request_id,
};

inline constexpr std::array<std::string_view, 56> kFieldNames = {
    "",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Age",
    "Allow",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "From",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Link",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Range",
    "Referer",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "WWW-Authenticate",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-ID",
};

inline constexpr std::size_t kFieldNameCount = kFieldNames.size();

// The usual spelling; empty for FieldName::other.
constexpr std::string_view to_string(FieldName name) { return kFieldNames[static_cast<std::size_t>(name)]; }

// Case-insensitive (RFC 9110 §5.1).
FieldName intern(std::string_view name);

// Appends `name` as it is usually spelled: the interned ones as above, others with a capital letter in front and behind
// each "-", and the rest in lower case. What is no token is appended as it is.
void append_canonical_name(std::string_view name, std::string& out);

}  // namespace pipette::http
