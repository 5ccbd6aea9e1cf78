// RunQueue: what is ready to run, in order, and in which lane.
//
// Each loop has one; the loops of a simulated world share theirs, so that the order among hosts is one order.
//
// Threads  one.
#pragma once

#include <cstddef>

#include "pipette/async/runnable.h"

namespace pipette::async {

class RunQueue {
 public:
  bool empty() const { return ready_.empty(); }
  // Behind all that is ready. What belongs to no lane yet goes on in the one that runs now.
  void push_back(Runnable& runnable) {
    if (runnable.lane_ == 0) runnable.lane_ = lane_;
    ready_.push_back(runnable);
  }
  // Whoever waits now is to be woken in the lane it waits in.
  void keep_lane(Runnable& waiter) { waiter.lane_ = lane_; }
  void begin_lane(Runnable& first) { first.lane_ = ++lanes_; }

  Runnable& front() const { return ready_.front(); }
  void run(Runnable& runnable) {
    runnable.unlink();
    if (!empty()) fetch(front());
    struct Inside {
      ~Inside() { lane = 0; }
      Lane& lane;
    } const inside{lane_};
    lane_ = runnable.lane_;
    runnable.run();
  }
  // The lane that runs; 0 outside.
  Lane lane() const { return lane_; }

  List<Runnable>& ready() { return ready_; }

 private:
  // Has the processor bring what runs next while something else runs. It is a frame mostly, or stands in one, and among
  // many connections nobody has touched it for long.
  static void fetch(const Runnable& next) {
    constexpr std::ptrdiff_t kLine = 64;
    constexpr std::ptrdiff_t kLines = 3;  // on either side
    const char* const at = reinterpret_cast<const char*>(&next);
    for (std::ptrdiff_t line = -kLines; line <= kLines; ++line) __builtin_prefetch(at + line * kLine);
  }

  List<Runnable> ready_;
  Lane lane_ = 0;
  Lane lanes_ = 0;  // begun so far
};

}  // namespace pipette::async
