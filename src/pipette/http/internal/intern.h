// The inside of intern(), for the parser, which has room to read behind a name.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "pipette/http/field_name.h"

namespace pipette::http::internal {

static_assert(std::endian::native == std::endian::little, "words are loaded with their first octet lowest");

inline constexpr std::size_t kSlots = 512;
inline constexpr std::size_t kMaxInternedName = 24;
inline constexpr std::uint64_t kMultiplier = 0x1e8dee4c09d96c4b;

struct alignas(64) Slot {
  std::array<char, kMaxInternedName> lower{};  // the name in lower case
  FieldName name = FieldName::other;
  std::uint8_t size = 0;
  std::array<char, 6> unused{};
  std::array<char, kMaxInternedName> mask{};  // 0x20 where it has a letter
};

extern const std::array<Slot, kSlots> kSlotTable;

constexpr unsigned hash(std::uint64_t first, std::uint64_t last, std::size_t size, std::uint64_t multiplier) {
  constexpr std::uint64_t kCaseBits = 0x2020202020202020;
  const std::uint64_t mixed = ((first | kCaseBits) ^ ((last | kCaseBits) >> 7)) + size;
  return static_cast<unsigned>((mixed ^ mixed >> 32) * multiplier >> 55);
}

inline std::uint64_t load_word(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

inline std::uint16_t load_half(const char* at) {
  std::uint16_t half;
  std::memcpy(&half, at, sizeof half);
  return half;
}

inline bool equal_words(const char* name, const Slot& slot, std::size_t at) {
  return (load_word(name + at) | load_word(slot.mask.data() + at)) == load_word(slot.lower.data() + at);
}

// intern({name, size}) for a name behind which there are 24 - size more octets to read, whatever they are.
inline FieldName intern_readable(const char* name, std::size_t size) {
  if (size - 1 >= kMaxInternedName) return FieldName::other;
  // Octets behind a short name are shifted out.
  const unsigned excess = size < 8 ? static_cast<unsigned>(8 - size) * 8 : 0;
  const std::uint64_t first = load_word(name) << excess >> excess;
  const std::uint64_t last = size < 8 ? first : load_word(name + size - 8);
  const Slot& slot = kSlotTable[hash(first, last, size, kMultiplier)];
  if (slot.size != size) return FieldName::other;
  if (size >= 8) {
    if (!equal_words(name, slot, 0) || !equal_words(name, slot, size - 8)) return FieldName::other;
    return size <= 16 || equal_words(name, slot, 8) ? slot.name : FieldName::other;
  }
  const std::uint64_t wanted = load_word(slot.lower.data());
  const std::uint64_t folded = first | load_word(slot.mask.data());
  return folded == wanted ? slot.name : FieldName::other;
}

}  // namespace pipette::http::internal
