#include "pipette/http/auth.h"

#include <algorithm>
#include <optional>

#include "pipette/base/ascii.h"
#include "pipette/base/base64.h"

namespace pipette::http {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_token68_char(char c) {
  return ascii::is_digit(c) || ascii::is_alpha(c) || std::string_view("-._~+/").contains(c);
}

bool is_token68(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::ranges::all_of(text, is_token68_char);
}

// What follows the scheme and its spaces.
std::optional<std::string_view> behind_scheme(std::string_view value, std::string_view scheme) {
  if (!ascii::equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  value.remove_prefix(scheme.size());
  const std::size_t spaces = std::min(value.find_first_not_of(' '), value.size());
  if (spaces == 0) return std::nullopt;
  return value.substr(spaces);
}

}  // namespace

Result<BasicCredentials> parse_basic(std::string_view value, std::string& decoded) {
  decoded.clear();
  const auto text = behind_scheme(value, "Basic");
  if (!text || !append_base64_decoded(*text, decoded)) return fail(Errc::bad_credentials);
  const std::size_t colon = decoded.find(':');
  if (colon == std::string::npos || std::ranges::any_of(decoded, is_control)) return fail(Errc::bad_credentials);
  const std::string_view pair = decoded;
  return BasicCredentials{pair.substr(0, colon), pair.substr(colon + 1)};
}

Result<void> write_basic(const BasicCredentials& credentials, std::string& out) {
  const auto& [user, password] = credentials;
  if (user.contains(':') || std::ranges::any_of(user, is_control) || std::ranges::any_of(password, is_control)) {
    return fail(Errc::bad_credentials);
  }
  std::string pair;
  pair.reserve(user.size() + 1 + password.size());
  pair.append(user).append(":").append(password);
  out.append("Basic ");
  append_base64(pair, out);
  return {};
}

Result<std::string_view> parse_bearer(std::string_view value) {
  const auto token = behind_scheme(value, "Bearer");
  if (!token || !is_token68(*token)) return fail(Errc::bad_credentials);
  return *token;
}

Result<void> write_bearer(std::string_view token, std::string& out) {
  if (!is_token68(token)) return fail(Errc::bad_credentials);
  out.append("Bearer ").append(token);
  return {};
}

bool equal_in_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  // Volatile, so that no compiler leaves the loop at the first difference.
  const volatile char* left = a.data();
  const volatile char* right = b.data();
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char x = left[i];
    const char y = right[i];
    difference |= static_cast<unsigned char>(x) ^ static_cast<unsigned char>(y);
  }
  return difference == 0;
}

}  // namespace pipette::http
