#include "pipette/lab/contract/blocking_contract.h"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using async::BlockingCtx;
using async::Canceled;
using async::StopReason;

// Counts when it dies.
struct Counts {
  explicit Counts(std::atomic<int>& count) : died(count) {}
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;
  ~Counts() { ++died; }
  std::atomic<int>& died;
};

TEST_P(BlockingContract, RunsAFunctionToItsEnd) {
  bool has_run = false;
  run([&](BlockingCtx&) { has_run = true; });
  EXPECT_TRUE(has_run);
}

TEST_P(BlockingContract, NeverResumesItsAwaiterInsideTheAwait) {
  const Task<> task = start([](BlockingCtx&) {});
  EXPECT_FALSE(task.done());
  run_until([&] { return task.done(); });
}

TEST_P(BlockingContract, WhatAFunctionThrowsReachesItsAwaiter) {
  EXPECT_THROW(run([](BlockingCtx&) { throw std::runtime_error("on purpose"); }), std::runtime_error);
  EXPECT_THROW(run([](BlockingCtx& ctx) {
                 ctx.sleep_for(1ms);
                 throw 7;
               }),
               int);
}

TEST_P(BlockingContract, SleepsToItsTime) {
  run([](BlockingCtx& ctx) {
    const TimePoint wake = after(ctx.now(), 5ms);
    EXPECT_EQ(ctx.sleep_until(wake), StopReason::none);
    EXPECT_GE(ctx.now(), wake);
    EXPECT_EQ(ctx.sleep_for(0s), StopReason::none);
    EXPECT_EQ(ctx.sleep_for(-1s), StopReason::none);
    EXPECT_EQ(ctx.sleep_until(TimePoint::min()), StopReason::none);
  });
}

TEST_P(BlockingContract, NoTimeComesBeforeTheLoops) {
  const TimePoint before = loop().now();
  TimePoint inside{};
  run([&](BlockingCtx& ctx) {
    ctx.wait(value_after(1, 2ms));
    inside = ctx.now();
  });
  EXPECT_GE(inside, before + 2ms);
  EXPECT_GE(loop().now(), inside);
}

TEST_P(BlockingContract, WaitsForATask) {
  run([this](BlockingCtx& ctx) {
    EXPECT_EQ(ctx.wait(value_after(7, 2ms)), 7);
    EXPECT_EQ(ctx.wait(value_after(8, 0s)), 8);
    ctx.wait(enter());
  });
  run_until_entered();
}

TEST_P(BlockingContract, WhatATaskThrowsComesOutOfTheWait) {
  run([this](BlockingCtx& ctx) {
    for (const Duration time : {0ms, 1ms}) EXPECT_THROW(ctx.wait(throw_after(time)), std::runtime_error);
    EXPECT_EQ(ctx.wait(value_after(7, 0s)), 7);
  });
}

TEST_P(BlockingContract, WaitsForAFunctionThatWaits) {
  run([this](BlockingCtx& ctx) {
    const auto inner = [this](BlockingCtx& nested) {
      EXPECT_EQ(nested.wait(value_after(7, 1ms)), 7);
      throw std::runtime_error("inner");
    };
    EXPECT_THROW(ctx.wait(blocking().run(inner, {}, kNever)), std::runtime_error);
  });
}

TEST_P(BlockingContract, RunsManyAtATime) {
  constexpr int kFunctions = 100;
  std::vector<Task<>> tasks;
  std::atomic<int> sum = 0;
  for (int i = 1; i <= kFunctions; ++i) {
    tasks.push_back(start([this, i, &sum](BlockingCtx& ctx) { sum += ctx.wait(value_after(i, 1ms)); }));
  }
  for (Task<>& task : tasks) run_until([&] { return task.done(); });
  EXPECT_EQ(sum, kFunctions * (kFunctions + 1) / 2);
}

TEST_P(BlockingContract, TheFunctionIsGoneWhenItsTaskIs) {
  const auto alive = std::make_shared<int>(1);
  run([alive](BlockingCtx&) {});
  EXPECT_EQ(alive.use_count(), 1);
}

