#include "pipette/http/query.h"

#include <gtest/gtest.h>
#include <string>

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

TEST(PercentDecode, DecodesEveryOctet) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kUpperHex = "0123456789ABCDEF";
  for (unsigned octet = 0; octet < 256; ++octet) {
    const std::string decoded(1, static_cast<char>(octet));
    EXPECT_EQ(percent_decode(std::string{'%', kHex[octet / 16], kHex[octet % 16]}), decoded);
    EXPECT_EQ(percent_decode(std::string{'%', kUpperHex[octet / 16], kUpperHex[octet % 16]}), decoded);
  }
}

TEST(PercentDecode, DecodesOnceAndLeavesTheRest) {
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("a/b"), "a/b");
  EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(percent_decode("%2541"), "%41");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
}

TEST(PercentDecode, RefusesAPercentSignWithoutTwoHexDigits) {
  for (const std::string_view text : {"%", "%4", "%g4", "%4g", "a%", "a%4", "%%41", "% 41", "%+1", "%-1", "%0x"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(QueryValue, FindsTheFirstOfAName) {
  constexpr std::string_view kQuery = "a=1&b=x%20y&a=2&c&d=&%65=e&f=a=b&g=a+b";
  EXPECT_EQ(query_value(kQuery, "a"), "1");
  EXPECT_EQ(query_value(kQuery, "b"), "x y");
  EXPECT_EQ(query_value(kQuery, "c"), "");
  EXPECT_EQ(query_value(kQuery, "d"), "");
  EXPECT_EQ(query_value(kQuery, "e"), "e");
  EXPECT_EQ(query_value(kQuery, "f"), "a=b");
  EXPECT_EQ(query_value(kQuery, "g"), "a b");
}

TEST(QueryValue, FindsNothingElse) {
  EXPECT_EQ(query_value("", "a"), std::nullopt);
  EXPECT_EQ(query_value("ab=1", "a"), std::nullopt);
  EXPECT_EQ(query_value("A=1", "a"), std::nullopt);
  EXPECT_EQ(query_value("b=a", "a"), std::nullopt);
}

TEST(QueryValue, SplitsBeforeItDecodes) {
  EXPECT_EQ(query_value("a=1%26b=2", "b"), std::nullopt);
  EXPECT_EQ(query_value("a=1%26b=2", "a"), "1&b=2");
  EXPECT_EQ(query_value("a%3Db=1", "a=b"), "1");
  EXPECT_EQ(query_value("a%2Bb=1", "a+b"), "1");
  EXPECT_EQ(query_value("a+b=1", "a b"), "1");
}

TEST(QueryValue, IgnoresEmptyPairs) {
  EXPECT_EQ(query_value("&&a=1&&", "a"), "1");
  EXPECT_EQ(query_value("&&b=2&a=1", "a"), "1");
}

TEST(QueryValue, IsNothingWhenTheValueIsMalformed) {
  EXPECT_EQ(query_value("a=%4", "a"), std::nullopt);
  EXPECT_EQ(query_value("%4=x&a=1", "a"), "1");
}

}  // namespace
}  // namespace pipette::http
