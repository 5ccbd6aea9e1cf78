// The inside of intern(), for the parser, which has octets to read in front of a name.
//
// A perfect hash of a name's size and its last eight octets, in lower case, leads to the one candidate, which is then
// compared eight octets at a time. Lower case is got by setting the letters' case bit in every octet; that maps some
// other octets together too (CR and "-", "@" and "`"), so the comparison sets the bit only where the candidate has a
// letter.
#pragma once

#include <array>
#include <cstdint>

#include "pipette/http/field_name.h"
#include "pipette/http/internal/word.h"

namespace pipette::http::internal {

inline constexpr std::size_t kSlots = 256;
inline constexpr std::size_t kMaxInternedName = 24;
inline constexpr std::uint64_t kMultiplier = 0x129afa40281bf99f;

// Eight octets of a name in lower case, and the case bit where they are letters.
struct NamePart {
  std::uint64_t lower = 0;
  std::uint64_t case_bits = 0;
};

struct alignas(64) Slot {
  NamePart last;    // the last eight octets, or all of a shorter name
  NamePart first;   // octets 0-7 of a longer one
  NamePart middle;  // octets 8-15 of one longer than 16
  std::uint32_t size = 0;
  FieldName name = FieldName::other;
};

extern const std::array<Slot, kSlots> kSlotTable;

[[gnu::always_inline]] constexpr std::size_t slot_of(std::uint64_t last, std::size_t size, std::uint64_t multiplier) {
  constexpr std::uint64_t kCaseBits = 0x2020202020202020;
  return static_cast<std::size_t>(((last | kCaseBits) + size) * multiplier >> 56);
}

[[gnu::always_inline]] inline bool is_part(std::uint64_t octets, const NamePart& part) {
  return (octets | part.case_bits) == part.lower;
}

// intern() for a name that ends at `end`, in front of which eight octets can be read.
[[gnu::always_inline]] inline FieldName intern_before(const char* end, std::size_t size) {
  const std::size_t excess = size < 8 ? (64 - size * 8) % 64 : 0;
  const std::uint64_t last = load_word(end - 8) >> excess;
  const Slot& slot = kSlotTable.data()[slot_of(last, size, kMultiplier)];
  if (slot.size != size || !is_part(last, slot.last)) return FieldName::other;
  if (size > 8) {
    const char* const begin = end - size;
    if (!is_part(load_word(begin), slot.first)) return FieldName::other;
    if (size > 16 && !is_part(load_word(begin + 8), slot.middle)) return FieldName::other;
  }
  return slot.name;
}

}  // namespace pipette::http::internal
