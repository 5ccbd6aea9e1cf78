// What a pool has beyond the contract (lab/contract/blocking_contract.h): threads, their number, and a queue.
//
// No verdict depends on how fast anything is. A function says that it has begun, and is held, by a latch.
#include "pipette/tcp/thread_pool.h"

#include <atomic>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/base/errc.h"
#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;
using async::Blocking;
using async::BlockingCtx;
using async::Canceled;
using async::StopReason;

// Holds functions until it is opened, which it is at the latest when it dies.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { open(); }

  void open() {
    if (!std::exchange(is_open_, true)) latch_.count_down();
  }
  void pass() const { latch_.wait(); }

 private:
  std::latch latch_{1};
  bool is_open_ = false;
};

// A function of a test: held until the test lets it go.
struct Held {
  Gate gate;
  std::latch begun{1};
  std::thread::id thread;

  Blocking::Function function() {
    return [this](BlockingCtx&) {
      thread = std::this_thread::get_id();
      begun.count_down();
      gate.pass();
    };
  }
};

class ThreadPoolTest : public testing::Test {
 protected:
  Task<> start(ThreadPool& pool, Blocking::Function function, async::StopToken stop = {}, TimePoint deadline = kNever) {
    Task<> task = pool.run(std::move(function), stop, deadline);
    task.start();
    return task;
  }
  void run_until(const std::function<bool()>& happened) {
    while (!happened()) loop.turn();
  }
  void finish(Task<>& task) {
    run_until([&] { return task.done(); });
    task.await_resume();
  }
  void run(ThreadPool& pool, Blocking::Function function) {
    Task<> task = start(pool, std::move(function));
    finish(task);
  }
  std::thread::id thread_of_next(ThreadPool& pool) {
    std::thread::id thread;
    run(pool, [&thread](BlockingCtx&) { thread = std::this_thread::get_id(); });
    return thread;
  }
  static std::error_code error_of(Task<>& task) {
    try {
      task.await_resume();
    } catch (const std::system_error& thrown) {
      return thrown.code();
    }
    return {};
  }
  // No verdict: the threads end when they end.
  static void wait_for_threads(const ThreadPool& pool, std::size_t threads) {
    while (pool.threads() != threads) std::this_thread::yield();
  }
  enum class Waiting { not_yet, began, died };
  Task<> wait_for_ever(Waiting& waiting) {
    struct Dies {
      explicit Dies(Waiting& of) : waits(of) { waits = Waiting::began; }
      Dies(const Dies&) = delete;
      Dies& operator=(const Dies&) = delete;
      ~Dies() { waits = Waiting::died; }
      Waiting& waits;
    };
    const Dies dies(waiting);
    co_await async::sleep_until(loop, kNever);
  }
  static Task<> count(int& number) {
    ++number;
    co_return;
  }

  Loop loop;
};

// ---- Threads -----------------------------------------------------------------------------------------------

TEST_F(ThreadPoolTest, HasNoThreadUntilItNeedsOne) {
  ThreadPool pool(loop);
  const Task<> not_awaited = pool.run([](BlockingCtx&) {}, {}, kNever);
  EXPECT_EQ(pool.threads(), 0U);
  EXPECT_NE(thread_of_next(pool), std::this_thread::get_id());
  EXPECT_EQ(pool.threads(), 1U);
}

TEST_F(ThreadPoolTest, OneFunctionAfterAnotherNeedsOneThread) {
  ThreadPool pool(loop);
  const std::thread::id first = thread_of_next(pool);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(thread_of_next(pool), first);
  EXPECT_EQ(pool.threads(), 1U);
}

