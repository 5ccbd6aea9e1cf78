#include "pipette/base/oracle.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pipette {
namespace {

constexpr Site kReady{"ready"};
constexpr Site kRead{"read size"};
constexpr Site kFault{"fault.read"};

using Answers = std::vector<unsigned>;

Answers ask(Decisions& decisions, const Site& site, std::uint64_t object, unsigned n, int count, unsigned one_in = 1) {
  Answers answers;
  for (int i = 0; i < count; ++i) answers.push_back(decisions.choose(site, object, n, one_in));
  return answers;
}

Answers seeded(std::uint64_t seed, const Site& site, std::uint64_t object, unsigned n, int count, unsigned one_in = 1) {
  SeededOracle oracle(seed);
  Decisions decisions(oracle);
  return ask(decisions, site, object, n, count, one_in);
}

// How far counts are from being all alike: with k counts about k, and hardly ever beyond k + 5 * sqrt(2 * k).
double chi_square(const std::vector<int>& counts) {
  double sum = 0;
  for (const int count : counts) sum += count;
  const double expected = sum / static_cast<double>(counts.size());
  double chi = 0;
  for (const int count : counts) chi += (count - expected) * (count - expected) / expected;
  return chi;
}

double chi_limit(std::size_t k) {
  const auto counts = static_cast<double>(k);
  double root = 1;
  for (int i = 0; i < 40; ++i) root = (root + 2 * counts / root) / 2;
  return counts + 5 * root;
}

// Keeps the last question.
class Listener final : public Oracle {
 public:
  unsigned answer(const Question& question) override {
    questions.push_back(question);
    return 0;
  }
  std::vector<Question> questions;
};

TEST(Site, IsComparedByItsName) {
  const std::string name = "ready";
  EXPECT_EQ(Site(name), kReady);
  EXPECT_NE(kRead, kReady);
  EXPECT_EQ(kReady.hash(), 0x8935baf305f374b4U);
}

// Worked out with a second implementation, in another language, of FNV-1a and the finaliser of SplitMix64.
TEST(Question, HasAKeyThatIsTheSameOnEveryPlatform) {
  EXPECT_EQ((Question{kReady, 0, 0}.key()), 0x8935baf305f374b4U);
  EXPECT_EQ((Question{kFault, 3, 2}.key()), 0x8bf0c61e0b445fc0U);
}

TEST(Question, HasAKeyOfItsOwn) {
  std::vector<std::uint64_t> keys;
  for (const Site& site : {kReady, kRead, kFault}) {
    for (std::uint64_t object = 0; object < 50; ++object) {
      for (std::uint32_t ordinal = 0; ordinal < 200; ++ordinal) keys.push_back(Question{site, object, ordinal}.key());
    }
  }
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

TEST(FixedOracle, AlwaysGivesThePlainAnswer) {
  FixedOracle oracle;
  Decisions decisions(oracle);
  EXPECT_EQ(ask(decisions, kReady, 7, 256, 5), (Answers{0, 0, 0, 0, 0}));
}

// By that second implementation, too.
TEST(SeededOracle, GivesTheSameAnswersOnEveryPlatform) {
  EXPECT_EQ(seeded(0, kReady, 0, 2, 12), (Answers{1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0}));
  EXPECT_EQ(seeded(1, kReady, 0, 5, 12), (Answers{0, 1, 1, 4, 3, 2, 1, 0, 1, 4, 4, 4}));
  EXPECT_EQ(seeded(1, kReady, 1, 256, 8), (Answers{94, 57, 252, 38, 176, 51, 123, 241}));
  EXPECT_EQ(seeded(1, kRead, UINT64_MAX, 7, 12), (Answers{5, 0, 3, 2, 2, 1, 3, 0, 6, 4, 3, 1}));
  EXPECT_EQ(seeded(UINT64_MAX, kFault, 3, 6, 16, 4), (Answers{0, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 5, 0, 0, 0}));
}

TEST(SeededOracle, GivesEachAnswerAsOftenAsAnyOther) {
  for (const std::uint64_t seed : {0U, 1U, 2U, 1000U}) {
    for (const unsigned n : {2U, 3U, 5U, 8U, 100U, 256U}) {
      std::vector<int> counts(n);
      for (const unsigned answer : seeded(seed, kReady, 4, n, 20'000)) ++counts.at(answer);
      EXPECT_LT(chi_square(counts), chi_limit(n)) << "seed " << seed << ", n " << n;
    }
  }
}

// Neighbours must not know of one another: seeds, objects and ordinals are small numbers in a row.
TEST(SeededOracle, GivesNeighboursUnrelatedAnswers) {
  enum Step { next_ordinal, next_object, next_seed };
  for (const Step step : {next_ordinal, next_object, next_seed}) {
    std::vector<int> pairs(64);
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      SeededOracle here(i / 100);
      SeededOracle there(i / 100 + (step == next_seed ? 1 : 0));
      const Question question{kReady, i % 10, i % 100, 8};
      Question neighbour = question;
      if (step == next_ordinal) ++neighbour.ordinal;
      if (step == next_object) ++neighbour.object;
      const unsigned first = here.answer(question);
      ++pairs.at(first * 8 + there.answer(neighbour));
    }
    EXPECT_LT(chi_square(pairs), chi_limit(pairs.size())) << "step " << step;
  }
}

TEST(SeededOracle, DeviatesAsRarelyAsItIsTold) {
  for (const unsigned one_in : {2U, 4U, 100U, 1000U}) {
    constexpr int kAsked = 200'000;
    std::vector<int> counts(6);
    for (const unsigned answer : seeded(3, kFault, 1, 6, kAsked, one_in)) ++counts.at(answer);
    const int deviated = kAsked - counts[0];
    EXPECT_NEAR(deviated, kAsked / one_in, 0.25 * kAsked / one_in) << "one in " << one_in;
    counts.erase(counts.begin());
    EXPECT_LT(chi_square(counts), chi_limit(5)) << "one in " << one_in;
  }
}

TEST(SeededOracle, HardlyEverDoesWhatIsToldToBeRarest) {
  const Answers answers = seeded(3, kFault, 1, 2, 10'000, UINT32_MAX);
  EXPECT_EQ(std::ranges::count(answers, 1U), 0);
}

TEST(SeededOracle, AnswersOneLaneTheSameWhateverTheOthersAsk) {
  const Answers alone = seeded(9, kRead, 2, 100, 50);
  SeededOracle oracle(9);
  Decisions decisions(oracle);
  Answers among_others;
  for (int i = 0; i < 50; ++i) {
    ask(decisions, kReady, 2, 3, i % 4);
    ask(decisions, kRead, 1, 100, i % 3);
    among_others.push_back(decisions.choose(kRead, 2, 100));
    ask(decisions, kRead, 3 + static_cast<std::uint64_t>(i), 7, 1);
  }
  EXPECT_EQ(among_others, alone);
}

TEST(Decisions, NumbersTheQuestionsOfEachSiteAndObject) {
  Listener oracle;
  Decisions decisions(oracle);
  const std::vector<std::pair<Site, std::uint64_t>> asked{{kReady, 0}, {kReady, 0}, {kReady, 1}, {kRead, 0},
                                                          {kReady, 0}, {kRead, 0},  {kReady, 1}};
  for (const auto& [site, object] : asked) decisions.choose(site, object, 2);
  std::vector<std::uint32_t> ordinals;
  for (const Question& question : oracle.questions) ordinals.push_back(question.ordinal);
  EXPECT_EQ(ordinals, (std::vector<std::uint32_t>{0, 1, 0, 0, 2, 1, 1}));
}

TEST(Decisions, NumbersTheQuestionsOfThousandsOfObjects) {
  Listener oracle;
  Decisions decisions(oracle);
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint64_t object = 0; object < 5000; ++object) {
      decisions.choose(kReady, object, 2);
      ASSERT_EQ(oracle.questions.back().object, object);
      ASSERT_EQ(oracle.questions.back().ordinal, round) << "object " << object;
    }
  }
}

TEST(Decisions, PassTheQuestionOn) {
  Listener oracle;
  Decisions decisions(oracle);
  decisions.choose(kFault, 5, 256, 100);
  const Question& question = oracle.questions.at(0);
  EXPECT_EQ(question.site, kFault);
  EXPECT_EQ(question.object, 5U);
  EXPECT_EQ(question.n, 256U);
  EXPECT_EQ(question.one_in, 100U);
}

TEST(Decisions, DoNotAskWhenThereIsOneAnswer) {
  Listener oracle;
  Decisions decisions(oracle);
  EXPECT_EQ(decisions.choose(kReady, 0, 1), 0U);
  EXPECT_EQ(decisions.asked(), 0U);
  decisions.choose(kReady, 0, 2);
  EXPECT_EQ(oracle.questions.at(0).ordinal, 0U);
}

TEST(Decisions, CountWhatWasAskedAndWhatDeviated) {
  SeededOracle oracle(1);
  Decisions decisions(oracle);
  const Answers answers = ask(decisions, kReady, 0, 4, 100);
  EXPECT_EQ(decisions.asked(), 100U);
  EXPECT_EQ(decisions.deviated(), 100U - static_cast<unsigned>(std::ranges::count(answers, 0U)));
}

TEST(Decisions, KeepAnAccountFromWhenTheyAreTold) {
  SeededOracle oracle(1);
  Decisions decisions(oracle);
  decisions.choose(kReady, 0, 4);
  EXPECT_TRUE(decisions.recorded().empty());
  decisions.set_recording(true);
  const unsigned answer = decisions.choose(kReady, 0, 200);
  decisions.choose(kFault, 3, 2, 5);
  ASSERT_EQ(decisions.recorded().size(), 2U);
  const Choice& first = decisions.recorded()[0];
  EXPECT_EQ(first.question.site.name(), "ready");
  EXPECT_EQ(first.question.ordinal, 1U);
  EXPECT_EQ(first.question.n, 200U);
  EXPECT_EQ(first.answer, answer);
  EXPECT_EQ(decisions.recorded()[1].question.one_in, 5U);
}

// Answers nothing.
class BrokenOracle final : public Oracle {
 public:
  unsigned answer(const Question&) override { throw std::runtime_error("no"); }
};

TEST(Decisions, KeepWhatTheOracleThrowsUntilItMayBeThrown) {
  BrokenOracle oracle;
  Decisions decisions(oracle);
  EXPECT_NO_THROW(decisions.rethrow());
  EXPECT_EQ(decisions.choose(kReady, 0, 2), 0U) << "which may be asked in a destructor";
  EXPECT_EQ(decisions.choose(kReady, 0, 2), 0U);
  EXPECT_THROW(decisions.rethrow(), std::runtime_error);
  EXPECT_NO_THROW(decisions.rethrow()) << "it is told once";
}

}  // namespace
}  // namespace pipette
