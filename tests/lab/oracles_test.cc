#include "pipette/lab/oracles.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pipette::lab {
namespace {

using ::testing::ElementsAre;

constexpr Site kReady{"ready"};
constexpr Site kRead{"read size"};
constexpr Site kFault{"fault.read"};

using Answers = std::vector<unsigned>;

// A small program: what it asks later depends on what it was answered.
Answers run_program(Oracle& oracle, std::vector<Choice>* recorded = nullptr) {
  Decisions decisions(oracle);
  decisions.set_recording(true);
  Answers answers;
  answers.push_back(decisions.choose(kReady, 0, 3));
  const unsigned reads = answers[0] + 1;
  for (unsigned i = 0; i < reads; ++i) answers.push_back(decisions.choose(kRead, i % 2, 4));
  if (answers[0] != 1) answers.push_back(decisions.choose(kFault, 3, 2, 10));
  decisions.rethrow();
  if (recorded != nullptr) *recorded = decisions.recorded();
  return answers;
}

std::string divergence_of(auto run) {
  try {
    run();
  } catch (const Diverged& diverged) {
    return diverged.what();
  }
  return "none";
}

Record record_of(const std::vector<std::string>& lines) {
  std::string text = "pipette record 1\n";
  for (const std::string& line : lines) text += line + "\n";
  return Record::parse(text);
}

// Which of the names of sites an oracle takes for its own: those that it answers with 1.
std::vector<std::string> answered(Oracle& oracle, const std::vector<std::string>& sites) {
  Decisions decisions(oracle);
  std::vector<std::string> names;
  for (const std::string& site : sites) {
    if (decisions.choose(Site(site), 0, 2) != 0) names.push_back(site);
  }
  return names;
}

// ---- StrictReplay ----

TEST(StrictReplay, RepeatsARun) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededOracle chance(seed);
    std::vector<Choice> recorded;
    const Answers answers = run_program(chance, &recorded);
    StrictReplay replay{Record(recorded)};
    EXPECT_EQ(run_program(replay), answers);
    EXPECT_NO_THROW(replay.finish());
    EXPECT_EQ(replay.position(), recorded.size());
  }
}

TEST(StrictReplay, StopsAtTheFirstDifferenceAndNamesBothSides) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table{
      {{"fault.read/0/0=1 of 3"}, "choice 0: the record has fault.read/0/0 of 3, the program asks ready/0/0 of 3"},
      {{"ready/1/0=1 of 3"}, "choice 0: the record has ready/1/0 of 3, the program asks ready/0/0 of 3"},
      {{"ready/0/1=1 of 3"}, "choice 0: the record has ready/0/1 of 3, the program asks ready/0/0 of 3"},
      {{"ready/0/0=1 of 4"}, "choice 0: the record has ready/0/0 of 4, the program asks ready/0/0 of 3"},
      {{"ready/0/0=0 of 3", "read size/0/0=3 of 4"},
       "choice 2: the record has nothing more, the program asks fault.read/3/0 of 2"},
      {{}, "choice 0: the record has nothing more, the program asks ready/0/0 of 3"},
  };
  for (const auto& [lines, what] : table) {
    StrictReplay replay(record_of(lines));
    EXPECT_EQ(divergence_of([&] { run_program(replay); }), "the run leaves its record at " + what);
  }
}

TEST(StrictReplay, NoticesAtTheEndThatTheProgramAskedLess) {
  StrictReplay replay(record_of(
      {"ready/0/0=1 of 3", "read size/0/0=0 of 4", "read size/1/0=0 of 4", "fault.read/3/0=0 of 2", "a/0/0=0 of 2"}));
  run_program(replay);
  EXPECT_EQ(divergence_of([&] { replay.finish(); }),
            "the run leaves its record at choice 3: the record has fault.read/3/0 of 2, the program asks nothing more");
}

TEST(StrictReplay, SaysItAgainWhenSomebodySwallowedIt) {
  StrictReplay replay(record_of({"ready/0/0=1 of 4"}));
  const std::string first = divergence_of([&] { run_program(replay); });
  EXPECT_EQ(divergence_of([&] { run_program(replay); }), first);
  EXPECT_EQ(divergence_of([&] { replay.finish(); }), first);
}

TEST(Diverged, KnowsTheIndex) {
  StrictReplay replay(record_of({"ready/0/0=0 of 3"}));
  try {
    run_program(replay);
    FAIL() << "did not throw";
  } catch (const Diverged& diverged) {
    EXPECT_EQ(diverged.index(), 1U);
  }
}

// ---- LenientReplay and OverridingOracle ----

TEST(LenientReplay, AnswersWithItsChoicesAndElseWithZero) {
  LenientReplay replay(Choices::parse("ready/0/0=2,read size/0/1=3"));
  EXPECT_THAT(run_program(replay), ElementsAre(2, 0, 0, 3, 0));
}

