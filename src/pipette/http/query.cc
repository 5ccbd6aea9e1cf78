#include "pipette/http/query.h"

#include <algorithm>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !ascii::is_hex_digit(text[i + 1]) || !ascii::is_hex_digit(text[i + 2])) {
        return std::nullopt;
      }
      decoded += static_cast<char>(ascii::hex_value(text[i + 1]) << 4 | ascii::hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) { return decode(text, false); }

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t ampersand = query.find('&');
    const std::string_view pair = query.substr(0, ampersand);
    const std::size_t equals = pair.find('=');
    if (const auto key = decode(pair.substr(0, equals), true); key && *key == name) {
      return equals == std::string_view::npos ? std::string() : decode(pair.substr(equals + 1), true);
    }
    query = ampersand == std::string_view::npos ? std::string_view() : query.substr(ampersand + 1);
  }
  return std::nullopt;
}

}  // namespace pipette::http
