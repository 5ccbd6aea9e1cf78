// The types of time. None of them has a now(): what time it is, only a Loop knows (async/loop.h).
//
//   TimePoint  a moment on a loop's monotonic clock; TimePoint::max() is "never"
//   WallTime   a moment of civil time (UTC), for Date fields and logs
//   Duration   nanoseconds
#pragma once

#include <chrono>

namespace pipette {

using Duration = std::chrono::nanoseconds;

struct LoopClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<LoopClock, duration>;
  static constexpr bool is_steady = true;
};

using TimePoint = LoopClock::time_point;
using WallTime = std::chrono::sys_time<Duration>;

inline constexpr TimePoint kNever = TimePoint::max();

// `start + wait`, or kNever where that would overflow.
constexpr TimePoint after(TimePoint start, Duration wait) {
  if (wait >= kNever - start) return kNever;
  return start + wait;
}

}  // namespace pipette
