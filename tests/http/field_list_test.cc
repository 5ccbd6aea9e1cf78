#include "pipette/http/field_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Strings = std::vector<std::string>;

OwnedFields lines(std::string_view name, std::initializer_list<std::string_view> values) {
  OwnedFields fields;
  for (const std::string_view value : values) EXPECT_TRUE(fields.add(name, value)) << value;
  return fields;
}

Strings elements(std::string_view list, std::optional<Errc> error = std::nullopt) {
  const test::ExactBlock block(list);
  Strings found;
  const Result<void> read =
      for_each_element(block.octets(), [&](std::string_view element) { found.emplace_back(element); });
  EXPECT_EQ(read.has_value(), !error) << list;
  if (!read) {
    EXPECT_EQ(read.error(), error) << list;
  }
  return found;
}

TEST(FieldList, HasElementsBetweenCommas) {
  struct Row {
    std::string_view list;
    Strings elements;
  };
  const Row kRows[] = {
      {"", {}},
      {",", {}},
      {", ,\t,", {}},
      {"a", {"a"}},
      {"a,b", {"a", "b"}},
      {" a ,\tb\t", {"a", "b"}},
      {"foo ,bar,", {"foo", "bar"}},
      {"foo , ,bar,charlie", {"foo", "bar", "charlie"}},
      {",,a,,b,,", {"a", "b"}},
      {"a b,c d", {"a b", "c d"}},
      {"a;x=1, b;y=\"1,2\"", {"a;x=1", "b;y=\"1,2\""}},
      {R"("a,b",c)", {R"("a,b")", "c"}},
      {R"("a\",b",c)", {R"("a\",b")", "c"}},
      {R"("a\\",b)", {R"("a\\")", "b"}},
      {R"(a",",b)", {R"(a",")", "b"}},
      {R"("","")", {R"("")", R"("")"}},
      {"\"\t \"", {"\"\t \""}},
      {"caf\xc3\xa9,\"\xff\"", {"caf\xc3\xa9", "\"\xff\""}},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(elements(row.list), row.elements) << row.list;
  }
}

TEST(FieldList, IsRefusedWhereItIsMalformed) {
  struct Row {
    std::string_view list;
    Strings elements_before;
  };
  const Row kRows[] = {
      {"\"", {}},          {"\"a", {}},        {"\"a\\\"", {}},       {"\"a\\", {}},       {"a,\"b", {"a"}},
      {"a\"b,c\"d\"", {}}, {"a\nb"sv, {}},     {"a,b\0"sv, {"a"}},    {"a\x7f", {}},       {"\"a\x1f\"", {}},
      {"\"\\\n\"", {}},    {"\"\\\x7f\"", {}}, {"a, \r\nb"sv, {"a"}}, {"\\,\\\"", {"\\"}},
  };
  for (const Row& row : kRows) EXPECT_EQ(elements(row.list, Errc::bad_field_list), row.elements_before) << row.list;
}

TEST(FieldList, MayHaveAReasonableNumberOfEmptyElements) {
  const std::string most(kMaxEmptyElements, ',');
  EXPECT_THAT(elements(most + "a"), ElementsAre("a"));
  EXPECT_THAT(elements(most + ",a", Errc::bad_field_list), IsEmpty());
  EXPECT_THAT(elements("a," + most + "b"), ElementsAre("a", "b"));
  EXPECT_THAT(elements("a,," + most + "b", Errc::bad_field_list), ElementsAre("a"));
}

