// The cookies of a request: read one by one where they stand, and joined for sending.
//
//   Cookie: sid=31d4d96e; lang="en"      CookieReader --> { sid, 31d4d96e }, { lang, "en" }, end
//   Cookie: theme=dark                                --> ... { theme, dark }, end
//
// Reading follows what user agents send rather than what servers should set: several field lines are one list, white
// space around names and values goes, empty pairs are passed over, a pair without "=" is a value without a name,
// quotes are part of the value (see unquoted()), duplicates stay. Writing is strict: a token, and cookie-octets with
// or without quotes around them.
//
// Spec      RFC 6265bis §4.1.1 (grammar), §4.2, §5.8.3.
// Units     pairs: a request with more than `max_cookies` is refused when that pair is reached.
// Errors    Errc::bad_cookie (then nothing has been appended), too_many_cookies.
// Lifetime  views into the field values; nothing is allocated.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/fields.h"

namespace pipette::http {

inline constexpr std::size_t kMaxCookies = 256;

struct Cookie {
  std::string_view name;
  std::string_view value;

  bool operator==(const Cookie&) const = default;
};

class CookieReader {
 public:
  // `fields` outlives the reader and does not change meanwhile.
  explicit CookieReader(const Fields& fields, std::size_t max_cookies = kMaxCookies);

  // Nothing when there are no more.
  Result<std::optional<Cookie>> next();

 private:
  bool next_line();

  const Fields& fields_;
  std::string_view rest_;  // of the line that is being read
  std::size_t line_ = 0;   // the field to look at next
  std::size_t left_;
};

// The value of the first cookie of that name, in its case, among the first kMaxCookies.
std::optional<std::string_view> cookie_value(const Fields& fields, std::string_view name);

// `value` without the quotes around it, if it has both.
std::string_view unquoted(std::string_view value);

// Whether a server may set, and a client send, `value`: cookie-octets, perhaps with quotes around them.
bool is_cookie_value(std::string_view value);

// Adds a pair to the value of a Cookie field, behind "; " unless it is the first.
Result<void> append_cookie(std::string& out, std::string_view name, std::string_view value);

// The same for a cookie that a server has set, which is given back as it came (see set_cookie.h): refuses only what
// would be read as something else, such as a value with "=" that has no name.
Result<void> append_received_cookie(std::string& out, const Cookie& cookie);

}  // namespace pipette::http
