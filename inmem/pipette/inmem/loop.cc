#include "pipette/inmem/loop.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace pipette::inmem {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

// `time` times (1,000,000 + per_million) / 1,000,000, rounded down, without overflow for any time a test reaches.
std::int64_t scaled(std::int64_t time, std::int64_t per_million) {
  const std::int64_t rest = time % kMillion * per_million;
  return time + time / kMillion * per_million + rest / kMillion - (rest % kMillion < 0 ? 1 : 0);
}

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

Loop::Loop(Scheduler& scheduler, WallTime start, Clock clock)
    : async::Loop(scheduler.queue_), scheduler_(scheduler), start_(start), drift_per_million_(clock.drift_per_million) {
  assert(clock.drift_per_million > -kMillion);
  set_skew(clock.skew);
  scheduler_.loops_.push_back(this);
  follow(scheduler.now());
}

Loop::~Loop() { std::erase(scheduler_.loops_, this); }

void Loop::post(Work work) {
  Posted& posted = posted_.emplace_back(posted_, std::move(work));
  posted.at = std::prev(posted_.end());
  enqueue_in_new_lane(posted);
}

TimePoint Loop::local(TimePoint true_time) const {
  if (drift_per_million_ == 0) return true_time;
  return TimePoint(Duration(scaled(true_time.time_since_epoch().count(), drift_per_million_)));
}

TimePoint Loop::truly(TimePoint local_time) const {
  if (drift_per_million_ == 0 || local_time == kNever) return local_time;
  const std::int64_t wanted = local_time.time_since_epoch().count();
  const std::int64_t rate = kMillion + drift_per_million_;
  std::int64_t guess = wanted / rate * kMillion + wanted % rate * kMillion / rate;
  while (scaled(guess, drift_per_million_) < wanted) ++guess;
  while (guess > 0 && scaled(guess - 1, drift_per_million_) >= wanted) --guess;
  return TimePoint(Duration(guess));
}

}  // namespace pipette::inmem