// ---- Stopping ----------------------------------------------------------------------------------------------

TEST_P(BlockingContract, KnowsWhenItShouldStop) {
  const TimePoint deadline = after(loop().now(), 1h);
  run(
      [&](BlockingCtx& ctx) {
        EXPECT_EQ(ctx.deadline(), deadline);
        EXPECT_EQ(ctx.stop_reason(), StopReason::none);
        EXPECT_TRUE(ctx.stop_token().stop_possible());
      },
      source_.token(), deadline);
}

TEST_P(BlockingContract, AStopWakesASleepWithItsReason) {
  Task<> task = start(
      [this](BlockingCtx& ctx) {
        ctx.wait(enter());
        EXPECT_EQ(ctx.sleep_until(kNever), StopReason::peer_reset);
        EXPECT_EQ(ctx.sleep_for(1h), StopReason::peer_reset);
        EXPECT_EQ(ctx.stop_reason(), StopReason::peer_reset);
      },
      source_.token());
  run_until_entered();
  source_.request_stop(StopReason::peer_reset);
  run_until([&] { return task.done(); });
  task.await_resume();
}

TEST_P(BlockingContract, TheDeadlineEndsASleep) {
  const TimePoint deadline = after(loop().now(), 5ms);
  const auto sleep = [deadline](BlockingCtx& ctx) {
    EXPECT_EQ(ctx.sleep_until(kNever), StopReason::handler_timeout);
    EXPECT_GE(ctx.now(), deadline);
    EXPECT_EQ(ctx.stop_reason(), StopReason::handler_timeout);
    EXPECT_EQ(ctx.sleep_until(deadline), StopReason::none) << "it was the time";
  };
  run(sleep, {}, deadline);
}

TEST_P(BlockingContract, NeitherAStopNorTheDeadlineEndsAWait) {
  source_.request_stop(StopReason::shutdown);
  bool has_run = false;
  run(
      [&](BlockingCtx& ctx) {
        EXPECT_EQ(ctx.stop_reason(), StopReason::shutdown);
        EXPECT_EQ(ctx.wait(value_after(7, 2ms)), 7);
        has_run = true;
      },
      source_.token(), loop().now());
  EXPECT_TRUE(has_run);
}

TEST_P(BlockingContract, AStopThatCameFirstWakesASleepToo) {
  source_.request_stop(StopReason::evicted);
  run([](BlockingCtx& ctx) { EXPECT_EQ(ctx.sleep_until(kNever), StopReason::evicted); }, source_.token());
}

TEST_P(BlockingContract, TheTokenStopsTasksOnTheLoop) {
  Task<> task = start(
      [this](BlockingCtx& ctx) {
        ctx.wait(enter());
        const auto sleep = [](async::Loop& on, async::StopToken stop) -> Task<int> {
          co_return co_await async::sleep_until(on, kNever, stop) == StopReason::shutdown ? 7 : 0;
        };
        EXPECT_EQ(ctx.wait(sleep(loop(), ctx.stop_token())), 7);
      },
      source_.token());
  run_until_entered();
  source_.request_stop(StopReason::shutdown);
  run_until([&] { return task.done(); });
  task.await_resume();
}

// ---- Cancellation ------------------------------------------------------------------------------------------