TEST(FieldList, GoesOnOverLinesOfOneName) {
  OwnedFields fields;
  for (const auto& [name, value] : {std::pair("Accept", "a, b"),
                                    {"X-List", "x"},
                                    {"accept", ""},
                                    {"ACCEPT", ",c"},
                                    {"x-list", "y,z"},
                                    {"Accept-Encoding", "d"}}) {
    EXPECT_TRUE(fields.add(name, value));
  }
  Strings found;
  const auto add = [&](std::string_view element) { found.emplace_back(element); };
  EXPECT_TRUE(for_each_element(fields.view(), FieldName::accept, add));
  EXPECT_THAT(std::exchange(found, {}), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(for_each_element(fields.view(), "aCCept", add));
  EXPECT_THAT(std::exchange(found, {}), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(for_each_element(fields.view(), "X-LIST", add));
  EXPECT_THAT(std::exchange(found, {}), ElementsAre("x", "y", "z"));
  EXPECT_TRUE(for_each_element(fields.view(), FieldName::te, add));
  EXPECT_TRUE(for_each_element(fields.view(), "X-None", add));
  EXPECT_THAT(found, IsEmpty());
}

TEST(FieldList, NoElementGoesOnOnTheNextLine) {
  for (const std::string_view name : {"Accept", "X-List"}) {
    Strings found;
    const OwnedFields fields = lines(name, {"a", "\"b", "c\"", "d"});
    const Result<void> read =
        for_each_element(fields.view(), name, [&](std::string_view element) { found.emplace_back(element); });
    EXPECT_FALSE(read);
    EXPECT_THAT(found, ElementsAre("a")) << name;
  }
}

TEST(FieldList, CountsEmptyElementsOverAllLines) {
  const std::string half(kMaxEmptyElements / 2, ',');
  const auto nothing = [](std::string_view) {};
  EXPECT_TRUE(for_each_element(lines("TE", {half, half, "a"}).view(), FieldName::te, nothing));
  EXPECT_FALSE(for_each_element(lines("TE", {half, half, ",a"}).view(), FieldName::te, nothing));
}

TEST(FieldList, StopsWhenAskedTo) {
  for (const std::string_view name : {"Accept", "X-List"}) {
    Strings found;
    const auto until_b = [&](std::string_view element) {
      found.emplace_back(element);
      return element != "b";
    };
    const OwnedFields fields = lines(name, {"a, b, \"", "c"});
    EXPECT_TRUE(for_each_element(fields.view(), name, until_b)) << "the mistake is behind the end";
    EXPECT_THAT(found, ElementsAre("a", "b")) << name;
  }
}

TEST(ListContains, FindsWholeElementsInAnyCase) {
  for (const std::string_view list : {"close", "CLOSE", "te, Close", "te,close,x", ",close"}) {
    EXPECT_TRUE(list_contains(list, "close")) << list;
    EXPECT_TRUE(list_contains(lines("Connection", {"x", list}).view(), FieldName::connection, "close")) << list;
    EXPECT_TRUE(list_contains(lines("X-List", {"x", list}).view(), "x-list", "close")) << list;
  }
  for (const std::string_view list : {"", "closed", "disclose", "\"close\"", "close;x", "clo se", "\"a, close", "x"}) {
    EXPECT_FALSE(list_contains(list, "close")) << list;
    EXPECT_FALSE(list_contains(lines("Connection", {list}).view(), FieldName::connection, "close")) << list;
  }
  EXPECT_FALSE(list_contains(Fields(), FieldName::connection, "close"));
}

TEST(Element, IsCutInFrontOfItsParameters) {
  struct Row {
    std::string_view element, value, parameters;
  };
  constexpr Row kRows[] = {
      {"", "", ""},
      {"a", "a", ""},
      {"a;b=c", "a", ";b=c"},
      {" a ; b=c;d=e ", "a", "; b=c;d=e "},
      {";b", "", ";b"},
      {R"(for="[::1;2]";by=x)", R"(for="[::1;2]")", ";by=x"},
      {R"("\";";x=y)", R"("\";")", ";x=y"},
      {R"("a;b)", R"("a;b)", ""},
  };
  for (const Row& row : kRows) {
    const test::ExactBlock block(row.element);
    const Element element = split_parameters(block.octets());
    EXPECT_EQ(element.value, row.value) << row.element;
    EXPECT_EQ(element.parameters, row.parameters) << row.element;
  }
}

// "name=value" with the value unquoted, each.
Strings parameters(std::string_view text, bool is_good = true) {
  const test::ExactBlock block(text);
  Strings found;
  const Result<void> read = for_each_parameter(block.octets(), [&](const Parameter& parameter) {
    found.push_back(std::string(parameter.name) + "=" + parameter.text());
    EXPECT_TRUE(parameter.equals(parameter.text()));
    EXPECT_TRUE(parameter.is_quoted || !parameter.has_pairs);
  });
  EXPECT_EQ(read.has_value(), is_good) << text;
  if (!read) {
    EXPECT_EQ(read.error(), Errc::bad_field_list) << text;
  }
  return found;
}

TEST(Parameters, AreReadInOrder) {
  struct Row {
    std::string_view text;
    Strings parameters;
  };
  const Row kRows[] = {
      {"", {}},
      {" ", {}},
      {";", {}},
      {"; ;;\t;", {}},
      {";a=b", {"a=b"}},
      {" ; a=b ; c=d ", {"a=b", "c=d"}},
      {";;a=b;;c=d;;", {"a=b", "c=d"}},
      {";a=\"\"", {"a="}},
      {";a=\"b;c,d=e\";f=g", {"a=b;c,d=e", "f=g"}},
      {R"(;a="\"\\\b")", {R"(a="\b)"}},
      {";a=\"\xff\t \"", {"a=\xff\t "}},
      {";a=1;a=2", {"a=1", "a=2"}},
      {";A*=b", {"A*=b"}},
      {R"(  ;  foo=bar  ;   param2="dquote is: [\"], ok?" ; version=1; q=0.324  )",
       {"foo=bar", "param2=dquote is: [\"], ok?", "version=1", "q=0.324"}},
  };
  for (const Row& row : kRows) EXPECT_EQ(parameters(row.text), row.parameters) << row.text;
}

TEST(Parameters, AreRefusedWhereTheyAreMalformed) {
  struct Row {
    std::string_view text;
    Strings parameters_before;
  };
  const Row kRows[] = {
      {"a=b", {}},
      {";a", {}},
      {";a=", {}},
      {";=b", {}},
      {";a =b", {}},
      {";a= b", {}},
      {";a=b c=d", {"a=b"}},
      {";a=\"b", {}},
      {";a=\"b\\\"", {}},
      {";a=\"b\"c", {"a=b"}},
      {";a=b\"c\"", {"a=b"}},
      {";a=b,c", {"a=b"}},
      {";a==b", {}},
      {";a=(b)", {}},
      {";a=\"\n\"", {}},
      {";a=\0"sv, {}},
      {";\xe9=a", {}},
      {";a='b c'", {"a='b"}},
      {";a=b;c", {"a=b"}},
  };
  for (const Row& row : kRows) EXPECT_EQ(parameters(row.text, false), row.parameters_before) << row.text;
  EXPECT_THAT(parameters(std::string(kMaxEmptyElements, ';') + ";a=b"), ElementsAre("a=b"));
  EXPECT_THAT(parameters(std::string(kMaxEmptyElements + 1, ';') + ";a=b", false), IsEmpty());
}

TEST(Parameters, AreComparedUnquoted) {
  const Parameter plain{"a", "b"};
  EXPECT_TRUE(plain.equals("b") && plain.equals_ignoring_case("B"));
  EXPECT_FALSE(plain.equals("B") || plain.equals("bb") || plain.equals(""));
  const Parameter paired{"a", R"(\Bc\")", true, true};
  EXPECT_TRUE(paired.equals("Bc\"") && paired.equals_ignoring_case("bC\""));
  EXPECT_FALSE(paired.equals(R"(\Bc\")") || paired.equals("Bc") || paired.equals("Bc\"d") || paired.equals("bc\""));
}

TEST(Unquote, TakesTheOctetBehindEachBackslash) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"", ""}, {"ab", "ab"}, {R"(a\b)", "ab"}, {R"(\\\")", R"(\")"}, {R"(\\a)", R"(\a)"}, {R"(a\)", "a"}};
  for (const auto& [inside, octets] : kRows) {
    std::string out = "before ";
    unquote(inside, out);
    EXPECT_EQ(out, "before " + std::string(octets)) << inside;
  }
}

