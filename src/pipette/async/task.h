// Task<T>: a lazy coroutine that one parent awaits. Soon<T>: a value, or the Task that will bring it.
//
//   Task<int> child();                       Soon<int> next() { if (have_) return value_; return fetch(); }
//   Task<> parent() { int n = co_await child();   int m = co_await next(); }
//
// A Task starts when it is awaited (or by start()), runs on the loop's thread, and ends the frame it lives in
// when the Task object dies, wherever it is suspended: destroying a Task cancels it. Exceptions pass to the
// parent. Awaiting costs no turn of the loop when the child finishes at once, and the stack stays flat over
// any number of such awaits, also at -O0 and under sanitizers, where symmetric transfer is no tail call.
//
// Soon<T> is for hot paths: when the answer is there already, no frame is made.
//
// Traps     coroutines take values or references to what their awaiter owns; a capturing lambda is no
//           coroutine (its captures die first); name a braced temporary before awaiting a call that takes it.
//           With g++ 12 also name what a condition awaits when its arguments make temporaries:
//           `if (co_await ctx.sleep(2s) != ...)`, seconds made nanoseconds, can end in an illegal instruction;
//           and what stands behind && or ||, which is awaited even where the left side has decided.
// Threads   one loop's.
#pragma once

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "pipette/async/frame_pool.h"

namespace pipette::async {

template <class T = void>
class Task;

namespace internal {

class PromiseOfAny : public RecycledFrame {
 public:
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      // The parent may destroy this frame while it runs, so nothing here may touch it afterwards.
      if (const std::coroutine_handle<> parent = self.promise().continuation) parent.resume();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }

  std::coroutine_handle<> continuation;
  std::exception_ptr exception;
};

template <class T>
class Promise : public PromiseOfAny {
 public:
  Task<T> get_return_object();
  template <class U = T>
  void return_value(U&& result) {
    value_.emplace(std::forward<U>(result));
  }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseOfAny {
 public:
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Task(Task&& other) noexcept
      : frame_(std::exchange(other.frame_, nullptr)), started_(std::exchange(other.started_, false)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      frame_ = std::exchange(other.frame_, nullptr);
      started_ = std::exchange(other.started_, false);
    }
    return *this;
  }
  ~Task() { reset(); }

  // Whether there is a coroutine at all.
  explicit operator bool() const { return static_cast<bool>(frame_); }
  bool done() const { return frame_.done(); }

  // Runs up to the first suspension, ahead of the await that follows. Once, and only before that await.
  void start() {
    assert(!started_);
    started_ = true;
    frame_.resume();
  }

  bool await_ready() const { return started_ && frame_.done(); }
  bool await_suspend(std::coroutine_handle<> parent) {
    if (!started_) {
      start();
      if (frame_.done()) return false;
    }
    frame_.promise().continuation = parent;
    return true;
  }
  T await_resume() { return frame_.promise().take(); }

 private:
  void reset() {
    if (frame_) std::exchange(frame_, nullptr).destroy();
  }

  std::coroutine_handle<promise_type> frame_;
  bool started_ = false;
};

namespace internal {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace internal

template <class T = void>
class [[nodiscard]] Soon {
 public:
  Soon(T value) : value_(std::move(value)) {}     // NOLINT(google-explicit-constructor): `return value;`
  Soon(Task<T> task) : task_(std::move(task)) {}  // NOLINT(google-explicit-constructor): `return slow_path();`

  bool await_ready() const { return value_.has_value(); }
  bool await_suspend(std::coroutine_handle<> parent) { return task_.await_suspend(parent); }
  T await_resume() { return value_ ? std::move(*value_) : task_.await_resume(); }

 private:
  std::optional<T> value_;
  Task<T> task_;
};

template <>
class [[nodiscard]] Soon<void> {
 public:
  Soon() = default;
  Soon(Task<> task) : task_(std::move(task)) {}  // NOLINT(google-explicit-constructor): `return slow_path();`

  bool await_ready() const { return !task_; }
  bool await_suspend(std::coroutine_handle<> parent) { return task_.await_suspend(parent); }
  void await_resume() {
    if (task_) task_.await_resume();
  }

 private:
  Task<> task_;
};

}  // namespace pipette::async

namespace pipette {
using async::Task;
}  // namespace pipette
