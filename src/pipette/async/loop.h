// The single-threaded heart of a Runtime: a clock, a run queue and timers.
//
//   turn:  run what is ready --> move the clock --> make due timers ready --> …
//
// tcp::Loop moves its clock with the world's and also waits for sockets; inmem::Loop moves it as far as the
// next deadline, and only when asked. Everything above sees this class and cannot tell.
//
// Time     now() is read once a turn and again after refresh_now(), so that it costs nothing to ask. wall_now() is that
//          moment in civil time; that somebody has set the clock is noticed within 100 ms.
// Order    what is enqueued runs in that order; of equal deadlines, the one armed first fires first.
// Threads  one, but for post().
#pragma once

#include <functional>

#include "pipette/async/run_queue.h"
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
  WallTime wall_now() const { return wall_start_ + now_.time_since_epoch(); }
  // Brings now() up to date after something that may have taken long, such as a user's function.
  virtual void refresh_now() = 0;
  // The same, where it may be some milliseconds behind for a moment, and the cost of a reading counts.
  virtual void refresh_roughly() { refresh_now(); }

  // Runs `runnable` in this turn or the next; never before enqueue() has returned. No allocation.
  void enqueue(Runnable& runnable) { queue_->push_back(runnable); }
  // The same, for whoever makes room: behind all that is ready, and behind what happens outside until the next turn.
  virtual void enqueue_later(Runnable& runnable) { enqueue(runnable); }
  // The same, for something that takes long: one of these at a time, and then whatever is ready (async/long_work.h).
  void enqueue_long(Runnable& runnable) {
    queue_->keep_lane(runnable);
    long_ones_.push_back(runnable);
    if (!turnstile_.is_linked()) turnstile_.run();
  }
  // The same, as the beginning of a lane of its own.
  void enqueue_in_new_lane(Runnable& runnable) {
    queue_->begin_lane(runnable);
    queue_->push_back(runnable);
  }
  // To be called when `waiter` begins to wait, so that whoever wakes it does so in its own lane.
  void keep_lane(Runnable& waiter) { queue_->keep_lane(waiter); }
  // Runs `work` on the loop's thread. From any thread.
  virtual void post(Work work) = 0;

  void arm(Timer& timer, TimePoint deadline) {
    queue_->keep_lane(timer);
    timers_.arm(timer, deadline);
  }
  void disarm(Timer& timer) { timers_.disarm(timer); }

 protected:
  Loop() : queue_(&own_queue_) {}
  // A loop whose work stands in a queue that it shares with others, and that outlives it.
  explicit Loop(RunQueue& shared) : queue_(&shared) {}

  void set_now(TimePoint now) { now_ = now; }
  // Civil time when now() was 0.
  void set_wall_start(WallTime start) { wall_start_ = start; }
  bool has_ready() const { return !queue_->empty(); }
  TimePoint next_deadline() { return timers_.next_deadline(); }
  // Never later than that, and cheaper.
  TimePoint earliest_deadline() const { return timers_.earliest(); }

  // Runs the first that is ready; false when there is none.
  bool run_one() {
    if (queue_->empty()) return false;
    queue_->run(queue_->front());
    return true;
  }
  // Makes the timers due at now() ready.
  void take_due_timers() { timers_.take_due(now_, queue_->ready()); }

 private:
  // Lets in the next of those that take long, and is closed until its own turn comes.
  struct Turnstile final : Runnable {
    explicit Turnstile(Loop& of) : loop(of) {}
    void run() override {
      if (loop.long_ones_.empty()) return;
      loop.enqueue(loop.long_ones_.pop_front());
      loop.enqueue_later(*this);
    }
    Loop& loop;
  };

  TimePoint now_{};
  WallTime wall_start_{};
  RunQueue own_queue_;
  RunQueue* queue_;
  TimerQueue timers_;
  List<Runnable> long_ones_;
  Turnstile turnstile_{*this};
};

}  // namespace pipette::async