TEST_P(BlockingContract, AFunctionThatIsNotAwaitedNeverRuns) {
  const auto alive = std::make_shared<int>(1);
  {
    const Task<> task = blocking().run([alive](BlockingCtx&) { ADD_FAILURE() << "ran"; }, {}, kNever);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_P(BlockingContract, AFunctionInAWaitHasUnwoundWhenItsTaskIsGone) {
  {
    const Task<> task = start([this](BlockingCtx& ctx) {
      const Counts outer(unwound_);
      const auto inner = std::make_unique<Counts>(unwound_);
      ctx.wait(enter_and_wait_for_ever());
      ADD_FAILURE() << "went on";
    });
    run_until_entered();
    EXPECT_EQ(unwound_, 0);
  }
  EXPECT_EQ(unwound_, 3) << "the task's frame and the function's two";
}

TEST_P(BlockingContract, TheInnermostOfNestedFunctionsUnwindsFirst) {
  {
    const Task<> task = start([this](BlockingCtx& ctx) {
      std::atomic<int> mine = 0;  // the inner function uses it until it has unwound
      const auto inner = [&mine, this](BlockingCtx& nested) {
        const Counts dies(mine);
        nested.wait(enter_and_wait_for_ever());
      };
      try {
        ctx.wait(blocking().run(inner, {}, kNever));
      } catch (const Canceled&) {
        EXPECT_EQ(mine, 1);
        ++unwound_;
        throw;
      }
    });
    run_until_entered();
  }
  EXPECT_EQ(unwound_, 2) << "the task's frame, and the outer function";
}

TEST_P(BlockingContract, AFunctionInASleepUnwindsWhenItsTaskDies) {
  {
    const Task<> task = start([this, dies = std::make_unique<Counts>(unwound_)](BlockingCtx& ctx) {
      ctx.wait(enter());
      ctx.sleep_until(kNever);
      ADD_FAILURE() << "went on";
    });
    run_until_entered();
  }
  run_until([&] { return unwound_ == 1; });
}

TEST_P(BlockingContract, ACanceledFunctionIsToldAtEachBlockingCall) {
  const auto told = std::make_shared<std::atomic<int>>(0);
  {
    const Task<> task = start([this, told](BlockingCtx& ctx) {
      for (int i = 0; i < 10; ++i) {
        try {
          if (i % 2 == 0) {
            ctx.wait(enter_and_wait_for_ever());
          } else {
            ctx.sleep_for(1h);
          }
        } catch (const Canceled&) {
          ++*told;
          EXPECT_EQ(ctx.stop_reason(), StopReason::canceled);
        }
      }
    });
    run_until_entered();
  }
  EXPECT_EQ(*told, 10);
}

TEST_P(BlockingContract, ADestructorMaySleepWhileItsFunctionIsCanceled) {
  struct Sleeps {
    explicit Sleeps(BlockingCtx& context) : ctx(context) {}
    Sleeps(const Sleeps&) = delete;
    Sleeps& operator=(const Sleeps&) = delete;
    ~Sleeps() { EXPECT_EQ(ctx.sleep_for(1h), StopReason::canceled); }
    BlockingCtx& ctx;
  };
  {
    const Task<> task = start([this](BlockingCtx& ctx) {
      const Counts dies(unwound_);
      const Sleeps sleeps(ctx);
      ctx.wait(enter_and_wait_for_ever());
    });
    run_until_entered();
  }
  EXPECT_EQ(unwound_, 2) << "the task's frame, and the function's";
}

TEST_P(BlockingContract, GoesOnAfterACancellation) {
  {
    const Task<> task = start([this](BlockingCtx& ctx) { ctx.wait(enter_and_wait_for_ever()); });
    run_until_entered();
  }
  run([this](BlockingCtx& ctx) { EXPECT_EQ(ctx.wait(value_after(7, 1ms)), 7); });
}

}  // namespace

void BlockingContract::SetUpTestSuite() {}

void BlockingContract::run(Function function, async::StopToken stop, TimePoint deadline) {
  await(blocking().run(std::move(function), stop, deadline));
}

Task<> BlockingContract::start(Function function, async::StopToken stop, TimePoint deadline) {
  Task<> task = blocking().run(std::move(function), stop, deadline);
  task.start();
  return task;
}

Task<int> BlockingContract::value_after(int value, Duration time) {
  co_await async::sleep_until(loop(), after(loop().now(), time));
  co_return value;
}

Task<int> BlockingContract::throw_after(Duration time) {
  co_await async::sleep_until(loop(), after(loop().now(), time));
  throw std::runtime_error("from the task");
}

Task<> BlockingContract::enter() {
  has_entered_ = true;
  co_return;
}

Task<> BlockingContract::enter_and_wait_for_ever() {
  const Counts dies(unwound_);
  has_entered_ = true;
  co_await async::sleep_until(loop(), kNever);
}

void BlockingContract::run_until_entered() {
  run_until([this] { return has_entered_; });
}

}  // namespace pipette::lab
