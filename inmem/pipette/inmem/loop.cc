#include "pipette/inmem/loop.h"

#include <iterator>
#include <stdexcept>
#include <utility>

namespace pipette::inmem {
namespace {

// A world in which this much runs without the clock moving is going round in circles.
constexpr std::uint64_t kMaxStepsAtOneTime = 50'000'000;

}  // namespace

struct Loop::Posted final : async::Runnable {
  Posted(std::list<Posted>& all, Work posted) : siblings(all), work(std::move(posted)) {}
  void run() override {
    std::list<Posted> self;  // dies here, also when the work throws
    self.splice(self.begin(), siblings, at);
    work();
  }
  std::list<Posted>& siblings;
  std::list<Posted>::iterator at;
  Work work;
};

Loop::Loop(WallTime start) : start_(start) {}
Loop::~Loop() = default;

void Loop::post(Work work) {
  Posted& posted = posted_.emplace_back(posted_, std::move(work));
  posted.at = std::prev(posted_.end());
  enqueue(posted);
}

bool Loop::run_ready_or_due() {
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
