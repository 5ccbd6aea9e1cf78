// co_await until_stopped(loop, task, stop): what the task gives, or nothing when the stop came first. The task is
// destroyed then, which cancels it.
//
// Errors    what the task throws.   Lifetime  the source of the stop outlives the wait.   Threads  the loop's.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "pipette/async/event.h"
#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/async/task_group.h"

namespace pipette::async {

namespace internal {

template <class T>
Task<> keep_outcome(Task<T> task, std::optional<T>& result, std::exception_ptr& thrown, Event& over) {
  try {
    result.emplace(co_await task);
  } catch (...) {
    thrown = std::current_exception();
  }
  over.set();
}

class SetWhenStopped final : public Runnable {
 public:
  explicit SetWhenStopped(Event& event) : event_(event) {}
  void run() override { event_.set(); }

 private:
  Event& event_;
};

}  // namespace internal

template <class T>
Task<std::optional<T>> until_stopped(Loop& loop, Task<T> task, StopToken stop) {
  std::optional<T> result;
  std::exception_ptr thrown;
  if (stop.stop_requested()) co_return result;
  Event over(loop);
  internal::SetWhenStopped stopped(over);
  stop.add(stopped);
  TaskGroup group(loop);
  group.spawn(internal::keep_outcome(std::move(task), result, thrown, over));
  co_await over.wait();
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(result);
}

}  // namespace pipette::async
