#include "pipette/lab/log_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipette/lab/internal/alignment.h"

#include "tests/lab/log_writer.h"

namespace pipette::lab {
namespace {

using inmem::EventKind;
using test::LogWriter;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }
std::string answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::uint64_t divergence(const LogWriter& first, const LogWriter& second) {
  const auto found = first_divergence(first.log(), second.log());
  return found && !found->is_dropped ? found->event : UINT64_MAX;
}

TEST(LogDiff, IsEmptyForTheSameEvents) {
  LogWriter first;
  LogWriter second;
  for (LogWriter* world : {&first, &second}) world->dial().client(get("/a")).wait(1s).server(answer("hi"));
  EXPECT_EQ(diff(first.log(), second.log()), "");
  EXPECT_FALSE(first_divergence(first.log(), second.log()));
}

TEST(LogDiff, NamesTheFirstOctetThatDiffers) {
  LogWriter first;
  LogWriter second;
  first.dial().client(get("/a")).server(answer("hello")).note("end");
  second.dial().client(get("/a")).server(answer("help!")).note("end");
  EXPECT_EQ(divergence(first, second), 2U);
  EXPECT_EQ(diff(first.log(), second.log()),
            "2 events are the same; then (- first, + second):\n"
            "    +0.000000000  conn 1  client dials app:80\n"
            "    +0.000000000  conn 1  client -> app  GET /a HTTP/1.1 (1 field, no body)\n"
            "  - +0.000000000  conn 1  app -> client  200 OK (1 field, 5 body bytes)\n"
            "  + +0.000000000  conn 1  app -> client  200 OK (1 field, 5 body bytes)\n"
            "      octet 41 differs: \"lo\" and \"p!\"\n"
            "1 event differs, 0 at other times, 0 only in the first, 0 only in the second\n");
}

TEST(LogDiff, AlignsWhatOnlyOneLogHas) {
  LogWriter first;
  LogWriter second;
  first.dial().note("one").client(get("/a")).note("two").note("three").note("four").note("five").note("six");
  second.dial().client(get("/a")).note("two").note("three").note("four").note("five").fin(0).note("six");
  EXPECT_EQ(diff(first.log(), second.log()),
            "1 event is the same; then (- first, + second):\n"
            "    +0.000000000  conn 1  client dials app:80\n"
            "  - +0.000000000  one\n"
            "    …\n"
            "    +0.000000000  three\n"
            "    +0.000000000  four\n"
            "    +0.000000000  five\n"
            "  + +0.000000000  conn 1  client -> app  FIN\n"
            "0 events differ, 0 at other times, 1 only in the first, 1 only in the second\n");
}

TEST(LogDiff, TellsALaterEventFromAnotherOne) {
  LogWriter first;
  LogWriter second;
  first.dial().wait(1ms).client(get("/a"));
  second.dial().wait(3ms).client(get("/a"));
  EXPECT_EQ(divergence(first, second), 1U);
  const std::string text = diff(first.log(), second.log());
  EXPECT_THAT(text, HasSubstr("      the same, 0.002000000 later\n"));
  EXPECT_THAT(text, EndsWith("0 events differ, 1 at other times, 0 only in the first, 0 only in the second\n"));
}

TEST(LogDiff, SaysWhereOneLogEnds) {
  LogWriter first;
  LogWriter second;
  first.dial().client("GET /a");
  second.dial().client("GET /ab").note("more");
  EXPECT_EQ(divergence(first, second), 1U);
  const std::string text = diff(first.log(), second.log());
  EXPECT_THAT(text, HasSubstr("      the second has 1 more octet: \"b\"\n"));
  EXPECT_THAT(text, HasSubstr("  + +0.000000000  more\n"));
}

TEST(LogDiff, DoesNotShowMoreThanPeopleRead) {
  LogWriter first;
  LogWriter second;
  for (int i = 0; i < 100; ++i) {
    first.note("a" + std::to_string(i));
    second.note("b" + std::to_string(i));
  }
  EXPECT_THAT(diff(first.log(), second.log()),
              EndsWith("    … and 80 more\n"
                       "100 events differ, 0 at other times, 0 only in the first, 0 only in the second\n"));
}

TEST(LogDiff, ComparesWhatBothLogsHaveKept) {
  LogWriter first(4000);
  LogWriter second;
  for (int i = 0; i < 100; ++i) {
    first.note(std::to_string(i));
    second.note(std::to_string(i));
  }
  ASSERT_GT(first.log().dropped(), 0U);
  EXPECT_FALSE(first_divergence(first.log(), second.log()));
  first.note("x");
  second.note("y");
  EXPECT_EQ(divergence(first, second), 100U);
}

TEST(LogDiff, SaysThatLogsDifferInWhatTheyDropped) {
  LogWriter first(4000);
  LogWriter second(4000);
  for (int i = 0; i < 100; ++i) {
    first.note(i == 3 ? "x" : "o");
    second.note("o");
  }
  const auto found = first_divergence(first.log(), second.log());
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_dropped);
  EXPECT_THAT(diff(first.log(), second.log()), HasSubstr("the logs differ in what they dropped, before event 100"));
}

