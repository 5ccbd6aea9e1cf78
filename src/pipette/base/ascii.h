// Characters as HTTP sees them: octets, in no locale (RFC 9110 §5.6.2, RFC 5234 appendix B).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace pipette::ascii {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & 0xdf) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
constexpr bool is_space_or_tab(char c) { return c == ' ' || c == '\t'; }

namespace internal {

enum CharClass : std::uint8_t { token_char = 1, value_char = 2, target_char = 4, hex_char = 8, host_char = 16 };

consteval std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool alnum = is_digit(c) || (i < 0x80 && is_alpha(c));
    const bool visible = i > 0x20 && i < 0x7f;
    std::uint8_t& bits = classes[static_cast<std::size_t>(i)];
    if (alnum || (i != 0 && std::string_view("!#$%&'*+-.^_`|~").contains(c))) bits |= token_char;
    if (visible || i >= 0x80 || c == ' ' || c == '\t') bits |= value_char;
    if (visible && !std::string_view("#\\\"<>[]^`{|}").contains(c)) bits |= target_char;
    if (is_digit(c) || (i < 0x80 && is_alpha(c) && to_lower(c) <= 'f')) bits |= hex_char;
    if (alnum || (i != 0 && std::string_view("-._~!$&'()*+;=%").contains(c))) bits |= host_char;
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

constexpr bool has_class(char c, CharClass wanted) { return (kClasses[static_cast<std::uint8_t>(c)] & wanted) != 0; }

constexpr bool all_have_class(std::string_view text, CharClass wanted) {
  for (const char c : text) {
    if (!has_class(c, wanted)) return false;
  }
  return true;
}

inline std::uint64_t load(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Whether no octet of `text`, which has eight at least, is a control or DEL; eight are looked at together.
inline bool has_no_control(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = kOnes * 0x80;
  std::uint64_t found = 0;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + (at + 8 <= text.size() ? at : text.size() - 8), sizeof word);
    const std::uint64_t off_del = word ^ kOnes * 0x7f;
    found |= ((word - kOnes * 0x20) & ~word) | ((off_del - kOnes) & ~off_del);
  }
  return (found & kHighBits) == 0;
}

// Eight octets, their letters in lower case.
constexpr std::uint64_t lower_word(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = kOnes * 0x80;
  const std::uint64_t low = word & ~kHighBits;  // sums of these and of less than 0x80 carry into no other octet
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A');
  const std::uint64_t behind_z = low + kOnes * (0x80 - 'Z' - 1);
  return word | (from_a & ~behind_z & ~word & kHighBits) >> 2;
}

}  // namespace internal

// tchar, RFC 9110 §5.6.2.
constexpr bool is_token_char(char c) { return internal::has_class(c, internal::token_char); }
// What may stand in a field value: VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5).
constexpr bool is_value_char(char c) { return internal::has_class(c, internal::value_char); }
// What may stand in the path and the query of a request target, RFC 3986 §3.3, §3.4.
constexpr bool is_target_char(char c) { return internal::has_class(c, internal::target_char); }
// What may stand in the host of a URI, brackets and port apart: reg-name, RFC 3986 §3.2.2, but for the comma (host.h).
constexpr bool is_host_char(char c) { return internal::has_class(c, internal::host_char); }
constexpr bool is_hex_digit(char c) { return internal::has_class(c, internal::hex_char); }

constexpr bool is_token(std::string_view text) {
  return !text.empty() && internal::all_have_class(text, internal::token_char);
}
constexpr bool is_value(std::string_view text) {
  if !consteval {
    if (text.size() >= 8 && internal::has_no_control(text)) return true;
  }
  return internal::all_have_class(text, internal::value_char);
}

// 0-15; `c` must be a hex digit.
constexpr unsigned hex_value(char c) {
  return is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>(to_lower(c) - 'a') + 10;
}

