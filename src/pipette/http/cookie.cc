#include "pipette/http/cookie.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

consteval std::array<bool, 256> make_cookie_octets() {
  std::array<bool, 256> octets{};
  for (std::size_t i = 0x21; i < 0x7f; ++i) octets[i] = !std::string_view("\",;\\").contains(static_cast<char>(i));
  return octets;
}

constexpr std::array<bool, 256> kCookieOctets = make_cookie_octets();

// What stands before the next ";", which goes too.
std::string_view take_pair(std::string_view& list) {
  const std::size_t semicolon = list.find(';');
  const std::string_view pair = list.substr(0, semicolon);
  list = semicolon == std::string_view::npos ? std::string_view() : list.substr(semicolon + 1);
  return pair;
}

// A pair without "=" is a value.
Cookie take_apart(std::string_view pair) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return {{}, ascii::trim(pair)};
  return {ascii::trim(pair.substr(0, equals)), ascii::trim(pair.substr(equals + 1))};
}

// Whether `text` is read back as it is, from a place before `;` or the end.
bool is_inert(std::string_view text) {
  return ascii::is_value(text) && !text.contains(';') && ascii::trim(text).size() == text.size();
}

void append_pair(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out.append("; ");
  if (!name.empty()) out.append(name).append("=");
  out.append(value);
}

}  // namespace

CookieReader::CookieReader(const Fields& fields, std::size_t max_cookies) : fields_(fields), left_(max_cookies) {
  if (fields.is_repeated(FieldName::cookie)) return;  // the lines are looked for one after another
  rest_ = fields.get(FieldName::cookie).value_or(std::string_view());
  line_ = fields.size();
}

Result<std::optional<Cookie>> CookieReader::next() {
  do {
    while (!rest_.empty()) {
      const Cookie cookie = take_apart(take_pair(rest_));
      if (cookie.name.empty() && cookie.value.empty()) continue;
      if (left_ == 0) return fail(Errc::too_many_cookies);
      --left_;
      return cookie;
    }
  } while (next_line());
  return std::nullopt;
}

bool CookieReader::next_line() {
  constexpr std::string_view kName = to_string(FieldName::cookie);
  while (line_ < fields_.size()) {
    const Field field = fields_[line_++];
    if (!ascii::equal_ignoring_case(field.name, kName)) continue;
    rest_ = field.value;
    return true;
  }
  return false;
}

std::optional<std::string_view> cookie_value(const Fields& fields, std::string_view name) {
  CookieReader reader(fields);
  while (true) {
    const Result<std::optional<Cookie>> cookie = reader.next();
    if (!cookie || !*cookie) return std::nullopt;
    if ((*cookie)->name == name) return (*cookie)->value;
  }
}

std::string_view unquoted(std::string_view value) {
  const bool has_quotes = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return has_quotes ? value.substr(1, value.size() - 2) : value;
}

bool is_cookie_value(std::string_view value) {
  return std::ranges::all_of(unquoted(value), [](char c) { return kCookieOctets[static_cast<std::uint8_t>(c)]; });
}

Result<void> append_cookie(std::string& out, std::string_view name, std::string_view value) {
  if (!ascii::is_token(name) || !is_cookie_value(value)) return fail(Errc::bad_cookie);
  append_pair(out, name, value);
  return {};
}

Result<void> append_received_cookie(std::string& out, const Cookie& cookie) {
  const std::string_view before_equals = cookie.name.empty() ? cookie.value : cookie.name;
  if (before_equals.empty() || before_equals.contains('=')) return fail(Errc::bad_cookie);
  if (!is_inert(cookie.name) || !is_inert(cookie.value)) return fail(Errc::bad_cookie);
  append_pair(out, cookie.name, cookie.value);
  return {};
}

}  // namespace pipette::http
