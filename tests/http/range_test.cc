#include "pipette/http/range.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

std::string describe(const Result<Ranges>& ranges) {
  if (!ranges) return "refused";
  if (ranges->kind() == Ranges::Kind::unsatisfiable) return "unsatisfiable";
  std::string text = ranges->kind() == Ranges::Kind::whole ? "whole" : "";
  for (const ByteRange& part : ranges->parts()) {
    if (!text.empty()) text += ' ';
    text += std::to_string(part.first) + "-" + std::to_string(part.last);
  }
  return text;
}

std::string resolved(std::string_view value, std::uint64_t length, std::size_t max_ranges = kMaxRanges) {
  const test::ExactBlock block(value);
  return describe(resolve_ranges(block.octets(), length, max_ranges));
}

TEST(Ranges, AreCutToWhatThereIs) {
  struct Row {
    std::string_view value;
    std::uint64_t length;
    std::string_view parts;
  };
  constexpr Row kRows[] = {
      {"bytes=0-499", 10000, "0-499"},
      {"bytes=500-999", 10000, "500-999"},
      {"bytes=-500", 10000, "9500-9999"},
      {"bytes=9500-", 10000, "9500-9999"},
      {"bytes=0-0,-1", 10000, "0-0 9999-9999"},
      {"bytes= 0-999, 4500-5499, -1000", 10000, "0-999 4500-5499 9000-9999"},
      {"bytes=0-", 10000, "0-9999"},
      {"bytes=0-9999", 10000, "0-9999"},
      {"bytes=0-10000", 10000, "0-9999"},
      {"bytes=9999-9999", 10000, "9999-9999"},
      {"bytes=-10001", 10000, "0-9999"},
      {"bytes=0-0", 1, "0-0"},
      {"bytes=-1", 1, "0-0"},
      {"BYTES=0-1", 10, "0-1"},
      {"bytes=\t0-1\t,,", 10, "0-1"},
      {"bytes=,0-1", 10, "0-1"},
      {"bytes=00-01", 10, "0-1"},
      {"bytes=10-,0-1", 10, "0-1"},
      {"bytes=-0,0-1", 10, "0-1"},
      {"bytes=5-99999999999999999999999", 10, "5-9"},
      {"bytes=-99999999999999999999999", 10, "0-9"},
      {"bytes=0-18446744073709551615", UINT64_MAX, "0-18446744073709551614"},
      {"bytes=18446744073709551614-", UINT64_MAX, "18446744073709551614-18446744073709551614"},
      {"bytes=-18446744073709551615", UINT64_MAX, "0-18446744073709551614"},
  };
  for (const Row& row : kRows) EXPECT_EQ(resolved(row.value, row.length), row.parts) << row.value;
}

TEST(Ranges, AreUnsatisfiableBehindTheEnd) {
  for (const std::string_view value :
       {"bytes=10-", "bytes=10-10", "bytes=10-11, 12-", "bytes=-0", "bytes=-0,-00, 10-", "bytes=18446744073709551615-",
        "bytes=18446744073709551616-", "bytes=99999999999999999999999-99999999999999999999999"}) {
    EXPECT_EQ(resolved(value, 10), "unsatisfiable") << value;
  }
}

TEST(Ranges, AreIgnoredInAnUnknownUnit) {
  for (const std::string_view value : {"pages=1-2", "byte=0-1", "bytess=0-1", "x=", "items=a,b"}) {
    EXPECT_EQ(resolved(value, 10), "whole") << value;
  }
}

TEST(Ranges, AreIgnoredWhereThereIsNothing) {
  for (const std::string_view value : {"bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-"}) {
    EXPECT_EQ(resolved(value, 0), "whole") << value;
  }
  EXPECT_EQ(resolved("bytes=x", 0), "refused");
}

