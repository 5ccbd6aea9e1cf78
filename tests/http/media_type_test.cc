#include "pipette/http/media_type.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

std::string written(std::string_view text) {
  const test::ExactBlock block(text);
  const Result<MediaType> media_type = parse_media_type(block.octets());
  if (!media_type) return "refused";
  std::string out;
  EXPECT_TRUE(write_media_type(*media_type, out)) << text;
  return out;
}

TEST(MediaType, IsReadAndWritten) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"text/html", "text/html"},
      {" Text/HTML ", "text/html"},
      {"text/html; charset=utf-8", "text/html;charset=utf-8"},
      {"text/html;Charset=\"UTF-8\"", "text/html;Charset=UTF-8"},
      {"text/html ;\tcharset=utf-8 ; a=b", "text/html;charset=utf-8;a=b"},
      {"text/html;", "text/html"},
      {"text/html;;a=b;", "text/html;a=b"},
      {R"(multipart/mixed; boundary="a b")", R"(multipart/mixed;boundary="a b")"},
      {R"(multipart/mixed; boundary="\a\b")", "multipart/mixed;boundary=ab"},
      {R"(a/b;c="\"\\;")", R"(a/b;c="\"\\;")"},
      {"a/b;c=\"\"", "a/b;c=\"\""},
      {"application/vnd.x+json", "application/vnd.x+json"},
      {"*/*", "*/*"},
  };
  for (const auto& [text, expected] : kRows) {
    EXPECT_EQ(written(text), expected) << text;
    EXPECT_EQ(written(expected), expected) << text;
    EXPECT_TRUE(equivalent(*parse_media_type(text), *parse_media_type(expected))) << text;
  }
}

TEST(MediaType, IsRefusedWhenMalformed) {
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "/"sv,
                                      "text"sv,
                                      "text/"sv,
                                      "/html"sv,
                                      "text/html/x"sv,
                                      "text /html"sv,
                                      "text/ html"sv,
                                      "te xt/html"sv,
                                      "text/html charset=utf-8"sv,
                                      "text/html, text/plain"sv,
                                      "text/html;charset"sv,
                                      "text/html;charset="sv,
                                      "text/html;charset =utf-8"sv,
                                      "text/html;charset= utf-8"sv,
                                      "text/html;=a"sv,
                                      "text/html;a=\"b"sv,
                                      "text/html;a=b c"sv,
                                      "text/html\r\n"sv,
                                      "text/html;a=\"\r\n\""sv,
                                      "text/html\0"sv,
                                      "\"text\"/html"sv,
                                      "text/html;a=b\x7f"sv,
                                      "(x)/y"sv,
                                      ";a=b"sv}) {
    const test::ExactBlock block(text);
    const Result<MediaType> media_type = parse_media_type(block.octets());
    ASSERT_FALSE(media_type) << text;
    EXPECT_EQ(media_type.error(), Errc::bad_media_type) << text;
  }
}

TEST(MediaType, IsRefusedWhenAParameterStandsThereTwice) {
  for (const std::string_view text :
       {"a/b;c=d;c=d", "a/b;boundary=1;boundary=2", "a/b;c=1;C=2", "a/b;c=1;x=y;c=\"1\""}) {
    EXPECT_EQ(written(text), "refused") << text;
  }
}

TEST(MediaType, HasNoMoreParametersThanThereIsRoomFor) {
  std::string text = "a/b";
  for (std::size_t i = 0; i < kMaxMediaTypeParameters; ++i) text += ";p" + std::to_string(i) + "=v";
  EXPECT_EQ(written(text), text);
  EXPECT_EQ(written(text + ";one=more"), "refused");
}

TEST(MediaType, IsComparedInAnyCase) {
  const MediaType media_type = *parse_media_type("Text/Html;x=y");
  EXPECT_TRUE(media_type.is("text", "html"));
  EXPECT_FALSE(media_type.is("text", "plain"));
  EXPECT_FALSE(media_type.is("application", "html"));
}

TEST(MediaType, GivesItsParametersByName) {
  const MediaType media_type = *parse_media_type(R"(multipart/form-data; CharSet=UTF-8; boundary="x\yz")");
  ASSERT_TRUE(media_type.charset() && media_type.boundary());
  EXPECT_TRUE(media_type.charset()->equals_ignoring_case("utf-8"));
  EXPECT_EQ(media_type.boundary()->text(), "xyz");
  EXPECT_FALSE(media_type.parameter("bound"));
  EXPECT_FALSE(parse_media_type("a/b")->charset());
}

TEST(MediaType, IsTheSameWithItsParametersInAnyOrder) {
  struct Row {
    std::string_view a, b;
    bool is_same;
  };
  constexpr Row kRows[] = {
      {"a/b", "A/B", true},
      {"a/b;c=d;e=f", "a/b;e=f;c=d", true},
      {"a/b;c=d", "a/b;C=\"d\"", true},
      {"a/b;c=d", "a/b;c=\"\\d\"", true},
      {"a/b;c=\"\\d\\\"\"", "a/b;c=\"d\\\"\"", true},
      {"a/b;charset=utf-8", "a/b;Charset=\"UTF-\\8\"", true},
      {"a/b;c=d", "a/b;c=D", false},
      {"a/b;c=d", "a/b", false},
      {"a/b", "a/b;c=d", false},
      {"a/b;c=d", "a/b;e=d", false},
      {"a/b;c=\"\\d\\\"\"", "a/b;c=\"d\\\\\"", false},
      {"a/b", "a/c", false},
  };
  for (const Row& row : kRows) {
    const MediaType a = *parse_media_type(row.a);
    const MediaType b = *parse_media_type(row.b);
    EXPECT_EQ(equivalent(a, b), row.is_same) << row.a << " and " << row.b;
    EXPECT_EQ(equivalent(b, a), row.is_same) << row.b << " and " << row.a;
  }
}

TEST(MediaType, IsNotWrittenWhenItCouldNotBeRead) {
  std::string out = "before";
  for (const MediaType& media_type :
       {MediaType{"text", "", ""}, MediaType{"", "html", ""}, MediaType{"te xt", "html", ""},
        MediaType{"text", "html\r\nX: y", ""}, MediaType{"text", "html", "a=b"}, MediaType{"text", "html", ";a"},
        MediaType{"text", "html", ";a=b\r\nX: y"}, MediaType{"text", "html", ";a=1;a=2"}}) {
    EXPECT_EQ(write_media_type(media_type, out).error(), Errc::bad_media_type) << media_type.parameters;
  }
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace pipette::http
