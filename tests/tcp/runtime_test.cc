#include "pipette/tcp/runtime.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/async/timer.h"
#include "pipette/async/yield.h"
#include "pipette/tcp/internal/loop.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;
using async::sleep_until;

Task<> wait_for(async::Event& event) { co_await event.wait(); }
Task<> sleep(async::Loop& loop, Duration duration) { co_await sleep_until(loop, after(loop.now(), duration)); }
Task<> note_after(async::Loop& loop, TimePoint when, std::vector<int>& notes, int note) {
  co_await sleep_until(loop, when);
  notes.push_back(note);
}
Task<> join(async::TaskGroup& group) { co_await group.join(); }
Task<> keep(Runtime& runtime, int& signal) { signal = co_await runtime.wait_for_signal(); }

bool has_default_disposition(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_DFL;
}

TEST(TcpRuntime, RunsATaskToItsEnd) {
  Runtime runtime;
  const TimePoint start = runtime.loop().now();
  runtime.run(sleep(runtime.loop(), 5ms));
  EXPECT_GE(runtime.loop().now(), start + 5ms);
}

TEST(TcpRuntime, RunsSeveralTasksOneAfterAnother) {
  Runtime runtime;
  for (int i = 0; i < 3; ++i) {
    const TimePoint wake = after(runtime.loop().now(), 1ms);
    runtime.run(sleep(runtime.loop(), 1ms));
    EXPECT_GE(runtime.loop().now(), wake);
  }
}

TEST(TcpRuntime, RethrowsWhatTheTaskThrew) {
  Runtime runtime;
  const auto fails = [](async::Loop& loop) -> Task<> {
    co_await sleep_until(loop, after(loop.now(), 1ms));
    throw std::runtime_error("on purpose");
  };
  EXPECT_THROW(runtime.run(fails(runtime.loop())), std::runtime_error);
}

TEST(TcpRuntime, FiresTimersInOrderOfDeadlineThenOfArming) {
  Runtime runtime;
  async::TaskGroup group(runtime.loop());
  std::vector<int> notes;
  const TimePoint start = runtime.loop().now();
  group.spawn(note_after(runtime.loop(), start + 4ms, notes, 4));
  group.spawn(note_after(runtime.loop(), start + 2ms, notes, 2));
  group.spawn(note_after(runtime.loop(), start + 3ms, notes, 30));
  group.spawn(note_after(runtime.loop(), start + 3ms, notes, 31));
  runtime.run(join(group));
  EXPECT_THAT(notes, testing::ElementsAre(2, 30, 31, 4));
}

TEST(TcpRuntime, KnowsCivilTime) {
  Runtime runtime;
  EXPECT_LT(std::chrono::abs(runtime.loop().wall_now() - std::chrono::system_clock::now()), 1min);
}

TEST(TcpRuntime, IsWokenByPostsFromAnotherThreadInTheirOrder) {
  Runtime runtime;
  async::Event finished(runtime.loop());
  std::vector<int> notes;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) runtime.loop().post([&notes, i] { notes.push_back(i); });
    runtime.loop().post([&finished] { finished.set(); });
  });
  runtime.run(wait_for(finished));
  other.join();
  ASSERT_EQ(notes.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(notes));
}

TEST(TcpRuntime, IsWokenByPostsOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 1000;
  Runtime runtime;
  async::Event finished(runtime.loop());
  int run = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < kThreads; ++i) {
    others.emplace_back([&] {
      for (int post = 0; post < kPosts; ++post) {
        runtime.loop().post([&] {
          if (++run == kThreads * kPosts) finished.set();
        });
        if (post % 16 == 0) std::this_thread::yield();
      }
    });
  }
  runtime.run(wait_for(finished));
  for (std::thread& other : others) other.join();
  EXPECT_EQ(run, kThreads * kPosts);
}

TEST(TcpRuntime, WaitsForPartsOfAMillisecondWithoutSpinning) {
  struct Counts final : async::Timer {
    void run() override { ++count; }
    int count = 0;
  } timer;
  constexpr int kTimes = 20;
  Runtime runtime;
  auto& loop = static_cast<Loop&>(runtime.loop());
  Duration shortest = Duration::max();
  int turns = 0;
  while (timer.count < kTimes) {
    const int before = timer.count;
    loop.refresh_now();
    const TimePoint start = loop.now();
    loop.arm(timer, start + 100us);
    for (; timer.count == before; ++turns) loop.turn();
    EXPECT_GE(loop.now() - start, 100us);
    shortest = std::min<Duration>(shortest, loop.now() - start);
  }
  EXPECT_LT(shortest, 900us);
  EXPECT_LE(turns, 2 * kTimes);
}

TEST(TcpRuntime, LooksRoughlyAtItsClock) {
  Runtime runtime;
  async::Loop& loop = runtime.loop();
  const TimePoint start = loop.now();
  while (read_clock() < start + 100ms) {
  }
  loop.refresh_roughly();
  EXPECT_GE(loop.now(), start + 50ms) << "no tick of a system takes as long";
  EXPECT_LE(loop.now(), read_clock());
}

TEST(TcpRuntime, RefreshesItsClockForPostedWork) {
  Runtime runtime;
  async::Event finished(runtime.loop());
  const TimePoint due = after(runtime.loop().now(), 5ms);
  TimePoint seen{};
  std::thread other([&] {
    std::this_thread::sleep_until(std::chrono::steady_clock::time_point(due.time_since_epoch()));
    runtime.loop().post([&] {
      seen = runtime.loop().now();
      finished.set();
    });
  });
  runtime.run(wait_for(finished));
  other.join();
  EXPECT_GE(seen, due);
}

