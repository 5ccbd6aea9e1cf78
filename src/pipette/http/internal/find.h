// Short runs of octets as one word, and where an octet stands in text whose parts are short: where calling memchr
// would cost more than it saves.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/word.h"

namespace pipette::http::internal {

// The first eight octets of `text`, with zeros for those that it has not. Reads nothing outside it.
[[gnu::always_inline]] inline std::uint64_t load_padded_word(std::string_view text) {
  const std::size_t size = text.size();
  if (size >= 8) return load_word(text.data());
  if (size >= 4) {
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, text.data(), sizeof first);
    std::memcpy(&last, text.data() + size - 4, sizeof last);
    return first | std::uint64_t{last} << (8 * (size - 4));
  }
  if (size == 0) return 0;
  const auto octet = [text](std::size_t at) { return std::uint64_t{static_cast<std::uint8_t>(text[at])} << (8 * at); };
  return octet(0) | octet(size / 2) | octet(size - 1);
}

// Whether both are the same octets.
[[gnu::always_inline]] inline bool is_same(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 8) return load_padded_word(a) == load_padded_word(b);
  if (size > 32) return std::memcmp(a.data(), b.data(), size) == 0;
  for (std::size_t at = 0; at + 8 < size; at += 8) {
    if (load_word(a.data() + at) != load_word(b.data() + at)) return false;
  }
  return load_word(a.data() + size - 8) == load_word(b.data() + size - 8);
}

// Where the first `wanted`, which is not NUL, stands in `text`; its size if nowhere.
[[gnu::always_inline]] inline std::size_t find_octet(std::string_view text, char wanted) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t pattern = kOnes * static_cast<std::uint8_t>(wanted);
  for (std::size_t at = 0; at < text.size(); at += 8) {
    const std::uint64_t difference = load_padded_word(text.substr(at)) ^ pattern;
    const std::uint64_t zeros = (difference - kOnes) & ~difference & kOnes * 0x80;  // the lowest is exact
    if (zeros != 0) return at + static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
  }
  return text.size();
}

// ascii::is_value(), without a loop where `text` is short.
inline bool is_value(std::string_view text) {
  constexpr std::uint64_t kSpaces = 0x2020202020202020;
  if (text.size() >= 8) return ascii::is_value(text);
  const std::uint64_t word = load_padded_word(text) | kSpaces << (8 * text.size());
  char padded[8];
  std::memcpy(padded, &word, sizeof word);
  return ascii::internal::has_no_control({padded, sizeof padded}) || ascii::is_value(text);
}

}  // namespace pipette::http::internal
