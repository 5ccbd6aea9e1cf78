// Event: one coroutine waits until somebody says so.
//
//   Event ready(loop);   …  co_await ready.wait();   …  ready.set();
//
// set() only enqueues the waiter. An event that is set stays so until reset().
//
// Threads  the loop's.
#pragma once

#include <cassert>
#include <coroutine>
#include <utility>

#include "pipette/async/loop.h"

namespace pipette::async {

class Event {
 public:
  class [[nodiscard]] Wait final : public Runnable {
   public:
    explicit Wait(Event& event) : event_(event) {}
    ~Wait() {
      if (event_.waiter_ == this) event_.waiter_ = nullptr;
    }
    bool await_ready() const { return event_.is_set_; }
    void await_suspend(std::coroutine_handle<> waiter) {
      assert(event_.waiter_ == nullptr);
      waiter_ = waiter;
      event_.loop_.keep_lane(*this);
      event_.waiter_ = this;
    }
    void await_resume() const {}
    void run() override { waiter_.resume(); }

   private:
    Event& event_;
    std::coroutine_handle<> waiter_;
  };

  explicit Event(Loop& loop) : loop_(loop) {}

  bool is_set() const { return is_set_; }
  void set() {
    is_set_ = true;
    if (waiter_ != nullptr) loop_.enqueue(*std::exchange(waiter_, nullptr));
  }
  void reset() { is_set_ = false; }
  Wait wait() { return Wait(*this); }

 private:
  Loop& loop_;
  bool is_set_ = false;
  Wait* waiter_ = nullptr;
};

}  // namespace pipette::async
