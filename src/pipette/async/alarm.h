// Alarm: sets an event when it is time.
//
//   Event over(loop);   const Alarm alarm(loop, over, deadline);   co_await over.wait();    // another one, or time
//
// Lifetime  the event outlives it.   Threads  the loop's.
#pragma once

#include "pipette/async/event.h"
#include "pipette/async/timer.h"

namespace pipette::async {

class Alarm final : public Timer {
 public:
  Alarm(Loop& loop, Event& event, TimePoint when) : event_(event) { loop.arm(*this, when); }
  void run() override { event_.set(); }

 private:
  Event& event_;
};

}  // namespace pipette::async