TEST(Parameters, AreWrittenAsTheyAreReadBack) {
  std::string out = "a";
  for (const std::string_view value : {"b"sv, ""sv, "b c"sv, "\"\\\""sv, "1;2,3"sv, "\t\xff"sv}) {
    EXPECT_TRUE(append_parameter("n", value, out));
  }
  EXPECT_EQ(out, "a;n=b;n=\"\";n=\"b c\";n=\"\\\"\\\\\\\"\";n=\"1;2,3\";n=\"\t\xff\"");
  EXPECT_THAT(parameters(split_parameters(out).parameters),
              ElementsAre("n=b", "n=", "n=b c", "n=\"\\\"", "n=1;2,3", "n=\t\xff"));
}

TEST(Parameters, AreNotWrittenWhenTheyWouldBreakTheField) {
  std::string out = "a";
  for (const std::string_view value : {"\r\n"sv, "\0"sv, "a\nX: y"sv, "\x7f"sv}) {
    EXPECT_EQ(append_parameter("n", value, out).error(), Errc::bad_field_value);
    EXPECT_EQ(append_quoted(value, out).error(), Errc::bad_field_value);
  }
  for (const std::string_view name : {""sv, "a b"sv, "a=b"sv, "\xff"sv, "\r\n"sv}) {
    EXPECT_EQ(append_parameter(name, "b", out).error(), Errc::bad_field_list);
  }
  EXPECT_EQ(out, "a");
}