TEST(LenientReplay, RepeatsARun) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededOracle chance(seed);
    std::vector<Choice> recorded;
    const Answers answers = run_program(chance, &recorded);
    LenientReplay replay{Choices(recorded)};
    EXPECT_EQ(run_program(replay), answers);
    EXPECT_EQ(replay.used(), Choices(recorded));
  }
}

TEST(LenientReplay, TakesWhatIsTooLargeModuloN) {
  const std::vector<std::pair<std::string, unsigned>> table{
      {"ready/0/0=2", 2}, {"ready/0/0=3", 0}, {"ready/0/0=4", 1}, {"ready/0/0=255", 0}};
  for (const auto& [choices, answer] : table) {
    LenientReplay replay(Choices::parse(choices));
    EXPECT_EQ(run_program(replay)[0], answer) << choices;
  }
}

TEST(LenientReplay, KnowsWhichChoicesNeverCameUp) {
  LenientReplay replay(Choices::parse("ready/0/0=1,read size/1/0=3,fault.read/3/0=1,ready/0/1=1,no such site/0/0=1"));
  EXPECT_EQ(replay.used(), Choices());
  run_program(replay);
  EXPECT_EQ(replay.used().to_string(), "read size/1/0=3,ready/0/0=1");
  EXPECT_EQ(replay.unused().to_string(), "fault.read/3/0=1,no such site/0/0=1,ready/0/1=1");
}

TEST(LenientReplay, FindsEachOfThousandsOfChoices) {
  std::vector<Choices::Entry> entries;
  for (std::uint32_t i = 0; i < 5000; ++i) entries.push_back({{"ready", i % 7, i}, 1 + i % 255});
  LenientReplay replay{Choices(entries)};
  for (const Choices::Entry& entry : entries) {
    Question question = question_of(entry.key);
    question.n = 256;
    ASSERT_EQ(replay.answer(question), entry.answer);
    question.object += 7;
    ASSERT_EQ(replay.answer(question), 0U);
  }
  EXPECT_TRUE(replay.unused().empty());
}

TEST(OverridingOracle, ChangesWhatItIsToldAndNothingElse) {
  SeededOracle chance(4);
  std::vector<Choice> plain;
  run_program(chance, &plain);
  const Choice& last_read = plain[1];
  const unsigned other = (last_read.answer + 1) % last_read.question.n;
  Choices deviation;
  deviation.set(key_of(last_read.question), other == 0 ? 2 : other);
  deviation.set({"ready", 99, 0}, 1);

  OverridingOracle oracle(chance, deviation);
  std::vector<Choice> changed;
  run_program(oracle, &changed);
  ASSERT_EQ(changed.size(), plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (i == 1) {
      EXPECT_EQ(changed[i].answer, deviation.answer(key_of(last_read.question)));
    } else {
      EXPECT_EQ(changed[i].answer, plain[i].answer) << "choice " << i;
    }
  }
  EXPECT_EQ(oracle.used().size(), 1U);
  EXPECT_EQ(oracle.unused().to_string(), "ready/99/0=1");
}

// ---- ExhaustiveOracle ----

