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
// A tick of the system's does not matter to it.
constexpr Duration kLongWait = std::chrono::seconds(1);
// How often civil time is looked at, since somebody may set it.
constexpr Duration kWallLook = std::chrono::milliseconds(100);

// Moved by the system with each of its ticks, and read in a fraction of the time. It is never ahead of the exact one:
// when it is later than what that one has shown, time has passed.
TimePoint read_coarse_clock() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

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

void Loop::refresh_roughly() {
  if (read_coarse_clock() > now()) refresh_now();
}

bool Loop::has_just_looked() const { return read_coarse_clock() <= looked_at_; }

void Loop::post(Work work) {
  {
    const std::lock_guard lock(posting_);
    posted_.push_back(std::move(work));
    has_posted_ = true;
  }
  if (is_asleep_.exchange(false)) poller_.wake();
}

void Loop::request_stop() {
  post([this] { stop_requested_ = true; });
}

AsioThread& Loop::asio() {
  if (!asio_) asio_ = std::make_unique<AsioThread>();
  return *asio_;
}

void Loop::begin() {
  looked_at_ = {};
  refresh_now();
}

void Loop::turn() {
  poller_.look(leisure());
  refresh_now();
  looked_at_ = now();
  run_posted();
  take_due_timers();
  while (!later_.empty()) enqueue(later_.pop_front());
  for (int count = 0; count < kRunsATurn && run_one(); ++count) {
  }
}

Duration Loop::leisure() {
  if (has_ready() || !later_.empty() || !may_sleep()) return Duration::zero();
  const TimePoint next = earliest_deadline();
  if (next == kNever) return Duration::max();
  next - now() < kLongWait ? refresh_now() : refresh_roughly();
  return next - now();
}

bool Loop::may_sleep() {
  is_asleep_ = true;
  if (!has_posted_) return true;
  is_asleep_ = false;
  return false;
}

void Loop::run_posted() {
  is_asleep_.store(false, std::memory_order_relaxed);
  for (int count = 0; count < kPostsATurn; ++count) {
    Work work = take_posted();
    if (!work) return;
    if (count > 0) refresh_now();
    work();
  }
}

async::Loop::Work Loop::take_posted() {
  if (!has_posted_.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard lock(posting_);
  Work first = std::move(posted_.front());
  posted_.pop_front();
  has_posted_ = !posted_.empty();
  return first;
}

}  // namespace pipette::tcp
