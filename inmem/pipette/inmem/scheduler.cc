#include "pipette/inmem/scheduler.h"

#include <algorithm>
#include <array>
#include <string>

#include "pipette/inmem/inside.h"
#include "pipette/inmem/loop.h"

namespace pipette::inmem {
namespace {

constexpr Site kReady("ready");
constexpr Site kPriority("lane priority");
constexpr Site kDemotion("lane demotion");
// More candidates than this are not looked at: what became ready long before goes first.
constexpr unsigned kMaxCandidates = 16;
// How rarely the lane that runs is demoted, when chance decides.
constexpr unsigned kDemotedOneIn = 32;

}  // namespace

void Scheduler::settle() {
  const InsideWorld inside;
  decisions_.rethrow();
  forget_steps();
  while (run_ready_or_due()) {
  }
}

bool Scheduler::step() {
  const InsideWorld inside;
  decisions_.rethrow();
  if (run_ready_or_due()) return true;
  const TimePoint next = next_deadline();
  if (next == kNever) return false;
  set_now(next);
  return true;
}

void Scheduler::advance_to(TimePoint target) {
  settle();
  for (TimePoint next = next_deadline(); next <= target && next != kNever; next = next_deadline()) {
    set_now(next);
    settle();
  }
  if (target > now_) set_now(target);
}

TimePoint Scheduler::next_deadline() {
  TimePoint next = kNever;
  for (Loop* loop : loops_) next = std::min(next, loop->next_true_deadline());
  return next;
}

bool Scheduler::run_ready_or_due() {
  // Whatever is due joins what is ready, so that chance may put it in front.
  if (queue_.empty() || order_ != Order::fifo) {
    for (Loop* loop : loops_) loop->take_due();
  }
  if (queue_.empty()) return false;
  queue_.run(order_ == Order::fifo ? queue_.front() : choose_ready());
  decisions_.rethrow();
  if (++steps_ - steps_at_last_move_ > max_steps_at_one_time_) throw_livelock();
  if (!observers_.empty()) observe();
  return true;
}

async::Runnable& Scheduler::choose_ready() {
  if (order_ == Order::priority) return choose_by_priority();
  std::array<async::Runnable*, kMaxCandidates> candidates;
  unsigned count = 0;
  queue_.ready().find_if([&](async::Runnable& ready) {
    candidates[count++] = &ready;
    return count == kMaxCandidates;
  });
  return *candidates[decisions_.choose(kReady, 0, count)];
}

async::Runnable& Scheduler::choose_by_priority() {
  async::Runnable& best = highest_ready();
  const bool has_rivals = &queue_.front() != &best || &queue_.ready().back() != &best;
  if (!has_rivals || decisions_.choose(kDemotion, 0, 2, kDemotedOneIn) == 0) return best;
  priorities_[best.lane()] = --lowest_priority_;
  return highest_ready();
}

// The first one of the lane with the highest priority.
async::Runnable& Scheduler::highest_ready() {
  async::Runnable* best = nullptr;
  unsigned candidates = 0;
  queue_.ready().find_if([&](async::Runnable& ready) {
    while (priorities_.size() <= ready.lane()) {
      priorities_.push_back(decisions_.choose(kPriority, priorities_.size(), 256));
    }
    if (best == nullptr || priorities_[ready.lane()] > priorities_[best->lane()]) best = &ready;
    return ++candidates == kMaxCandidates;
  });
  return *best;
}

void Scheduler::set_now(TimePoint now) {
  now_ = now;
  steps_at_last_move_ = steps_;
  for (Loop* loop : loops_) loop->follow(now);
  if (!observers_.empty()) observe();
}

void Scheduler::observe() {
  for (std::size_t i = 0; i < observers_.size(); ++i) observers_[i]();
}

void Scheduler::throw_livelock() const {
  throw Livelock("livelock: " + std::to_string(max_steps_at_one_time_) +
                 " steps without the clock moving, and more to do");
}

}  // namespace pipette::inmem
