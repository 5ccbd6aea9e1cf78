// Exploration: it finds what depends on the order, shrinks it, tells it, and does the same every time.
#include "pipette/lab/explore.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/yield.h"
#include "pipette/lab/artefacts.h"
#include "pipette/lab/gtest.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Sets an environment variable while it lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  ~Environment() { unsetenv(name_); }

 private:
  const char* name_;
};

// ---- a race ----------------------------------------------------------------------------------------------

// Adds one, and lets others run between reading and writing.
Task<> add_one(Lab& lab, int& sum) {
  const int before = sum;
  co_await async::YieldToLoop(lab.world().loop());
  sum = before + 1;
}

// The same, a little later: first in, first out, the sum is 2.
Task<> add_one_later(Lab& lab, int& sum) {
  co_await async::YieldToLoop(lab.world().loop());
  co_await add_one(lab, sum);
}

int race(Lab& lab) {
  int sum = 0;
  lab.spawn(add_one(lab, sum));
  lab.spawn(add_one_later(lab, sum));
  lab.settle();
  lab.note("the sum is " + std::to_string(sum));
  return sum;
}

void expect_no_race(Lab& lab) {
  if (const int sum = race(lab); sum != 2) throw std::runtime_error("the sum is " + std::to_string(sum));
}

constexpr std::string_view kRaceReport = R"(world 3 of 1000, seed 3, fails, and needs 2 choices:
  what is ready runs in any order
  pick 3 of what runs next: number 2 of those ready
what the test said:
  threw: the sum is 1
what happened, the last first:
  +0.000000000  the sum is 1
reproduce: PIPETTE_REPLAY='explore.order/0/0=1,ready/0/2=1'
)";

TEST(Explore, FindsWhatDependsOnTheOrderAndShrinksIt) {
  ExceptionProbe probe;
  const Exploration result = explore({}, expect_no_race, probe);
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.finding->report, kRaceReport);
  EXPECT_EQ(result.finding->choices.to_string(), "explore.order/0/0=1,ready/0/2=1");
  EXPECT_EQ(result.finding->failure, "threw: the sum is 1");
  EXPECT_LE(result.finding->runs, 30U);
  EXPECT_EQ(result.summary(),
            std::to_string(result.worlds) + " worlds, " + std::to_string(result.steps) + " steps: a failure");
}

TEST(Explore, SaysThatThePlainWorldFailsToo) {
  ExceptionProbe probe;
  ExploreOptions options;
  options.faults = true;
  options.faults_one_in = 1;
  int bodies = 0;
  const auto fail_always = [&](Lab& lab) {
    ++bodies;
    EXPECT_EQ(race(lab), 2) << "first in, first out";
    throw std::runtime_error("no");
  };
  const Exploration result = explore(options, fail_always, probe);
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.finding->report,
            R"(the plain world, before any exploration, fails, and needs nothing out of the ordinary
what the test said:
  threw: no
what happened, the last first:
  +0.000000000  the sum is 2
reproduce: PIPETTE_REPLAY=''
)");
  EXPECT_EQ(result.worlds, 0U);
  EXPECT_EQ(bodies, 3) << "it is run again, to be sure and to be told";
}

TEST(Explore, PassesWhatHoldsInEveryOrder) {
  std::uint64_t bodies = 0;
  const Exploration result = explore(200, [&](Lab& lab) {
    ++bodies;
    EXPECT_GE(race(lab), 1);
  });
  EXPECT_FALSE(result.finding);
  EXPECT_EQ(result.worlds, 200U);
  EXPECT_EQ(bodies, 201U) << "and once in the plain world";
  EXPECT_FALSE(result.is_complete);
  EXPECT_EQ(result.summary(), "200 worlds, 1000 steps: no failure");
}

TEST(Explore, DoesTheSameEveryTime) {
  const auto explored = [](std::uint64_t first_seed) {
    ExceptionProbe probe;
    ExploreOptions options;
    options.worlds = 50;
    options.first_seed = first_seed;
    return explore(options, [](Lab& lab) { race(lab); }, probe);
  };
  const Exploration one = explored(1);
  EXPECT_EQ(one.worlds, 50U);
  EXPECT_EQ(one.steps, explored(1).steps);
  EXPECT_EQ(one.hash, explored(1).hash);
  EXPECT_NE(one.hash, explored(1000).hash);
}

TEST(Explore, ComesToAllOrders) {
  ExceptionProbe probe;
  std::set<int> sums;
  explore({}, [&](Lab& lab) { sums.insert(race(lab)); }, probe);
  EXPECT_THAT(sums, ElementsAre(1, 2));
}

// ---- budgets ---------------------------------------------------------------------------------------------

TEST(Explore, EndsWhenItsStepsAreSpent) {
  ExceptionProbe probe;
  ExploreOptions options;
  options.max_steps = 23;
  const Exploration result = explore(options, [](Lab& lab) { race(lab); }, probe);
  EXPECT_EQ(result.worlds, 5U) << "a world has five steps";
  EXPECT_EQ(result.steps, 25U);
}

