// A perfect hash over length, first, middle and last character, whose multipliers are searched for by the
// compiler. A candidate is compared eight octets at a time, with the letters' case bit masked in.

#include "pipette/http/field_name.h"

#include <cstring>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

constexpr std::size_t kSlots = 256;
constexpr std::size_t kMaxName = 24;

constexpr std::uint32_t mix(std::string_view name, std::uint32_t seed) {
  const auto lower = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(name[i]) | 0x20);
  };
  const std::size_t size = name.size();
  std::uint32_t hash =
      static_cast<std::uint32_t>(size) + lower(0) * 31 + lower(size / 2) * 1031 + lower(size - 1) * 29989;
  hash *= seed;
  return hash >> 24;
}

constexpr bool is_perfect(std::uint32_t seed) {
  std::array<bool, kSlots> used{};
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    bool& slot = used[mix(kFieldNames[i], seed)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

consteval std::uint32_t find_seed() {
  std::uint32_t seed = 0x9e3779b1;
  while (!is_perfect(seed)) seed = (seed * 1664525 + 1013904223) | 1;
  return seed;
}

constexpr std::uint32_t kSeed = find_seed();

struct Slot {
  FieldName name = FieldName::other;
  std::uint8_t size = 0;
  std::array<char, kMaxName> lower{};  // the name in lower case
  std::array<char, kMaxName> mask{};   // 0x20 where it has a letter
};

consteval std::array<Slot, kSlots> make_slots() {
  std::array<Slot, kSlots> slots{};
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    const std::string_view name = kFieldNames[i];
    Slot& slot = slots[mix(name, kSeed)];
    slot.name = static_cast<FieldName>(i);
    slot.size = static_cast<std::uint8_t>(name.size());
    for (std::size_t j = 0; j < name.size(); ++j) {
      slot.lower[j] = ascii::to_lower(name[j]);
      slot.mask[j] = ascii::is_alpha(name[j]) ? 0x20 : 0;
    }
  }
  return slots;
}

constexpr std::array<Slot, kSlots> kTable = make_slots();

template <class Word>
bool equal_word(const char* text, const Slot& slot, std::size_t at) {
  Word word;
  Word lower;
  Word mask;
  std::memcpy(&word, text + at, sizeof(Word));
  std::memcpy(&lower, slot.lower.data() + at, sizeof(Word));
  std::memcpy(&mask, slot.mask.data() + at, sizeof(Word));
  return (word | mask) == lower;
}

bool equal(std::string_view name, const Slot& slot) {
  const std::size_t size = name.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
      if (!equal_word<std::uint64_t>(name.data(), slot, at)) return false;
    }
    return equal_word<std::uint64_t>(name.data(), slot, size - 8);
  }
  if (size >= 4) {
    return equal_word<std::uint32_t>(name.data(), slot, 0) && equal_word<std::uint32_t>(name.data(), slot, size - 4);
  }
  return equal_word<std::uint16_t>(name.data(), slot, 0) && equal_word<std::uint16_t>(name.data(), slot, size - 2);
}

}  // namespace

FieldName intern(std::string_view name) {
  if (name.size() < 2 || name.size() > kMaxName) return FieldName::other;
  const Slot& slot = kTable[mix(name, kSeed)];
  return slot.size == name.size() && equal(name, slot) ? slot.name : FieldName::other;
}

}  // namespace pipette::http
