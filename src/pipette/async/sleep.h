// co_await sleep_until(loop, t): goes on when the loop's clock has reached t, or when `stop` is requested.
//
//   co_await sleep_until(loop, after(loop.now(), 5s));                  // sleeps
//   StopReason why = co_await sleep_until(loop, t, ctx.stop_token());   // none: it was the time
#pragma once

#include <coroutine>

#include "pipette/async/loop.h"
#include "pipette/async/stop.h"

namespace pipette::async {

class [[nodiscard]] SleepUntil final : public Timer {
 public:
  SleepUntil(Loop& loop, TimePoint wake, StopToken stop) : loop_(loop), wake_(wake), stop_(stop), stop_waiter_(*this) {}

  bool await_ready() const { return wake_ <= loop_.now() || stop_.stop_requested(); }
  void await_suspend(std::coroutine_handle<> sleeper) {
    sleeper_ = sleeper;
    loop_.arm(*this, wake_);
    stop_.add(stop_waiter_);
  }
  StopReason await_resume() const { return stop_.reason(); }
  void run() override { sleeper_.resume(); }

 private:
  struct StopWaiter final : Runnable {
    explicit StopWaiter(SleepUntil& owner) : sleep(owner) {}
    void run() override {
      sleep.loop_.disarm(sleep);
      sleep.run();
    }
    SleepUntil& sleep;
  };

  Loop& loop_;
  TimePoint wake_;
  StopToken stop_;
  StopWaiter stop_waiter_;
  std::coroutine_handle<> sleeper_;
};

inline SleepUntil sleep_until(Loop& loop, TimePoint wake, StopToken stop = {}) { return {loop, wake, stop}; }

}  // namespace pipette::async
