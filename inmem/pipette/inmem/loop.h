// The simulated loop: its clock moves only when told to, and then from deadline to deadline.
//
//   settle()        runs everything that can run now; the clock stands still
//   advance_to(t)   settles, steps through each deadline up to t, those at t included, and ends at t
//   step()          runs one thing, or else moves the clock to the next deadline; false: nothing can happen
//
// Threads  one. post() from the same thread only: a world has no other.
#pragma once

#include <cstdint>
#include <list>

#include "pipette/async/loop.h"

namespace pipette::inmem {

class Loop final : public async::Loop {
 public:
  // Virtual time begins at 0, civil time at the moment given here.
  explicit Loop(WallTime start);
  ~Loop() override;  // posted work that has not run is dropped

  WallTime wall_now() const override { return start_ + now().time_since_epoch(); }
  void refresh_now() override {}
  void post(Work work) override;

  void settle();
  void advance_to(TimePoint target);
  bool step();
  // Whether something is ready or armed.
  bool can_progress() { return has_ready() || next_deadline() != kNever; }

  // What has run since the beginning.
  std::uint64_t steps() const { return steps_; }

 private:
  struct Posted;

  bool run_ready_or_due();

  WallTime start_;
  std::uint64_t steps_ = 0;
  std::list<Posted> posted_;  // what is posted and has not run yet; each is in the run queue
};

}  // namespace pipette::inmem
