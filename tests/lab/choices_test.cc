#include "pipette/lab/choices.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pipette::lab {
namespace {

constexpr Site kReady{"ready"};
constexpr Site kRead{"read size"};

std::string error_of(const std::string& text, auto parse) {
  try {
    parse(text);
  } catch (const BadChoices& bad) {
    return bad.what();
  }
  return "none";
}

std::string error_of_choices(const std::string& text) { return error_of(text, Choices::parse); }
std::string error_of_record(const std::string& text) {
  return error_of("pipette record 1\n" + text + "\n", Record::parse);
}

// Asks ten questions of chance.
std::vector<Choice> recorded() {
  SeededOracle oracle(5);
  Decisions decisions(oracle);
  decisions.set_recording(true);
  for (std::uint64_t i = 0; i < 5; ++i) {
    decisions.choose(kReady, 9 - i, 2);
    decisions.choose(kRead, 1, 256);
  }
  return decisions.recorded();
}

TEST(Choices, AreWrittenInTheOrderOfTheirKeys) {
  Choices choices;
  choices.set({"ready", 10, 0}, 1);
  choices.set({"ready", 9, 0}, 3);
  choices.set({"fault.read", 3, 2}, 4);
  choices.set({"ready", 9, 4'294'967'295}, 255);
  EXPECT_EQ(choices.to_string(), "fault.read/3/2=4,ready/9/0=3,ready/9/4294967295=255,ready/10/0=1");
}

TEST(Choices, AreParsedAsTheyAreWritten) {
  for (const std::string text :
       {"", "ready/0/17=1", "fault.read/3/2=4,ready/0/17=1", "a=b/c/1/2=3", "read size/18446744073709551615/0=255"}) {
    EXPECT_EQ(Choices::parse(text).to_string(), text);
  }
}

TEST(Choices, AreParsedInAnyOrderAndWithSpaces) {
  const Choices choices = Choices::parse(" ready/1/2=3 ,  fault/0/0=1 , x/0/0=0");
  EXPECT_EQ(choices.to_string(), "fault/0/0=1,ready/1/2=3");
}

TEST(Choices, RefuseTextThatIsNone) {
  const std::string form = "write it as site/object/ordinal=answer";
  const std::vector<std::pair<std::string, std::string>> table{
      {"ready", "bad choice \"ready\": " + form},
      {"ready/0=1", "bad choice \"ready/0=1\": " + form},
      {"a/0/0=1,", "bad choice \"\": " + form},
      {"a/0/0=1,ready=1,b/0/0=1", "bad choice \"ready=1\": " + form},
      {"/0/0=1", "bad choice \"/0/0=1\": a site's name is missing; " + form},
      {"a/x/0=1", "bad choice \"a/x/0=1\": object must be a number up to 18446744073709551615, not \"x\""},
      {"a/0/=1", "bad choice \"a/0/=1\": ordinal must be a number up to 4294967295, not \"\""},
      {"a/0/4294967296=1",
       "bad choice \"a/0/4294967296=1\": ordinal must be a number up to 4294967295, not \"4294967296\""},
      {"a/0/0=256", "bad choice \"a/0/0=256\": answer must be a number up to 255, not \"256\""},
      {"a/0/0=-1", "bad choice \"a/0/0=-1\": answer must be a number up to 255, not \"-1\""},
      {"a/0/0=1,b/0/0=1,a/0/0=2", "bad choice \"a/0/0\": it has two answers; keep one"},
  };
  for (const auto& [text, error] : table) EXPECT_EQ(error_of_choices(text), error);
}

TEST(Choices, AreSetReplacedAndTakenBack) {
  Choices choices;
  const ChoiceKey key{"ready", 1, 2};
  EXPECT_EQ(choices.answer(key), 0U);
  choices.set(key, 3);
  choices.set(key, 4);
  EXPECT_EQ(choices.answer(key), 4U);
  EXPECT_EQ(choices.size(), 1U);
  choices.set(key, 0);
  choices.set({"ready", 1, 3}, 0);
  EXPECT_TRUE(choices.empty());
}

TEST(Choices, HoldWhatWasRecordedButThePlainAnswers) {
  const std::vector<Choice> choices = recorded();
  const Choices kept(choices);
  std::size_t deviations = 0;
  for (const Choice& choice : choices) {
    EXPECT_EQ(kept.answer(key_of(choice.question)), choice.answer);
    deviations += choice.answer != 0 ? 1 : 0;
  }
  EXPECT_EQ(kept.size(), deviations);
  EXPECT_EQ(Choices::parse(kept.to_string()), kept);
}

TEST(Choices, NameTheQuestionsTheyCameFrom) {
  for (const Choice& choice : recorded()) {
    const ChoiceKey key = key_of(choice.question);
    EXPECT_EQ(question_of(key).key(), choice.question.key()) << to_string(key);
  }
}

TEST(Record, HoldsEachQuestionInTheOrderInWhichItWasAsked) {
  const std::vector<Choice> choices = recorded();
  const Record record(choices);
  ASSERT_EQ(record.size(), choices.size());
  EXPECT_EQ(to_string(record.entries()[0].key, record.entries()[0].n), "ready/9/0 of 2");
  EXPECT_EQ(to_string(record.entries()[3].key, record.entries()[3].n), "read size/1/1 of 256");
  EXPECT_EQ(record.choices(), Choices(choices));
}

TEST(Record, IsParsedAsItIsWritten) {
  const Record record({{{"ready", 0, 0}, 2, 0}, {{"read size", 1, 0}, 256, 255}, {{"a=b of c/d", 1, 1}, 3, 2}});
  const std::string text = "pipette record 1\nready/0/0=0 of 2\nread size/1/0=255 of 256\na=b of c/d/1/1=2 of 3\n";
  EXPECT_EQ(record.to_string(), text);
  EXPECT_EQ(Record::parse(text), record);
  EXPECT_EQ(Record::parse(Record().to_string()), Record());
  EXPECT_EQ(Record::parse(Record(recorded()).to_string()), Record(recorded()));
}

TEST(Record, IsParsedWithoutTheLastLineEnd) {
  EXPECT_EQ(Record::parse("pipette record 1\nready/0/0=1 of 2").size(), 1U);
}

TEST(Record, RefusesTextThatIsNone) {
  const std::string form = "write it as site/object/ordinal=answer of n";
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "bad choice \"\": " + form},
      {"ready/0/0=1", "bad choice \"ready/0/0=1\": " + form},
      {"ready/0/0=0 of 1", "bad choice \"ready/0/0=0 of 1\": n must be at least 2: fewer answers are no question"},
      {"ready/0/0=0 of 257", "bad choice \"ready/0/0=0 of 257\": n must be a number up to 256, not \"257\""},
      {"ready/0/0=3 of 3", "bad choice \"ready/0/0=3 of 3\": answer must be a number up to 2, not \"3\""},
  };
  for (const auto& [line, error] : table) EXPECT_EQ(error_of_record(line), error);
  for (const std::string text : {"", "ready/0/0=1 of 2\n", "pipette record 2\n"}) {
    EXPECT_NE(error_of(text, Record::parse).find("a record begins with the line \"pipette record 1\""),
              std::string::npos);
  }
}

}  // namespace
}  // namespace pipette::lab
