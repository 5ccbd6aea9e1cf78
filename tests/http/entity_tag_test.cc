#include "pipette/http/entity_tag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string written(EntityTag tag) {
  std::string out;
  EXPECT_TRUE(write_entity_tag(tag, out));
  return out;
}

TEST(EntityTag, IsReadAndWritten) {
  struct Row {
    std::string_view text, opaque;
    bool is_weak;
  };
  constexpr Row kRows[] = {
      {R"("xyzzy")", "xyzzy", false},
      {R"(W/"xyzzy")", "xyzzy", true},
      {R"("")", "", false},
      {R"(W/"")", "", true},
      {R"("a,b")", "a,b", false},
      {R"("\")", R"(\)", false},
      {"\"\xff!#~\"", "\xff!#~", false},
  };
  for (const Row& row : kRows) {
    const test::ExactBlock block(row.text);
    const Result<EntityTag> tag = parse_entity_tag(block.octets());
    ASSERT_TRUE(tag) << row.text;
    EXPECT_EQ(tag->opaque, row.opaque) << row.text;
    EXPECT_EQ(tag->is_weak, row.is_weak) << row.text;
    EXPECT_EQ(written(*tag), row.text);
  }
}

TEST(EntityTag, IsRefusedWhenMalformed) {
  for (const std::string_view text :
       {""sv,         "xyzzy"sv,   "\""sv,       "\"a"sv,      "a\""sv,      "\"a\"b"sv, "\"a\"\""sv, "w/\"a\""sv,
        "W/"sv,       "W"sv,       "W/a"sv,      "W\"a\""sv,   "W/ \"a\""sv, " \"a\""sv, "\"a\" "sv,  "\"a b\""sv,
        "\"a\tb\""sv, "\"a\0\""sv, "\"\x7f\""sv, "\"\r\n\""sv, "*"sv,        "'a'"sv}) {
    const test::ExactBlock block(text);
    const Result<EntityTag> tag = parse_entity_tag(block.octets());
    ASSERT_FALSE(tag) << text;
    EXPECT_EQ(tag.error(), Errc::bad_entity_tag) << text;
  }
}

TEST(EntityTag, IsNotWrittenWhenItCouldNotBeRead) {
  std::string out = "before";
  for (const std::string_view opaque : {"a\"b"sv, "a b"sv, "\r\nX: y"sv, "\0"sv, "\t"sv, "\x7f"sv}) {
    EXPECT_EQ(write_entity_tag({opaque}, out).error(), Errc::bad_entity_tag);
  }
  EXPECT_EQ(out, "before");
}

// The table of RFC 9110 §8.8.3.2.
TEST(EntityTag, IsComparedStronglyOrWeakly) {
  constexpr EntityTag kOne{"1"};
  constexpr EntityTag kWeakOne{"1", true};
  constexpr EntityTag kWeakTwo{"2", true};
  EXPECT_FALSE(equal_strongly(kWeakOne, kWeakOne));
  EXPECT_FALSE(equal_strongly(kWeakOne, kWeakTwo));
  EXPECT_FALSE(equal_strongly(kWeakOne, kOne));
  EXPECT_FALSE(equal_strongly(kOne, kWeakOne));
  EXPECT_TRUE(equal_strongly(kOne, kOne));
  EXPECT_TRUE(equal_weakly(kWeakOne, kWeakOne));
  EXPECT_FALSE(equal_weakly(kWeakOne, kWeakTwo));
  EXPECT_TRUE(equal_weakly(kWeakOne, kOne));
  EXPECT_TRUE(equal_weakly(kOne, kOne));
  EXPECT_FALSE(equal_weakly(kOne, EntityTag{"one"}));
}

std::vector<std::string> tags(std::string_view list, bool is_good = true) {
  const test::ExactBlock block(list);
  std::vector<std::string> found;
  const Result<void> read = for_each_entity_tag(block.octets(), [&](EntityTag tag) { found.push_back(written(tag)); });
  EXPECT_EQ(read.has_value(), is_good) << list;
  if (!read) {
    EXPECT_EQ(read.error(), Errc::bad_field_list) << list;
  }
  return found;
}

TEST(EntityTagList, HoldsTagsBetweenCommas) {
  EXPECT_THAT(tags(""), IsEmpty());
  EXPECT_THAT(tags(R"("a")"), ElementsAre(R"("a")"));
  EXPECT_THAT(tags(R"("a",W/"b", "c,d" ,"\")"), ElementsAre(R"("a")", R"(W/"b")", R"("c,d")", R"("\")"));
  EXPECT_THAT(tags(R"(, ,"a",,"b", )"), ElementsAre(R"("a")", R"("b")"));
}

TEST(EntityTagList, IsRefusedWhereItIsMalformed) {
  EXPECT_THAT(tags(R"("a" "b")", false), IsEmpty());
  EXPECT_THAT(tags(R"("a","b)", false), ElementsAre(R"("a")"));
  EXPECT_THAT(tags(R"("a",b)", false), ElementsAre(R"("a")"));
  EXPECT_THAT(tags(R"("a", *)", false), ElementsAre(R"("a")"));
  EXPECT_THAT(tags(R"("a""b")", false), IsEmpty());
  EXPECT_THAT(tags(R"("a";"b")", false), IsEmpty());
  EXPECT_THAT(tags("*", false), IsEmpty());
  EXPECT_THAT(tags(std::string(kMaxEmptyElements, ',') + "\"a\""), ElementsAre(R"("a")"));
  EXPECT_THAT(tags(std::string(kMaxEmptyElements + 1, ',') + "\"a\"", false), IsEmpty());
}

TEST(EntityTagList, StopsWhenAskedTo) {
  int count = 0;
  EXPECT_TRUE(for_each_entity_tag(R"("a", "b", bad)", [&](EntityTag tag) {
    ++count;
    return tag.opaque != "b";
  }));
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace pipette::http