// ---- replays ---------------------------------------------------------------------------------------------

TEST(Explore, ReplaysTheWorldThatTheEnvironmentAsksFor) {
  ExceptionProbe probe;
  {
    const Environment asked("PIPETTE_REPLAY", "explore.order/0/0=1,ready/0/2=1");
    const Exploration result = explore({}, expect_no_race, probe);
    EXPECT_EQ(result.worlds, 1U);
    ASSERT_TRUE(result.finding);
    EXPECT_THAT(result.finding->report, StartsWith("the world of PIPETTE_REPLAY fails, and needs 2 choices:\n"));
    EXPECT_EQ(explore_all({}, expect_no_race, probe).finding->failure, "threw: the sum is 1");
  }
  const Environment asked("PIPETTE_REPLAY", "");
  const Exploration plain = explore({}, expect_no_race, probe);
  EXPECT_EQ(plain.worlds, 1U);
  EXPECT_FALSE(plain.finding);
}

TEST(Explore, BeginsAtTheSeedThatTheEnvironmentAsksFor) {
  const Environment asked("PIPETTE_SEED", "40");
  ExceptionProbe probe;
  ExploreOptions options;
  options.worlds = 1;
  const auto fail_when_late = [](Lab& lab) {
    if (lab.choose("late", 256) > 0) throw std::runtime_error("no");
  };
  EXPECT_EQ(explore(options, fail_when_late, probe).finding->world, "world 1 of 1, seed 40,");
}

TEST(Explore, WritesATestWhenTheEnvironmentAsksForOne) {
  const Environment asked("PIPETTE_WRITE_TEST", "1");
  ExceptionProbe probe;
  EXPECT_EQ(explore({}, expect_no_race, probe).finding->report, std::string(kRaceReport) + R"(as a test:
  TEST(Replay, Fails) {
    pipette::lab::replay("explore.order/0/0=1,ready/0/2=1", [](pipette::Lab& lab) {
      // the body of the test that failed
    });
  }
)");
}

TEST(Replay, FailsTheSameWay) {
  EXPECT_NONFATAL_FAILURE(replay("explore.order/0/0=1,ready/0/2=1", expect_no_race), "threw: the sum is 1");
  replay("", expect_no_race);
  EXPECT_THROW(replay("what is that", expect_no_race), BadChoices);
}

// ---- in GoogleTest's words -------------------------------------------------------------------------------

TEST(Explore, FailsATestOnceWithItsReport) {
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter interception(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    explore(1000, [](Lab& lab) { EXPECT_EQ(race(lab), 2) << "and that is all"; });
  }
  ASSERT_EQ(failures.size(), 1);
  EXPECT_THAT(failures.GetTestPartResult(0).file_name(), HasSubstr("explore_test.cc"));
  const std::string report = failures.GetTestPartResult(0).message();
  EXPECT_THAT(report, StartsWith("Failed\nworld 3 of 1000, seed 3, fails, and needs 2 choices:\n"));
  EXPECT_THAT(report, HasSubstr("    race(lab)\n      Which is: 1\n"));
  EXPECT_THAT(report, HasSubstr("and that is all\n"));
  EXPECT_THAT(report, HasSubstr(" --gtest_filter=Explore.FailsATestOnceWithItsReport\n"));
}

TEST(Explore, TellsWhatNeverHeld) {
  const auto body = [](Lab& lab) {
    const int sum = race(lab);
    lab.sometimes("the race is lost", sum == 1);
    lab.sometimes("the sum is 3", sum == 3);
  };
  EXPECT_NONFATAL_FAILURE(explore(20, body), "never in 20 worlds: the sum is 3");
  ExceptionProbe probe;
  ExploreOptions options;
  options.worlds = 20;
  const Exploration result = explore(options, body, probe);
  EXPECT_EQ(result.sometimes.at("the sum is 3").seen, 20U);
  EXPECT_EQ(result.sometimes.at("the sum is 3").held, 0U);
  EXPECT_THAT(result.summary(), HasSubstr("\n  the sum is 3: 0 of 20 times"));
}

TEST(Explore, LeavesTheArtefactsOfTheRunItReportsAlone) {
  struct Collected final : Artefacts {
    bool is_wanted() const override { return false; }
    void add(const Artefact& artefact) override { names.push_back(artefact.name); }
    std::vector<std::string> names;
  } collected;
  const ArtefactScope scope(&collected);
  ExceptionProbe probe;
  explore({}, expect_no_race, probe);
  EXPECT_THAT(collected.names, ElementsAre("transcript.txt", "packets.pcapng", "diagram.html"));
}

// ---- what cannot be repeated -----------------------------------------------------------------------------

