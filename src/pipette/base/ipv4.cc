#include "pipette/base/ipv4.h"

#include <cstddef>
#include <cstring>

#include "pipette/base/ascii.h"

namespace pipette {
namespace {

constexpr std::size_t kLongest = 15;  // 255.255.255.255

// The digits of each octet, and a dot behind them.
struct Digits {
  std::array<char, 4> text{};
};

consteval std::array<Digits, 256> make_digits() {
  std::array<Digits, 256> all{};
  for (unsigned value = 0; value < 256; ++value) {
    auto to = all[value].text.begin();
    if (value >= 100) *to++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *to++ = static_cast<char>('0' + value / 10 % 10);
    *to++ = static_cast<char>('0' + value % 10);
    *to = '.';
  }
  return all;
}

constexpr std::array<Digits, 256> kDigits = make_digits();

constexpr std::ptrdiff_t size_of(std::uint8_t value) { return value >= 100 ? 3 : value >= 10 ? 2 : 1; }

// One number, from `at` on, which it moves behind it; more than 255 when there is none.
unsigned take_number(const char*& at, const char* end) {
  if (at == end || !ascii::is_digit(*at)) return 256;
  unsigned value = static_cast<unsigned>(*at++ - '0');
  if (value == 0) return 0;
  for (int more = 0; more < 2 && at != end && ascii::is_digit(*at); ++more) {
    value = value * 10 + static_cast<unsigned>(*at++ - '0');
  }
  return value;
}

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  Ipv4 ip;
  for (std::size_t i = 0; i < ip.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const unsigned value = take_number(at, end);
    if (value > 255) return std::nullopt;
    ip[i] = static_cast<std::uint8_t>(value);
  }
  if (at != end) return std::nullopt;
  return ip;
}

void append_ipv4(const Ipv4& ip, std::string& out) {
  std::array<char, kLongest + 1> text;
  char* to = text.data();
  for (const std::uint8_t value : ip) {
    std::memcpy(to, kDigits[value].text.data(), sizeof(Digits));
    to += size_of(value) + 1;
  }
  out.append(text.data(), static_cast<std::size_t>(to - 1 - text.data()));
}

}  // namespace pipette
