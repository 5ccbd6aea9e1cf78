#include "pipette/lab/fuzz_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/base/random.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;
using Verb = FuzzStep::Verb;

constexpr std::string_view kEveryStep =
    "pipette fuzz 1\n"
    "conn 2\n"
    "send \"GET / HTTP/1.1\\r\\n\"\n"
    "     \"Host: \\x00\\xff\\\"\\\\\\r\\n\"\n"
    "     \"\\r\\n\"\n"
    "send \"x\"\n"
    "message chunked post\n"
    "cut 3\n"
    "after 9999ms\n"
    "after 5s\n"
    "together\n"
    "pause\n"
    "resume\n"
    "fault read reset\n"
    "fault write short, then reset, sticky\n"
    "fault accept EMFILE\n"
    "link black hole\n"
    "link heal\n"
    "shutdown\n"
    "choices 01 02 ff\n"
    "finish\n"
    "reset\n"
    "close\n";

std::string random_octets(Random& random, std::size_t size) {
  std::string octets;
  for (std::size_t i = 0; i < size; ++i) octets += static_cast<char>(random.below(3) == 0 ? 255 : random.below(256));
  return octets;
}

TEST(FuzzInput, SendsPlainOctets) {
  const FuzzInput input = FuzzInput::parse("GET / HTTP/1.1\r\n\r\n");
  ASSERT_EQ(input.steps().size(), 1U);
  EXPECT_EQ(input.steps()[0], (FuzzStep{.octets = "GET / HTTP/1.1\r\n\r\n"}));
}

TEST(FuzzInput, TakesStepsBehindEscapes) {
  const FuzzInput input = FuzzInput::parse("a\xff\xff"s + "b" + "\xff\x02\x03\x00\x00\x05"s + "\xff\x06");
  ASSERT_EQ(input.steps().size(), 3U);
  EXPECT_EQ(input.steps()[0].octets, "a\xff"s + "b");
  EXPECT_EQ(input.steps()[1].wait, 5s);
  EXPECT_EQ(input.steps()[2].verb, Verb::finish);
}

TEST(FuzzInput, WritesEveryStepAsTextAndReadsItBack) {
  const std::string octets = from_text(kEveryStep);
  EXPECT_EQ(to_text(octets), kEveryStep);
  EXPECT_EQ(FuzzInput::parse(octets), FuzzInput::parse(kEveryStep));
}

TEST(FuzzInput, TakesAnyOctets) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string octets = random_octets(random, random.below(60));
    const FuzzInput input = FuzzInput::parse(octets);
    const std::string text = input.to_text();
    ASSERT_EQ(FuzzInput::parse(text), input) << text;
    ASSERT_EQ(FuzzInput::parse(input.to_octets()), input) << text;
    ASSERT_EQ(to_text(from_text(text)), text);
  }
}

TEST(FuzzInput, SkipsEmptyLinesAndComments) {
  const FuzzInput input = FuzzInput::parse("pipette fuzz 1\n\n# why it is here\n  finish\r\n");
  ASSERT_EQ(input.steps().size(), 1U);
  EXPECT_EQ(input.steps()[0].verb, Verb::finish);
}

TEST(FuzzInput, BoundsItsSteps) {
  std::string octets;
  for (std::size_t i = 0; i < 2 * kMaxFuzzSteps; ++i) octets += "\xff\x06";
  EXPECT_EQ(FuzzInput::parse(octets).steps().size(), kMaxFuzzSteps);
}

TEST(FuzzInput, SaysWhatIsWrongWithALine) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"jump", "a step begins with one of: send, conn"},
      {"send GET", "octets stand in double quotes"},
      {R"(send "\q")", "escapes are"},
      {R"(send "a"b")", R"(is written \")"},
      {R"(send "\x1")", "two hexadecimal digits"},
      {R"("more")", "no send before it"},
      {"conn 9", "a number from 1 to 8"},
      {"after 5", "a time is a number"},
      {"after 25h", "a time is a number"},
      {"after 100000s", "an hour at most"},
      {"message hello", "one of these stands here: get, head"},
      {"link slow", "one of these stands here: heal, latency"},
      {"fault read flood", "read end of stream; read reset"},
      {"choices 1", "two hexadecimal digits"},
      {"choices", "1 to 255 octets"},
      {"finish now", "nothing stands behind"},
  };
  for (const auto& [line, why] : kCases) {
    try {
      (void)from_text("pipette fuzz 1\n" + std::string(line) + "\n");
      ADD_FAILURE() << line;
    } catch (const BadFuzzText& error) {
      EXPECT_THAT(error.what(), HasSubstr("line 2, "));
      EXPECT_THAT(error.what(), HasSubstr(std::string(why))) << line;
    }
  }
  EXPECT_THROW((void)from_text("finish\n"), BadFuzzText);
}

TEST(FuzzInput, MutatesStepsWithinTheRoom) {
  const ChangeOctets change = [](char* octets, std::size_t size, std::size_t room) {
    if (size == room) return size - 1;
    octets[size] = '!';
    return size + 1;
  };
  int different = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const std::string mutated = mutate(kEveryStep, 300, seed, change);
    EXPECT_LE(mutated.size(), 300U);
    EXPECT_FALSE(mutated.starts_with(kFuzzTextMark));
    if (!(FuzzInput::parse(mutated) == FuzzInput::parse(kEveryStep))) ++different;
  }
  EXPECT_GT(different, 400);
  EXPECT_NE(mutate("", 300, 1, change), "");
}

}  // namespace
}  // namespace pipette::lab
