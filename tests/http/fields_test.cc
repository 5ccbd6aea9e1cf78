#include "pipette/http/fields.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/delivery.h"
#include "tests/support/printers.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

std::string text_of(const OwnedFields& fields) { return test::describe(fields.view()); }

// "Host: a", "X: b" and "Host: c", over octets of their own.
struct ThreeFields {
  ThreeFields() {
    fields.append(FieldName::host, 0, 4, 6, 1);
    fields.append(FieldName::other, 9, 1, 12, 1);
    fields.append(FieldName::host, 15, 4, 21, 1);
    fields.rebase(octets.data());
  }
  std::string octets = "Host: a\r\nX: b\r\nhOST: c\r\n";
  Fields fields;
};

TEST(Fields, StartEmpty) {
  const Fields fields;
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(fields.size(), 0U);
  EXPECT_EQ(fields.get(FieldName::host), std::nullopt);
  EXPECT_EQ(fields.get("X"), std::nullopt);
  EXPECT_FALSE(fields.contains(FieldName::host));
  EXPECT_FALSE(fields.is_repeated(FieldName::host));
}

TEST(Fields, KeepOrderAndSpelling) {
  const ThreeFields three;
  ASSERT_EQ(three.fields.size(), 3U);
  EXPECT_EQ(test::describe(three.fields), "\n<Host> <a>\n<X> <b>\n<hOST> <c>");
}

TEST(Fields, GiveTheFirstOfAName) {
  const ThreeFields three;
  EXPECT_EQ(three.fields.get(FieldName::host), "a");
  EXPECT_EQ(three.fields.get("HOST"), "a");
  EXPECT_EQ(three.fields.get("x"), "b");
  EXPECT_EQ(three.fields.get("Y"), std::nullopt);
  EXPECT_EQ(three.fields.get(FieldName::date), std::nullopt);
}

TEST(Fields, GiveEachOfANameInOrder) {
  const ThreeFields three;
  std::string values;
  three.fields.for_each(FieldName::host, [&](std::string_view value) { values += value; });
  EXPECT_EQ(values, "ac");
  EXPECT_TRUE(three.fields.is_repeated(FieldName::host));
  EXPECT_FALSE(three.fields.is_repeated(FieldName::date));
}

TEST(Fields, SurviveTheMoveOfTheirOctets) {
  ThreeFields three;
  const std::string moved = three.octets;
  three.octets.assign(three.octets.size(), '?');
  three.fields.rebase(moved.data());
  EXPECT_EQ(three.fields.get(FieldName::host), "a");
  EXPECT_EQ(three.fields.get("X"), "b");
}

TEST(Fields, AreAsNewWhenCleared) {
  ThreeFields three;
  three.fields.clear();
  EXPECT_TRUE(three.fields.empty());
  EXPECT_FALSE(three.fields.contains(FieldName::host));
  EXPECT_FALSE(three.fields.is_repeated(FieldName::host));
  three.fields.append(FieldName::host, 15, 4, 21, 1);
  EXPECT_EQ(three.fields.get(FieldName::host), "c");
  EXPECT_FALSE(three.fields.is_repeated(FieldName::host));
}

TEST(Fields, AreEmptyOnceMovedFrom) {
  ThreeFields three;
  Fields moved = std::move(three.fields);
  EXPECT_EQ(moved.get(FieldName::host), "a");
  // NOLINTBEGIN(bugprone-use-after-move): the next head is parsed into it
  EXPECT_TRUE(three.fields.empty());
  EXPECT_FALSE(three.fields.contains(FieldName::host));
  EXPECT_FALSE(three.fields.is_repeated(FieldName::host));
  three.fields = std::move(moved);
  // NOLINTEND(bugprone-use-after-move)
  EXPECT_EQ(three.fields.size(), 3U);
}

TEST(Fields, AreCopiedWithTheirIndex) {
  const ThreeFields three;
  Fields copy;
  copy.append(FieldName::date, 0, 4, 6, 1);
  copy = three.fields;
  EXPECT_EQ(copy.size(), 3U);
  EXPECT_EQ(copy.get(FieldName::host), "a");
  EXPECT_FALSE(copy.contains(FieldName::date));
}

