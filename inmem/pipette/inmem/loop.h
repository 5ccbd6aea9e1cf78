// A loop in a world: one host's view of the world's time, and its timers. The scheduler runs it.
//
//   local time = true time, faster or slower by `drift`      civil time = start of the world + skew + local time
//
// Threads  one. post() from the same thread only: a world has no other.
#pragma once

#include <list>

#include "pipette/async/loop.h"
#include "pipette/inmem/scheduler.h"

namespace pipette::inmem {

// How a host's clock differs from true time.
struct Clock {
  Duration skew{};            // of its civil time
  int drift_per_million = 0;  // how much faster it runs, in millionths; more than -1,000,000
};

class Loop final : public async::Loop {
 public:
  // Virtual time begins at 0, civil time at the moment given here.
  Loop(Scheduler& scheduler, WallTime start, Clock clock = {});
  ~Loop() override;  // posted work that has not run is dropped

  void refresh_now() override {}
  void post(Work work) override;

  // Civil time jumps, as when an administrator sets it.
  void set_skew(Duration skew) { set_wall_start(start_ + skew); }

 private:
  friend class Scheduler;
  struct Posted;

  TimePoint local(TimePoint true_time) const;
  // The first true time at which local time has reached `local_time`.
  TimePoint truly(TimePoint local_time) const;

  void follow(TimePoint true_now) { set_now(local(true_now)); }
  void take_due() {
    if (next_deadline() <= now()) take_due_timers();
  }
  TimePoint next_true_deadline() { return truly(next_deadline()); }

  Scheduler& scheduler_;
  WallTime start_;
  int drift_per_million_;
  std::list<Posted> posted_;  // what is posted and has not run yet; each is in the run queue
};

}  // namespace pipette::inmem
