#include "pipette/inmem/fiber.h"

#include <cfenv>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/base/errc.h"
#include "pipette/base/oracle.h"
#include "pipette/inmem/loop.h"
#include "pipette/inmem/scheduler.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using async::Blocking;
using async::BlockingCtx;
using async::StopReason;
using async::StopToken;

#if defined(__SANITIZE_ADDRESS__)
#define PIPETTE_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PIPETTE_TEST_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define PIPETTE_TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PIPETTE_TEST_TSAN 1
#endif
#endif

class FiberTest : public ::testing::Test {
 protected:
  // Says its letter when it dies.
  struct Says {
    Says(std::string& log, char c) : text(log), letter(c) {}
    Says(const Says&) = delete;
    Says& operator=(const Says&) = delete;
    ~Says() { text += letter; }
    std::string& text;
    char letter;
  };
  struct AtEnd {
    explicit AtEnd(std::function<void()> function) : call(std::move(function)) {}
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;
    ~AtEnd() { call(); }
    std::function<void()> call;
  };

  TimePoint at(Duration since_start) const { return TimePoint(since_start); }

  // A task that runs `function` on a fiber and has begun to wait for it.
  Task<> start(Blocking::Function function, StopToken stop = {}, TimePoint deadline = kNever) {
    Task<> task = expect_no_throw(fibers.run(std::move(function), stop, deadline));
    task.start();
    return task;
  }
  Task<> expect_no_throw(Task<> task) {
    try {
      co_await task;
    } catch (...) {
      ADD_FAILURE() << "the function has thrown";
    }
  }
  Task<int> value_at(int value, Duration when) {
    co_await async::sleep_until(loop, at(when));
    co_return value;
  }
  Task<int> value_now(int value) { co_return value; }
  Task<int> throw_at(Duration when) {
    co_await async::sleep_until(loop, at(when));
    throw std::runtime_error("from the task");
  }
  Task<> measure_stack(const char* from, std::ptrdiff_t& distance) {
    distance = from - static_cast<const char*>(__builtin_frame_address(0));
    co_return;
  }
  Task<> say_at(char c, Duration when) {
    co_await async::sleep_until(loop, at(when));
    log += c;
  }
  Task<> say_when_destroyed(char c) {
    const Says said(log, c);
    co_await async::sleep_until(loop, kNever);
  }
  Task<> catch_what(Blocking::Function function) {
    Task<> task = fibers.run(std::move(function), {}, kNever);
    try {
      co_await task;
    } catch (const std::exception& thrown) {
      log += thrown.what();
    }
  }

  FixedOracle oracle;
  Decisions decisions{oracle};
  Scheduler scheduler{decisions};
  Loop loop{scheduler, WallTime()};
  Fibers fibers{loop};
  async::StopSource source{loop};
  std::string log;
};

// ---- Time --------------------------------------------------------------------------------------------------

TEST_F(FiberTest, SleepsToExactlyItsTime) {
  std::optional<TimePoint> woken_at;
  const Task<> task = start([&](BlockingCtx& ctx) {
    EXPECT_EQ(ctx.sleep_for(1h), StopReason::none);
    EXPECT_EQ(ctx.now(), at(1h));
    EXPECT_EQ(ctx.sleep_until(at(3h)), StopReason::none);
    woken_at = ctx.now();
  });
  scheduler.advance_to(at(3h) - 1ns);
  EXPECT_FALSE(woken_at);
  EXPECT_FALSE(task.done());
  scheduler.advance_to(at(24h));
  EXPECT_EQ(woken_at, at(3h));
  EXPECT_TRUE(task.done());
  EXPECT_EQ(fibers.size(), 0U);
}

TEST_F(FiberTest, StartsFromTheLoop) {
  const Task<> task = start([&](BlockingCtx&) { log += 'f'; });
  log += 's';
  scheduler.settle();
  EXPECT_EQ(log, "sf");
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, ASleepThatIsOverLetsOthersRunFirst) {
  const Task<> first = start([&](BlockingCtx& ctx) {
    log += '1';
    EXPECT_EQ(ctx.sleep_for(0s), StopReason::none);
    EXPECT_EQ(ctx.sleep_for(-1s), StopReason::none);
    log += '3';
  });
  const Task<> second = start([&](BlockingCtx&) { log += '2'; });
  scheduler.settle();
  EXPECT_EQ(log, "123");
  EXPECT_EQ(loop.now(), at(0s));
}

