#include "pipette/base/ipv4.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "pipette/base/ascii.h"

namespace pipette {
namespace {

constexpr std::size_t kLongest = 15;  // 255.255.255.255
constexpr std::size_t kWord = 8;

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

std::optional<Ipv4> parse_in_turn(std::string_view text) {
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

// A bit for each dot among the eight octets of `word`, the first lowest.
[[gnu::always_inline]] inline unsigned dots_in(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kLowBits = kOnes * 0x7f;
  const std::uint64_t off = word ^ kOnes * '.';
  const std::uint64_t dots = ~(((off & kLowBits) + kLowBits) | off | kLowBits) >> 7;
  return static_cast<unsigned>(dots * 0x0102040810204080 >> 56);
}

// The number whose 1-3 digits are the last octets of `word`; more than 255 when it is none, or begins with a zero.
[[gnu::always_inline]] inline std::uint32_t number_in(std::uint32_t word, std::size_t size) {
  constexpr std::array<std::uint32_t, 4> kLeast = {0, 0, 10, 100};
  const auto others = static_cast<unsigned>(32 - 8 * size);
  const std::uint32_t digits = (word >> others << others) - (0x30303030U << others);
  const bool is_number = ((digits | (digits + 0x76767676U)) & 0x80808080U) == 0;
  const std::uint32_t value = (digits >> 8 & 0xff) * 100 + (digits >> 16 & 0xff) * 10 + (digits >> 24);
  return is_number && value >= kLeast[size] ? value : 256;
}

std::uint32_t load_half(const char* at) {
  std::uint32_t half;
  std::memcpy(&half, at, sizeof half);
  return half;
}

bool is_size(std::size_t digits) { return digits - 1 < 3; }

// For kWord to kLongest octets: the dots first, then the numbers independently of each other.
std::optional<Ipv4> parse_at_once(std::string_view text) {
  const char* const begin = text.data();
  const std::size_t size = text.size();
  const std::uint64_t rest = ascii::internal::load(begin + size - kWord) >> 8 >> 8 * (kLongest - size);
  constexpr unsigned kNone = 0x70000;  // dots where none can be, for those that are missing: the sizes are wrong then
  unsigned dots = dots_in(ascii::internal::load(begin)) | dots_in(rest) << 8 | kNone;
  const auto take_dot = [&dots] {
    const auto at = static_cast<std::size_t>(__builtin_ctz(dots));
    dots &= dots - 1;
    return at;
  };
  const std::size_t dot1 = take_dot();
  const std::size_t dot2 = take_dot();
  const std::size_t dot3 = take_dot();
  const std::size_t size1 = dot1;
  const std::size_t size2 = dot2 - dot1 - 1;
  const std::size_t size3 = dot3 - dot2 - 1;
  const std::size_t size4 = size - dot3 - 1;
  if (!is_size(size1) || !is_size(size2) || !is_size(size3) || !is_size(size4)) return std::nullopt;
  // Four octets stand behind the beginning of the first two, and in front of the end of the others.
  const std::uint32_t first = number_in(load_half(begin) << (32 - 8 * size1), size1);
  const std::uint32_t second = number_in(load_half(begin + dot1 + 1) << (32 - 8 * size2), size2);
  const std::uint32_t third = number_in(load_half(begin + dot3 - 4), size3);
  const std::uint32_t fourth = number_in(load_half(begin + size - 4), size4);
  if ((first | second | third | fourth) > 255) return std::nullopt;
  return std::bit_cast<Ipv4>(first | second << 8 | third << 16 | fourth << 24);  // at once: it is read at once
}

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  if constexpr (std::endian::native == std::endian::little) {
    if (text.size() >= kWord && text.size() <= kLongest) return parse_at_once(text);
  }
  return parse_in_turn(text);
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
