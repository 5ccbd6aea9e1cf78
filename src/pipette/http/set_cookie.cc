#include "pipette/http/set_cookie.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/cookie.h"
#include "pipette/http/date.h"
#include "pipette/http/internal/civil_time.h"
#include "pipette/http/internal/find.h"

namespace pipette::http {
namespace {

using internal::CivilTime;

constexpr std::string_view kSecurePrefix = "__Secure-";
constexpr std::string_view kHostPrefix = "__Host-";

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && ascii::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// ---- dates -----------------------------------------------------------------------------------------------

bool is_date_delimiter(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == '\t' || (octet >= 0x20 && octet <= 0x2f) || (octet >= 0x3b && octet <= 0x40) ||
         (octet >= 0x5b && octet <= 0x60) || (octet >= 0x7b && octet <= 0x7e);
}

// How many digits `text` begins with.
std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, ascii::is_digit) - text.begin());
}

// The number that `text` begins with, if it has so many digits; it goes.
std::optional<unsigned> take_number(std::string_view& text, std::size_t min_digits, std::size_t max_digits) {
  const std::size_t digits = count_digits(text);
  if (digits < min_digits || digits > max_digits) return std::nullopt;
  const auto number = static_cast<unsigned>(*ascii::parse_decimal(text.substr(0, digits)));
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

constexpr unsigned kFirstYear = 1601;

class CookieDateParser {
 public:
  // Step 2: each token is the first of these four that it can be and that is still missing.
  void take_token(std::string_view token) {
    if (!has_clock_ && take_clock(token)) return;
    if (!has_day_ && take_day(token)) return;
    if (!has_month_ && take_month(token)) return;
    if (!has_year_) take_year(token);
  }

  // Steps 3-6.
  Result<WallTime> finish() const {
    const bool is_complete = has_clock_ && has_day_ && has_month_ && has_year_;
    const bool is_clock = time_.hour < 24 && time_.minute < 60 && time_.second < 60;
    if (!is_complete || !is_clock || time_.year < kFirstYear) return fail(Errc::bad_date);
    const auto date = time_.date();
    if (!date) return fail(Errc::bad_date);
    return internal::to_wall_time(*date + time_.time_of_day());
  }

 private:
  bool take_clock(std::string_view token) {
    const auto hour = take_number(token, 1, 2);
    if (!hour || !take(token, ':')) return false;
    const auto minute = take_number(token, 1, 2);
    if (!minute || !take(token, ':')) return false;
    const auto second = take_number(token, 1, 2);
    if (!second) return false;
    time_.hour = *hour;
    time_.minute = *minute;
    time_.second = *second;
    return has_clock_ = true;
  }
  bool take_day(std::string_view token) {
    const auto day = take_number(token, 1, 2);
    if (day) time_.day = *day;
    return has_day_ = day.has_value();
  }
  bool take_month(std::string_view token) {
    for (unsigned month = 1; month <= 12; ++month) {
      if (!has_prefix(token, internal::kMonths.substr((month - 1) * 3, 3))) continue;
      time_.month = month;
      return has_month_ = true;
    }
    return false;
  }
  void take_year(std::string_view token) {
    const auto year = take_number(token, 2, 4);
    if (!year) return;
    time_.year = *year;
    if (*year < 100) time_.year += *year >= 70 ? 1900 : 2000;
    has_year_ = true;
  }

  CivilTime time_;
  bool has_clock_ = false;
  bool has_day_ = false;
  bool has_month_ = false;
  bool has_year_ = false;
};

// What nearly every date is, an IMF-fixdate that is a cookie-date too: no leap second, no year before kFirstYear.
std::optional<WallTime> parse_usual_date(std::string_view text) {
  constexpr std::size_t kSecond = 23;
  if (text.size() != kDateBytes || text[kSecond] == '6') return std::nullopt;
  const Result<WallTime> date = parse_date(text, WallTime());
  if (!date || *date <= internal::to_wall_time(std::chrono::sys_seconds::min())) return std::nullopt;
  return *date;
}

// ---- reading ---------------------------------------------------------------------------------------------

// What stands before the next `separator`; `text` keeps what stands behind it.
[[gnu::always_inline]] inline std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = internal::find_octet(text, separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

// §5.6.2. As many seconds as can be counted; 0 for none and for a negative number.
std::optional<std::chrono::seconds> parse_max_age(std::string_view text) {
  const bool is_negative = take(text, '-');
  if (text.empty() || count_digits(text) != text.size()) return std::nullopt;
  if (is_negative) return std::chrono::seconds(0);
  constexpr std::uint64_t kMax = std::chrono::seconds::max().count();
  return std::chrono::seconds(std::min(ascii::parse_decimal(text).value_or(kMax), kMax));
}

SameSite parse_same_site(std::string_view text) {
  if (ascii::equal_ignoring_case(text, "lax")) return SameSite::lax;
  if (ascii::equal_ignoring_case(text, "strict")) return SameSite::strict;
  if (ascii::equal_ignoring_case(text, "none")) return SameSite::none;
  return SameSite::unset;
}

// §5.6.1-§5.6.7, and Partitioned: an attribute that cannot be understood changes nothing.
void take_attribute(SetCookie& cookie, std::string_view name, std::string_view value) {
  using internal::word_of;
  constexpr std::string_view kPartitioned = "partitioned";
  if (name.size() > 8) {
    if (ascii::equal_ignoring_case(name, kPartitioned)) cookie.partitioned = true;
    return;
  }
  switch (ascii::internal::lower_word(internal::load_padded_word(name))) {
    case word_of("expires"):
      if (const Result<WallTime> date = parse_cookie_date(value)) cookie.expires = *date;
      break;
    case word_of("max-age"):
      if (const auto max_age = parse_max_age(value)) cookie.max_age = max_age;
      break;
    case word_of("domain"):
      take(value, '.');
      cookie.domain = value;
      break;
    case word_of("path"):
      cookie.path = value.starts_with('/') ? value : std::string_view();
      break;
    case word_of("secure"):
      cookie.secure = true;
      break;
    case word_of("httponly"):
      cookie.http_only = true;
      break;
    case word_of("samesite"):
      cookie.same_site = parse_same_site(value);
      break;
    default:
      break;
  }
}

// §5.6 steps 2-4. A pair without "=" is a value.
Cookie take_pair(std::string_view& text) {
  const std::string_view pair = take_until(text, ';');
  std::string_view value = pair;
  const std::string_view name = take_until(value, '=');
  if (name.size() == pair.size()) return {{}, ascii::trim(pair)};
  return {ascii::trim(name), ascii::trim(value)};
}

// §5.6, from the first step for the attributes on.
void take_attributes(SetCookie& cookie, std::string_view text) {
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    const std::string_view name = ascii::trim(take_until(value, '='));
    value = ascii::trim(value);
    if (value.size() <= kMaxCookieAttributeBytes) take_attribute(cookie, name, value);
  }
}

// §5.6 steps 1 and 5, §5.7 step 2.
bool is_keepable(std::string_view text, const Cookie& pair) {
  const std::size_t size = pair.name.size() + pair.value.size();
  return internal::is_value(text) && size > 0 && size <= kMaxCookieBytes;
}

// ---- writing ---------------------------------------------------------------------------------------------

// A subdomain of RFC 1034 §3.5, whose labels may begin with a digit (RFC 1123 §2.1).
bool is_domain(std::string_view text) {
  constexpr std::size_t kMaxBytes = 253;
  constexpr std::size_t kMaxLabelBytes = 63;
  if (text.size() > kMaxBytes || text.ends_with('.')) return false;
  while (!text.empty()) {
    const std::string_view label = take_until(text, '.');
    if (label.empty() || label.size() > kMaxLabelBytes || label.front() == '-' || label.back() == '-') return false;
    const auto is_allowed = [](char c) { return ascii::is_digit(c) || ascii::is_alpha(c) || c == '-'; };
    if (!std::ranges::all_of(label, is_allowed)) return false;
  }
  return true;
}

// av-octets that are read back as they are.
bool is_path(std::string_view text) {
  if (!text.starts_with('/') || text.ends_with(' ') || text.size() > kMaxCookieAttributeBytes) return false;
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f && c != ';'; });
}