TEST_F(FiberTest, InterleavesInOrderOfTime) {
  const auto say_every = [this](char c, Duration period) {
    return [this, c, period](BlockingCtx& ctx) {
      for (int i = 0; i < 4; ++i) {
        log += c;
        ctx.sleep_for(period);
      }
    };
  };
  const Task<> a = start(say_every('a', 2s));
  const Task<> b = start(say_every('b', 3s));
  scheduler.advance_to(at(1min));
  // 0: ab · 2: a · 3: b · 4: a · 6: b was armed first · 9: b
  EXPECT_EQ(log, "abababab");
}

// ---- Stopping ----------------------------------------------------------------------------------------------

TEST_F(FiberTest, AStopWakesASleepWithItsReason) {
  const Task<> task = start(
      [&](BlockingCtx& ctx) {
        EXPECT_EQ(ctx.stop_reason(), StopReason::none);
        EXPECT_EQ(ctx.sleep_for(1h), StopReason::peer_reset);
        EXPECT_EQ(ctx.now(), at(2s));
        EXPECT_EQ(ctx.stop_reason(), StopReason::peer_reset);
        EXPECT_TRUE(ctx.stop_token().stop_requested());
        EXPECT_EQ(ctx.sleep_for(1h), StopReason::peer_reset);
        log += 'e';
      },
      source.token());
  scheduler.advance_to(at(2s));
  source.request_stop(StopReason::peer_reset);
  EXPECT_EQ(log, "");
  scheduler.settle();
  EXPECT_EQ(log, "e");
  EXPECT_FALSE(scheduler.can_progress());
}

TEST_F(FiberTest, TheDeadlineEndsASleep) {
  const struct {
    Duration wake;
    StopReason reason;
    Duration woken_at;
  } cases[] = {
      {5s, StopReason::none, 5s},
      {10s, StopReason::none, 10s},  // the deadline itself: it was the time
      {11s, StopReason::handler_timeout, 10s},
      {5s, StopReason::none, 10s},  // long over
      {12s, StopReason::handler_timeout, 10s},
  };
  const Task<> task = start(
      [&](BlockingCtx& ctx) {
        EXPECT_EQ(ctx.deadline(), at(10s));
        EXPECT_EQ(ctx.stop_reason(), StopReason::none);
        for (const auto& c : cases) {
          EXPECT_EQ(ctx.sleep_until(at(c.wake)), c.reason) << c.wake.count();
          EXPECT_EQ(ctx.now(), at(c.woken_at));
        }
        EXPECT_EQ(ctx.stop_reason(), StopReason::handler_timeout);
      },
      {}, at(10s));
  scheduler.advance_to(at(20s));
  EXPECT_TRUE(task.done());
}

// ---- wait() ------------------------------------------------------------------------------------------------

TEST_F(FiberTest, WaitsForATaskThatIsDoneAtOnce) {
  const Task<> task = start([&](BlockingCtx& ctx) { EXPECT_EQ(ctx.wait(value_now(7)), 7); });
  scheduler.settle();
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, WaitsForATaskThatTakesTime) {
  const Task<> task = start([&](BlockingCtx& ctx) {
    EXPECT_EQ(ctx.wait(value_at(7, 1h)), 7);
    EXPECT_EQ(ctx.now(), at(1h));
    ctx.wait(say_at('v', 2h));
    EXPECT_EQ(log, "v");
  });
  scheduler.advance_to(at(2h));
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, WaitMovesTheResultOut) {
  struct Makes {
    static Task<std::unique_ptr<int>> one() { co_return std::make_unique<int>(1); }
  };
  const Task<> task = start([&](BlockingCtx& ctx) { EXPECT_EQ(*ctx.wait(Makes::one()), 1); });
  scheduler.settle();
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, WaitRethrowsWhatTheTaskThrew) {
  const Task<> task = start([&](BlockingCtx& ctx) {
    for (const Duration when : {0s, 5s}) {
      try {
        ctx.wait(throw_at(when));
        log += "nothing";
      } catch (const std::runtime_error& thrown) {
        log += thrown.what();
        log += '|';
      }
    }
    EXPECT_EQ(ctx.wait(value_now(7)), 7);
  });
  scheduler.advance_to(at(5s));
  EXPECT_TRUE(task.done());
  EXPECT_EQ(log, "from the task|from the task|");
}