TEST(Weight, IsInThousandths) {
  constexpr std::pair<std::string_view, unsigned> kRows[] = {
      {"0", 0},       {"0.", 0},   {"0.0", 0},   {"0.000", 0},  {"0.001", 1},    {"0.5", 500},  {"0.05", 50},
      {"0.999", 999}, {"1", 1000}, {"1.", 1000}, {"1.0", 1000}, {"1.000", 1000}, {"0.324", 324}};
  for (const auto& [text, weight] : kRows) EXPECT_EQ(parse_weight(text), weight) << text;
  for (const std::string_view text :
       {"",    "2",  "1.1", "1.001", "1.01", "0.0001", "1.0000", ".5",   "00",  "01", "0,5",
        "0.x", "-0", "+1",  "0.5 ",  " 0.5", "1e0",    "0.-1",   "0 .5", "0x1", "10"}) {
    EXPECT_EQ(parse_weight(text), fail(Errc::bad_field_list)) << text;
  }
}

TEST(Weight, StandsBehindAToken) {
  struct Row {
    std::string_view element, value;
    unsigned weight;
  };
  constexpr Row kRows[] = {{"gzip", "gzip", 1000}, {"gzip;q=0.5", "gzip", 500},   {"gzip ; Q=0.5", "gzip", 500},
                           {"*;q=0", "*", 0},      {"en-GB;q=1.", "en-GB", 1000}, {"gzip;;q=0.1;", "gzip", 100},
                           {"gzip;", "gzip", 1000}};
  for (const Row& row : kRows) {
    const Result<Weighted> weighted = parse_weighted(row.element);
    ASSERT_TRUE(weighted) << row.element;
    EXPECT_EQ(weighted->value, row.value) << row.element;
    EXPECT_EQ(weighted->weight, row.weight) << row.element;
  }
  for (const std::string_view element :
       {"", ";q=1", "a b", "a;b=c", "a;q", "a;q=", "a;q=2", "a;q=\"1\"", "a;q=1;q=1", "a/b", "a;q=0.5;x=y", "a;q =1"}) {
    EXPECT_FALSE(parse_weighted(element)) << element;
  }
}

}  // namespace
}  // namespace pipette::http