TEST(TcpRuntime, DropsPostedWorkThatNeverRan) {
  const auto alive = std::make_shared<int>(0);
  {
    Runtime runtime;
    runtime.loop().post([alive] { ADD_FAILURE() << "ran after all"; });
  }
  EXPECT_EQ(alive.use_count(), 1);
}

// A Runnable that is always ready.
struct Busy final : async::Runnable {
  explicit Busy(async::Loop& on) : loop(on) { loop.enqueue(*this); }
  void run() override { loop.enqueue(*this); }
  async::Loop& loop;
};

TEST(TcpRuntime, ServesPostsWhileTasksAreAlwaysReady) {
  Runtime runtime;
  const Busy busy(runtime.loop());
  async::Event finished(runtime.loop());
  std::thread other([&] { runtime.loop().post([&] { finished.set(); }); });
  runtime.run(wait_for(finished));
  other.join();
  EXPECT_TRUE(finished.is_set());
}

Task<> read_one(net::Connection& connection, bool& has_read) {
  std::array<char, 1> room;
  const Result<std::size_t> count = co_await connection.read_some(room);
  has_read = count == 1U;
}

Task<> write_and_make_room(Runtime& runtime) {
  auto listener = runtime.network().listen(*net::Address::parse("127.0.0.1:0")).value();
  Result<net::Connected> here = co_await runtime.network().dial(listener->address(), kNever);
  Result<net::Connected> there = co_await listener->accept();
  bool has_read = false;
  async::TaskGroup reading(runtime.loop());
  reading.spawn(read_one(*there->connection, has_read));
  co_await async::YieldToLoop(runtime.loop());  // now it waits
  constexpr std::array<Bytes, 1> kWord = {"x"};
  EXPECT_EQ(here->connection->try_write(kWord), 1U);
  co_await async::YieldToLoop(runtime.loop());
  EXPECT_TRUE(has_read);
}

TEST(TcpRuntime, RunsWhatHasArrivedBeforeOneThatMakesRoom) {
  Runtime runtime;
  runtime.run(write_and_make_room(runtime));
}

TEST(TcpRuntime, FiresTimersWhilePostsNeverEnd) {
  Runtime runtime;
  int posts = 0;
  std::function<void()> again = [&] {
    ++posts;
    runtime.loop().post(again);
  };
  again();
  runtime.run(sleep(runtime.loop(), 2ms));
  const Busy busy(runtime.loop());
  runtime.run(sleep(runtime.loop(), 2ms));
  EXPECT_GT(posts, 1);
}

TEST(TcpRuntime, StopsFromAnotherThread) {
  Runtime runtime;
  async::Event never(runtime.loop());
  std::thread other([&] { runtime.stop(); });
  runtime.run(wait_for(never));
  other.join();
  EXPECT_FALSE(never.is_set());
}

TEST(TcpRuntime, StopsTheNextRunWhenNoneIsUnderWay) {
  Runtime runtime;
  async::Event never(runtime.loop());
  runtime.stop();
  runtime.run(wait_for(never));
  const TimePoint start = runtime.loop().now();
  runtime.run(sleep(runtime.loop(), 1ms));
  EXPECT_GE(runtime.loop().now(), start + 1ms) << "it stops one run only";
}

TEST(TcpRuntime, DrawsFromNamedStreamsOfOneSeed) {
  Runtime runtime;
  EXPECT_EQ(runtime.random("a").next(), runtime.random("a").next());
  EXPECT_NE(runtime.random("a").next(), runtime.random("b").next());
  EXPECT_NE(runtime.random("a").next(), Runtime().random("a").next());
}

TEST(TcpRuntime, WaitsForASignal) {
  for (const int sent : {SIGTERM, SIGINT}) {
    Runtime runtime;
    int received = 0;
    runtime.loop().post([&] { std::raise(sent); });
    runtime.run(keep(runtime, received));
    EXPECT_EQ(received, sent);
    EXPECT_TRUE(has_default_disposition(SIGTERM));
    EXPECT_TRUE(has_default_disposition(SIGINT));
  }
}

TEST(TcpRuntime, WaitsForASignalAgain) {
  Runtime runtime;
  for (int i = 0; i < 2; ++i) {
    int received = 0;
    runtime.loop().post([&] { std::raise(SIGTERM); });
    runtime.run(keep(runtime, received));
    EXPECT_EQ(received, SIGTERM);
  }
}

TEST(TcpRuntime, RestoresTheDefaultDispositionAsTheSignalComes) {
  Runtime runtime;
  int received = 0;
  bool was_default = false;
  runtime.loop().post([&] {
    std::raise(SIGTERM);
    was_default = has_default_disposition(SIGTERM);  // before the loop has taken any notice
  });
  runtime.run(keep(runtime, received));
  EXPECT_TRUE(was_default);
}

TEST(TcpRuntime, LeavesSignalsAloneWhenNobodyWaitsAnyMore) {
  Runtime runtime;
  int received = 0;
  runtime.stop();
  runtime.run(keep(runtime, received));
  EXPECT_EQ(received, 0);
  EXPECT_TRUE(has_default_disposition(SIGTERM));
}

}  // namespace
}  // namespace pipette::tcp