TEST_F(FiberTest, NeitherAStopNorTheDeadlineEndsAWait) {
  source.request_stop(StopReason::shutdown);
  const auto wait = [&](BlockingCtx& ctx) {
    EXPECT_EQ(ctx.wait(value_at(7, 1h)), 7);
    EXPECT_EQ(ctx.now(), at(1h));
    EXPECT_EQ(ctx.stop_reason(), StopReason::shutdown);
  };
  const Task<> task = start(wait, source.token(), at(1s));
  scheduler.advance_to(at(1h));
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, AWaitedForTaskRunsOnTheLoopsStack) {
  const auto* here = static_cast<const char*>(__builtin_frame_address(0));
  std::ptrdiff_t from_task = 0;
  std::ptrdiff_t from_function = 0;
  const Task<> task = start([&](BlockingCtx& ctx) {
    from_function = here - static_cast<const char*>(__builtin_frame_address(0));
    ctx.wait(measure_stack(here, from_task));
  });
  scheduler.settle();
  EXPECT_LT(std::abs(from_task), std::ptrdiff_t{64} * 1024);
  EXPECT_GT(std::abs(from_function), std::ptrdiff_t{64} * 1024);
}

TEST_F(FiberTest, WaitsForAFunctionThatWaits) {
  const auto inner = [&](BlockingCtx& ctx) {
    log += ctx.wait(value_at('i', 2s)) == 'i' ? 'i' : '?';
    ctx.sleep_for(1s);
    throw std::runtime_error("inner");
  };
  const Task<> task = start([&](BlockingCtx& ctx) {
    try {
      ctx.wait(fibers.run(inner, ctx.stop_token(), ctx.deadline()));
    } catch (const std::runtime_error& thrown) {
      log += thrown.what();
    }
    EXPECT_EQ(ctx.now(), at(3s));
    EXPECT_EQ(fibers.size(), 1U);
  });
  scheduler.advance_to(at(5s));
  EXPECT_TRUE(task.done());
  EXPECT_EQ(log, "iinner");
}

// ---- Exceptions --------------------------------------------------------------------------------------------

TEST_F(FiberTest, AnExceptionReachesTheAwaiter) {
  Task<> at_once = catch_what([](BlockingCtx&) { throw std::runtime_error("at once"); });
  Task<> later = catch_what([](BlockingCtx& ctx) {
    ctx.sleep_for(1s);
    throw std::runtime_error(", later");
  });
  Task<> from_task = catch_what([this](BlockingCtx& ctx) { ctx.wait(throw_at(2s)); });
  for (Task<>* task : {&at_once, &later, &from_task}) task->start();

  scheduler.advance_to(at(5s));
  EXPECT_EQ(log, "at once, laterfrom the task");
}

TEST_F(FiberTest, HandlersOnSeveralFibersDoNotMix) {
  const auto sleep_in_handler = [this](const char* what, Duration time) {
    return [this, what, time](BlockingCtx& ctx) {
      try {
        throw std::runtime_error(what);
      } catch (...) {
        ctx.sleep_for(time);
        try {
          throw;
        } catch (const std::runtime_error& thrown) {
          log += thrown.what();
        }
      }
      EXPECT_EQ(std::current_exception(), nullptr);
    };
  };
  const Task<> a = start(sleep_in_handler("a", 3s));
  const Task<> b = start(sleep_in_handler("b", 1s));
  const Task<> c = start(sleep_in_handler("c", 2s));
  scheduler.settle();
  EXPECT_EQ(std::current_exception(), nullptr);
  scheduler.advance_to(at(5s));
  EXPECT_EQ(log, "bca");
}

TEST_F(FiberTest, ADestructorMayWaitWhileAnExceptionUnwinds) {
  Task<> task = catch_what([this](BlockingCtx& ctx) {
    const AtEnd wait{[&] {
      EXPECT_EQ(std::uncaught_exceptions(), 1);
      EXPECT_EQ(ctx.wait(value_at(7, 1s)), 7);
    }};
    throw std::runtime_error("thrown");
  });
  task.start();
  scheduler.settle();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  scheduler.advance_to(at(1s));
  EXPECT_EQ(log, "thrown");
}

// ---- Cancellation ------------------------------------------------------------------------------------------