TEST_F(ThreadPoolTest, TheThreadThatBecameIdleLastIsNext) {
  constexpr std::size_t kThreads = 4;
  ThreadPool pool(loop);
  std::vector<std::unique_ptr<Held>> held;
  std::vector<Task<>> tasks;
  for (std::size_t i = 0; i < kThreads; ++i) {
    Held& next = *held.emplace_back(std::make_unique<Held>());
    tasks.push_back(start(pool, next.function()));
    next.begun.wait();
  }
  EXPECT_EQ(pool.threads(), kThreads);
  for (const std::size_t last : {2U, 0U, 3U, 1U}) {
    held[last]->gate.open();
    finish(tasks[last]);
    EXPECT_EQ(thread_of_next(pool), held[last]->thread);
  }
  // Two at once: the last idle, and the one before.
  Held first;
  Held second;
  Task<> a = start(pool, first.function());
  first.begun.wait();
  Task<> b = start(pool, second.function());
  second.begun.wait();
  EXPECT_EQ(first.thread, held[1]->thread);
  EXPECT_EQ(second.thread, held[3]->thread);
  EXPECT_EQ(pool.threads(), kThreads);
  first.gate.open();
  second.gate.open();
  finish(a);
  finish(b);
}

TEST_F(ThreadPoolTest, IdleThreadsEnd) {
  ThreadPool pool(loop, {.max_idle = 1ms});
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Held>> held;
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) {
      Held& next = *held.emplace_back(std::make_unique<Held>());
      tasks.push_back(start(pool, next.function()));
      next.begun.wait();
    }
    EXPECT_EQ(pool.threads(), 3U) << "those that run are not idle";
    held[1]->gate.open();
    finish(tasks[1]);
    wait_for_threads(pool, 2);
    held[0]->gate.open();
    held[2]->gate.open();
    finish(tasks[0]);
    finish(tasks[2]);
    wait_for_threads(pool, 0);
  }
  EXPECT_NE(thread_of_next(pool), std::thread::id());
}

TEST_F(ThreadPoolTest, ThreadsThatEndWhileTheyAreNeededLoseNothing) {
  ThreadPool pool(loop, {.max_threads = 2, .max_idle = 0s});
  int runs = 0;
  for (int i = 0; i < 1000; ++i) run(pool, [&runs](BlockingCtx&) { ++runs; });
  EXPECT_EQ(runs, 1000);
}

TEST_F(ThreadPoolTest, AThousandFunctionsOverFourThreads) {
  ThreadPool pool(loop, {.max_threads = 4});
  std::mutex mutex;
  std::set<std::thread::id> threads;
  int on_loop = 0;
  int ended = 0;
  async::TaskGroup group(loop);
  for (int i = 0; i < 1000; ++i) {
    group.spawn(pool.run(
        [&](BlockingCtx& ctx) {
          ctx.wait(count(on_loop));
          const std::lock_guard lock(mutex);
          threads.insert(std::this_thread::get_id());
          ++ended;
        },
        {}, kNever));
  }
  run_until([&] { return group.empty(); });
  EXPECT_EQ(on_loop, 1000);
  EXPECT_EQ(ended, 1000);
  EXPECT_LE(threads.size(), 4U);
  EXPECT_LE(pool.threads(), 4U);
}

TEST_F(ThreadPoolTest, HasAtLeastOneThread) {
  ThreadPool pool(loop, {.max_threads = 0});
  EXPECT_NE(thread_of_next(pool), std::thread::id());
}

TEST_F(ThreadPoolTest, AFunctionRunsBesideTheLoop) {
  ThreadPool pool(loop);
  Held held;
  Task<> task = start(pool, held.function());
  held.begun.wait();
  run(pool, [](BlockingCtx&) {});
  EXPECT_FALSE(task.done());
  held.gate.open();
  finish(task);
}

// ---- The queue ---------------------------------------------------------------------------------------------

TEST_F(ThreadPoolTest, QueuesInOrderWhatFindsNoThread) {
  ThreadPool pool(loop, {.max_threads = 1});
  Held held;
  Task<> first = start(pool, held.function());
  std::vector<int> order;
  std::vector<Task<>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(start(pool, [&order, i](BlockingCtx&) { order.push_back(i); }));
  EXPECT_EQ(pool.queued(), 5U);
  EXPECT_EQ(pool.threads(), 1U);
  held.gate.open();
  for (Task<>& task : tasks) finish(task);
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(pool.queued(), 0U);
}