TEST(Ranges, AreRefusedWhenMalformed) {
  for (const std::string_view value : {""sv,
                                       "bytes"sv,
                                       "="sv,
                                       "=0-1"sv,
                                       "bytes="sv,
                                       "bytes= "sv,
                                       "bytes=,"sv,
                                       "bytes=-"sv,
                                       "bytes=--1"sv,
                                       "bytes=1"sv,
                                       "bytes=a-b"sv,
                                       "bytes=1-a"sv,
                                       "bytes=1-2a"sv,
                                       "bytes=1-2-3"sv,
                                       "bytes=5-2"sv,
                                       "bytes=0-1,5-2"sv,
                                       "bytes=0-1 2-3"sv,
                                       "bytes=0-1;2-3"sv,
                                       "bytes=0 -1"sv,
                                       "bytes=0- 1"sv,
                                       "bytes=- 1"sv,
                                       "bytes =0-1"sv,
                                       " bytes=0-1"sv,
                                       "bytes=0x0-1"sv,
                                       "bytes=+0-1"sv,
                                       "bytes=\"0-1\""sv,
                                       "bytes=0-1\r\n"sv,
                                       "bytes=0-1\0"sv,
                                       "bytes=0-1,x"sv,
                                       "by tes=0-1"sv,
                                       "bytes:0-1"sv,
                                       "bytes=1-18446744073709551615,9-8"sv,
                                       "bytes=99999999999999999999999-1"sv}) {
    EXPECT_EQ(resolved(value, 10), "refused") << value;
  }
  EXPECT_EQ(resolve_ranges("bytes=5-2", 10).error(), Errc::bad_range);
  EXPECT_EQ(resolved("bytes=" + std::string(64, ',') + "0-1", 10), "0-1");
  EXPECT_EQ(resolved("bytes=" + std::string(65, ',') + "0-1", 10), "refused");
}

TEST(Ranges, AreJoinedWhereTheyOverlapOrTouch) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"bytes=500-600,601-999", "500-999"},
      {"bytes=500-700,601-999", "500-999"},
      {"bytes=0-1,3-4", "0-1 3-4"},
      {"bytes=0-1,3-4,2-2", "0-4"},
      {"bytes=0-1,0-1,0-1", "0-1"},
      {"bytes=0-,0-,0-,-5", "0-999"},
      {"bytes=5-9,0-1", "5-9 0-1"},
      {"bytes=90-99,50-59,0-9,95-120", "90-120 50-59 0-9"},
      {"bytes=90-99,50-59,0-9,55-95", "50-99 0-9"},
      {"bytes=0-9,50-59,90-99,55-95", "0-9 50-99"},
      {"bytes=0-9,50-59,90-99,5-95", "0-99"},
      {"bytes=-1,0-0,999-", "999-999 0-0"},
      {"bytes=10-11,13-14,20-21,15-19,12-12", "10-21"},
  };
  for (const auto& [value, parts] : kRows) EXPECT_EQ(resolved(value, 1000), parts) << value;
}