TEST_F(FiberTest, AFunctionWhoseTaskDiesIsUnwoundWhereItIs) {
  const struct {
    const char* name;
    std::function<void(BlockingCtx&)> wait;
    Duration until;
    const char* log;
  } cases[] = {
      {"in a sleep", [](BlockingCtx& ctx) { ctx.sleep_for(1h); }, 1s, "12"},
      {"in a sleep that has just ended", [](BlockingCtx& ctx) { ctx.sleep_for(1s); }, 1s - 1ns, "12"},
      {"in a wait", [this](BlockingCtx& ctx) { ctx.wait(say_when_destroyed('t')); }, 1s, "t12"},
      {"in a nested function",
       [this](BlockingCtx& ctx) {
         ctx.wait(fibers.run(
             [this](BlockingCtx& inner) {
               const Says said(log, 'n');
               inner.wait(say_when_destroyed('t'));
             },
             {}, kNever));
       },
       1s, "tn12"},
      {"in a handler",
       [](BlockingCtx& ctx) {
         try {
           throw 1;
         } catch (int) {
           ctx.sleep_for(1h);
         }
       },
       1s, "12"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    log.clear();
    {
      const TimePoint begin = loop.now();
      const Task<> task = start([&](BlockingCtx& ctx) {
        const Says second(log, '2');
        const auto on_the_heap = std::make_unique<Says>(log, '1');
        c.wait(ctx);
        log += "went on";
      });
      scheduler.advance_to(after(begin, c.until));
      EXPECT_FALSE(task.done());
      EXPECT_EQ(log, "");
    }
    EXPECT_EQ(log, c.log);
    EXPECT_EQ(fibers.size(), 0U);
    EXPECT_FALSE(scheduler.can_progress());
  }
}

TEST_F(FiberTest, AFunctionThatIsWokenAndCanceledAtOnceIsCanceled) {
  std::optional<Task<>> task;
  struct Destroys final : async::Timer {
    explicit Destroys(std::optional<Task<>>& owner) : victim(owner) {}
    void run() override { victim.reset(); }
    std::optional<Task<>>& victim;
  } destroys(task);
  task.emplace(start([&](BlockingCtx& ctx) {
    const Says said(log, 'u');
    ctx.sleep_for(1s);
    log += "went on";
  }));
  scheduler.settle();
  loop.arm(destroys, at(1s));  // behind the sleep's timer, and in front of the fiber it wakes
  scheduler.advance_to(at(2s));
  EXPECT_EQ(log, "u");
}

TEST_F(FiberTest, AFunctionThatHasNotStartedNeverRuns) {
  {
    const auto kept = std::make_shared<int>(1);
    const Task<> not_awaited = fibers.run([this, kept](BlockingCtx&) { log += 'x'; }, {}, kNever);
    const Task<> not_entered = start([this, kept](BlockingCtx&) { log += 'x'; });
    EXPECT_EQ(fibers.size(), 1U);
  }
  scheduler.settle();
  EXPECT_EQ(log, "");
  EXPECT_EQ(fibers.size(), 0U);
}

TEST_F(FiberTest, ACanceledFunctionIsToldAtEachBlockingCall) {
  int told = 0;
  {
    const Task<> task = start([&](BlockingCtx& ctx) {
      for (int i = 0; i < 10; ++i) {
        try {
          if (i % 2 == 0) {
            ctx.sleep_for(1s);
          } else {
            ctx.wait(value_now(1));
          }
        } catch (const async::Canceled&) {
          ++told;
          EXPECT_EQ(ctx.stop_reason(), StopReason::canceled);
        }
      }
    });
    scheduler.settle();
  }
  EXPECT_EQ(told, 10);
  EXPECT_EQ(loop.now(), at(0s));
}

TEST_F(FiberTest, CanceledIsNoStandardException) {
  {
    const Task<> task = start([&](BlockingCtx& ctx) {
      try {
        ctx.sleep_for(1s);
      } catch (const std::exception&) {
        log += "swallowed";
      }
    });
    scheduler.settle();
  }
  EXPECT_EQ(log, "");
}

TEST_F(FiberTest, ADestructorMaySleepWhileItsFunctionIsCanceled) {
  const auto function = [&](BlockingCtx& ctx) {
    const Says said(log, 'u');
    const AtEnd sleep{[&] { EXPECT_EQ(ctx.sleep_for(1h), StopReason::canceled); }};
    ctx.sleep_for(1s);
  };
  {
    const Task<> task = start(function);
    scheduler.settle();
  }
  EXPECT_EQ(log, "u");
  {
    // Canceled in the destructor's sleep, which an exception of the function's own caused.
    const Task<> task = start([&](BlockingCtx& ctx) {
      const Says said(log, 'v');
      const AtEnd sleep{[&] { EXPECT_EQ(ctx.sleep_for(1h), StopReason::canceled); }};
      throw std::runtime_error("nobody waits for it");
    });
    scheduler.settle();
    EXPECT_EQ(log, "u");
  }
  EXPECT_EQ(log, "uv");
}

TEST_F(FiberTest, CancelsWhileAnExceptionUnwindsOutside) {
  try {
    const Task<> task = start([&](BlockingCtx& ctx) {
      const Says said(log, 'u');
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      ctx.sleep_for(1s);
    });
    scheduler.settle();
    throw std::runtime_error(" outside");
  } catch (const std::runtime_error& thrown) {
    log += thrown.what();
  }
  EXPECT_EQ(log, "u outside");
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST_F(FiberTest, ATaskGroupCancelsItsFunctions) {
  {
    async::TaskGroup group(loop);
    for (const char c : {'a', 'b', 'c'}) {
      group.spawn(fibers.run(
          [this, c](BlockingCtx& ctx) {
            const Says said(log, c);
            ctx.sleep_for(1h);
          },
          {}, kNever));
    }
    scheduler.settle();
    EXPECT_EQ(fibers.size(), 3U);
  }
  EXPECT_EQ(log.size(), 3U);
}

// ---- Stacks ------------------------------------------------------------------------------------------------

constexpr std::size_t kFrameBytes = 1024;
constexpr std::size_t kLargeFrameBytes = 100 * kFrameBytes;

// Uses about `size` octets of stack, in small frames, sleeps at the deepest point, and returns how many frames.
[[gnu::noinline]] int go_deep(BlockingCtx& ctx, std::size_t size) {
  volatile char local[kFrameBytes] = {};
  local[size % kFrameBytes] = 1;
  if (size <= kFrameBytes) {
    ctx.sleep_for(1s);
    return local[size % kFrameBytes];
  }
  return go_deep(ctx, size - kFrameBytes) + local[size % kFrameBytes];
}

[[gnu::noinline]] int use_large_frame(BlockingCtx& ctx) {
  volatile char local[kLargeFrameBytes];
  for (volatile char& octet : local) octet = 1;
  ctx.sleep_for(1s);
  int sum = 0;
  for (const volatile char& octet : local) sum += octet;
  return sum;
}

TEST_F(FiberTest, AStackIsDeepEnough) {
  const Task<> task = start([&](BlockingCtx& ctx) {
    EXPECT_EQ(go_deep(ctx, 100 * kFrameBytes), 100);
    EXPECT_EQ(use_large_frame(ctx), static_cast<int>(kLargeFrameBytes));
  });
  scheduler.advance_to(at(1min));
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, AStackIsAsLargeAsItsOption) {
  Fibers roomy(loop, {.stack_bytes = 4 * 1024 * 1024});
  Task<> task = roomy.run([&](BlockingCtx& ctx) { EXPECT_EQ(go_deep(ctx, 2048 * kFrameBytes), 2048); }, {}, kNever);
  task.start();
  scheduler.advance_to(at(1min));
  EXPECT_TRUE(task.done());
}

TEST_F(FiberTest, RunsMoreFunctionsThanItKeepsStacks) {
  Fibers few(loop, {.stack_bytes = 1, .kept_stacks = 2});
  for (int round = 0; round < 3; ++round) {
    async::TaskGroup group(loop);
    for (int i = 0; i < 5; ++i) {
      group.spawn(
          few.run([&](BlockingCtx& ctx) { log += ctx.sleep_for(1s) == StopReason::none ? 'y' : 'n'; }, {}, kNever));
    }
    scheduler.advance_to(after(loop.now(), 1s));
    EXPECT_TRUE(group.empty());
  }
  EXPECT_EQ(log, std::string(15, 'y'));
}

TEST_F(FiberTest, RefusesMoreFunctionsThanItsLimit) {
  Fibers few(loop, {.max_fibers = 1});
  const auto catches = [this, &few](BlockingCtx& ctx) {
    try {
      ctx.wait(few.run([](BlockingCtx&) {}, {}, kNever));
    } catch (const std::system_error& thrown) {
      EXPECT_EQ(thrown.code(), Errc::too_many_blocking);
      log += thrown.what();
    }
  };
  Task<> task = few.run(catches, {}, kNever);
  task.start();
  scheduler.settle();
  EXPECT_EQ(log, "raise FiberOptions::max_fibers, or run fewer: too many blocking functions at once");
  EXPECT_EQ(few.size(), 0U);
}

TEST_F(FiberTest, RefusesAStackThatIsTooLarge) {
  EXPECT_THROW(Fibers(loop, {.stack_bytes = ~std::size_t{0}}), std::invalid_argument);
}

TEST_F(FiberTest, TenThousandSleepAnHour) {
#ifdef PIPETTE_TEST_TSAN
  constexpr std::size_t kFibers = 1'000;  // ThreadSanitizer knows 8,000 threads at most
#else
  constexpr std::size_t kFibers = 10'000;
#endif
  std::size_t woken = 0;
  {
    async::TaskGroup group(loop);
    for (std::size_t i = 0; i < kFibers; ++i) {
      group.spawn(fibers.run(
          [&](BlockingCtx& ctx) {
            ctx.sleep_for(1h);
            ++woken;
            ctx.sleep_for(1h);
          },
          {}, kNever));
    }
    scheduler.advance_to(at(1h));
    EXPECT_EQ(woken, kFibers);
    EXPECT_EQ(fibers.size(), kFibers);
  }
  EXPECT_EQ(fibers.size(), 0U);
}

TEST_F(FiberTest, AFunctionKeepsItsRoundingMode) {
  const auto third = [] {
    volatile double one = 1;
    volatile double three = 3;
    return one / three;
  };
  const double nearest = third();
  const auto round_up = [&](BlockingCtx& ctx) {
    std::fesetround(FE_UPWARD);
    ctx.sleep_for(1s);
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    EXPECT_GT(third(), nearest);
  };
  const Task<> task = start(round_up);
  scheduler.settle();
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  EXPECT_EQ(third(), nearest);
  scheduler.advance_to(at(1s));
  EXPECT_TRUE(task.done());
  EXPECT_EQ(third(), nearest);
}

TEST_F(FiberTest, ATestBodyRunsOnAFiber) {
  Task<> body = run_on_fiber(loop, [&](BlockingCtx& ctx) {
    EXPECT_EQ(ctx.wait(value_at(7, 1h)), 7);
    log += 'e';
  });
  body.start();
  scheduler.advance_to(at(1h));
  EXPECT_TRUE(body.done());
  EXPECT_EQ(log, "e");
  {
    Task<> canceled = run_on_fiber(loop, [&](BlockingCtx& ctx) {
      const Says said(log, 'u');
      ctx.sleep_for(1h);
    });
    canceled.start();
    scheduler.settle();
  }
  EXPECT_EQ(log, "eu");
}

// ---- What ends the process ---------------------------------------------------------------------------------

using FiberDeathTest = FiberTest;

TEST_F(FiberDeathTest, AFunctionThatSwallowsCanceledForEverIsAborted) {
  const auto run_deaf = [this] {
    const Task<> task = start([&](BlockingCtx& ctx) {
      while (true) {
        try {
          ctx.sleep_for(1s);
        } catch (...) {
          log += '.';
        }
      }
    });
    scheduler.settle();
  };
  EXPECT_DEATH(run_deaf(), "swallows async::Canceled");
}

TEST_F(FiberDeathTest, RunningOverTheEndOfAStackIsAFault) {
  const auto overflow = [this] {
    const Task<> task = start([&](BlockingCtx& ctx) { log += go_deep(ctx, std::size_t{1} << 30U) != 0 ? 'x' : 'y'; });
    scheduler.settle();
  };
#ifdef PIPETTE_TEST_ASAN
  EXPECT_DEATH(overflow(), "stack-overflow");
#else
  EXPECT_DEATH(overflow(), "");
#endif
}

TEST_F(FiberDeathTest, BelowAStackLiesAGuard) {
  Fibers small(loop, {.stack_bytes = 64 * 1024});
  const auto write_below = [&] {
    Task<> task = small.run(
        [](BlockingCtx&) { static_cast<volatile char*>(__builtin_frame_address(0))[-64 * 1024] = 1; }, {}, kNever);
    task.start();
    scheduler.settle();
  };
  EXPECT_DEATH(write_below(), "");
}

#ifndef NDEBUG
TEST_F(FiberDeathTest, AContextIsUsedInsideItsFunctionOnly) {
  BlockingCtx* escaped = nullptr;
  const Task<> task = start([&](BlockingCtx& ctx) {
    escaped = &ctx;
    ctx.sleep_for(1h);
  });
  scheduler.settle();
  const auto use_on_another_fiber = [&] {
    const Task<> other = start([&](BlockingCtx&) { escaped->sleep_for(1s); });
    scheduler.settle();
  };
  EXPECT_DEATH(escaped->sleep_for(1s), "outside its function");
  EXPECT_DEATH(use_on_another_fiber(), "outside its function");
}
#endif

}  // namespace
}  // namespace pipette::inmem
