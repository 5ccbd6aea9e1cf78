// ThreadPool: the blocking functions of the real world, each on a thread of its own while it runs.
//
//   ThreadPool pool(loop, {.max_threads = 8});
//   co_await pool.run(function, stop, deadline);        // async/blocking.h says what a function may do
//
//   the loop    run() --> [queue] -->                     | the task runs … ends |               posted --> awaiter
//   a thread                         | function … ctx.wait(task)                 … returns | stands by
//
// Threads are made when all others are busy, up to `max_threads`. A function goes to the thread that became idle last,
// whose caches are warm, so the others grow old and end after `max_idle`. When all are busy it waits in the queue,
// first in, first out; when that is full, run() fails at once.
//
// Waits     functions that wait for functions of the same pool hold two threads: with `max_threads` of them none of the
//           inner ones ever starts. A deadline and a stop do not end such a wait; the death of the Task does.
// Canceled  the Task's destructor waits until the function has unwound, and the loop stands still meanwhile: long
//           computations look at stop_reason(), and destructors are short.
// Errors    Errc::too_many_blocking when the queue is full, or when the system has no thread for the first function.
// Lifetime  the loop outlives it; it should outlive its tasks, and those that are left when it dies never complete. Its
//           destructor cancels what runs and joins every thread: a function that computes for ever cannot be stopped,
//           and holds it up for ever.
// Threads   the loop's; threads() and queued() from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pipette/async/blocking.h"
#include "pipette/async/loop.h"

namespace pipette::tcp {

struct ThreadPoolOptions {
  std::size_t max_threads = 64;   // at least 1
  std::size_t max_queued = 1024;  // functions that wait for a thread
  Duration max_idle = std::chrono::seconds(10);
};

class ThreadPool final : public async::Blocking {
 public:
  explicit ThreadPool(async::Loop& loop, ThreadPoolOptions options = {});
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() override;

  Task<> run(Function function, async::StopToken stop, TimePoint deadline) override;

  // How many threads there are, busy and idle.
  std::size_t threads() const;
  // How many functions wait for one.
  std::size_t queued() const;

 private:
  class Call;
  class Job;
  struct Thread;

  // The loop's side.
  void submit(const std::shared_ptr<Job>& job);
  void forget(const std::shared_ptr<Job>& job);
  bool add_thread(const std::shared_ptr<Job>& first);

  // A thread's side.
  void work(Thread& self);
  std::shared_ptr<Job> next_job(Thread& self);
  void stand_by(Thread& self);
  void retire(Thread& self, std::unique_lock<std::mutex>& lock);

  async::Loop& loop_;
  const ThreadPoolOptions options_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Job>> queue_;  // empty while a thread is idle
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> idle_;  // the last one became so last
  std::thread retired_;        // the last one that was idle too long, to be joined
  bool is_stopping_ = false;
};

}  // namespace pipette::tcp
