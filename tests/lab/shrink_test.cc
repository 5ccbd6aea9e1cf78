#include "pipette/lab/shrink.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "pipette/base/random.h"

namespace pipette::lab {
namespace {

// "ready/0/0" and on, each with this answer.
Choices many(std::uint32_t count, unsigned answer = 1) {
  std::vector<Choices::Entry> entries;
  for (std::uint32_t i = 0; i < count; ++i) entries.push_back({{"ready", 0, i}, answer});
  return Choices(std::move(entries));
}

unsigned at(const Choices& choices, std::uint32_t ordinal) { return choices.answer({"ready", 0, ordinal}); }
bool has(const Choices& choices, std::uint32_t ordinal) { return at(choices, ordinal) != 0; }

TEST(Shrink, FindsThatNoChoiceIsNeeded) {
  const Shrunk shrunk = shrink(many(10'000), [](const Choices&) { return true; });
  EXPECT_TRUE(shrunk.choices.empty());
  EXPECT_TRUE(shrunk.is_minimal);
  EXPECT_EQ(shrunk.runs, 2U);
}

TEST(Shrink, FindsOneChoiceOfMany) {
  for (const std::uint32_t needed : {0U, 1U, 4999U, 5000U, 9999U}) {
    const Shrunk shrunk = shrink(many(10'000), [=](const Choices& choices) { return has(choices, needed); });
    EXPECT_EQ(shrunk.choices.to_string(), "ready/0/" + std::to_string(needed) + "=1");
    EXPECT_LE(shrunk.runs, 40U) << needed;
  }
}

TEST(Shrink, FindsOneChoiceOfAFewAtOnce) {
  const Shrunk shrunk = shrink(many(20), [](const Choices& choices) { return has(choices, 3); });
  EXPECT_EQ(shrunk.choices.to_string(), "ready/0/3=1");
  EXPECT_EQ(shrunk.runs, 6U) << "as given, none, 0, 1, 2, 3";
}

TEST(Shrink, FindsThreeChoicesOfTenThousand) {
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    std::set<std::uint32_t> needed;
    while (needed.size() < 3) needed.insert(static_cast<std::uint32_t>(random.below(10'000)));
    const Shrunk shrunk = shrink(many(10'000), [&](const Choices& choices) {
      return std::ranges::all_of(needed, [&](std::uint32_t ordinal) { return has(choices, ordinal); });
    });
    EXPECT_EQ(shrunk.choices.size(), 3U);
    for (const std::uint32_t ordinal : needed) EXPECT_TRUE(has(shrunk.choices, ordinal));
    EXPECT_TRUE(shrunk.is_minimal);
    EXPECT_LE(shrunk.runs, 150U);
  }
}

TEST(Shrink, GivesBackWhatDoesNotFail) {
  const Shrunk shrunk = shrink(many(5), [](const Choices&) { return false; });
  EXPECT_FALSE(shrunk.is_failing);
  EXPECT_FALSE(shrunk.is_minimal);
  EXPECT_EQ(shrunk.choices, many(5));
  EXPECT_EQ(shrunk.runs, 1U);
}

// The result may not be the smallest of all, but nothing can be taken from it.
TEST(Shrink, ComesToAMinimumOfPredicatesThatAreNotMonotone) {
  const auto is_odd = [](const Choices& choices) { return choices.size() % 2 == 1; };
  const auto in_pairs = [](const Choices& choices) {
    const bool is_balanced = has(choices, 10) == has(choices, 20) && has(choices, 30) == has(choices, 40);
    return has(choices, 7) && is_balanced;
  };
  const auto many_or_three = [](const Choices& choices) { return choices.size() == 3 || choices.size() > 50; };
  const std::vector<std::function<bool(const Choices&)>> table{is_odd, in_pairs, many_or_three};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Shrunk shrunk = shrink(many(101), table[i]);
    EXPECT_TRUE(table[i](shrunk.choices)) << "predicate " << i;
    EXPECT_TRUE(shrunk.is_minimal) << "predicate " << i;
    for (const Choices::Entry& entry : shrunk.choices.entries()) {
      Choices less = shrunk.choices;
      less.set(entry.key, 0);
      EXPECT_FALSE(table[i](less)) << "predicate " << i << " without " << to_string(entry.key);
    }
  }
}

TEST(Shrink, ComesToAnEndWhenTheRunsAreFlaky) {
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    const Shrunk shrunk = shrink(many(200, 255), [&](const Choices&) { return random.below(2) == 0; });
    EXPECT_LE(shrunk.runs, 2000U);
    EXPECT_LE(shrunk.choices.size(), 200U);
  }
}

TEST(Shrink, LowersAnswersToTheLeastThatFails) {
  for (const unsigned least : {1U, 2U, 3U, 100U, 199U, 200U}) {
    const Shrunk shrunk = shrink(many(50, 200), [=](const Choices& choices) { return at(choices, 25) >= least; });
    EXPECT_EQ(shrunk.choices.to_string(), "ready/0/25=" + std::to_string(least));
    EXPECT_TRUE(shrunk.is_minimal);
  }
}

TEST(Shrink, LowersNothingWhenToldNotTo) {
  const Shrunk shrunk = shrink(many(50, 200), [](const Choices& choices) { return has(choices, 25); },
                               {.max_runs = 2000, .lowers_answers = false});
  EXPECT_EQ(shrunk.choices.to_string(), "ready/0/25=200");
}

// Whoever is large needs company.
TEST(Shrink, TakesAwayWhatLowerAnswersMadeNeedless) {
  const auto fails = [](const Choices& choices) {
    return at(choices, 1) == 1 || (has(choices, 1) && has(choices, 2) && has(choices, 3));
  };
  EXPECT_EQ(shrink(many(100, 9), fails).choices.to_string(), "ready/0/1=1");
}

TEST(Shrink, GivesTheBestSoFarWhenTheRunsAreUsedUp) {
  const auto needs_twenty = [](const Choices& choices) {
    int found = 0;
    for (std::uint32_t i = 0; i < 20; ++i) found += has(choices, i * 100) ? 1 : 0;
    return found == 20;
  };
  std::size_t size = 2001;
  for (const std::uint64_t max_runs : {1U, 60U, 100U, 150U}) {
    const Shrunk shrunk = shrink(many(2000), needs_twenty, {.max_runs = max_runs, .lowers_answers = true});
    EXPECT_EQ(shrunk.runs, max_runs);
    EXPECT_TRUE(shrunk.is_failing);
    EXPECT_FALSE(shrunk.is_minimal);
    EXPECT_TRUE(needs_twenty(shrunk.choices));
    EXPECT_LE(shrunk.choices.size(), size) << max_runs << " runs";
    size = shrunk.choices.size();
  }
  EXPECT_LT(size, 1000U);
  EXPECT_EQ(shrink(many(2000), needs_twenty).choices.size(), 20U);
}

TEST(Shrink, NeverRunsASetTwice) {
  std::set<std::string> seen;
  const auto fails = [&](const Choices& choices) {
    EXPECT_TRUE(seen.insert(choices.to_string()).second) << choices.to_string();
    return at(choices, 3) >= 5 && at(choices, 17) >= 2 && has(choices, 18);
  };
  const Shrunk shrunk = shrink(many(40, 9), fails);
  EXPECT_EQ(shrunk.choices.to_string(), "ready/0/3=5,ready/0/17=2,ready/0/18=1");
  EXPECT_EQ(shrunk.runs, seen.size());
}

TEST(Shrink, MakesTheSameRunsEachTime) {
  const auto runs_of = [] {
    std::vector<Choices> runs;
    shrink(many(100, 9), [&](const Choices& choices) {
      runs.push_back(choices);
      return at(choices, 3) >= 5 && has(choices, 77);
    });
    return runs;
  };
  EXPECT_EQ(runs_of(), runs_of());
}

TEST(Shrink, LetsExceptionsOfTheRunThrough) {
  EXPECT_THROW(shrink(many(5), [](const Choices&) -> bool { throw std::runtime_error("broken"); }), std::runtime_error);
}

TEST(Shrink, TakesNoChoicesAtAll) {
  const Shrunk shrunk = shrink(Choices(), [](const Choices&) { return true; });
  EXPECT_TRUE(shrunk.choices.empty());
  EXPECT_TRUE(shrunk.is_minimal);
  EXPECT_EQ(shrunk.runs, 1U);
}

}  // namespace
}  // namespace pipette::lab