TEST_F(ThreadPoolTest, RefusesWhenTheQueueIsFull) {
  ThreadPool pool(loop, {.max_threads = 1, .max_queued = 2});
  Held held;
  Task<> running = start(pool, held.function());
  std::optional<Task<>> queued(start(pool, [](BlockingCtx&) {}));
  Task<> also_queued = start(pool, [](BlockingCtx&) {});
  Task<> refused = start(pool, [](BlockingCtx&) { ADD_FAILURE() << "ran"; });
  ASSERT_TRUE(refused.done()) << "at once";
  EXPECT_EQ(error_of(refused), Errc::too_many_blocking);

  queued.reset();  // whoever gives up makes room
  Task<> in_its_place = start(pool, [](BlockingCtx&) {});
  EXPECT_FALSE(in_its_place.done());
  held.gate.open();
  for (Task<>* task : {&running, &also_queued, &in_its_place}) finish(*task);
}

TEST_F(ThreadPoolTest, AFunctionInTheQueueIsDroppedWithItsTask) {
  ThreadPool pool(loop, {.max_threads = 1});
  Held held;
  Task<> running = start(pool, held.function());
  const auto alive = std::make_shared<int>(1);
  {
    const Task<> queued = start(pool, [alive](BlockingCtx&) { ADD_FAILURE() << "ran"; });
    EXPECT_EQ(pool.queued(), 1U);
  }
  EXPECT_EQ(pool.queued(), 0U);
  EXPECT_EQ(alive.use_count(), 1);
  held.gate.open();
  finish(running);
  EXPECT_NE(thread_of_next(pool), std::thread::id());
}

TEST_F(ThreadPoolTest, TimePassesInTheQueue) {
  ThreadPool pool(loop, {.max_threads = 1});
  async::StopSource source(loop);
  Held held;
  Task<> running = start(pool, held.function());
  std::optional<StopReason> stopped;
  std::optional<StopReason> late;
  Task<> to_stop = start(pool, [&](BlockingCtx& ctx) { stopped = ctx.sleep_until(kNever); }, source.token());
  Task<> to_be_late = start(pool, [&](BlockingCtx& ctx) { late = ctx.sleep_until(kNever); }, {}, loop.now());
  source.request_stop(StopReason::shutdown);
  held.gate.open();
  for (Task<>* task : {&running, &to_stop, &to_be_late}) finish(*task);
  EXPECT_EQ(stopped, StopReason::shutdown);
  EXPECT_EQ(late, StopReason::handler_timeout);
}

// ---- Cancellation ------------------------------------------------------------------------------------------

TEST_F(ThreadPoolTest, ATaskThatDiesAtOnceLeavesNothingBehind) {
  ThreadPool pool(loop);
  const auto alive = std::make_shared<int>(1);
  for (int i = 0; i < 1000; ++i) {
    const Task<> task = start(pool, [alive](BlockingCtx& ctx) { ctx.sleep_until(kNever); });
  }
  run_until([&] { return alive.use_count() == 1; });
}

TEST_F(ThreadPoolTest, TheDeathOfATaskWaitsForAFunctionThatComputes) {
  ThreadPool pool(loop);
  const auto held = std::make_shared<Held>();
  bool has_unwound = false;  // which the function may refer to until the end
  {
    const Task<> task = start(pool, [held, &has_unwound](BlockingCtx& ctx) {
      held->begun.count_down();
      while (ctx.stop_reason() != StopReason::canceled) {
      }
      has_unwound = true;
    });
    held->begun.wait();
  }
  EXPECT_TRUE(has_unwound);
}

