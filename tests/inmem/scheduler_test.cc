// The scheduler: what runs next, when the clock moves, and what becomes of both when something throws.
#include "pipette/inmem/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <list>
#include <set>
#include <stdexcept>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/async/yield.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;

// Answers 1 wherever it may.
class ContraryOracle final : public Oracle {
 public:
  unsigned answer(const Question&) override { return 1; }
};

// Says its name when it runs.
struct Letter final : async::Timer {
  Letter(std::string& into, char which) : text(into), name(which) {}
  void run() override { text += name; }
  std::string& text;
  char name;
};

Task<> say(async::Loop& loop, std::string& text, char name, int times) {
  for (int i = 0; i < times; ++i) {
    text += name;
    co_await async::YieldToLoop(loop);
  }
}

TEST(Scheduler, RunsFirstInFirstOutAcrossHosts) {
  World world;
  std::string text;
  std::list<Letter> letters;
  for (const char name : {'a', 'b', 'c', 'd'}) letters.emplace_back(text, name);
  int index = 0;
  for (Letter& letter : letters) world.host(index++ % 2 == 0 ? "one" : "two").loop().enqueue(letter);
  world.settle();
  EXPECT_EQ(text, "abcd");
}

TEST(Scheduler, FiresEqualDeadlinesLoopByLoopAndInTheOrderOfArming) {
  World world;
  std::string text;
  std::list<Letter> letters;
  const auto arm = [&](std::string_view host, char name, Duration when) {
    world.host(host).loop().arm(letters.emplace_back(text, name), TimePoint(when));
  };
  arm("client", 'a', 2s);
  arm("app", 'x', 2s);
  arm("client", 'b', 1s);
  arm("client", 'c', 2s);
  arm("app", 'y', 2s);
  world.advance_to(TimePoint(2s - 1ns));
  EXPECT_EQ(text, "b");
  world.advance_to(TimePoint(2s));
  EXPECT_EQ(text, "bacxy");
}

TEST(Scheduler, SettlesWithoutMovingTheClockAndStepsOneThingAtATime) {
  World world;
  std::string text;
  Letter now(text, 'n');
  Letter later(text, 'l');
  world.loop().enqueue(now);
  world.loop().arm(later, TimePoint(5s));
  world.settle();
  EXPECT_EQ(text, "n");
  EXPECT_EQ(world.now(), TimePoint());
  EXPECT_TRUE(world.scheduler().can_progress());
  EXPECT_TRUE(world.step());
  EXPECT_EQ(world.now(), TimePoint(5s)) << "the clock has moved, and nothing has run";
  EXPECT_EQ(text, "n");
  EXPECT_TRUE(world.step());
  EXPECT_EQ(text, "nl");
  EXPECT_EQ(world.scheduler().steps(), 2U);
  EXPECT_FALSE(world.scheduler().can_progress());
  EXPECT_FALSE(world.step());
}

TEST(Scheduler, NeverGoesBack) {
  World world;
  world.advance_to(TimePoint(5s));
  world.advance_to(TimePoint(3s));
  EXPECT_EQ(world.now(), TimePoint(5s));
}

// ---- orders ----------------------------------------------------------------------------------------------

std::string order_of_five(Oracle& oracle, Order order) {
  World world(&oracle);
  world.scheduler().set_order(order);
  std::string text;
  std::list<Letter> letters;
  for (const char name : {'a', 'b', 'c', 'd', 'e'}) world.loop().enqueue(letters.emplace_back(text, name));
  world.settle();
  return text;
}

TEST(Scheduler, PermutesInRandomOrderAsTheSeedSays) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededOracle first(seed);
    SeededOracle second(seed);
    const std::string text = order_of_five(first, Order::random);
    EXPECT_EQ(text, order_of_five(second, Order::random));
    orders.insert(text);
    EXPECT_EQ(order_of_five(first, Order::fifo), "abcde");
  }
  EXPECT_GT(orders.size(), 20U);
  FixedOracle plain;
  EXPECT_EQ(order_of_five(plain, Order::random), "abcde");
  EXPECT_EQ(order_of_five(plain, Order::priority), "abcde");
  ContraryOracle contrary;
  EXPECT_EQ(order_of_five(contrary, Order::random), "bcdea");
}

TEST(Scheduler, LetsWhatIsDueOvertakeWhatIsReadyInRandomOrder) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(seed);
    world.scheduler().set_order(Order::random);
    std::string text;
    Letter ready(text, 'r');
    Letter due(text, 'd');
    world.advance_to(TimePoint(1s));
    world.loop().enqueue(ready);
    world.loop().arm(due, TimePoint(1s));
    world.settle();
    orders.insert(text);
  }
  EXPECT_THAT(orders, testing::ElementsAre("dr", "rd"));
}

