// Octets as words, the first octet lowest.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pipette::http::internal {

static_assert(std::endian::native == std::endian::little, "words are loaded with their first octet lowest");

[[gnu::always_inline]] inline std::uint64_t load_word(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

[[gnu::always_inline]] inline std::uint16_t load_half(const char* at) {
  std::uint16_t half;
  std::memcpy(&half, at, sizeof half);
  return half;
}

// The word that load_word() gives for `text` with zeros behind it, of which up to eight octets count.
constexpr std::uint64_t word_of(std::string_view text) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size() && i < 8; ++i) {
    word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(text[i])) << (8 * i);
  }
  return word;
}

// What load_half() gives for CRLF.
inline constexpr std::uint16_t kLineEnd = '\r' | '\n' << 8;

}  // namespace pipette::http::internal
