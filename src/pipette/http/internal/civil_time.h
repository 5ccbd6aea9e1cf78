// A moment of civil time (UTC), as a text spells it, before it is known to exist.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pipette/base/time.h"
#include "pipette/http/internal/word.h"

namespace pipette::http::internal {

inline constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

// A perfect hash of the four octets "Jan " and so on: to the number of the month, and 0 elsewhere.
inline constexpr std::uint32_t kMonthMultiplier = 0x741c7a9;

constexpr std::uint32_t month_word(std::string_view three) {
  return static_cast<std::uint32_t>(word_of(three)) | std::uint32_t{' '} << 24;
}

struct MonthSlot {
  std::uint32_t word = 0;
  unsigned month = 0;
};

consteval std::array<MonthSlot, 16> make_month_slots() {
  std::array<MonthSlot, 16> slots{};
  for (unsigned month = 1; month <= 12; ++month) {
    const std::uint32_t word = month_word(kMonths.substr((month - 1) * 3, 3));
    MonthSlot& slot = slots[word * kMonthMultiplier >> 28];
    if (slot.month != 0) throw "two months share a slot: search another kMonthMultiplier";
    slot = {word, month};
  }
  return slots;
}

inline constexpr std::array<MonthSlot, 16> kMonthSlots = make_month_slots();

// 1-12 for three letters and a space, 0 for anything else.
inline unsigned month_of(std::uint32_t word) {
  const MonthSlot& slot = kMonthSlots[word * kMonthMultiplier >> 28];
  return slot.word == word ? slot.month : 0;
}

struct CivilTime {
  unsigned year = 0;  // 0-9999
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;

  std::optional<std::chrono::sys_days> date() const {
    namespace chrono = std::chrono;
    const chrono::year_month_day date(chrono::year(static_cast<int>(year)), chrono::month(month), chrono::day(day));
    if (!date.ok()) return std::nullopt;
    return chrono::sys_days(date);
  }
  auto operator<=>(const CivilTime&) const = default;

  std::chrono::seconds time_of_day() const {
    return std::chrono::seconds(std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second);
  }
};

// `time`, or the whole second nearest to it that a WallTime can hold.
inline WallTime to_wall_time(std::chrono::sys_seconds time) {
  constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(WallTime::min());
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max());
  return std::clamp(time, kFirst, kLast);
}

}  // namespace pipette::http::internal
