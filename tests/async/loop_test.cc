#include "pipette/inmem/loop.h"

#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/lone_loop.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;

struct Job final : async::Runnable {
  explicit Job(std::function<void()> body) : work(std::move(body)) {}
  void run() override { work(); }
  std::function<void()> work;
};

struct Alarm final : async::Timer {
  explicit Alarm(std::function<void()> body) : work(std::move(body)) {}
  void run() override { work(); }
  std::function<void()> work;
};

class LoopTest : public ::testing::Test {
 protected:
  TimePoint at(Duration since_start) const { return TimePoint(since_start); }
  Job log_job(char c) {
    return Job([this, c] { log += c; });
  }

  test::LoneLoop lone{WallTime(1000s)};
  Loop& loop = *lone;
  std::string log;
};

TEST_F(LoopTest, BeginsAtTimeZeroAndTheGivenCivilTime) {
  EXPECT_EQ(loop.now(), TimePoint());
  EXPECT_EQ(loop.wall_now(), WallTime(1000s));
}

TEST_F(LoopTest, RunsWhatIsEnqueuedInThatOrder) {
  Job a = log_job('a'), b = log_job('b'), c = log_job('c');
  for (Job* job : {&b, &a, &c}) loop.enqueue(*job);
  EXPECT_EQ(log, "");
  lone.settle();
  EXPECT_EQ(log, "bac");
}

TEST_F(LoopTest, RunsWhatIsEnqueuedWhileRunningAfterWhatIsThere) {
  Job c = log_job('c');
  Job a([&] {
    log += 'a';
    loop.enqueue(c);
    log += '.';
  });
  Job b = log_job('b');
  loop.enqueue(a);
  loop.enqueue(b);
  lone.settle();
  EXPECT_EQ(log, "a.bc");
}

TEST_F(LoopTest, SettlingDoesNotMoveTheClock) {
  Alarm alarm([&] { log += 'x'; });
  loop.arm(alarm, at(1s));
  lone.settle();
  EXPECT_EQ(loop.now(), at(0s));
  EXPECT_EQ(log, "");
}

TEST_F(LoopTest, AdvancingStepsThroughEachDeadline) {
  std::vector<TimePoint> seen;
  Alarm first([&] { seen.push_back(loop.now()); });
  Alarm second([&] { seen.push_back(loop.now()); });
  loop.arm(second, at(2s));
  loop.arm(first, at(1s));
  lone.advance_to(at(10s));
  EXPECT_EQ(seen, (std::vector{at(1s), at(2s)}));
  EXPECT_EQ(loop.now(), at(10s));
  EXPECT_EQ(loop.wall_now(), WallTime(1010s));
}

TEST_F(LoopTest, AdvancingIncludesDeadlinesAtItsVeryEnd) {
  Alarm on_time([&] { log += 'a'; });
  Alarm too_late([&] { log += 'b'; });
  loop.arm(on_time, at(5s));
  loop.arm(too_late, at(5s) + 1ns);
  lone.advance_to(at(5s));
  EXPECT_EQ(log, "a");
}

TEST_F(LoopTest, AdvancingIncludesWhatIsArmedOnTheWay) {
  Alarm second([&] { log += 'b'; });
  Alarm first([&] {
    log += 'a';
    loop.arm(second, after(loop.now(), 1s));
  });
  loop.arm(first, at(1s));
  lone.advance_to(at(2s));
  EXPECT_EQ(log, "ab");
}

TEST_F(LoopTest, ATimerArmedForThePastFiresWithoutMovingTheClock) {
  lone.advance_to(at(5s));
  Alarm alarm([&] { log += 'a'; });
  loop.arm(alarm, at(1s));
  EXPECT_EQ(log, "");
  lone.settle();
  EXPECT_EQ(log, "a");
  EXPECT_EQ(loop.now(), at(5s));
}

TEST_F(LoopTest, EqualDeadlinesFireInTheOrderOfArming) {
  Alarm a([&] { log += 'a'; }), b([&] { log += 'b'; }), c([&] { log += 'c'; });
  loop.arm(c, at(1s));
  loop.arm(a, at(1s));
  loop.arm(b, at(2s));
  loop.arm(b, at(1s));
  lone.advance_to(at(1s));
  EXPECT_EQ(log, "cab");
}

TEST_F(LoopTest, ADisarmedTimerDoesNotDragTheClock) {
  Alarm alarm([&] { log += 'x'; });
  loop.arm(alarm, at(1s));
  loop.disarm(alarm);
  EXPECT_FALSE(lone.scheduler().can_progress());
  EXPECT_FALSE(lone.step());
  EXPECT_EQ(loop.now(), at(0s));
}

TEST_F(LoopTest, StepsRunOneThingOrElseMoveTheClock) {
  Job a = log_job('a'), b = log_job('b');
  Alarm alarm([&] { log += 'x'; });
  loop.enqueue(a);
  loop.enqueue(b);
  loop.arm(alarm, at(1s));
  EXPECT_TRUE(lone.step());
  EXPECT_EQ(log, "a");
  EXPECT_TRUE(lone.step());
  EXPECT_EQ(log, "ab");
  EXPECT_TRUE(lone.step());
  EXPECT_EQ(loop.now(), at(1s));
  EXPECT_TRUE(lone.step());
  EXPECT_EQ(log, "abx");
  EXPECT_FALSE(lone.step());
}

TEST_F(LoopTest, RunsPostedWorkInOrderAndNotInsideTheCall) {
  loop.post([&] { log += 'a'; });
  loop.post([&] {
    log += 'b';
    loop.post([&] { log += 'd'; });
    log += 'c';
  });
  EXPECT_EQ(log, "");
  lone.settle();
  EXPECT_EQ(log, "abcd");
}

TEST_F(LoopTest, DropsPostedWorkThatHasNotRunWhenItDies) {
  const auto token = std::make_shared<int>(0);
  {
    test::LoneLoop lone_and_dying;
    Loop& dying = *lone_and_dying;
    dying.post([token] {});
    dying.post([token] {});
    lone_and_dying.step();
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(LoopTest, ForgetsARunnableThatDies) {
  {
    Job dying = log_job('x');
    loop.enqueue(dying);
  }
  lone.settle();
  EXPECT_EQ(log, "");
}

TEST_F(LoopTest, CountsWhatHasRun) {
  Job a = log_job('a');
  loop.enqueue(a);
  loop.post([] {});
  lone.settle();
  EXPECT_EQ(lone.scheduler().steps(), 2U);
}

}  // namespace
}  // namespace pipette::inmem
