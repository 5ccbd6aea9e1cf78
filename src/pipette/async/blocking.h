// Blocking functions: plain functions that may wait, without being coroutines.
//
//   // An old library, a long computation, a script.
//   void report(BlockingCtx& ctx) {
//     auto answer = ctx.wait(client.get("http://app/report"));           // runs the task to its end
//     if (ctx.sleep_for(5s) != StopReason::none) return;                 // somebody wants us to stop
//   }
//   co_await blocking.run(report, stop, deadline);                       // the loop goes on meanwhile
//
// In a simulated world such a function runs on a fiber and virtual time passes for it (inmem/fiber.h); in the real one
// it has a thread while it runs (tcp/thread_pool.h). Runtime::blocking() is whichever it is, and nobody above can tell:
// what is waited for always runs on the loop, and each blocking call lets the loop do other things first.
//
// Stopping  a request to stop, and the deadline, wake sleeps and nothing else. Hand both on to what you wait for, and
//           look at stop_reason() in long computations.
// Canceled  when the Task of run() dies, nobody waits for the function any more: the blocking call it is in, and each
//           after that, throws Canceled, so that the stack unwinds. `catch (...)` must rethrow it; it is no
//           std::exception. A function that swallows it for ever is aborted, with a message. When the Task's destructor
//           returns, the function has unwound, so that it may refer to what its caller owns; one that has not started
//           never runs. A function on a thread may also compute while its Task dies: stop_reason() says `canceled`,
//           and the destructor waits, so long computations had better look at it.
// Errors    what the function throws reaches whoever awaits run(); what a task throws comes out of wait().
//           std::system_error with Errc::too_many_blocking, out of run(), when there is no room for one more: the
//           function has not run.
// Threads   a BlockingCtx is the function's alone: its functions are called from inside that function only, and
//           stop_token() is for tasks that run on the loop. Functions may run beside the loop and each other: what
//           belongs to a loop (a connection, a client, an event) is used in tasks that are waited for, and neither it
//           nor its owner lives on the function's stack. The function object itself dies on the loop's side.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/base/time.h"

namespace pipette::async {

// Thrown by blocking calls of a function that nobody waits for any more. Never swallow it.
class Canceled {};

class BlockingCtx {
 public:
  BlockingCtx(const BlockingCtx&) = delete;
  BlockingCtx& operator=(const BlockingCtx&) = delete;

  virtual TimePoint now() const = 0;
  virtual TimePoint deadline() const = 0;
  virtual StopToken stop_token() const = 0;
  // Why the function should stop; none: it need not, and its deadline has not passed.
  virtual StopReason stop_reason() const = 0;

  // Returns none when it was the time, and otherwise why it woke earlier; handler_timeout at the deadline.
  // In a destructor that runs because of Canceled it throws nothing, but returns `canceled` at once.
  virtual StopReason sleep_until(TimePoint wake) = 0;
  StopReason sleep_for(Duration time) { return sleep_until(after(now(), time)); }

  // Runs `task` on the loop, to its end. Not for a Task that was started, nor in destructors that may run because of
  // Canceled: there is no value to return then.
  template <class T>
  T wait(Task<T> task);

 protected:
  BlockingCtx() = default;
  ~BlockingCtx() = default;

  // Returns when `task` has ended, and rethrows what it threw. Once it has started, its frame dies on the loop's side.
  virtual void run_to_end(Task<> task) = 0;

  // The blocking calls of a canceled function. Who calls them again and again is not going to listen, and is aborted.
  StopReason refuse_sleep();
  [[noreturn]] void refuse_wait();

 private:
  void count_refusal();

  template <class T>
  static Task<> keep_result(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await task);
  }

  int refusals_ = 0;
};

class Blocking {
 public:
  using Function = std::move_only_function<void(BlockingCtx&)>;

  virtual ~Blocking() = default;

  // Completes when `function` has returned or thrown. The token's source outlives the task.
  virtual Task<> run(Function function, StopToken stop, TimePoint deadline) = 0;
};

template <class T>
T BlockingCtx::wait(Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    run_to_end(std::move(task));
  } else {
    std::optional<T> result;
    run_to_end(keep_result(std::move(task), result));
    return std::move(*result);
  }
}

}  // namespace pipette::async
