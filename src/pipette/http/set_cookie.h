// The cookies of a response: what a server sets, and what a user agent makes of it.
//
//   SetCookie cookie("sid", "31d4");  cookie.path = "/";  cookie.secure = true;
//
//   cookie --> write_set_cookie() --> "sid=31d4; Path=/; Secure"    strict: what the grammar allows and no more
//   cookie <-- parse_set_cookie() <-- "sid=31d4; Path=/; Secure"    lax: by the algorithm of user agents
//
// Both refuse a cookie that a user agent must not keep, whatever it has been sent over: one of more than 4096 octets,
// SameSite=None, Partitioned or the prefix __Secure- without Secure, the prefix __Host- without Secure and Path=/ or
// with a Domain, a nameless one whose value looks like such a prefix. Which host and path a cookie may be set for,
// and sent to, is the business of whoever keeps it.
//
// parse(write(x)) is x for every x that can be written; times are whole seconds.
//
// Spec      RFC 6265bis §4.1 (writing), §5.6 (reading), §5.7 (prefixes, SameSite), §5.5 (400 days).
// Errors    Errc::bad_cookie: outside the grammar, empty or too large. Errc::unsafe_cookie: without what its name or
// its
//           attributes demand. Nothing has been appended then.
// Lifetime  views: into the text that was parsed, or of what the caller put in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/base/time.h"

namespace pipette::http {

inline constexpr std::size_t kMaxCookieBytes = 4096;           // name and value
inline constexpr std::size_t kMaxCookieAttributeBytes = 1024;  // a longer attribute counts as absent
inline constexpr std::chrono::days kMaxCookieAge{400};

enum class SameSite : std::uint8_t { unset, lax, strict, none };

struct SetCookie {
  SetCookie() = default;
  SetCookie(std::string_view cookie_name, std::string_view cookie_value) : name(cookie_name), value(cookie_value) {}

  std::string_view name;
  std::string_view value;  // with its quotes, if it has some
  std::optional<WallTime> expires;
  std::optional<std::chrono::seconds> max_age;  // never negative; 0 takes the cookie away
  std::string_view domain;  // without a leading dot, in the case it came; empty: only the host that sets it
  std::string_view path;    // begins with "/"; empty: that of the request, up to its last "/"
  SameSite same_site = SameSite::unset;
  bool secure = false;
  bool http_only = false;
  bool partitioned = false;

  bool operator==(const SetCookie&) const = default;

  // When the cookie ceases to be: Max-Age counts before Expires, and 400 days are the most. Nothing for a cookie that
  // lasts as long as its session.
  std::optional<WallTime> expiry_at(WallTime now) const;
};

Result<SetCookie> parse_set_cookie(std::string_view text);
Result<void> write_set_cookie(const SetCookie& cookie, std::string& out);

// Whether `cookie` has what its name and its attributes demand: what is refused as Errc::unsafe_cookie has not.
bool is_safe(const SetCookie& cookie);

// What takes `cookie` away when it is set: the same name, Domain, Path and security, no value, and an end in the past.
SetCookie deleted(SetCookie cookie);

// The date of an Expires attribute, which nearly every spelling is read from: a clock, a day, a month and a year, in
// any order (RFC 6265bis §5.1.1). Errc::bad_date.
Result<WallTime> parse_cookie_date(std::string_view text);

}  // namespace pipette::http