TEST(Fields, HoldManyNames) {
  Fields fields;
  for (std::size_t i = 1; i < kFieldNameCount; ++i) fields.append(static_cast<FieldName>(i), 0, 1, i - 1, 1);
  std::string octets;
  for (std::size_t i = 1; i < kFieldNameCount; ++i) octets += static_cast<char>(' ' + i);
  fields.rebase(octets.data());
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    EXPECT_EQ(fields.get(static_cast<FieldName>(i)), std::string_view(octets).substr(i - 1, 1));
    EXPECT_FALSE(fields.is_repeated(static_cast<FieldName>(i)));
  }
}

// ---- OwnedFields -----------------------------------------------------------------------------------------

OwnedFields make_fields() {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("Set-Cookie", "a=1"));
  EXPECT_TRUE(fields.add("X-Own", "v"));
  EXPECT_TRUE(fields.add("Set-Cookie", "b=2"));
  return fields;
}

TEST(OwnedFields, AreFoundByUnknownNamesOfEverySizeInAnyCase) {
  OwnedFields fields;
  ASSERT_TRUE(fields.add("Host", "known"));
  std::string name;
  for (std::size_t size = 1; size <= 40; ++size) {
    name += static_cast<char>('a' + size % 26);
    ASSERT_TRUE(fields.add(name + "-Q", std::to_string(size)));
  }
  for (std::size_t size = 1; size <= 40; ++size) {
    std::string wanted = name.substr(0, size) + "-q";
    EXPECT_EQ(fields.get(wanted), std::to_string(size));
    for (std::size_t place = 0; place < size; ++place) {
      wanted[place] = ascii::to_upper(wanted[place]);
      EXPECT_EQ(fields.get(wanted), std::to_string(size)) << wanted;
      std::string other = wanted;
      other[place] = '0';
      EXPECT_EQ(fields.get(other), std::nullopt) << other;
    }
  }
  EXPECT_EQ(fields.get("hosT"), "known");
}

TEST(OwnedFields, KeepWhatIsAdded) {
  const OwnedFields fields = make_fields();
  EXPECT_EQ(text_of(fields), "\n<Set-Cookie> <a=1>\n<X-Own> <v>\n<Set-Cookie> <b=2>");
  EXPECT_EQ(fields.get(FieldName::set_cookie), "a=1");
  EXPECT_EQ(fields.get("x-own"), "v");
  EXPECT_TRUE(fields.contains(FieldName::set_cookie));
}

TEST(OwnedFields, SettingReplacesEveryFieldOfThatName) {
  OwnedFields fields = make_fields();
  EXPECT_TRUE(fields.set("set-COOKIE", "c=3"));
  EXPECT_EQ(text_of(fields), "\n<X-Own> <v>\n<set-COOKIE> <c=3>");
  EXPECT_TRUE(fields.set("x-own", "w"));
  EXPECT_EQ(text_of(fields), "\n<set-COOKIE> <c=3>\n<x-own> <w>");
  EXPECT_EQ(fields.get("X-Own"), "w");
}

TEST(OwnedFields, RemovingTakesEveryFieldOfThatName) {
  OwnedFields fields = make_fields();
  fields.remove("SET-cookie");
  EXPECT_EQ(text_of(fields), "\n<X-Own> <v>");
  EXPECT_FALSE(fields.contains(FieldName::set_cookie));
  fields.remove("not there");
  fields.remove("x-OWN");
  EXPECT_EQ(fields.size(), 0U);
}

TEST(OwnedFields, RefuseNamesThatAreNoTokens) {
  OwnedFields fields = make_fields();
  for (const std::string_view name : {""sv, " "sv, "a b"sv, "a:"sv, "a\r\nb"sv, "a\0"sv, "caf\xc3\xa9"sv, "(a)"sv}) {
    EXPECT_EQ(fields.add(name, "v").error(), Errc::bad_field_name) << name;
    EXPECT_EQ(fields.set(name, "v").error(), Errc::bad_field_name) << name;
  }
  EXPECT_EQ(fields.size(), 3U);
}

TEST(OwnedFields, RefuseValuesWithControls) {
  OwnedFields fields = make_fields();
  for (const std::string_view value :
       {"a\r\nInjected: b"sv, "a\rb"sv, "a\nb"sv, "a\0b"sv, "\0"sv, "\x01"sv, "a\x7f"sv, "a long value, then \x1f"sv}) {
    EXPECT_EQ(fields.add("X", value).error(), Errc::bad_field_value) << value;
    EXPECT_EQ(fields.set("X-Own", value).error(), Errc::bad_field_value) << value;
  }
  EXPECT_EQ(fields.get("X-Own"), "v");
  EXPECT_EQ(fields.size(), 3U);
}