TEST_F(ThreadPoolTest, AFunctionDiesOnTheLoopsSide) {
  ThreadPool pool(loop);
  struct Dies {
    explicit Dies(std::thread::id& where) : died_on(where) {}
    Dies(const Dies&) = delete;
    Dies& operator=(const Dies&) = delete;
    ~Dies() { died_on = std::this_thread::get_id(); }
    std::thread::id& died_on;
  };
  std::thread::id ended;
  run(pool, [dies = std::make_unique<Dies>(ended)](BlockingCtx&) {});
  EXPECT_EQ(ended, std::this_thread::get_id());

  std::thread::id canceled;
  {
    const auto held = std::make_shared<Held>();
    const Task<> task = start(pool, [held, dies = std::make_unique<Dies>(canceled)](BlockingCtx& ctx) {
      held->begun.count_down();
      ctx.sleep_until(kNever);
    });
    held->begun.wait();
  }
  run_until([&] { return canceled != std::thread::id(); });
  EXPECT_EQ(canceled, std::this_thread::get_id());
}

TEST_F(ThreadPoolTest, ATaskDiesBeforeTheFunctionThatWaitsForItGoesOn) {
  ThreadPool pool(loop);
  Waiting waiting = Waiting::not_yet;
  {
    const Task<> task = start(pool, [&](BlockingCtx& ctx) {
      try {
        ctx.wait(wait_for_ever(waiting));
      } catch (const Canceled&) {
        EXPECT_EQ(waiting, Waiting::died);
        throw;
      }
    });
    run_until([&] { return waiting == Waiting::began; });
  }
  EXPECT_EQ(waiting, Waiting::died);
}

// ---- Its end -----------------------------------------------------------------------------------------------

TEST_F(ThreadPoolTest, MayDieWithFunctionsInEveryState) {
  Held held;
  const auto alive = std::make_shared<int>(1);
  Waiting waiting = Waiting::not_yet;
  std::vector<Task<>> tasks;
  {
    ThreadPool pool(loop, {.max_threads = 3});
    tasks.push_back(start(pool, [&](BlockingCtx& ctx) {
      held.begun.count_down();
      while (ctx.stop_reason() == StopReason::none) std::this_thread::yield();
    }));
    tasks.push_back(start(pool, [alive](BlockingCtx& ctx) { ctx.sleep_until(kNever); }));
    tasks.push_back(start(pool, [this, &waiting, alive](BlockingCtx& ctx) { ctx.wait(wait_for_ever(waiting)); }));
    tasks.push_back(start(pool, [alive](BlockingCtx&) { ADD_FAILURE() << "ran"; }));
    tasks.push_back(start(pool, [alive](BlockingCtx&) { ADD_FAILURE() << "ran"; }));
    held.begun.wait();
    run_until([&] { return waiting == Waiting::began; });
    EXPECT_EQ(pool.queued(), 2U);
  }
  // What was posted meanwhile finds nobody.
  bool is_over = false;
  loop.post([&] { is_over = true; });
  run_until([&] { return is_over; });
  for (const Task<>& task : tasks) EXPECT_FALSE(task.done());
  tasks.clear();
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(ThreadPoolTest, MayDieWithItsLoopWhileItsThreadsEndTheirFunctions) {
  for (int i = 0; i < 100; ++i) {
    const auto alive = std::make_shared<int>(1);
    {
      Loop own;
      ThreadPool pool(own, {.max_threads = 2});
      for (int n = 0; n < 4; ++n) {
        const Task<> task = start(pool, [alive](BlockingCtx& ctx) { ctx.sleep_for(1h); });
      }
    }
    EXPECT_EQ(alive.use_count(), 1);
  }
}

using ThreadPoolDeathTest = ThreadPoolTest;

TEST_F(ThreadPoolDeathTest, AFunctionThatSwallowsCanceledForEverIsAborted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run_deaf = [this] {
    ThreadPool pool(loop);
    const auto held = std::make_shared<Held>();
    const Task<> task = start(pool, [held](BlockingCtx& ctx) {
      held->begun.count_down();
      while (true) {
        try {
          ctx.sleep_for(1h);
        } catch (...) {
        }
      }
    });
    held->begun.wait();
  };
  EXPECT_DEATH(run_deaf(), "swallows async::Canceled");
}

}  // namespace
}  // namespace pipette::tcp
