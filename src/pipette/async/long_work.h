// co_await LongWork(loop): in front of something that takes a good part of a millisecond, such as a handshake of TLS.
//
// However many come to that at once, the loop runs one of them, then whatever else is ready or has arrived meanwhile,
// and then the next: who waits for a moment waits for one of them, not for all. First come, first served.
//
// Lifetime  one that dies while it waits has not been there.   Threads  the loop's.
#pragma once

#include <coroutine>

#include "pipette/async/loop.h"

namespace pipette::async {

class [[nodiscard]] LongWork final : public Runnable {
 public:
  explicit LongWork(Loop& loop) : loop_(loop) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.enqueue_long(*this);
  }
  void await_resume() const {}
  void run() override { waiter_.resume(); }

 private:
  Loop& loop_;
  std::coroutine_handle<> waiter_;
};

}  // namespace pipette::async
