#include "pipette/http/multipart_writer.h"

#include <gtest/gtest.h>
#include <string>

#include "pipette/http/form.h"

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

const Boundary kBoundary = *Boundary::from("b-1");

Form read(const MultipartWriter& writer, std::string_view body) {
  const Result<Boundary> boundary = boundary_of(writer.content_type());
  EXPECT_TRUE(boundary);
  FormReader reader(*boundary);
  EXPECT_TRUE(reader.take(body));
  Result<Form> form = reader.finish();
  EXPECT_TRUE(form);
  return form ? *form : Form();
}

TEST(MultipartWriter, WritesFieldsAndFiles) {
  MultipartWriter writer(kBoundary);
  std::string body;
  EXPECT_TRUE(writer.add_field("a", "1", body));
  EXPECT_TRUE(writer.add_file({.name = "f", .filename = "x.png", .content_type = "image/png"}, "content", body));
  EXPECT_TRUE(writer.finish(body));
  EXPECT_EQ(body,
            "--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
            "--b-1\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n"
            "content\r\n--b-1--\r\n");
}

TEST(MultipartWriter, WritesABodyWithoutParts) {
  MultipartWriter writer(kBoundary);
  std::string body;
  EXPECT_TRUE(writer.finish(body));
  EXPECT_EQ(body, "--b-1--\r\n");
  EXPECT_TRUE(read(writer, body).values.empty());
}

TEST(MultipartWriter, SaysItsContentType) {
  EXPECT_EQ(MultipartWriter(kBoundary).content_type(), "multipart/form-data; boundary=b-1");
  for (const std::string_view text : {"a b", "a:b", "(a)", "a=b,c/d?", " a"}) {
    const std::string content_type = MultipartWriter(*Boundary::from(text)).content_type();
    EXPECT_EQ(content_type, "multipart/form-data; boundary=\"" + std::string(text) + "\"");
    EXPECT_EQ(boundary_of(content_type)->text(), text);
  }
}

TEST(MultipartWriter, WritesNamesThatAreReadBack) {
  for (const std::string_view name : {"", "a", "a\"b", "\"", "a\\b", "\\", "\\\\", "a\\\"", "\\\"\\", "C:\\dir\\a.txt",
                                      "a; name=\"b\"", "a\tb", " a ", "%", "%2", "%41", "100%", "\xc3\xa4\xff"}) {
    MultipartWriter writer(kBoundary);
    std::string body;
    ASSERT_TRUE(writer.add_field(name, "value", body)) << name;
    ASSERT_TRUE(writer.add_file({.name = "f", .filename = name}, "content", body)) << name;
    ASSERT_TRUE(writer.finish(body));
    const Form form = read(writer, body);
    ASSERT_EQ(form.values.size(), 1U);
    EXPECT_EQ(form.values[0].name, name);
    ASSERT_EQ(form.files.size(), 1U);
    EXPECT_EQ(form.files[0].filename, name);
  }
}

TEST(MultipartWriter, QuotesAsBrowsersDo) {
  MultipartWriter writer(kBoundary);
  std::string body;
  EXPECT_TRUE(writer.add_field("a\"\"b", "", body));
  EXPECT_TRUE(body.contains("name=\"a%22%22b\"\r\n")) << body;
}

TEST(MultipartWriter, RefusesNamesAndAppendsNothing) {
  for (const auto& [text, error] : {
           std::pair{"a\rb"sv, Errc::bad_field_value},
           {"a\nb", Errc::bad_field_value},
           {"a\r\nX: y", Errc::bad_field_value},
           {"a\0b"sv, Errc::bad_field_value},
           {"a\x7f", Errc::bad_field_value},
           {"a%22b", Errc::bad_multipart},
       }) {
    MultipartWriter writer(kBoundary);
    std::string body = "before";
    EXPECT_EQ(writer.add_field(text, "", body).error(), error) << text;
    EXPECT_EQ(writer.add_file({.name = "f", .filename = text}, "", body).error(), error) << text;
    EXPECT_EQ(writer.begin_part({.name = text}, body).error(), error) << text;
    if (error == Errc::bad_field_value) {
      EXPECT_EQ(writer.add_file({.name = "f", .filename = "g", .content_type = text}, "", body).error(), error);
    }
    EXPECT_EQ(body, "before");
    EXPECT_TRUE(writer.add_field("fine", "", body)) << "the writer can go on";
  }
}

