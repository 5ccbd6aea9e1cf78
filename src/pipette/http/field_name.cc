#include "pipette/http/field_name.h"

#include <cstring>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/find.h"
#include "pipette/http/internal/intern.h"

namespace pipette::http {
namespace internal {
namespace {

constexpr std::uint64_t last_word(std::string_view name) {
  return word_of(name.size() > 8 ? name.substr(name.size() - 8) : name);
}

constexpr bool is_perfect() {
  std::array<bool, kSlots> used{};
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    bool& slot = used[slot_of(last_word(kFieldNames[i]), kFieldNames[i].size(), kMultiplier)];
    if (slot || kFieldNames[i].size() > kMaxInternedName) return false;
    slot = true;
  }
  return true;
}

static_assert(is_perfect(), "two names share a slot: search another kMultiplier");

constexpr NamePart part_of(std::string_view text) {
  std::array<char, 8> lower{};
  std::array<char, 8> case_bits{};
  for (std::size_t i = 0; i < text.size() && i < 8; ++i) {
    lower[i] = ascii::to_lower(text[i]);
    case_bits[i] = ascii::is_alpha(text[i]) ? 0x20 : 0;
  }
  return {word_of({lower.data(), 8}), word_of({case_bits.data(), 8})};
}

consteval std::array<Slot, kSlots> make_slots() {
  std::array<Slot, kSlots> slots{};
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    const std::string_view name = kFieldNames[i];
    Slot& slot = slots[slot_of(last_word(name), name.size(), kMultiplier)];
    slot.name = static_cast<FieldName>(i);
    slot.size = static_cast<std::uint32_t>(name.size());
    slot.last = part_of(name.size() > 8 ? name.substr(name.size() - 8) : name);
    if (name.size() > 8) slot.first = part_of(name);
    if (name.size() > 16) slot.middle = part_of(name.substr(8));
  }
  return slots;
}

}  // namespace

constinit const std::array<Slot, kSlots> kSlotTable = make_slots();

}  // namespace internal

FieldName intern(std::string_view name) {
  if (name.empty() || name.size() > internal::kMaxInternedName) return FieldName::other;
  if (name.size() >= 8) return internal::intern_before(name.data() + name.size(), name.size());
  const std::uint64_t word = internal::load_padded_word(name) << (64 - 8 * name.size());
  std::array<char, 8> padded;
  std::memcpy(padded.data(), &word, sizeof word);
  return internal::intern_before(padded.data() + padded.size(), name.size());
}

}  // namespace pipette::http
