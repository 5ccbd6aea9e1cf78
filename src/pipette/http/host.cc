#include "pipette/http/host.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/word.h"

namespace pipette::http {
namespace {

bool is_port(std::string_view digits) {
  const auto port = ascii::parse_decimal(digits);
  return digits.empty() || (port && *port <= 65535);
}

using Octets = std::uint8_t __attribute__((vector_size(16)));

// Whether all are letters, digits, "-" or ".", as in nearly every name.
bool are_plain(Octets octets) {
  const auto is_letter = ((octets | 0x20) - 'a') <= 'z' - 'a';
  const auto is_digit_or_mark = (octets - '-') <= '9' - '-';  // the slash too
  const auto found = (is_letter | is_digit_or_mark) & (octets != '/');
  std::uint64_t halves[2];
  std::memcpy(halves, &found, sizeof halves);
  return (halves[0] & halves[1]) == ~std::uint64_t{0};
}

Octets load(const char* first_half, const char* second_half) {
  const std::uint64_t halves[2] = {internal::load_word(first_half), internal::load_word(second_half)};
  Octets octets;
  std::memcpy(&octets, halves, sizeof octets);
  return octets;
}

// What is shorter than a vector is looked at twice in part.
bool is_plain_name(std::string_view text) {
  if (text.size() < 8) return false;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; end - at > 16; at += 16) {
    if (!are_plain(load(at, at + 8))) return false;
  }
  return end - at >= 8 ? are_plain(load(at, end - 8)) : are_plain(load(end - 8, end - 8));
}

}  // namespace

bool has_valid_percents(std::string_view text) {
  if (text.empty() || std::memchr(text.data(), '%', text.size()) == nullptr) return true;
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1)) {
    if (i + 2 >= text.size() || !ascii::is_hex_digit(text[i + 1]) || !ascii::is_hex_digit(text[i + 2])) return false;
    if (text[i + 1] == '0' && text[i + 2] == '0') return false;
  }
  return true;
}

// Four numbers up to 255, without leading zeros.
bool is_ipv4_literal(std::string_view text) {
  for (int left = 4; left > 0; --left) {
    const std::string_view number = text.substr(0, left > 1 ? text.find('.') : text.size());
    const auto value = ascii::parse_decimal(number);
    if (!value || *value > 255 || (number.size() > 1 && number.front() == '0')) return false;
    text.remove_prefix(std::min(number.size() + 1, text.size()));
  }
  return true;
}

// Eight groups of one to four hex digits, the last two perhaps written as an IPv4 address; one "::" may stand for any
// number of groups that are zero.
bool is_ipv6_literal(std::string_view text) {
  unsigned groups = 0;
  bool has_gap = false;
  for (;;) {
    if (text.starts_with("::")) {
      if (std::exchange(has_gap, true)) return false;
      text.remove_prefix(2);
      if (text.empty()) break;
    } else if (groups > 0) {
      if (text.empty()) break;
      if (text.front() != ':') return false;
      text.remove_prefix(1);
    }
    if (!text.contains(':') && text.contains('.')) {
      if (!is_ipv4_literal(text)) return false;
      groups += 2;
      break;
    }
    const auto is_digit = [](char c) { return ascii::is_hex_digit(c); };
    const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    if (digits == 0 || digits > 4) return false;
    text.remove_prefix(digits);
    ++groups;
  }
  return has_gap ? groups < 8 : groups == 8;
}

bool is_host(std::string_view text) {
  if (is_plain_name(text)) return true;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6_literal(text.substr(1, close - 1))) return false;
    const std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  while (at != end && ascii::is_host_char(*at)) ++at;
  const auto host = text.substr(0, static_cast<std::size_t>(at - text.data()));
  if (host.empty() || !has_valid_percents(host)) return false;
  return at == end || (*at == ':' && is_port(text.substr(host.size() + 1)));
}

}  // namespace pipette::http
