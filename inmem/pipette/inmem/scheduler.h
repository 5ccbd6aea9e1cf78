// Scheduler: what runs next in a world, and when the clock moves.
//
//   settle()        runs everything that can run now; the clock stands still
//   advance_to(t)   settles, steps through each deadline up to t, those at t included, and ends at t
//   step()          runs one thing, or else moves the clock to the next deadline; false: nothing can happen
//
// All loops of a world share one run queue and one true time, of which each host's clock is a view (loop.h). Which of
// several ready things runs next is a decision, and so is the order of timers that are due together:
//
//   fifo       in the order they became ready; what is due together loop by loop, the network's first (so data that
//              arrive at a deadline are in time), and of one loop's timers the one armed first. Asks nobody.
//   random     any of them
//   priority   each lane (async/run_queue.h) has a priority, the highest runs until it waits, and now and then the one
//              that runs falls below all others: few choices reach rare orders (PCT, probabilistic concurrency testing)
//
// Errors    Livelock when very much runs without the clock moving.
// Lifetime  outlives its loops.   Threads  one.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "pipette/async/run_queue.h"
#include "pipette/base/oracle.h"
#include "pipette/base/time.h"

namespace pipette::inmem {

class Loop;

enum class Order : std::uint8_t { fifo, random, priority };

// The clock stands still and work never ends.
class Livelock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Scheduler {
 public:
  static constexpr std::uint64_t kMaxStepsAtOneTime = 10'000'000;

  explicit Scheduler(Decisions& decisions) : decisions_(decisions) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // True time since the world began.
  TimePoint now() const { return now_; }

  void settle();
  void advance_to(TimePoint target);
  bool step();
  // Whether something is ready or armed.
  bool can_progress() { return !queue_.empty() || next_deadline() != kNever; }
  TimePoint next_deadline();

  // What has run since the beginning.
  std::uint64_t steps() const { return steps_; }
  void set_order(Order order) { order_ = order; }
  Order order() const { return order_; }
  // Counts anew how much has run without the clock moving.
  void forget_steps() { steps_at_last_move_ = steps_; }
  // How much may run at one moment before it is a livelock.
  void set_max_steps_at_one_time(std::uint64_t steps) { max_steps_at_one_time_ = steps; }
  // Called after each step, and after each move of the clock; it may throw, out of whatever drives the world.
  void add_observer(std::function<void()> observer) { observers_.push_back(std::move(observer)); }

 private:
  friend class Loop;

  bool run_ready_or_due();
  async::Runnable& choose_ready();
  async::Runnable& choose_by_priority();
  async::Runnable& highest_ready();
  void set_now(TimePoint now);
  void observe();
  [[noreturn]] void throw_livelock() const;

  Decisions& decisions_;
  async::RunQueue queue_;
  std::vector<Loop*> loops_;
  TimePoint now_{};
  Order order_ = Order::fifo;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_at_last_move_ = 0;
  std::uint64_t max_steps_at_one_time_ = kMaxStepsAtOneTime;
  std::vector<std::int64_t> priorities_;  // by lane
  std::int64_t lowest_priority_ = 0;
  std::vector<std::function<void()>> observers_;
};

}  // namespace pipette::inmem