TEST(LogDiff, AlignsTheSecondOfTwoLongLogsQuickly) {
  LogWriter first;
  LogWriter second;
  for (int i = 0; i < 20'000; ++i) {
    if (i == 10'000) second.note("only here");
    first.note(std::to_string(i));
    second.note(std::to_string(i));
  }
  EXPECT_EQ(divergence(first, second), 10'000U);
  EXPECT_THAT(diff(first.log(), second.log()),
              EndsWith("  + +0.000000000  only here\n"
                       "0 events differ, 0 at other times, 0 only in the first, 1 only in the second\n"));
}

// "=2 -1+0": two alike, one only in the first.
std::string aligned(std::string_view first, std::string_view second) {
  const std::vector<std::uint64_t> a(first.begin(), first.end());
  const std::vector<std::uint64_t> b(second.begin(), second.end());
  std::string text;
  std::size_t at_first = 0;
  std::size_t at_second = 0;
  for (const internal::Stretch& stretch : internal::align(a, b)) {
    EXPECT_EQ(stretch.first, at_first);
    EXPECT_EQ(stretch.second, at_second);
    at_first += stretch.first_size;
    at_second += stretch.second_size;
    if (!text.empty()) text += ' ';
    text += stretch.is_alike ? "=" + std::to_string(stretch.first_size)
                             : "-" + std::to_string(stretch.first_size) + "+" + std::to_string(stretch.second_size);
    if (!stretch.is_alike) continue;
    EXPECT_EQ(first.substr(stretch.first, stretch.first_size), second.substr(stretch.second, stretch.second_size));
  }
  EXPECT_EQ(at_first, first.size());
  EXPECT_EQ(at_second, second.size());
  return text;
}

struct AlignmentCase {
  std::string_view first;
  std::string_view second;
  std::string_view expected;
};

TEST(Align, FindsWhatIsAlike) {
  constexpr AlignmentCase kCases[] = {
      {"", "", ""},
      {"abc", "abc", "=3"},
      {"", "ab", "-0+2"},
      {"ab", "", "-2+0"},
      {"abc", "axc", "=1 -1+1 =1"},
      {"abcd", "acxd", "=1 -1+0 =1 -0+1 =1"},
      {"xabcd", "abcdy", "-1+0 =4 -0+1"},
      {"aaaa", "aa", "=2 -2+0"},
      {"abc", "xyz", "-3+3"},
  };
  for (const AlignmentCase& c : kCases) EXPECT_EQ(aligned(c.first, c.second), c.expected) << c.first << " " << c.second;
}

TEST(Align, IsOneStretchWhereTooMuchDiffers) {
  const std::string first = "=" + std::string(1500, 'a') + "=";
  const std::string second = "=" + std::string(1500, 'b') + "=";
  EXPECT_EQ(aligned(first, second), "=1 -1500+1500 =1");
}

}  // namespace
}  // namespace pipette::lab
