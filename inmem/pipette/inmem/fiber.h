// Fibers: the blocking functions of a simulated world, each on a stack of its own. No thread exists, and an hour of
// sleep costs microseconds.
//
//   Fibers fibers(loop);
//   co_await fibers.run(function, stop, deadline);      // async/blocking.h says what a function may do
//
//   the loop's stack    enqueued --> | ............ | --> the task runs … ends --> enqueued --> | ...... | --> awaiter
//   the fiber's stack                | function … ctx.wait(task)                                | … returns
//
// A fiber is entered from the loop only, and coroutines run on the loop's stack only: a function never finds itself
// on top of another, and its stack holds its own frames and nothing else. A sleep is a wait for a task that sleeps.
//
// Destroying the task of a suspended function unwinds the fiber there and then, destructors and all. One that has not
// started never runs.
//
// Stacks    mapped page by page as they are used, so 10,000 sleepers cost two or three pages each; ended fibers leave
//           theirs to the next. Below each lies a guard of 64 KiB: running over the end is a fault, not a mystery.
// Tools     AddressSanitizer and ThreadSanitizer are told of every switch.
// Errors    Errc::too_many_blocking for more than `max_fibers`, or when the system has no room for a stack.
// Lifetime  the loop outlives it; it outlives its tasks.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <vector>

#include "pipette/async/blocking.h"
#include "pipette/async/loop.h"

namespace pipette::inmem {

struct FiberOptions {
  std::size_t stack_bytes = 256 * 1024;  // rounded up to 64 KiB; at most 1 GiB
  std::size_t max_fibers = 16 * 1024;    // at once; Linux allows a process some 32,000 stacks
  std::size_t kept_stacks = 64;          // for the next ones
};

class Fibers final : public async::Blocking {
 public:
  // Throws std::invalid_argument for a stack that is too large.
  explicit Fibers(async::Loop& loop, FiberOptions options = {});
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;
  ~Fibers() override;

  Task<> run(Function function, async::StopToken stop, TimePoint deadline) override;

  // How many functions have been awaited and have not ended.
  std::size_t size() const { return size_; }

 private:
  class Fiber;

  std::byte* take_stack();
  void give_back(std::byte* stack);

  async::Loop& loop_;
  FiberOptions options_;
  std::size_t size_ = 0;
  std::vector<std::byte*> free_stacks_;
};

// Runs `function` on a fiber of its own: for a test whose body waits in straight lines.
Task<> run_on_fiber(async::Loop& loop, async::Blocking::Function function);

}  // namespace pipette::inmem