bool is_writable(const SetCookie& cookie) {
  return ascii::is_token(cookie.name) && is_cookie_value(cookie.value) &&
         cookie.name.size() + cookie.value.size() <= kMaxCookieBytes &&
         (cookie.domain.empty() || is_domain(cookie.domain)) && (cookie.path.empty() || is_path(cookie.path)) &&
         (!cookie.max_age || cookie.max_age->count() >= 0);
}

void append_decimal(std::int64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(std::begin(digits), std::end(digits), number).ptr);
}

std::string_view attribute_of(SameSite same_site) {
  switch (same_site) {
    case SameSite::lax:
      return "; SameSite=Lax";
    case SameSite::strict:
      return "; SameSite=Strict";
    case SameSite::none:
      return "; SameSite=None";
    case SameSite::unset:
      break;
  }
  return "";
}

}  // namespace

// RFC 6265bis §4.1.3, §5.7, and what Partitioned demands besides.
bool is_safe(const SetCookie& cookie) {
  const bool needs_secure = cookie.same_site == SameSite::none || cookie.partitioned;
  if (needs_secure && !cookie.secure) return false;
  const bool is_nameless = cookie.name.empty();
  const std::string_view seen = is_nameless ? cookie.value : cookie.name;  // by a server that it is sent to
  if (!seen.starts_with("__")) return true;
  if (has_prefix(seen, kSecurePrefix)) return cookie.secure && !is_nameless;
  if (!has_prefix(seen, kHostPrefix)) return true;
  return cookie.secure && cookie.path == "/" && cookie.domain.empty() && !is_nameless;
}

