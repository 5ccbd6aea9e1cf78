#include "pipette/inmem/loop.h"

#include <memory>
#include <stdexcept>
#include <utility>

namespace pipette::inmem {
namespace {

// A world in which this much runs without the clock moving is going round in circles.
constexpr std::uint64_t kMaxStepsAtOneTime = 50'000'000;

}  // namespace

// Owns itself from post() until it has run, or until the loop dies.
struct Loop::Posted final : async::Runnable {
  explicit Posted(Work posted) : work(std::move(posted)) {}
  void run() override {
    const std::unique_ptr<Posted> self(this);
    work();
  }
  Work work;
};

Loop::~Loop() {
  while (!posted_.empty()) std::unique_ptr<Posted>(&static_cast<Posted&>(posted_.pop_front())).reset();
}

void Loop::post(Work work) { posted_.push_back(*std::make_unique<Posted>(std::move(work)).release()); }

bool Loop::run_ready_or_due() {
  while (!posted_.empty()) enqueue(posted_.front());
  if (!has_ready() && next_deadline() <= now()) take_due_timers();
  if (!run_one()) return false;
  ++steps_;
  return true;
}

void Loop::settle() {
  for (std::uint64_t steps = 0; run_ready_or_due(); ++steps) {
    if (steps == kMaxStepsAtOneTime) throw std::runtime_error("livelock: the clock stands still and work never ends");
  }
}

bool Loop::step() {
  if (run_ready_or_due()) return true;
  const TimePoint next = next_deadline();
  if (next == kNever) return false;
  set_now(next);
  return true;
}

void Loop::advance_to(TimePoint target) {
  settle();
  while (next_deadline() <= target && next_deadline() != kNever) {
    set_now(next_deadline());
    settle();
  }
  if (target > now()) set_now(target);
}

}  // namespace pipette::inmem