// Gives lanes the priorities it is told, in the order in which they are asked for, and demotes the n-th time.
class PriorityOracle final : public Oracle {
 public:
  explicit PriorityOracle(std::vector<unsigned> priorities, std::uint32_t demoted = UINT32_MAX)
      : priorities_(std::move(priorities)), demoted_(demoted) {}
  unsigned answer(const Question& question) override {
    if (question.site.name() == "lane priority") return priorities_.at(static_cast<std::size_t>(question.object));
    return question.site.name() == "lane demotion" && question.ordinal == demoted_ ? 1 : 0;
  }

 private:
  std::vector<unsigned> priorities_;
  std::uint32_t demoted_;
};

std::string two_lanes(Oracle& oracle) {
  World world(&oracle);
  world.scheduler().set_order(Order::priority);
  async::TaskGroup group(world.loop());
  std::string text;
  group.spawn(say(world.loop(), text, 'a', 4));
  group.spawn(say(world.loop(), text, 'b', 4));
  world.settle();
  return text;
}

TEST(Scheduler, StarvesALaneUntilItIsTheOnlyOne) {
  PriorityOracle second_first({0, 1, 2});
  EXPECT_EQ(two_lanes(second_first), "bbbbaaaa");
  PriorityOracle first_first({0, 2, 1});
  EXPECT_EQ(two_lanes(first_first), "aaaabbbb");
}

TEST(Scheduler, DemotesTheLaneThatRuns) {
  PriorityOracle oracle({0, 1, 2}, 2);
  EXPECT_EQ(two_lanes(oracle), "bbaaaabb");
}

TEST(Scheduler, DemotesOnceAStepHoweverContraryTheOracleIs) {
  ContraryOracle contrary;
  EXPECT_EQ(two_lanes(contrary).size(), 8U);
}

// ---- livelock, observers, exceptions ---------------------------------------------------------------------

TEST(Scheduler, KnowsALivelockFromWork) {
  World world;
  world.scheduler().set_max_steps_at_one_time(100);
  std::string text;
  async::TaskGroup group(world.loop());
  group.spawn(say(world.loop(), text, 'x', 90));
  EXPECT_NO_THROW(world.settle());
  world.advance_to(TimePoint(1s));
  group.spawn(say(world.loop(), text, 'x', 90));
  EXPECT_NO_THROW(world.settle()) << "the clock has moved in between";
  group.spawn(say(world.loop(), text, 'y', 200));
  try {
    world.settle();
    ADD_FAILURE() << "no livelock";
  } catch (const Livelock& livelock) {
    EXPECT_STREQ(livelock.what(), "livelock: 100 steps without the clock moving, and more to do");
  }
  world.scheduler().set_max_steps_at_one_time(1000);
  world.settle();
  EXPECT_TRUE(group.empty()) << "the world goes on where it stood";
}

TEST(Scheduler, TellsItsObserversOfEachStepAndEachMoveOfTheClock) {
  World world;
  int seen = 0;
  world.scheduler().add_observer([&] { ++seen; });
  std::string text;
  Letter now(text, 'n');
  Letter later(text, 'l');
  world.loop().enqueue(now);
  world.loop().arm(later, TimePoint(1s));
  world.settle();
  EXPECT_EQ(seen, 1);
  world.advance_to(TimePoint(2s));
  EXPECT_EQ(seen, 4) << "to 1 s, the timer, to 2 s";
}

TEST(Scheduler, StaysUsableWhenAnObserverThrows) {
  World world;
  bool is_angry = true;
  world.scheduler().add_observer([&] {
    if (std::exchange(is_angry, false)) throw std::runtime_error("no");
  });
  std::string text;
  Letter first(text, '1');
  Letter second(text, '2');
  Letter later(text, 'l');
  world.loop().enqueue(first);
  world.loop().enqueue(second);
  world.loop().arm(later, TimePoint(1s));
  EXPECT_THROW(world.settle(), std::runtime_error);
  EXPECT_EQ(text, "1");
  world.settle();
  EXPECT_EQ(text, "12");
  is_angry = true;
  EXPECT_THROW(world.advance_to(TimePoint(3s)), std::runtime_error);
  world.advance_to(TimePoint(3s));
  EXPECT_EQ(text, "12l");
  EXPECT_EQ(world.now(), TimePoint(3s));
}

TEST(Scheduler, StaysUsableWhenPostedWorkThrows) {
  World world;
  std::string text;
  world.loop().post([] { throw std::runtime_error("no"); });
  world.loop().post([&] { text += "after"; });
  EXPECT_THROW(world.settle(), std::runtime_error);
  world.settle();
  EXPECT_EQ(text, "after");
}

}  // namespace
}  // namespace pipette::inmem
