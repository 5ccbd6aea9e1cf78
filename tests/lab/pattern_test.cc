// Patterns: what they match, what is in their holes, and how far a text fits.
#include "pipette/lab/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace pipette::lab {
namespace {

using testing::HasSubstr;
using enum Pattern::Outcome;

TEST(Pattern, MatchesTheBeginningOfAText) {
  struct Row {
    std::string pattern;
    std::string text;
    Pattern::Outcome outcome;
    std::size_t size;
  };
  const std::vector<Row> rows = {
      {"", "", matched, 0},
      {"", "abc", matched, 0},
      {"abc", "abc", matched, 3},
      {"abc", "abcdef", matched, 3},
      {"abc", "ab", incomplete, 2},
      {"abc", "", incomplete, 0},
      {"abc", "abx", different, 2},
      {"abc", "x", different, 0},
      // any run, as short as it can be
      {"*", "", matched, 0},
      {"*", "a\r\nb", matched, 4},
      {"a*", "abc", matched, 3},
      {"a*c", "abcbc", matched, 3},
      {"a*c", "a\r\nc", matched, 4},
      {"a*c", "abb", incomplete, 1},
      {"a*c", "xbc", different, 0},
      {"a*\r\n\r\n", "a\r\nb\r\n\r\nc", matched, 8},
      {"*b*d", "abcd", matched, 4},
      // a run within one line
      {"a{x}c", "abbc", matched, 4},
      {"a{x}c", "ac", matched, 2},
      {"a{x}c", "abb", incomplete, 3},
      {"a{x}c", "a\r\nc", different, 1},
      {"a{x}\r\n", "abc\r\nd", matched, 5},
      {"a{x}\r\n", "abc\r", incomplete, 4},
      {"a{x}", "abc\r\nd", matched, 3},
      {"{x}b", "a\nb", different, 1},
      // the last "*" takes more when a hole behind it does not fit
      {"*a{x}c", "ab\r\nabc", matched, 7},
      {"*a{x}c", "ab\r\nab", incomplete, 6},
      // octets that mean something else otherwise
      {"\\*\\{\\\\", "*{\\", matched, 3},
      {"Accept: \\*/\\*", "Accept: a/b", different, 8},
      {"a\\b", "a\\b", matched, 3},
      {"}", "}", matched, 1},
  };
  for (const Row& row : rows) {
    const Pattern pattern(row.pattern);
    const Pattern::Match match = pattern.match(row.text);
    EXPECT_EQ(match.outcome, row.outcome) << row.pattern << " | " << row.text;
    EXPECT_EQ(match.size, row.size) << row.pattern << " | " << row.text;
    EXPECT_EQ(pattern.text(), row.pattern);
  }
}

TEST(Pattern, KeepsWhatStandsInItsHoles) {
  const Pattern pattern("HTTP/1.1 {status} {reason}\r\n*Date: {date}\r\n*\r\n\r\n");
  const auto match = pattern.match("HTTP/1.1 404 Not Found\r\nServer: x\r\nDate: Thu, 01\r\nA: b\r\n\r\nbody");
  ASSERT_EQ(match.outcome, matched);
  EXPECT_EQ(match.holes["status"], "404");
  EXPECT_EQ(match.holes["reason"], "Not Found");
  EXPECT_EQ(match.holes["date"], "Thu, 01");
  EXPECT_THROW((void)match.holes["time"], std::out_of_range);
}

TEST(Pattern, ForgetsTheHolesOfAPlaceThatDidNotFit) {
  const Pattern pattern("*<{x}-{y}>");
  const auto match = pattern.match("<a-b\n<c-d>");
  ASSERT_EQ(match.outcome, matched);
  EXPECT_EQ(match.holes["x"], "c");
  EXPECT_EQ(match.holes["y"], "d");
}

TEST(Pattern, RefusesWhatNobodyCouldTellApart) {
  for (const std::string_view text : {"**", "*{x}", "{x}*", "{x}{y}", "a**b", "{", "a{b", "{}"}) {
    EXPECT_THROW(Pattern{text}, std::invalid_argument) << text;
  }
}

TEST(Pattern, ShowsWhatItWantedWhereATextDoesNotFit) {
  const Pattern pattern("GET * HTTP/1.1\r\nHost: b\r\n");
  constexpr std::string_view kText = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(pattern.match(kText).outcome, incomplete) << "the octets may still come, behind the *";
  const auto other = Pattern("GET /y *").match(kText);
  EXPECT_EQ(describe_mismatch(other, kText),
            "  expected  \"GET /y \"\n"
            "  received  \"GET /x HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"\n"
            "                  ^\n");
}

TEST(Pattern, IsQuickInALongText) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "aaaaaaaa\r\n";
  EXPECT_EQ(Pattern("*a{x}b").match(text).outcome, incomplete);
}

}  // namespace
}  // namespace pipette::lab