TEST(Explore, SaysThatABodyIsNotDecidedByTheLab) {
  ExceptionProbe probe;
  int calls = 0;
  const Exploration result = explore(
      {},
      [&](Lab& lab) {
        race(lab);
        if (++calls == 3) throw std::runtime_error("the third time");
      },
      probe);
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.finding->report,
            "world 2 of 1000, seed 2, fails, and not when it is run again with the same decisions: something in the "
            "test is not decided by the lab.\nLook for what outlives a run (a static variable, a server with a state), "
            "for a real clock, for a random device, for an order of addresses.\nwhat the test said:\n  threw: the "
            "third time\n");
}

TEST(Explore, SaysThatABodyWhoseEventsDifferIsNotDecidedByTheLab) {
  ExceptionProbe probe;
  int calls = 0;
  const Exploration result = explore(
      {},
      [&](Lab& lab) {
        lab.note(std::to_string(++calls));
        throw std::runtime_error("each time");
      },
      probe);
  EXPECT_THAT(result.finding->report, HasSubstr("something in the test is not decided by the lab"));
}

TEST(ExploreAll, SaysThatABodyIsNotDecidedByTheLab) {
  for (const bool asks_less : {false, true}) {
    ExceptionProbe probe;
    int calls = 0;
    const Exploration result = explore_all(
        {},
        [&](Lab& lab) {
          lab.choose("first", 2);
          if (++calls == (asks_less ? 2 : 3)) return;
          lab.choose("second", asks_less ? 2 : static_cast<unsigned>(1 + calls));
        },
        probe);
    ASSERT_TRUE(result.finding);
    EXPECT_THAT(result.finding->report, HasSubstr("the program is not deterministic"));
  }
}

// ---- all of them -----------------------------------------------------------------------------------------

TEST(ExploreAll, TriesEverySequenceOnce) {
  ExceptionProbe probe;
  std::vector<std::string> seen;
  const Exploration result = explore_all(
      {},
      [&](Lab& lab) {
        const unsigned first = lab.choose("first", 3);
        const unsigned second = first == 1 ? 0 : lab.choose("second", 2);
        seen.push_back(std::to_string(first) + std::to_string(second));
      },
      probe);
  EXPECT_THAT(seen, ElementsAre("00", "01", "10", "20", "21"));
  EXPECT_EQ(result.worlds, 5U);
  EXPECT_TRUE(result.is_complete);
  EXPECT_EQ(result.summary(), "5 worlds, 0 steps, every one there is: no failure");
}

// Four steps, two of each task, can be put in order in six ways.
TEST(ExploreAll, TriesEveryOrder) {
  ExceptionProbe probe;
  std::set<std::string> orders;
  std::uint64_t bodies = 0;
  const auto step_twice = [](Lab& lab, char name, std::string& order) -> Task<> {
    order += name;
    co_await async::YieldToLoop(lab.world().loop());
    order += name;
  };
  const Exploration result = explore_all(
      {.sites = {"ready"}},
      [&](Lab& lab) {
        std::string order;
        lab.spawn(step_twice(lab, 'a', order));
        lab.spawn(step_twice(lab, 'b', order));
        lab.settle();
        orders.insert(order);
        ++bodies;
      },
      probe);
  EXPECT_THAT(orders, ElementsAre("aabb", "abab", "abba", "baab", "baba", "bbaa"));
  EXPECT_EQ(bodies, 6U) << "each of them once";
  EXPECT_TRUE(result.is_complete);
}

TEST(ExploreAll, SaysWhenTheDepthLeavesSomethingUntried) {
  ExceptionProbe probe;
  const Exploration result = explore_all({.depth = 1, .sites = {"ready"}}, [](Lab& lab) { race(lab); }, probe);
  EXPECT_FALSE(result.is_complete);
  EXPECT_EQ(result.worlds, 2U);
}

TEST(ExploreAll, FindsTheRace) {
  ExceptionProbe probe;
  const Exploration result = explore_all({.sites = {"ready"}}, expect_no_race, probe);
  ASSERT_TRUE(result.finding);
  EXPECT_THAT(result.finding->report, AllOf(StartsWith("sequence "), HasSubstr(" fails, and needs 2 choices:\n")));
  EXPECT_EQ(result.finding->failure, "threw: the sum is 1");
  EXPECT_NONFATAL_FAILURE(explore_all({.sites = {"ready"}}, expect_no_race), "threw: the sum is 1");
}

// Sites of the user's own may have any name.
TEST(Explore, QuotesWhatAShellAndACompilerWouldTakeForTheirOwn) {
  const Environment asked("PIPETTE_WRITE_TEST", "1");
  ExceptionProbe probe;
  const auto body = [](Lab& lab) {
    if (lab.choose("Ada's \"site\"", 2) == 1) throw std::runtime_error("no");
  };
  const Exploration result = explore_all({}, body, probe);
  EXPECT_THAT(result.finding->report, AllOf(HasSubstr("PIPETTE_REPLAY='Ada'\\''s \"site\"/0/0=1'\n"),
                                            HasSubstr("replay(\"Ada's \\\"site\\\"/0/0=1\", "),
                                            HasSubstr("  decision 1 at Ada's \"site\" for 0: 1\n")));
}

}  // namespace
}  // namespace pipette::lab
