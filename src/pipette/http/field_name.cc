// A perfect hash over the first and the last eight octets of a name, in lower case, whose multiplier is searched for
// by the compiler. The candidate it leads to is compared sixteen octets at a time.
//
// Lower case is got by setting the letters' case bit in every octet. That maps some other octets together too (CR and
// "-", "@" and "`"), so the comparison sets the bit only where the candidate has a letter.

#include "pipette/http/field_name.h"

#include <cstring>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/intern.h"

namespace pipette::http {
namespace internal {
namespace {

constexpr std::uint64_t load_padded(std::string_view text) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size() && i < 8; ++i) {
    word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(text[i])) << (8 * i);
  }
  return word;
}

constexpr unsigned slot_of(std::string_view name, std::uint64_t multiplier) {
  const std::string_view last = name.size() > 8 ? name.substr(name.size() - 8) : name;
  return hash(load_padded(name), load_padded(last), name.size(), multiplier);
}

constexpr bool is_perfect(std::uint64_t multiplier) {
  std::array<bool, kSlots> used{};
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    bool& slot = used[slot_of(kFieldNames[i], multiplier)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

static_assert(is_perfect(kMultiplier), "two names share a slot: search another kMultiplier");

consteval std::array<Slot, kSlots> make_slots() {
  std::array<Slot, kSlots> slots{};
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    const std::string_view name = kFieldNames[i];
    Slot& slot = slots[slot_of(name, kMultiplier)];
    slot.name = static_cast<FieldName>(i);
    slot.size = static_cast<std::uint8_t>(name.size());
    for (std::size_t j = 0; j < name.size(); ++j) {
      slot.lower[j] = ascii::to_lower(name[j]);
      slot.mask[j] = ascii::is_alpha(name[j]) ? 0x20 : 0;
    }
  }
  return slots;
}

}  // namespace

constinit const std::array<Slot, kSlots> kSlotTable = make_slots();

}  // namespace internal

FieldName intern(std::string_view name) {
  if (name.empty() || name.size() > internal::kMaxInternedName) return FieldName::other;
  std::array<char, internal::kMaxInternedName> padded{};
  std::memcpy(padded.data(), name.data(), name.size());
  return internal::intern_readable(padded.data(), name.size());
}

}  // namespace pipette::http
