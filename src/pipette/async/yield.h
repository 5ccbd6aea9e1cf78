// co_await YieldToLoop(loop): everything else runs first that is ready, or becomes so until the loop has looked again.
#pragma once

#include <coroutine>

#include "pipette/async/loop.h"

namespace pipette::async {

class [[nodiscard]] YieldToLoop final : public Runnable {
 public:
  explicit YieldToLoop(Loop& loop) : loop_(loop) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.enqueue_later(*this);
  }
  void await_resume() const {}
  void run() override { waiter_.resume(); }

 private:
  Loop& loop_;
  std::coroutine_handle<> waiter_;
};

}  // namespace pipette::async