std::vector<Answers> all_runs(ExhaustiveOracle& oracle, auto program) {
  std::vector<Answers> runs;
  do {
    runs.push_back(program(oracle));
  } while (oracle.next() && runs.size() < 10'000);
  return runs;
}

TEST(ExhaustiveOracle, MakesEachRunOnce) {
  ExhaustiveOracle oracle;
  const std::vector<Answers> runs = all_runs(oracle, [](Oracle& o) { return run_program(o); });
  EXPECT_EQ(std::set<Answers>(runs.begin(), runs.end()).size(), runs.size());
  EXPECT_EQ(runs.size(), 4U * 2 + 4 * 4 + 4 * 4 * 4 * 2);
  EXPECT_EQ(oracle.runs(), runs.size());
  EXPECT_FALSE(oracle.was_cut());
  EXPECT_EQ(runs.front(), (Answers{0, 0, 0}));
  EXPECT_EQ(runs.back(), (Answers{2, 3, 3, 3, 1}));
}

TEST(ExhaustiveOracle, MakesOneRunOfAProgramThatAsksNothing) {
  ExhaustiveOracle oracle;
  EXPECT_EQ(all_runs(oracle, [](Oracle&) { return Answers{}; }).size(), 1U);
}

TEST(ExhaustiveOracle, CountsLikeAnOdometer) {
  ExhaustiveOracle oracle;
  const auto two_wheels = [](Oracle& o) {
    Decisions decisions(o);
    const unsigned first = decisions.choose(kReady, 0, 2);
    return Answers{first, decisions.choose(kReady, 0, 3)};
  };
  EXPECT_THAT(all_runs(oracle, two_wheels),
              ElementsAre(Answers{0, 0}, Answers{0, 1}, Answers{0, 2}, Answers{1, 0}, Answers{1, 1}, Answers{1, 2}));
}

TEST(ExhaustiveOracle, StaysWithinItsBoundsAndSaysSo) {
  struct Case {
    ExhaustiveOptions options;
    std::size_t runs;
    bool was_cut;
  };
  const auto three_questions = [](Oracle& o) {
    Decisions decisions(o);
    const unsigned first = decisions.choose(kFault, 0, 4);
    const unsigned second = decisions.choose(kReady, 0, 3);
    return Answers{first, second, decisions.choose(kRead, 0, 256)};
  };
  const std::vector<Case> table{
      {{}, 4 * 3 * 256, false},
      {{.depth = 3, .max_n = 256, .sites = {}}, 4 * 3 * 256, false},
      {{.depth = 2, .max_n = 256, .sites = {}}, 4 * 3, true},
      {{.depth = 0, .max_n = 256, .sites = {}}, 1, true},
      {{.depth = 24, .max_n = 2, .sites = {}}, 8, true},
      {{.depth = 24, .max_n = 1, .sites = {}}, 1, true},
      {{.depth = 24, .max_n = 256, .sites = {"fault."}}, 4, false},
      {{.depth = 1, .max_n = 256, .sites = {"ready", "fault.r"}}, 4, true},
      {{.depth = 2, .max_n = 256, .sites = {"ready", "fault.r"}}, 12, false},
      {{.depth = 24, .max_n = 256, .sites = {"no such site"}}, 1, false},
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    ExhaustiveOracle oracle(table[i].options);
    const std::vector<Answers> runs = all_runs(oracle, three_questions);
    EXPECT_EQ(std::set<Answers>(runs.begin(), runs.end()).size(), table[i].runs) << "case " << i;
    EXPECT_EQ(runs.size(), table[i].runs) << "case " << i;
    EXPECT_EQ(oracle.was_cut(), table[i].was_cut) << "case " << i;
  }
}

TEST(ExhaustiveOracle, NamesTheChoicesOfARun) {
  ExhaustiveOracle oracle;
  Answers answers;
  do {
    answers = run_program(oracle);
  } while (answers != Answers{2, 0, 3, 1, 1} && oracle.next());
  EXPECT_EQ(oracle.choices().to_string(), "fault.read/3/0=1,read size/0/1=1,read size/1/0=3,ready/0/0=2");
  LenientReplay replay(oracle.choices());
  EXPECT_EQ(run_program(replay), answers);
}

TEST(ExhaustiveOracle, NoticesAProgramThatIsNotDeterministic) {
  ExhaustiveOracle other_question;
  Decisions(other_question).choose(kReady, 0, 2);
  ASSERT_TRUE(other_question.next());
  Decisions decisions(other_question);
  decisions.choose(kReady, 0, 3);
  EXPECT_EQ(divergence_of([&] { decisions.rethrow(); }),
            "the program is not deterministic: after the same 0 answers it asked ready/0/0 of 2 in the run before, and "
            "ready/0/0 of 3 now");

  ExhaustiveOracle no_question;
  Decisions(no_question).choose(kReady, 0, 3);
  ASSERT_TRUE(no_question.next());
  EXPECT_EQ(divergence_of([&] { no_question.next(); }),
            "the program is not deterministic: after the same 0 answers it asked ready/0/0 of 3 in the run before, and "
            "nothing more now");
}

// ---- FuzzOracle ----

TEST(FuzzOracle, TakesAByteForEachQuestion) {
  FuzzOracle oracle("\x02\x07\xff\xff\x01");
  Decisions decisions(oracle);
  EXPECT_EQ(decisions.choose(kReady, 0, 3), 2U);
  EXPECT_EQ(decisions.choose(kReady, 0, 4), 3U);
  EXPECT_EQ(decisions.choose(kRead, 0, 256), 255U);
  EXPECT_EQ(decisions.choose(kRead, 0, 2), 1U);
  EXPECT_EQ(oracle.consumed(), 4U);
}

TEST(FuzzOracle, AnswersWithZeroWhenTheBytesRunOut) {
  FuzzOracle oracle("\x01");
  EXPECT_THAT(run_program(oracle), ElementsAre(1, 0, 0));
  EXPECT_EQ(oracle.consumed(), 1U);
  FuzzOracle empty("");
  EXPECT_THAT(run_program(empty), ElementsAre(0, 0, 0));
}

TEST(FuzzOracle, SpendsNoByteOnOtherSites) {
  FuzzOracle oracle("\x01\x01\x01", {"read", "fault."});
  EXPECT_THAT(answered(oracle, {"ready", "read size", "fault", "fault.read", "latency"}),
              ElementsAre("ready", "read size", "fault.read"));
  EXPECT_EQ(oracle.consumed(), 3U);
}

// ---- SitePrefixes ----

TEST(SitePrefixes, FindTheFirstThatFits) {
  SitePrefixes prefixes({"fault.read", "fault.", "ready"});
  const std::vector<std::pair<std::string, int>> table{
      {"fault.read", 0}, {"fault.read now", 0},         {"fault.write", 1},
      {"ready", 2},      {"read", SitePrefixes::kNone}, {"", SitePrefixes::kNone}};
  for (int round = 0; round < 2; ++round) {
    for (const auto& [site, index] : table) EXPECT_EQ(prefixes.find(Site(site)), index) << site;
  }
}

TEST(SitePrefixes, AreRightForMoreSitesThanTheyRemember) {
  SitePrefixes prefixes({"site 1", "site"});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 300; ++i) {
      const std::string site = "site " + std::to_string(i);
      EXPECT_EQ(prefixes.find(Site(site)), site.starts_with("site 1") ? 0 : 1) << site;
    }
  }
}

