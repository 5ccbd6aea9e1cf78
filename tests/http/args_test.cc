#include "pipette/http/args.h"

#include <cmath>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/splits.h"

namespace pipette::http {

void PrintTo(const Arg& arg, std::ostream* out) {
  *out << '"' << arg.name << '"';
  if (arg.has_value) *out << "=\"" << arg.value << '"';
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Arg flag(std::string_view name) { return {name, "", false}; }

std::vector<Arg> pairs(const Args& args) { return {args.begin(), args.end()}; }

std::string written(const Args& args) {
  std::string out;
  args.write(out);
  return out;
}

Args parsed(std::string_view text) {
  Args args;
  EXPECT_TRUE(args.parse(test::ExactBlock(text).octets())) << text;
  return args;
}

struct Row {
  std::string_view text;
  std::vector<Arg> pairs;
  std::string_view written;
};

TEST(Args, AreParsedInOrder) {
  const Row kRows[] = {
      {"", {}, ""},
      {"a=1", {{"a", "1"}}, "a=1"},
      {"foo=bar&baz=qqq&aaaaa=bbbb", {{"foo", "bar"}, {"baz", "qqq"}, {"aaaaa", "bbbb"}}, "foo=bar&baz=qqq&aaaaa=bbbb"},
      {"b=2&a=1&b=3", {{"b", "2"}, {"a", "1"}, {"b", "3"}}, "b=2&a=1&b=3"},
      {"a", {flag("a")}, "a"},
      {"a=", {{"a", ""}}, "a="},
      {"a&a=&a=1", {flag("a"), {"a", ""}, {"a", "1"}}, "a&a=&a=1"},
      {"=", {{"", ""}}, "="},
      {"=1", {{"", "1"}}, "=1"},
      {"a=b=c", {{"a", "b=c"}}, "a=b%3Dc"},
      {"&", {}, ""},
      {"&&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}, "a=1&b=2"},
      {"a=1;b=2", {{"a", "1;b=2"}}, "a=1%3Bb%3D2"},
      {"a+b=c+d", {{"a b", "c d"}}, "a+b=c+d"},
      {"a%2Bb=%20", {{"a+b", " "}}, "a%2Bb=+"},
      {"%61=%26&%3D=%25", {{"a", "&"}, {"=", "%"}}, "a=%26&%3D=%25"},
      {"a=%&%=b&%zz=%4", {{"a", "%"}, {"%", "b"}, {"%zz", "%4"}}, "a=%25&%25=b&%25zz=%254"},
      {"?a=1", {{"?a", "1"}}, "%3Fa=1"},
      {"a=\xc3\xa9&b=%C3%A9", {{"a", "\xc3\xa9"}, {"b", "\xc3\xa9"}}, "a=%C3%A9&b=%C3%A9"},
  };
  for (const Row& row : kRows) {
    const Args args = parsed(row.text);
    EXPECT_EQ(pairs(args), row.pairs) << row.text;
    EXPECT_EQ(written(args), row.written) << row.text;
    EXPECT_EQ(parsed(row.written), args) << row.text;
  }
}

TEST(Args, AreReplacedByParsing) {
  Args args = parsed("a=1&b=2&c");
  ASSERT_TRUE(args.parse("d=4"));
  EXPECT_THAT(pairs(args), ElementsAre(Arg{"d", "4"}));
  ASSERT_TRUE(args.parse(""));
  EXPECT_TRUE(args.empty());
}

TEST(Args, AreBounded) {
  Args args(2);
  EXPECT_TRUE(args.parse("a&&b&"));
  EXPECT_EQ(args.size(), 2U);
  EXPECT_EQ(args.parse("a&b&c"), Result<void>(fail(Errc::too_many_args)));
  EXPECT_TRUE(args.empty());
  EXPECT_EQ(written(args), "");

  std::string many;
  for (std::size_t i = 0; i < kMaxArgs; ++i) many += "a&";
  Args defaults;
  EXPECT_TRUE(defaults.parse(many));
  EXPECT_EQ(defaults.size(), kMaxArgs);
  EXPECT_EQ(defaults.parse(many + "a"), Result<void>(fail(Errc::too_many_args)));
}

TEST(Args, AreLookedUpByName) {
  const Args args = parsed("a=1&b=2&a=3&flag&A=4&=5");
  EXPECT_EQ(args.get("a"), "1");
  EXPECT_EQ(args.get("A"), "4");
  EXPECT_EQ(args.get("flag"), "");
  EXPECT_EQ(args.get(""), "5");
  EXPECT_EQ(args.get("c"), std::nullopt);
  EXPECT_TRUE(args.has("b"));
  EXPECT_FALSE(args.has("c"));
  EXPECT_THAT(args.get_all("a"), ElementsAre("1", "3"));
  EXPECT_THAT(args.get_all("c"), IsEmpty());
}

TEST(Args, AreSetInThePlaceOfTheFirst) {
  Args args = parsed("a=1&b=2&a=3&c=4&a");
  args.set("a", "a longer value than before");
  EXPECT_EQ(written(args), "a=a+longer+value+than+before&b=2&c=4");
  args.set("a", "5");
  args.set("d", "6");
  args.set("b", "");
  EXPECT_EQ(written(args), "a=5&b=&c=4&d=6");
  args.set_flag("a");
  args.set_flag("e");
  EXPECT_EQ(written(args), "a&b=&c=4&d=6&e");
  args.set("a", "7");
  EXPECT_EQ(written(args), "a=7&b=&c=4&d=6&e");
}

TEST(Args, AreAddedBehindTheOthers) {
  Args args = parsed("a=1");
  args.add("a", "2");
  args.add_flag("a");
  args.add("", "");
  EXPECT_EQ(written(args), "a=1&a=2&a&=");
}

TEST(Args, HaveNoFlagWithoutAName) {
  Args args;
  args.add_flag("");
  args.set_flag("");
  EXPECT_TRUE(args.empty());
  args.add("", "1");
  args.set_flag("");
  EXPECT_TRUE(args.empty());
}

TEST(Args, AreRemovedAllOfAName) {
  Args args = parsed("a=1&b=2&a&c=3&a=4");
  args.remove("a");
  EXPECT_EQ(written(args), "b=2&c=3");
  args.remove("a");
  args.remove("b");
  args.remove("c");
  EXPECT_TRUE(args.empty());
  args.add("d", "1");
  EXPECT_EQ(written(args), "d=1");
}

TEST(Args, TakeViewsIntoThemselves) {
  Args args = parsed("short=1&long=0123456789012345678901234567890123456789");
  for (int i = 0; i < 100; ++i) {
    args.add(*args.get("long"), *args.get("long"));
    args.set("short", *args.get("long"));
    args.set("long", args.get("long")->substr(1, 20));
    args.set("short", "1");
    args.set("long", "0123456789012345678901234567890123456789");
  }
  EXPECT_EQ(args.size(), 102U);
  for (std::size_t i = 2; i < args.size(); ++i) {
    EXPECT_EQ(args[i].name, "0123456789012345678901234567890123456789");
    EXPECT_EQ(args[i].value, args[i].name);
  }
  ASSERT_TRUE(args.parse(args[0].name));
  EXPECT_EQ(written(args), "short");
}

TEST(Args, KeepTheirValuesHoweverOftenTheyAreChanged) {
  Args args = parsed("first=1&changed=&last=%41");
  for (std::size_t i = 0; i < 2000; ++i) {
    args.set("changed", std::string(i % 300, 'x'));
    args.add("gone", "0123456789");
    args.remove("gone");
    ASSERT_EQ(args.get("first"), "1");
    ASSERT_EQ(args.get("changed")->size(), i % 300);
    ASSERT_EQ(args.get("last"), "A");
  }
}

TEST(Args, AreCopiedWithTheirText) {
  Args args = parsed("a=1&b=2");
  const Args copy = args;
  args.set("a", "3");
  EXPECT_EQ(written(copy), "a=1&b=2");
  const Args taken = std::move(args);
  EXPECT_EQ(written(taken), "a=3&b=2");
  EXPECT_FALSE(taken == copy);
  EXPECT_TRUE(taken == parsed("a=3&b=2"));
  EXPECT_FALSE(parsed("a") == parsed("a="));
  EXPECT_FALSE(parsed("a=1&b=2") == parsed("b=2&a=1"));
}

TEST(Args, AreSortedAndEqualsStayInOrder) {
  Args args = parsed("b=2&a&c=1&b=1&a=0&a=&B=9&");
  args.sort();
  EXPECT_EQ(written(args), "B=9&a&a=&a=0&b=1&b=2&c=1");
  args = parsed("b=2&a=3&c=1&b=1&a=1&b=3");
  args.sort_by_name();
  EXPECT_EQ(written(args), "a=3&a=1&b=2&b=1&b=3&c=1");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += std::string(i % 2 == 0 ? "b" : "a") + "=" + std::to_string(i) + "&";
  args = parsed(many);
  args.sort_by_name();
  for (std::size_t i = 0; i < 500; ++i) {
    ASSERT_EQ(args[i], (Arg{"a", std::to_string(2 * i + 1)}));
    ASSERT_EQ(args[500 + i], (Arg{"b", std::to_string(2 * i)}));
  }
}

TEST(Args, HaveWholeNumbers) {
  const Args args = parsed(
      "zero=0&max=18446744073709551615&over=18446744073709551616&min=-9223372036854775808&"
      "under=-9223372036854775809&neg=-1&lead=007&plus=%2B1&space=%201&x=1x&empty=&flag&hex=0x10&dot=1.0");
  EXPECT_EQ(args.get_uint("zero"), 0U);
  EXPECT_EQ(args.get_uint("max"), UINT64_MAX);
  EXPECT_EQ(args.get_uint("lead"), 7U);
  EXPECT_EQ(args.get_int("min"), INT64_MIN);
  EXPECT_EQ(args.get_int("neg"), -1);
  for (const char* name : {"over", "neg", "min", "plus", "space", "x", "empty", "flag", "hex", "dot", "none"}) {
    EXPECT_EQ(args.get_uint(name), Result<std::uint64_t>(fail(Errc::bad_number))) << name;
  }
  for (const char* name : {"max", "over", "under", "plus", "space", "x", "empty", "flag", "hex", "dot", "none"}) {
    EXPECT_EQ(args.get_int(name), Result<std::int64_t>(fail(Errc::bad_number))) << name;
  }
}

TEST(Args, HaveNumbersWithFractions) {
  const Args args =
      parsed("a=1.5&b=-2&c=1e3&d=.5&inf=inf&nan=nan&huge=1e999&x=1.5x&comma=1,5&empty=&hex=0x1p3&plus=%2B1.5");
  EXPECT_EQ(args.get_double("a"), 1.5);
  EXPECT_EQ(args.get_double("b"), -2);
  EXPECT_EQ(args.get_double("c"), 1000);
  EXPECT_EQ(args.get_double("d"), 0.5);
  for (const char* name : {"inf", "nan", "huge", "x", "comma", "empty", "hex", "plus", "none"}) {
    EXPECT_EQ(args.get_double(name), Result<double>(fail(Errc::bad_number))) << name;
  }
}

TEST(Args, HaveTruthValues) {
  Args args;
  for (const char* text : {"1", "t", "T", "true", "TRUE", "True", "y", "yes", "Y", "YES", "Yes"}) {
    args.set("a", text);
    EXPECT_EQ(args.get_bool("a"), true) << text;
  }
  for (const char* text : {"0", "f", "F", "false", "FALSE", "False", "n", "no", "N", "NO", "No"}) {
    args.set("a", text);
    EXPECT_EQ(args.get_bool("a"), false) << text;
  }
  for (const char* text : {"", "2", "tRUE", "on", "off", "true ", "yess"}) {
    args.set("a", text);
    EXPECT_EQ(args.get_bool("a"), Result<bool>(fail(Errc::bad_number))) << text;
  }
  EXPECT_EQ(args.get_bool("b"), Result<bool>(fail(Errc::bad_number)));
}

TEST(Args, ReadBackTheNumbersTheyAreGiven) {
  Args args;
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    args.set_number("u", number);
    EXPECT_EQ(args.get_uint("u"), number);
  }
  for (const std::int64_t number : {INT64_MIN, std::int64_t{-1}, INT64_MAX}) {
    args.set_number("i", number);
    EXPECT_EQ(args.get_int("i"), number);
  }
  for (const double number : {0.0, 0.1, -1.5e300, std::numeric_limits<double>::max(), 5e-324}) {
    ASSERT_TRUE(args.set_number("d", number));
    EXPECT_EQ(args.get_double("d"), number);
  }
  args.set_number("n", 42);
  args.set_number("b", true);
  EXPECT_EQ(args.get("n"), "42");
  EXPECT_EQ(args.get_bool("b"), true);
  EXPECT_EQ(args.set_number("n", HUGE_VAL), Result<void>(fail(Errc::bad_number)));
  EXPECT_EQ(args.set_number("n", std::nan("")), Result<void>(fail(Errc::bad_number)));
  EXPECT_EQ(args.get("n"), "42");
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
  EXPECT_EQ(query_value("&&", ""), std::nullopt);
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

TEST(QueryValue, TakesAMalformedPercentSignAsItIs) {
  EXPECT_EQ(query_value("a=%4", "a"), "%4");
  EXPECT_EQ(query_value("%4=x&a=1", "a"), "1");
  EXPECT_EQ(query_value("%4=x&a=1", "%4"), "x");
}

TEST(Args, AreFoundByNamesOfEverySize) {
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string name = std::string("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz").substr(0, size);
    Args args;
    for (std::size_t place = 0; place < size; ++place) {
      std::string other = name;
      other[place] = '!';
      args.add(other, "another");
    }
    EXPECT_EQ(args.get(name), std::nullopt);
    args.add(name, "this");
    EXPECT_EQ(args.get(name), "this");
  }
}

TEST(Args, AreEmptyWhenTheyHaveBeenMovedAndCanBeUsedAgain) {
  Args args(5);
  args.set("keep", std::string(3000, 'k'));
  args.set("gone", std::string(1000, 'v'));
  args.remove("gone");
  Args other = std::move(args);
  EXPECT_EQ(other.get("keep"), std::string(3000, 'k'));
  EXPECT_TRUE(args.empty());  // NOLINT(bugprone-use-after-move): the point
  args.set("a", "1");
  args.remove("a");
  args.set("b", "2");
  EXPECT_EQ(args.get("b"), "2");
  EXPECT_EQ(other.size(), 1U);
}

}  // namespace
}  // namespace pipette::http
