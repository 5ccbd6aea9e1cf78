// WaitSlot: one direction's waiter and deadline. What every implementation of Connection needs twice.
//
//   wait(waiter) ──> wake() or the deadline ──> the waiter is enqueued, once
//
// The timer is armed when somebody begins to wait, so a deadline that is never waited for costs one store. It counts
// for as long as somebody waits (Timer::is_wanted): who is woken, or dies, need not disarm it.
#pragma once

#include <cassert>

#include "pipette/async/loop.h"
#include "pipette/async/timer.h"
#include "pipette/base/time.h"
#include "pipette/net/connection.h"

namespace pipette::net {

class WaitSlot final : private async::Timer {
 public:
  explicit WaitSlot(async::Loop& loop) : loop_(loop) {}
  ~WaitSlot() { assert(!has_waiter()); }

  bool is_expired() const { return deadline_ <= loop_.now(); }
  bool has_waiter() const { return !waiters_.empty(); }
  TimePoint deadline() const { return deadline_; }

  void wait(Waiter& waiter) {
    assert(!has_waiter() && "one waiter a direction");
    waiters_.push_back(waiter);
    loop_.keep_lane(waiter);
    if (deadline_ != kNever || is_armed()) loop_.arm(*this, deadline_);
  }
  void set_deadline(TimePoint deadline) {
    deadline_ = deadline;
    if (has_waiter()) loop_.arm(*this, deadline);
  }
  void wake() {
    if (has_waiter()) loop_.enqueue(waiters_.front());
  }

 private:
  void run() override { wake(); }
  bool is_wanted() const override { return has_waiter(); }

  async::Loop& loop_;
  TimePoint deadline_ = kNever;
  List<Waiter> waiters_;  // one at most; a list, so that it can unlink itself
};

}  // namespace pipette::net
