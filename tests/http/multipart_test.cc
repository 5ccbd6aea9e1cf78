// Boundaries, the names of parts, and the names of files.
#include "pipette/http/multipart.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "tests/support/printers.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

// "name", "name|filename", or the message of the error.
std::string parse(std::string_view disposition, std::size_t max_name_bytes = 100) {
  FormPart part{.name = "left", .filename = "over", .is_file = true};
  const Result<void> parsed = parse_form_part(disposition, max_name_bytes, part);
  if (!parsed) return std::string(errc_row(errc_of(parsed.error())).message);
  return part.is_file ? part.name + "|" + part.filename : part.name;
}

const std::string_view kBad = errc_row(Errc::bad_multipart).message;
const std::string_view kTooLarge = errc_row(Errc::part_head_too_large).message;

TEST(Boundary, HasOneToSeventyCharactersOfTheGrammar) {
  constexpr std::string_view kAllowed = "'()+_,-./:=? 0123456789ABCXYZabcxyz";
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text{static_cast<char>(octet), 'x'};
    const bool is_letter = (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
    EXPECT_EQ(Boundary::from(text).has_value(), is_letter || kAllowed.contains(text[0])) << octet;
  }
  EXPECT_EQ(Boundary::from("").error(), Errc::bad_multipart);
  EXPECT_EQ(Boundary::from("x ").error(), Errc::bad_multipart);
  EXPECT_EQ(Boundary::from(std::string(71, 'x')).error(), Errc::bad_multipart);
  EXPECT_EQ(Boundary::from(std::string(70, 'x'))->delimiter(), "\r\n--" + std::string(70, 'x'));
  EXPECT_EQ(Boundary::from(" x y")->text(), " x y");
}

TEST(Boundary, IsMadeOfRandomOctets) {
  EXPECT_EQ(Boundary::from_random("\x00\x01\x7f\x80\xff\x10 abcdefghij"sv)->text(),
            "00017f80ff10206162636465666768696a");
  EXPECT_EQ(Boundary::from_random(std::string(15, 'r')).error(), Errc::bad_multipart);
  EXPECT_TRUE(Boundary::from_random(std::string(16, 'r')));
  EXPECT_TRUE(Boundary::from_random(std::string(35, 'r')));
  EXPECT_EQ(Boundary::from_random(std::string(36, 'r')).error(), Errc::bad_multipart);
}

TEST(BoundaryOf, FindsTheParameter) {
  for (const auto& [content_type, boundary] : {
           std::pair{"multipart/form-data; boundary=x"sv, "x"sv},
           {"Multipart/Form-Data;BOUNDARY=X", "X"},
           {"multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundaryA1", "----WebKitFormBoundaryA1"},
           {"multipart/form-data; boundary=\"a b:c\"", "a b:c"},
           {"multipart/form-data; boundary=\"a\\:b\"", "a:b"},
           {"multipart/form-data ; boundary=\"x;y=z\" ;", ""},  // ";" is no character of a boundary
       }) {
    const Result<Boundary> found = boundary_of(content_type);
    EXPECT_EQ(found ? found->text() : ""sv, boundary) << content_type;
  }
  EXPECT_EQ(boundary_of("multipart/byteranges; boundary=x", "byteranges")->text(), "x");
  EXPECT_EQ(boundary_of("multipart/mixed; boundary=x", "")->text(), "x");
}

TEST(BoundaryOf, RefusesEverythingElse) {
  for (const auto& [content_type, error] : {
           std::pair{""sv, Errc::bad_media_type},
           {"text/plain; boundary=x", Errc::bad_media_type},
           {"multipart/mixed; boundary=x", Errc::bad_media_type},
           {"multipart/form-data-x; boundary=x", Errc::bad_media_type},
           {"multipart/form-data; boundary=x; boundary=y", Errc::bad_media_type},
           {"multipart/form-data; boundary=\"x", Errc::bad_media_type},
           {"multipart/form-data; boundary=x y", Errc::bad_media_type},
           {"multipart/form-data; boundary=x, text/plain", Errc::bad_media_type},
           {"multipart/form-data", Errc::bad_multipart},
           {"multipart/form-data; boundary=\"\"", Errc::bad_multipart},
           {"multipart/form-data; boundary=\"x \"", Errc::bad_multipart},
           {"multipart/form-data; boundary=x*y", Errc::bad_multipart},
           {"multipart/form-data; boundary=\"x\ty\"", Errc::bad_multipart},
       }) {
    const Result<Boundary> found = boundary_of(content_type);
    ASSERT_FALSE(found) << content_type;
    EXPECT_EQ(errc_of(found.error()), error) << content_type;
  }
}

