// Mostly the digits make an integer that a double holds exactly, and so does the power of ten: one division then gives
// the nearest double. The library does the rest.

#include "pipette/base/decimal.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "pipette/base/ascii.h"

namespace pipette {
namespace {

constexpr std::size_t kExactDigits = 15;  // 10^15 < 2^53
constexpr std::array<double, kExactDigits + 1> kPowersOfTen = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                               1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// Moves `at` over digits, and appends them to `number`, which may overflow. Returns how many there are.
std::size_t take_digits(const char*& at, const char* end, std::uint64_t& number) {
  const char* const begin = at;
  while (at != end && ascii::is_digit(*at)) number = number * 10 + static_cast<std::uint64_t>(*at++ - '0');
  return static_cast<std::size_t>(at - begin);
}

}  // namespace

std::optional<double> parse_unsigned_float(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t number = 0;
  const std::size_t whole = take_digits(at, end, number);
  if (whole == 0) return std::nullopt;
  std::size_t fraction = 0;
  if (at != end && *at == '.') {
    fraction = take_digits(++at, end, number);
    if (fraction == 0) return std::nullopt;
  }
  if (at == end && whole + fraction <= kExactDigits) return static_cast<double>(number) / kPowersOfTen[fraction];

  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace pipette