TEST(OwnedFields, TakeEveryOctetThatAValueMayHave) {
  for (int octet = 0; octet < 256; ++octet) {
    for (const std::size_t size : {1U, 8U, 20U}) {
      const bool is_allowed = octet == '\t' || (octet >= 0x20 && octet != 0x7f);
      std::string value = "<" + std::string(size, 'v') + ">";
      value[1 + size / 2] = static_cast<char>(octet);
      OwnedFields fields;
      EXPECT_EQ(fields.add("X", value).has_value(), is_allowed) << octet;
      EXPECT_EQ(fields.get("X"), is_allowed ? std::optional<std::string_view>(value) : std::nullopt) << octet;
    }
  }
}

TEST(OwnedFields, TakeTheWhiteSpaceAroundAValueAway) {
  OwnedFields fields;
  EXPECT_TRUE(fields.set("X", " \ta b\t "));
  EXPECT_EQ(fields.get("X"), "a b");
  EXPECT_TRUE(fields.set("X", "  "));
  EXPECT_EQ(fields.get("X"), "");
}

TEST(OwnedFields, AreCopiedWithTheirOctets) {
  OwnedFields copy;
  {
    const OwnedFields fields = make_fields();
    copy = fields;
  }
  EXPECT_EQ(text_of(copy), text_of(make_fields()));
}

TEST(OwnedFields, AreEmptyOnceMovedFrom) {
  OwnedFields fields = make_fields();
  const OwnedFields moved = std::move(fields);
  EXPECT_EQ(text_of(moved), text_of(make_fields()));
  // NOLINTBEGIN(bugprone-use-after-move)
  EXPECT_EQ(fields.size(), 0U);
  EXPECT_EQ(fields.get(FieldName::set_cookie), std::nullopt);
  EXPECT_TRUE(fields.add("Y", "z"));
  // NOLINTEND(bugprone-use-after-move)
  EXPECT_EQ(text_of(fields), "\n<Y> <z>");
}

TEST(OwnedFields, MoveWhenTheyAreShortToo) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("X", "y"));  // short enough to live inside the string object
  const OwnedFields moved = std::move(fields);
  EXPECT_EQ(moved.get("X"), "y");
}

TEST(OwnedFields, CanBeGivenTheirOwnValues) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("X", "short"));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(fields.add("Y", *fields.get("X")));
  EXPECT_TRUE(fields.set("Long", std::string(100, 'l')));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(fields.set("Long", *fields.get("Long")));
  EXPECT_EQ(fields.get("Y"), "short");
  EXPECT_EQ(fields.get("Long"), std::string(100, 'l'));
}

TEST(OwnedFields, AreAsNewWhenCleared) {
  OwnedFields fields = make_fields();
  fields.clear();
  EXPECT_EQ(fields.size(), 0U);
  EXPECT_FALSE(fields.contains(FieldName::set_cookie));
}

TEST(OwnedFields, CopyTheFieldsOfAHead) {
  OwnedFields copy = make_fields();
  {
    const ThreeFields three;
    copy.assign(three.fields, three.octets);
  }
  EXPECT_EQ(text_of(copy), "\n<Host> <a>\n<X> <b>\n<hOST> <c>");
  EXPECT_TRUE(copy.set("X", "new"));
  EXPECT_EQ(copy.get("X"), "new");
}

