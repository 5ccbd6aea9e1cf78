// The deadline that a minimum rate sets. Internal to server/.
//
// Whoever has moved `octets` since a moment is too slow when the time that has passed, once it is more than a grace,
// is more than they need at that rate: so a rate is a deadline that moves with what is moved.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pipette/base/time.h"

namespace pipette::server {

inline constexpr Duration kRateGrace = std::chrono::seconds(5);

// How long `octets` may take at `rate` octets a second; 0: for ever.
constexpr Duration allowed_time(std::uint64_t octets, std::uint64_t rate) {
  if (rate == 0) return Duration::max();
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  constexpr std::uint64_t kMost = UINT64_MAX / kNanoseconds / 2;  // some 9 GB: beyond, whole seconds are exact enough
  const std::uint64_t most = static_cast<std::uint64_t>(Duration::max().count());
  if (octets / rate >= most / kNanoseconds) return Duration::max();
  const std::uint64_t count = octets > kMost ? octets / rate * kNanoseconds : octets * kNanoseconds / rate;
  return std::max(kRateGrace, Duration(static_cast<Duration::rep>(std::min(count, most))));
}

}  // namespace pipette::server
