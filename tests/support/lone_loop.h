// LoneLoop: a simulated loop without a world around it.
#pragma once

#include "pipette/base/oracle.h"
#include "pipette/inmem/loop.h"
#include "pipette/inmem/scheduler.h"

namespace pipette::test {

class LoneLoop {
 public:
  explicit LoneLoop(WallTime start = WallTime()) : loop_(scheduler_, start) {}

  inmem::Loop& operator*() { return loop_; }

  void settle() { scheduler_.settle(); }
  void advance_to(TimePoint target) { scheduler_.advance_to(target); }
  bool step() { return scheduler_.step(); }
  inmem::Scheduler& scheduler() { return scheduler_; }

 private:
  FixedOracle oracle_;
  Decisions decisions_{oracle_};
  inmem::Scheduler scheduler_{decisions_};
  inmem::Loop loop_;
};

}  // namespace pipette::test
