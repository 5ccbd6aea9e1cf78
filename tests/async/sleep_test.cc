#include "pipette/async/sleep.h"

#include <gtest/gtest.h>
#include <optional>

#include "pipette/async/task.h"
#include "pipette/inmem/loop.h"

#include "tests/support/lone_loop.h"

namespace pipette::async {
namespace {

using namespace std::chrono_literals;

class SleepTest : public ::testing::Test {
 protected:
  TimePoint at(Duration since_start) const { return TimePoint(since_start); }
  Task<> sleep(TimePoint wake, StopToken stop = {}) {
    reason = co_await sleep_until(loop, wake, stop);
    woken_at = loop.now();
  }

  test::LoneLoop lone;
  inmem::Loop& loop = *lone;
  StopSource source{loop};
  std::optional<TimePoint> woken_at;
  StopReason reason = StopReason::canceled;
};

TEST_F(SleepTest, WakesAtExactlyItsTime) {
  Task<> sleeper = sleep(at(24h));
  sleeper.start();
  lone.advance_to(at(24h) - 1ns);
  EXPECT_FALSE(woken_at);
  lone.advance_to(at(48h));
  EXPECT_EQ(woken_at, at(24h));
  EXPECT_EQ(reason, StopReason::none);
}

TEST_F(SleepTest, ReturnsAtOnceWhenTheTimeHasCome) {
  lone.advance_to(at(5s));
  for (const TimePoint wake : {at(5s), at(1s)}) {
    woken_at.reset();
    Task<> sleeper = sleep(wake);
    sleeper.start();
    EXPECT_TRUE(sleeper.done());
    EXPECT_EQ(woken_at, at(5s));
  }
}

TEST_F(SleepTest, WakesWithTheReasonWhenItIsStopped) {
  Task<> sleeper = sleep(at(10s), source.token());
  sleeper.start();
  lone.advance_to(at(2s));
  source.request_stop(StopReason::peer_reset);
  EXPECT_FALSE(woken_at);
  lone.settle();
  EXPECT_EQ(woken_at, at(2s));
  EXPECT_EQ(reason, StopReason::peer_reset);
  EXPECT_FALSE(lone.scheduler().can_progress());
}

TEST_F(SleepTest, ReturnsAtOnceWhenItIsStoppedAlready) {
  source.request_stop(StopReason::shutdown);
  Task<> sleeper = sleep(at(10s), source.token());
  sleeper.start();
  EXPECT_TRUE(sleeper.done());
  EXPECT_EQ(reason, StopReason::shutdown);
}

TEST_F(SleepTest, GivesNoReasonWhenItWasTheTime) {
  Task<> sleeper = sleep(at(1s), source.token());
  sleeper.start();
  lone.advance_to(at(1s));
  EXPECT_EQ(woken_at, at(1s));
  EXPECT_EQ(reason, StopReason::none);
  source.request_stop(StopReason::shutdown);
  lone.settle();
}

TEST_F(SleepTest, WakesOnceWhenTimeAndStopCoincide) {
  struct Stopper final : Timer {
    explicit Stopper(StopSource& to_stop) : stopped(to_stop) {}
    void run() override { stopped.request_stop(StopReason::shutdown); }
    StopSource& stopped;
  };
  Stopper before(source);
  loop.arm(before, at(1s));
  Task<> sleeper = sleep(at(1s), source.token());
  sleeper.start();
  lone.advance_to(at(2s));
  EXPECT_TRUE(sleeper.done());
  EXPECT_EQ(woken_at, at(1s));
}

TEST_F(SleepTest, NeverWakesAtNever) {
  Task<> sleeper = sleep(kNever, source.token());
  sleeper.start();
  EXPECT_FALSE(lone.scheduler().can_progress());
  source.request_stop(StopReason::canceled);
  lone.settle();
  EXPECT_EQ(reason, StopReason::canceled);
}

TEST_F(SleepTest, ASleeperThatDiesLeavesNothingBehind) {
  {
    Task<> sleeper = sleep(at(1s), source.token());
    sleeper.start();
  }
  EXPECT_FALSE(lone.scheduler().can_progress());
  source.request_stop(StopReason::shutdown);
  lone.settle();
  EXPECT_FALSE(woken_at);
}

}  // namespace
}  // namespace pipette::async