Result<WallTime> parse_cookie_date(std::string_view text) {
  if (const auto date = parse_usual_date(text)) return *date;
  CookieDateParser parser;
  while (!text.empty()) {
    const std::size_t end = static_cast<std::size_t>(std::ranges::find_if(text, is_date_delimiter) - text.begin());
    parser.take_token(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

Result<SetCookie> parse_set_cookie(std::string_view text) {
  std::string_view attributes = text;
  const Cookie pair = take_pair(attributes);
  Result<SetCookie> cookie(std::in_place, pair.name, pair.value);  // made where it is returned: copying costs more
  if (!is_keepable(text, pair)) {
    cookie = fail(Errc::bad_cookie);
  } else {
    take_attributes(*cookie, attributes);
    if (!is_safe(*cookie)) cookie = fail(Errc::unsafe_cookie);
  }
  return cookie;
}

Result<void> write_set_cookie(const SetCookie& cookie, std::string& out) {
  if (!is_writable(cookie)) return fail(Errc::bad_cookie);
  if (!is_safe(cookie)) return fail(Errc::unsafe_cookie);
  out.append(cookie.name).append("=").append(cookie.value);
  if (cookie.expires) write_date(*cookie.expires, out.append("; Expires="));
  if (cookie.max_age) append_decimal(cookie.max_age->count(), out.append("; Max-Age="));
  if (!cookie.domain.empty()) out.append("; Domain=").append(cookie.domain);
  if (!cookie.path.empty()) out.append("; Path=").append(cookie.path);
  if (cookie.secure) out.append("; Secure");
  if (cookie.http_only) out.append("; HttpOnly");
  out.append(attribute_of(cookie.same_site));
  if (cookie.partitioned) out.append("; Partitioned");
  return {};
}

std::optional<WallTime> SetCookie::expiry_at(WallTime now) const {
  const Duration most = std::min(Duration(kMaxCookieAge), WallTime::max() - std::max(now, WallTime()));
  if (max_age) {
    if (max_age->count() <= 0) return WallTime::min();
    return now + std::min(most, Duration(std::min(*max_age, std::chrono::seconds(kMaxCookieAge))));
  }
  if (expires) return std::min(*expires, now + most);
  return std::nullopt;
}

SetCookie deleted(SetCookie cookie) {
  cookie.value = {};
  cookie.expires = WallTime();
  cookie.max_age = std::chrono::seconds(0);
  return cookie;
}

}  // namespace pipette::http
