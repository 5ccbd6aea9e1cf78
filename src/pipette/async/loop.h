// The single-threaded heart of a Runtime: a clock, a run queue and timers.
//
//   turn:  run what is ready --> move the clock --> make due timers ready --> …
//
// tcp::Loop moves its clock with the world's and also waits for sockets; inmem::Loop moves it as far as the
// next deadline, and only when asked. Everything above sees this class and cannot tell.
//
// Time     now() is read once a turn and again after refresh_now(), so that it costs nothing to ask.
// Order    what is enqueued runs in that order; of equal deadlines, the one armed first fires first.
// Threads  one, but for post().
#pragma once

#include <functional>

#include "pipette/async/runnable.h"
#include "pipette/async/timer.h"
#include "pipette/base/time.h"

namespace pipette::async {

class Loop {
 public:
  using Work = std::move_only_function<void()>;

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  TimePoint now() const { return now_; }
  virtual WallTime wall_now() const = 0;
  // Brings now() up to date after something that may have taken long, such as a user's function.
  virtual void refresh_now() = 0;

  // Runs `runnable` in this turn or the next; never before enqueue() has returned. No allocation.
  void enqueue(Runnable& runnable) { ready_.push_back(runnable); }
  // Runs `work` on the loop's thread. From any thread.
  virtual void post(Work work) = 0;

  void arm(Timer& timer, TimePoint deadline) { timers_.arm(timer, deadline); }
  void disarm(Timer& timer) { timers_.disarm(timer); }

 protected:
  Loop() = default;

  void set_now(TimePoint now) { now_ = now; }
  bool has_ready() const { return !ready_.empty(); }
  TimePoint next_deadline() { return timers_.next_deadline(); }

  // Runs the first that is ready; false when there is none.
  bool run_one() {
    if (ready_.empty()) return false;
    ready_.pop_front().run();
    return true;
  }
  // Makes the timers due at now() ready.
  void take_due_timers() { timers_.take_due(now_, ready_); }

 private:
  TimePoint now_{};
  List<Runnable> ready_;
  TimerQueue timers_;
};

}  // namespace pipette::async