// Lowers the letters of `text` where it stands, eight octets together.
inline void make_lower(std::span<char> text) {
  if (text.size() < 8) {
    for (char& c : text) c = to_lower(c);
    return;
  }
  // The last word may overlap the one before it: lowering again changes nothing.
  for (std::size_t at = 0; at < text.size(); at += 8) {
    char* const place = text.data() + std::min(at, text.size() - 8);
    std::uint64_t word;
    std::memcpy(&word, place, sizeof word);
    word = internal::lower_word(word);
    std::memcpy(place, &word, sizeof word);
  }
}

namespace internal {

// For texts of one size, eight octets at least.
inline bool equal_ignoring_case(const char* a, const char* b, std::size_t size) {
  for (std::size_t at = 0; at < size; at += 8) {
    const std::size_t place = std::min(at, size - 8);  // the last words may overlap those before
    const std::uint64_t word = load(a + place);
    const std::uint64_t other = load(b + place);
    if (word != other && lower_word(word) != lower_word(other)) return false;
  }
  return true;
}

}  // namespace internal

// Equal but for the case of ASCII letters.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if !consteval {
    if (a.size() >= 8) return internal::equal_ignoring_case(a.data(), b.data(), a.size());
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

// Without the optional white space (SP, HTAB and nothing else) around it, RFC 9110 §5.6.3.
[[gnu::always_inline]] constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space_or_tab(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space_or_tab(text.back())) text.remove_suffix(1);
  return text;
}

namespace internal {

inline constexpr std::size_t kSafeDigits = 19;  // cannot overflow 64 bits

// Up to eight octets of digits, which `text` is, with as many zeros in front of them as are missing; the first lowest.
inline std::uint64_t load_digits(const char* text, std::size_t size) {
  if (size == 8) return load(text);
  std::uint64_t word = 0;
  if (size >= 4) {
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, text, sizeof first);
    std::memcpy(&last, text + size - 4, sizeof last);
    word = first | std::uint64_t{last} << (8 * (size - 4));
  } else {
    const auto octet = [text](std::size_t at) {
      return std::uint64_t{static_cast<std::uint8_t>(text[at])} << (8 * at);
    };
    word = octet(0) | octet(size / 2) | octet(size - 1);
  }
  return word << (64 - 8 * size) | 0x3030303030303030 >> (8 * size);
}

// Whether all eight octets are digits; `word` becomes their value then. Neighbours are joined to numbers of two, of
// four and of eight digits, in all lanes at once.
inline bool join_digits(std::uint64_t& word) {
  const std::uint64_t digits = word - 0x3030303030303030;
  const bool is_number = (((word + 0x4646464646464646) | digits) & 0x8080808080808080) == 0;
  const std::uint64_t twos = digits * 10 + (digits >> 8);
  constexpr std::uint64_t kOddLanes = 0x000000ff000000ff;
  constexpr std::uint64_t kHundreds = 100 + (std::uint64_t{1'000'000} << 32);
  constexpr std::uint64_t kUnits = 1 + (std::uint64_t{10'000} << 32);
  word = ((twos & kOddLanes) * kHundreds + (twos >> 16 & kOddLanes) * kUnits) >> 32;
  return is_number;
}

// For more than eight digits, and kSafeDigits at most.
inline std::optional<std::uint64_t> parse_words(std::string_view digits) {
  const char* at = digits.data();
  const std::size_t head = (digits.size() - 1) % 8 + 1;
  std::uint64_t value = load_digits(at, head);
  bool is_number = join_digits(value);
  for (at += head; at != digits.data() + digits.size(); at += 8) {
    std::uint64_t eight = load(at);
    is_number &= join_digits(eight);
    value = value * 100'000'000 + eight;
  }
  return is_number ? std::optional(value) : std::nullopt;
}

}  // namespace internal

// 1*DIGIT, no sign, no space, no overflow; leading zeros are decimal (RFC 9110 §8.6).
constexpr std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  if !consteval {
    if (digits.size() <= 8) {
      std::uint64_t value = internal::load_digits(digits.data(), digits.size());
      return internal::join_digits(value) ? std::optional(value) : std::nullopt;
    }
    if (digits.size() <= internal::kSafeDigits) return internal::parse_words(digits);
  }
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace pipette::ascii
