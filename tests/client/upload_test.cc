#include "pipette/client/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/http/form.h"
#include "pipette/http/multipart.h"

#include "tests/support/printers.h"

namespace pipette::client {
namespace {

using testing::Optional;

http::Form read(const Request& request) {
  const Result<http::Boundary> boundary = http::boundary_of(*request.fields.get("Content-Type"));
  EXPECT_TRUE(boundary);
  http::FormReader reader(*boundary);
  EXPECT_TRUE(reader.take(request.body));
  Result<http::Form> form = reader.finish();
  EXPECT_TRUE(form);
  return form ? *form : http::Form();
}

Request old_request() {
  Request request;
  request.method = http::Method::put;
  request.body = "old";
  EXPECT_TRUE(request.fields.set("Content-Type", "text/plain"));
  return request;
}

TEST(SetForm, WritesArgsAndTheirType) {
  Request request = old_request();
  http::Args args;
  args.add("name", "Ada & Co");
  args.add("name", "\xc3\xa4=1");
  args.add_flag("flag");
  ASSERT_TRUE(set_form(request, args));
  EXPECT_EQ(request.body, "name=Ada+%26+Co&name=%C3%A4%3D1&flag");
  EXPECT_THAT(request.fields.get("Content-Type"), Optional(std::string_view("application/x-www-form-urlencoded")));
  EXPECT_EQ(request.fields.size(), 1U);
  EXPECT_EQ(request.method, http::Method::put);
  http::Args again;
  ASSERT_TRUE(again.parse(request.body));
  EXPECT_EQ(again, args);
}

TEST(SetForm, WritesNoArgsAsAnEmptyBody) {
  Request request = old_request();
  ASSERT_TRUE(set_form(request, http::Args()));
  EXPECT_EQ(request.body, "");
}

TEST(SetMultipart, WritesFieldsAndFiles) {
  Request request = old_request();
  const std::string octets = std::string("\0\r\n--\xff", 6) + std::string(100'000, 'x');
  const Part parts[] = {
      {.name = "title", .content = "Pipettes"},
      {.name = "photo", .content = octets, .filename = "a \"b\".png", .content_type = "image/png"},
      {.name = "none", .content = "", .filename = ""},
  };
  Random random(1, "forms");
  ASSERT_TRUE(set_multipart(request, parts, random));
  const http::Form form = read(request);
  ASSERT_EQ(form.values.size(), 1U);
  EXPECT_EQ(form.values[0].name, "title");
  EXPECT_EQ(form.values[0].value, "Pipettes");
  ASSERT_EQ(form.files.size(), 2U);
  EXPECT_EQ(form.files[0].filename, "a \"b\".png");
  EXPECT_EQ(form.files[0].content_type, "image/png");
  EXPECT_EQ(form.files[0].content, octets);
  EXPECT_EQ(form.files[1].filename, "");
  EXPECT_EQ(request.method, http::Method::put);
  EXPECT_EQ(request.fields.size(), 1U);
}

TEST(SetMultipart, WritesABodyWithoutParts) {
  Request request = old_request();
  Random random(1);
  ASSERT_TRUE(set_multipart(request, {}, random));
  EXPECT_TRUE(read(request).values.empty());
}

TEST(SetMultipart, DrawsAnotherBoundaryEachTime) {
  Random random(1);
  Random same = random;
  Request first;
  Request second;
  Request third;
  ASSERT_TRUE(set_multipart(first, {}, random));
  ASSERT_TRUE(set_multipart(second, {}, random));
  ASSERT_TRUE(set_multipart(third, {}, same));
  EXPECT_NE(first.body, second.body);
  EXPECT_EQ(first.body, third.body);
  const http::Boundary boundary = *http::boundary_of(*first.fields.get("Content-Type"));
  ASSERT_EQ(boundary.text().size(), 32U);
  EXPECT_NE(boundary.text().substr(0, 2), boundary.text().substr(2, 2));
}

TEST(SetMultipart, TakesTheBodyThatItReplaces) {
  Request request = old_request();
  const Part parts[] = {{.name = "was", .content = request.body}};
  Random random(1);
  ASSERT_TRUE(set_multipart(request, parts, random));
  EXPECT_EQ(read(request).values[0].value, "old");
}

TEST(SetMultipart, ChangesNothingWhereItCannotWriteAPart) {
  Random random(1);
  Random same = random;
  Request guess;
  ASSERT_TRUE(set_multipart(guess, {}, same));
  const std::string ending = "\r\n" + guess.body;
  struct Case {
    Part part;
    Errc error;
  };
  for (const Case& each : {
           Case{{.name = "a\r\nb", .content = ""}, Errc::bad_field_value},
           Case{{.name = "a%22", .content = ""}, Errc::bad_multipart},
           Case{{.name = "a", .content = "", .filename = "\n"}, Errc::bad_field_value},
           Case{{.name = "a", .content = "", .filename = "b", .content_type = "a\r\nX: y"}, Errc::bad_field_value},
           Case{{.name = "a", .content = ending}, Errc::bad_multipart},
       }) {
    Request request = old_request();
    Random known(1);
    const Part parts[] = {{.name = "fine", .content = "fine"}, each.part};
    EXPECT_EQ(set_multipart(request, parts, known).error(), each.error);
    EXPECT_EQ(request.body, "old");
    EXPECT_THAT(request.fields.get("Content-Type"), Optional(std::string_view("text/plain")));
  }
}

}  // namespace
}  // namespace pipette::client