TEST(OwnedFields, RefuseANameTooLongForItsIndex) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add(std::string(65'535, 'n'), "v"));
  EXPECT_FALSE(fields.add(std::string(65'536, 'n'), "v"));
  EXPECT_FALSE(fields.set(std::string(70'000, 'n'), "v"));
  EXPECT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].name.size(), 65'535U);
}

TEST(OwnedFields, GiveEachOfANameInOrder) {
  const OwnedFields fields = make_fields();
  const auto all = [&](std::string_view name) {
    std::string values;
    fields.for_each(name, [&](std::string_view value) { values.append(value).append(";"); });
    return values;
  };
  EXPECT_EQ(all("set-cookie"), "a=1;b=2;");
  EXPECT_EQ(all("X-OWN"), "v;");
  EXPECT_EQ(all("X-Other"), "");
}

TEST(OwnedFields, AddOnceOnly) {
  OwnedFields fields = make_fields();
  EXPECT_TRUE(fields.add_once("set-cookie", " b=2 "));
  EXPECT_TRUE(fields.add_once("X-own", "V"));
  EXPECT_TRUE(fields.add_once("X-own", "V"));
  EXPECT_EQ(text_of(fields), text_of(make_fields()) + "\n<X-own> <V>");
  EXPECT_EQ(fields.add_once("X", "a\nb").error(), Errc::bad_field_value);
}

TEST(OwnedFields, SetADefaultOnlyWhereThereIsNone) {
  OwnedFields fields = make_fields();
  EXPECT_TRUE(fields.set_default("x-OWN", "default"));
  EXPECT_TRUE(fields.set_default("X-New", "default"));
  EXPECT_EQ(text_of(fields), text_of(make_fields()) + "\n<X-New> <default>");
  EXPECT_EQ(fields.set_default("bad name", "v").error(), Errc::bad_field_name);
}

// What stands in front of the others must not be taken for dead, nor what is dead kept.
TEST(OwnedFields, StayTheSameThroughManyChanges) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("First", "1"));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(fields.set("X-Counter", std::to_string(i) + std::string(100, 'x')));
    EXPECT_TRUE(fields.add("X-Gone", std::string(50, 'g')));
    EXPECT_TRUE(fields.add("Set-Cookie", std::string(20, 'c')));
    fields.remove("x-gone");
    fields.remove("set-cookie");
  }
  EXPECT_EQ(text_of(fields), "\n<First> <1>\n<X-Counter> <999" + std::string(100, 'x') + ">");
  EXPECT_EQ(fields.get("First"), "1");
  EXPECT_FALSE(fields.contains("X-Gone"));
  EXPECT_FALSE(fields.contains(FieldName::set_cookie));
}

// Copies have the octets of the original, dead ones included: their size shows it.
TEST(OwnedFields, DoNotKeepTheOctetsOfWhatIsGone) {
  OwnedFields fields;
  const char* lowest = nullptr;
  const char* highest = nullptr;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(fields.set("X", std::string(1000, 'x')));
    if (i < 100) continue;  // it has its memory by now
    const char* const at = fields.get("X")->data();
    lowest = lowest == nullptr ? at : std::min(lowest, at);
    highest = std::max(highest, at);
  }
  EXPECT_LE(highest - lowest, 4000);
}

TEST(OwnedFields, CanBeGivenTheirOwnValuesAsTheyCompact) {
  OwnedFields fields;
  EXPECT_TRUE(fields.set("Long", std::string(1000, 'l')));
  EXPECT_TRUE(fields.set("Other", "o"));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(fields.set("Long", *fields.get("Long")));
  EXPECT_EQ(text_of(fields), "\n<Other> <o>\n<Long> <" + std::string(1000, 'l') + ">");
  for (int i = 0; i < 100; ++i) {
    fields.remove(fields[0].name);
    EXPECT_TRUE(fields.add("Last", std::string(500, 'n')));
  }
  EXPECT_EQ(fields.size(), 1U);
}

TEST(OwnedFields, CompactTheFieldsOfAHead) {
  OwnedFields copy;
  const ThreeFields three;
  copy.assign(three.fields, three.octets);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(copy.set("X", std::string(100, 'x')));
  EXPECT_EQ(text_of(copy), "\n<Host> <a>\n<hOST> <c>\n<X> <" + std::string(100, 'x') + ">");
}

TEST(OwnedFields, RefuseMoreFieldsThanAnIndexHasRoomFor) {
  OwnedFields fields;
  for (std::size_t i = 0; i < kMaxFields; ++i) ASSERT_TRUE(fields.add("X", "y"));
  EXPECT_EQ(fields.add("X", "y").error(), Errc::too_many_fields);
  EXPECT_EQ(fields.set("Y", "z").error(), Errc::too_many_fields);
  EXPECT_EQ(fields.size(), kMaxFields);
  EXPECT_TRUE(fields.set("X", "z"));
  EXPECT_EQ(fields.size(), 1U);
}

}  // namespace
}  // namespace pipette::http