TEST(MultipartWriter, RefusesAContentTypeThatWouldBeReadBackWithoutItsSpaces) {
  for (const std::string_view type : {" text/plain", "text/plain ", "\ttext/plain", " "}) {
    MultipartWriter writer(kBoundary);
    std::string body;
    EXPECT_EQ(writer.begin_part({.name = "a", .content_type = type}, body).error(), Errc::bad_field_value) << type;
    EXPECT_EQ(body, "");
  }
}

TEST(MultipartWriter, RefusesContentWithItsBoundary) {
  for (const std::string_view content : {"--b-1", "\r\n--b-1", "x\r\n--b-1--", "--b-12", "--b-\r\n--b-1"}) {
    MultipartWriter writer(kBoundary);
    std::string body;
    EXPECT_EQ(writer.add_field("a", content, body).error(), Errc::bad_multipart) << content;
    EXPECT_EQ(body, "");
    EXPECT_TRUE(writer.add_field("a", "fine", body));
    const std::string before = body;
    EXPECT_EQ(writer.add_file({.name = "f", .filename = ""}, content, body).error(), Errc::bad_multipart);
    EXPECT_EQ(body, before);
    EXPECT_TRUE(writer.finish(body));
    EXPECT_EQ(read(writer, body).values.size(), 1U);
  }
  for (const std::string_view content : {"x--b-1", "\n--b-1", "\r\n--b-", "-\r\n-b-1", "--b-\r\n--b-"}) {
    MultipartWriter writer(kBoundary);
    std::string body;
    EXPECT_TRUE(writer.add_field("a", content, body)) << content;
    EXPECT_TRUE(writer.finish(body));
    EXPECT_EQ(read(writer, body).value("a"), content);
  }
}

TEST(MultipartWriter, WritesAPartInEverySplit) {
  const std::string content = "one\r\n--b-two\r\n-";
  std::string whole;
  MultipartWriter writer(kBoundary);
  EXPECT_TRUE(writer.add_file({.name = "f", .filename = "g"}, content, whole));
  EXPECT_TRUE(writer.finish(whole));
  test::for_each_split(content, [&](const test::Pieces& pieces) {
    MultipartWriter pieced(kBoundary);
    std::string body;
    EXPECT_TRUE(pieced.begin_part({.name = "f", .filename = "g"}, body));
    for (const std::string_view piece : pieces) EXPECT_TRUE(pieced.add_content(piece, body));
    EXPECT_TRUE(pieced.finish(body));
    EXPECT_EQ(body, whole);
  });
}

TEST(MultipartWriter, FindsItsBoundaryAcrossPieces) {
  for (const std::string_view content : {"--b-1", "x\r\n--b-1"}) {
    test::for_each_split(content, [&](const test::Pieces& pieces) {
      MultipartWriter writer(kBoundary);
      std::string body;
      EXPECT_TRUE(writer.begin_part({.name = "f"}, body));
      Result<void> added;
      for (const std::string_view piece : pieces) {
        if (added) added = writer.check_content(piece);
      }
      EXPECT_FALSE(added);
      EXPECT_FALSE(writer.add_content("", body)) << "the body cannot go on";
      EXPECT_FALSE(writer.finish(body));
    });
  }
}

TEST(MultipartWriter, RefusesCallsThatMakeNoBody) {
  MultipartWriter writer(kBoundary);
  std::string body;
  EXPECT_FALSE(writer.add_content("x", body));
  EXPECT_TRUE(writer.finish(body));
  EXPECT_FALSE(writer.finish(body));
  EXPECT_FALSE(writer.add_content("x", body));
  EXPECT_FALSE(writer.add_field("a", "b", body));
  EXPECT_EQ(body, "--b-1--\r\n");
}

TEST(MultipartWriter, KnowsItsSizeBefore) {
  const PartInfo field{.name = "a\"b"};
  const PartInfo file{.name = "f", .filename = "C:\\x\"", .content_type = "image/png"};
  MultipartWriter writer(kBoundary);
  std::string body;
  EXPECT_TRUE(writer.add_field(field.name, "value", body));
  EXPECT_TRUE(writer.add_file(file, "content", body));
  EXPECT_TRUE(writer.begin_part(file, body));
  EXPECT_TRUE(writer.finish(body));
  EXPECT_EQ(body.size(), writer.size_of_part(field, 5) + writer.size_of_part(file, 7) + writer.size_of_part(file, 0) +
                             writer.size_of_end());
  EXPECT_EQ(MultipartWriter(kBoundary).size_of_end(), std::string_view("--b-1--\r\n").size());
}

}  // namespace
}  // namespace pipette::http