// ---- SwarmOracle ----

const std::vector<std::string> kFamilies{"ready", "fault.", "read size", "latency"};

TEST(SwarmOracle, TurnsEachFamilyOnForAboutHalfOfTheSeeds) {
  std::vector<int> on(kFamilies.size());
  std::set<std::string> subsets;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const SwarmOracle oracle(seed, kFamilies);
    std::string subset;
    for (std::size_t i = 0; i < kFamilies.size(); ++i) {
      if (!oracle.is_on(kFamilies[i])) continue;
      ++on[i];
      subset += kFamilies[i];
    }
    subsets.insert(subset);
  }
  for (std::size_t i = 0; i < on.size(); ++i) EXPECT_NEAR(on[i], 515, 60) << kFamilies[i];
  EXPECT_EQ(subsets.size(), 15U);
  EXPECT_FALSE(subsets.contains("")) << "a run in which nothing can happen";
}

TEST(SwarmOracle, AnswersWithZeroWhatIsOffOrInNoFamily) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SwarmOracle oracle(seed, kFamilies);
    Decisions decisions(oracle);
    const std::vector<std::pair<Site, std::string>> sites{
        {kReady, "ready"}, {kFault, "fault."}, {kRead, "read size"}, {Site("something else"), "something else"}};
    for (const auto& [site, family] : sites) {
      const std::uint64_t before = decisions.deviated();
      for (int i = 0; i < 200; ++i) decisions.choose(site, 1, 4);
      EXPECT_EQ(decisions.deviated() > before, oracle.is_on(family)) << "seed " << seed << ", " << family;
    }
  }
}

TEST(SwarmOracle, MakesRareThingsFrequent) {
  std::set<std::string> strengths;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SwarmOracle oracle(seed, {"fault."});
    Decisions decisions(oracle);
    constexpr unsigned kAsked = 64'000;
    for (unsigned i = 0; i < kAsked; ++i) decisions.choose(kFault, 1, 4, 640);
    const auto description = oracle.description();
    const std::size_t x = description.find(" x");
    const unsigned strength = x == std::string::npos ? 1 : static_cast<unsigned>(std::stoul(description.substr(x + 2)));
    const double expected = kAsked / 640.0 * strength;
    EXPECT_NEAR(static_cast<double>(decisions.deviated()), expected, 0.4 * expected) << description;
    strengths.insert(description.substr(description.find(':')));
  }
  EXPECT_THAT(strengths, ElementsAre(": fault.", ": fault. x16", ": fault. x4", ": fault. x64"));
}

TEST(SwarmOracle, LeavesThePlainAnswerPossible) {
  SwarmOracle oracle(1, {"fault."});
  Decisions decisions(oracle);
  for (int i = 0; i < 1000; ++i) decisions.choose(kFault, 1, 256, 2);
  EXPECT_GT(decisions.deviated(), 400U);
  EXPECT_LT(decisions.deviated(), 600U);
}

TEST(SwarmOracle, SaysWhatIsOn) {
  EXPECT_EQ(SwarmOracle(5, kFamilies).description(), "seed 5: ready x64, fault. x4; off: read size, latency");
  EXPECT_EQ(SwarmOracle(11, kFamilies).description(), "seed 11: ready, fault. x4, read size; off: latency");
  EXPECT_EQ(SwarmOracle(3, {}).description(), "seed 3: nothing");
}

TEST(SwarmOracle, DoesNotShiftOneFamilyWhenAnotherIsAdded) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const SwarmOracle few(seed, {"a", "b"});
    const SwarmOracle many(seed, {"c", "b", "d", "a"});
    const bool are_both_on = few.is_on("a") && few.is_on("b");
    EXPECT_EQ(are_both_on, many.is_on("a") && many.is_on("b")) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pipette::lab