TEST(ParseFormPart, ReadsNameAndFilename) {
  for (const auto& [disposition, expected] : {
           std::pair{R"(form-data; name="a")"sv, "a"sv},
           {R"(Form-Data;NAME=a)", "a"},
           {R"(form-data; name="")", ""},
           {R"(form-data; name="a"; filename="b.txt")", "a|b.txt"},
           {R"(form-data; filename=b.txt; x=y; name=a;)", "a|b.txt"},
           {R"(form-data; name="a"; filename="")", "a|"},
           {R"(form-data; name="a; filename=b")", "a; filename=b"},
           {"form-data; name=\"\xc3\xa4\xff\"", "\xc3\xa4\xff"},
       }) {
    EXPECT_EQ(parse(disposition), expected) << disposition;
  }
}

TEST(ParseFormPart, UnquotesAsBrowsersAndOthersQuote) {
  for (const auto& [quoted, name] : {
           std::pair{R"(a%22b)"sv, R"(a"b)"sv},
           {R"(%22%22)", R"("")"},
           {R"(a\"b)", R"(a"b)"},
           {R"(a\\b)", R"(a\b)"},
           {R"(C:\dir\file)", R"(C:\dir\file)"},
           {R"(\\\")", R"(\")"},
           {R"(%41%0D%0A%00%2)", R"(%41%0D%0A%00%2)"},
           {R"(100%)", R"(100%)"},
           {R"(a+b)", R"(a+b)"},
           {R"(%\22)", R"(%\22)"},
       }) {
    EXPECT_EQ(parse("form-data; name=\"" + std::string(quoted) + "\""), name) << quoted;
    EXPECT_EQ(parse("form-data; name=n; filename=\"" + std::string(quoted) + "\""), "n|" + std::string(name)) << quoted;
  }
  EXPECT_EQ(parse("form-data; name=a%22b"), "a%22b") << "no browser sends a name without quotes";
}

TEST(ParseFormPart, NeverDecodesAnExtendedFilename) {
  EXPECT_EQ(parse("form-data; name=a; filename*=UTF-8''%2e%2e"), "a|");
  EXPECT_EQ(parse("form-data; name=a; filename*=UTF-8''x; filename=b"), "a|b");
  EXPECT_EQ(parse("form-data; name*=UTF-8''x"), kBad);
}

TEST(ParseFormPart, RefusesWhatIsNoFormPart) {
  for (const std::string_view disposition : {"",
                                             ";",
                                             "form-data",
                                             "form-data;",
                                             "attachment; name=a",
                                             "form-data name=a",
                                             "form-data, name=a",
                                             "form-data; name",
                                             "form-data; name=",
                                             "form-data; =a",
                                             "form-data; name =a",
                                             "form-data; name= a",
                                             "form-data; name=\"a",
                                             "form-data; name=\"a\\\"",
                                             "form-data; name=\"a\"b",
                                             "form-data; name=a; name=a",
                                             "form-data; name=a; filename=b; filename=c",
                                             "form-data; filename=b",
                                             "form-data; name=a b",
                                             "form-data; name=\"a\x01\"",
                                             "form-data; name=\"a\r\nb\""}) {
    EXPECT_EQ(parse(disposition), kBad) << disposition;
  }
  EXPECT_EQ(parse("form-data; name=\"a\0\""sv), kBad);
}

TEST(ParseFormPart, BoundsNames) {
  for (const std::string_view parameter : {"name=", "name=n; filename="}) {
    const std::string before = "form-data; " + std::string(parameter);
    EXPECT_NE(parse(before + std::string(10, 'a'), 10), kTooLarge);
    EXPECT_EQ(parse(before + std::string(11, 'a'), 10), kTooLarge);
    EXPECT_NE(parse(before + "\"%22%22%22%22%22%22%22%22%22%22\"", 10), kTooLarge);
  }
}

TEST(SafeFileName, IsOneComponentOrNothing) {
  for (const auto& [filename, safe] : {
           std::pair{"a.txt"sv, "a.txt"sv},
           {"/etc/passwd", "passwd"},
           {"../../a", "a"},
           {"C:\\dir\\a", "a"},
           {"C:a", "a"},
           {"C:D:..", ""},
           {"a/..\\b", "b"},
           {"12:30", "12:30"},
           {".htaccess", ".htaccess"},
           {"...", "..."},
           {"\xc3\xa4 b", "\xc3\xa4 b"},
           {"", ""},
           {".", ""},
           {"..", ""},
           {"a/", ""},
           {"a/..", ""},
           {"C:", ""},
           {"a\nb", ""},
           {"a\tb", ""},
           {"a\0b"sv, ""},
       }) {
    EXPECT_EQ(safe_file_name(filename), safe) << filename;
  }
}

}  // namespace
}  // namespace pipette::http
