#include "pipette/tcp/internal/loop.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "pipette/tcp/internal/asio_thread.h"

namespace pipette::tcp {
namespace {

// How much is run before it is the others' turn.
constexpr int kRunsATurn = 64;
constexpr int kPostsATurn = 64;
// How often civil time is looked at, since somebody may set it.
constexpr Duration kWallLook = std::chrono::milliseconds(100);

}  // namespace

TimePoint read_clock() {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

Loop::Loop() { refresh_now(); }
Loop::~Loop() = default;

void Loop::refresh_now() {
  set_now(read_clock());
  if (now() < wall_is_good_until_) return;
  set_wall_start(std::chrono::system_clock::now() - now().time_since_epoch());
  wall_is_good_until_ = after(now(), kWallLook);
}

// A clock that the system moves with each of its ticks takes a fraction of the time to be read. It is never ahead of the
// exact one: when it is later than what that one has shown, time has passed.
void Loop::refresh_roughly() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  if (std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec) > now().time_since_epoch())
    refresh_now();
}

void Loop::post(Work work) {
  bool was_asleep = false;
  {
    const std::lock_guard lock(posting_);
    posted_.push_back(std::move(work));
    was_asleep = std::exchange(is_asleep_, false);
  }
  if (was_asleep) poller_.wake();
}

void Loop::request_stop() {
  post([this] { stop_requested_ = true; });
}

AsioThread& Loop::asio() {
  if (!asio_) asio_ = std::make_unique<AsioThread>();
  return *asio_;
}

void Loop::turn() {
  poller_.look(leisure());
  refresh_now();
  run_posted();
  take_due_timers();
  for (int count = 0; count < kRunsATurn && run_one(); ++count) {
  }
}

Duration Loop::leisure() {
  if (has_ready() || !may_sleep()) return Duration::zero();
  const TimePoint next = earliest_deadline();
  if (next == kNever) return Duration::max();
  refresh_now();
  return next - now();
}

bool Loop::may_sleep() {
  const std::lock_guard lock(posting_);
  return is_asleep_ = posted_.empty();
}

void Loop::run_posted() {
  for (int count = 0; count < kPostsATurn; ++count) {
    Work work = take_posted();
    if (!work) return;
    if (count > 0) refresh_now();
    work();
  }
}

async::Loop::Work Loop::take_posted() {
  const std::lock_guard lock(posting_);
  is_asleep_ = false;
  if (posted_.empty()) return nullptr;
  Work first = std::move(posted_.front());
  posted_.pop_front();
  return first;
}

}  // namespace pipette::tcp
