#include "pipette/http/url.h"

#include <algorithm>

#include "pipette/base/ascii.h"
#include "pipette/http/head_parser.h"

namespace pipette::http {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() && ascii::equal_ignoring_case(text.substr(0, scheme.size()), scheme);
}

}  // namespace

Url moved(const Url& url, const char* from, const char* to) {
  const auto move = [&](std::string_view view) {
    return view.empty() ? std::string_view() : std::string_view(to + (view.data() - from), view.size());
  };
  Url other = url;
  other.authority = move(url.authority);
  other.host = move(url.host);
  other.target = move(url.target);
  return other;
}

bool is_target(std::string_view target) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!ascii::is_target_char(target[i])) return false;
    if (target[i] != '%') continue;
    if (i + 2 >= target.size() || !ascii::is_hex_digit(target[i + 1]) || !ascii::is_hex_digit(target[i + 2]))
      return false;
  }
  return true;
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  if (has_scheme(text, "http://")) {
    text.remove_prefix(7);
    url.port = kHttpPort;
  } else if (has_scheme(text, "https://")) {
    text.remove_prefix(8);
    url.port = kHttpsPort;
    url.is_https = true;
  } else {
    return fail(text.contains("://") ? Errc::unsupported_scheme : Errc::bad_url);
  }
  text = text.substr(0, text.find('#'));
  const std::size_t authority_size = std::min(text.find_first_of("/?"), text.size());
  url.authority = text.substr(0, authority_size);
  url.target = text.substr(authority_size);
  if (!is_host(url.authority) || !is_target(url.target)) return fail(Errc::bad_url);

  const std::size_t bracket = url.authority.find(']');
  const std::size_t colon = url.authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = url.authority.substr(0, colon);
  if (colon != std::string_view::npos && colon + 1 < url.authority.size()) {
    url.port = static_cast<std::uint16_t>(*ascii::parse_decimal(url.authority.substr(colon + 1)));
  }
  return url;
}

}  // namespace pipette::http