// The attack: 1300 ranges over the same octets.
TEST(Ranges, NeverSendAnOctetTwice) {
  std::string value = "bytes=0-";
  for (int i = 0; i < 1300; ++i) value += ",5-" + std::to_string(i + 5);
  EXPECT_EQ(resolved(value, 10'000), "0-9999");
}

TEST(Ranges, AreIgnoredWhenThereAreTooMany) {
  std::string value = "bytes=";
  std::string parts;
  for (std::size_t i = 0; i < kMaxRanges; ++i) {
    const std::string place = std::to_string(2 * i);
    value += place + "-" + place + ",";
    parts += (i > 0 ? " " : "") + place + "-" + place;
  }
  EXPECT_EQ(resolved(value, 1000), parts);
  EXPECT_EQ(resolved(value + "3-3", 1000).substr(0, 8), "0-0 2-4 ");
  EXPECT_EQ(resolved(value + "900-", 1000), "whole");
  EXPECT_EQ(resolved(value + "900-,0-", 1000), "whole");
  EXPECT_EQ(resolved(value + "900-,x", 1000), "refused");
  EXPECT_EQ(resolved(value, 1000, 3), "whole");
  EXPECT_EQ(resolved("bytes=0-1,2-3", 1000, 1), "0-3");
  EXPECT_EQ(resolved("bytes=0-1,4-5", 1000, 1), "whole");
  EXPECT_EQ(resolved("bytes=0-1", 1000, 0), "whole");
  EXPECT_EQ(resolved(value, 1000, 1000), parts);
}

TEST(RequestedRanges, AreThoseOfAGet) {
  OwnedFields fields;
  EXPECT_EQ(describe(requested_ranges(Method::get, fields.view(), 10)), "whole");
  EXPECT_TRUE(fields.add("Range", "bytes=1-2"));
  EXPECT_EQ(describe(requested_ranges(Method::get, fields.view(), 10)), "1-2");
  for (const Method method : {Method::head, Method::put, Method::post, Method::other}) {
    EXPECT_EQ(describe(requested_ranges(method, fields.view(), 10)), "whole");
  }
  EXPECT_TRUE(fields.add("Range", "bytes=1-2"));
  EXPECT_EQ(describe(requested_ranges(Method::get, fields.view(), 10)), "refused") << "two lines are no list";
}

std::string written(const ContentRange& content_range) {
  std::string out;
  return write_content_range(content_range, out) ? out : "refused" + out;
}

TEST(ContentRange, IsReadAndWritten) {
  const std::pair<std::string_view, ContentRange> kRows[] = {
      {"bytes 42-1233/1234", {ByteRange{42, 1233}, 1234}},
      {"bytes 42-1233/*", {ByteRange{42, 1233}, std::nullopt}},
      {"bytes */1234", {std::nullopt, 1234}},
      {"bytes */0", {std::nullopt, 0}},
      {"bytes 0-0/1", {ByteRange{0, 0}, 1}},
      {"bytes 0-18446744073709551614/18446744073709551615", {ByteRange{0, UINT64_MAX - 1}, UINT64_MAX}},
  };
  for (const auto& [text, content_range] : kRows) {
    const test::ExactBlock block(text);
    EXPECT_EQ(parse_content_range(block.octets()), content_range) << text;
    EXPECT_EQ(written(content_range), text);
  }
  EXPECT_EQ(parse_content_range("Bytes 1-2/3"), (ContentRange{ByteRange{1, 2}, 3}));
}

TEST(ContentRange, IsRefusedWhenMalformed) {
  for (const std::string_view text : {""sv,
                                      "bytes"sv,
                                      "bytes "sv,
                                      "bytes 1-2"sv,
                                      "bytes 1-2/"sv,
                                      "bytes */*"sv,
                                      "bytes *"sv,
                                      "bytes */"sv,
                                      "bytes 2-1/3"sv,
                                      "bytes 1-3/3"sv,
                                      "bytes 1-4/3"sv,
                                      "bytes=1-2/3"sv,
                                      "bytes  1-2/3"sv,
                                      "bytes\t1-2/3"sv,
                                      "bytes 1 -2/3"sv,
                                      "bytes 1-2/3 "sv,
                                      " bytes 1-2/3"sv,
                                      "bytes -2/3"sv,
                                      "bytes 1-/3"sv,
                                      "items 1-2/3"sv,
                                      "bytes 1-2/x"sv,
                                      "bytes 1-2/3,"sv,
                                      "bytes 1-18446744073709551616/*"sv,
                                      "bytes 1-18446744073709551615/*"sv,
                                      "bytes 1-2/18446744073709551616"sv,
                                      "bytes 1-2/3\0"sv,
                                      "byte 1-2/3"sv,
                                      "bytesx1-2/3"sv}) {
    const test::ExactBlock block(text);
    const Result<ContentRange> content_range = parse_content_range(block.octets());
    ASSERT_FALSE(content_range) << text;
    EXPECT_EQ(content_range.error(), Errc::bad_range) << text;
  }
}

TEST(ContentRange, IsNotWrittenWhenItCouldNotBeRead) {
  EXPECT_EQ(written({}), "refused");
  EXPECT_EQ(written({ByteRange{2, 1}, 3}), "refused");
  EXPECT_EQ(written({ByteRange{1, 3}, 3}), "refused");
  EXPECT_EQ(written({ByteRange{0, UINT64_MAX}, std::nullopt}), "refused");
}

TEST(ByteRange, CountsBothEnds) {
  EXPECT_EQ((ByteRange{0, 0}).size(), 1U);
  EXPECT_EQ((ByteRange{500, 999}).size(), 500U);
}

}  // namespace
}  // namespace pipette::http
