// Timers, and the queue that the real and the simulated loop share.
//
//   arm(t) --> [heap of (deadline, order)] --> due: handed to the loop, in order of deadline, then of arming
//
// Laziness lives here: moving a deadline later, or clearing it, only stores the new one; the entry in the
// heap goes stale and is corrected when it reaches the top, before anybody is told of a deadline. So
// re-arming costs a store, and next_deadline() is exact: virtual time is never dragged by a dead timer. Real time may
// be: earliest() looks at no more than the top, stale or not, and whoever sleeps until then wakes once in vain.
//
// Lifetime  a Timer that dies leaves the queue; the queue must outlive its timers.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipette/async/runnable.h"
#include "pipette/base/time.h"

namespace pipette::async {

class TimerQueue;

// Derive, and say in run() what happens when the time has come.
class Timer : public Runnable {
 public:
  bool is_armed() const { return deadline_ != kNever; }
  // Whether anybody waits for the deadline. Asked before the clock goes there: if not, the timer is disarmed.
  virtual bool is_wanted() const { return true; }
  TimePoint deadline() const { return deadline_; }

 protected:
  Timer() = default;
  ~Timer();

 private:
  friend class TimerQueue;

  std::uint32_t index_ = 0;      // of its entry in the heap
  TimerQueue* queue_ = nullptr;  // where the heap holds one
  TimePoint deadline_ = kNever;
  std::uint64_t order_ = 0;
};

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  // (Re-)arms `timer`; kNever disarms it. A timer that was due but has not run yet is due no longer.
  void arm(Timer& timer, TimePoint deadline);
  void disarm(Timer& timer) { arm(timer, kNever); }

  // The earliest armed deadline, or kNever.
  TimePoint next_deadline();
  // A time before which nothing is due: next_deadline(), or sooner.
  TimePoint earliest() const { return heap_.empty() ? kNever : heap_.front().key; }
  // Moves every timer due at `now` to the end of `due`, disarmed, in firing order.
  void take_due(TimePoint now, List<Runnable>& due);

 private:
  friend class Timer;

  struct Entry {
    TimePoint key;  // never later than the timer's own deadline
    std::uint64_t order;
    Timer* timer;
    bool operator<(const Entry& other) const { return key != other.key ? key < other.key : order < other.order; }
  };

  void remove(Timer& timer);
  void correct_top();
  void place(std::size_t index, Entry entry);
  void sift_up(std::size_t index, Entry entry);
  void sift_down(std::size_t index, Entry entry);

  std::vector<Entry> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace pipette::async
