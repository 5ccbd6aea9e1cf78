// The examples of docs/messages.md, where each test stands as it does here.
#include <chrono>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "pipette/http/args.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/conditional.h"
#include "pipette/http/cookie.h"
#include "pipette/http/date.h"
#include "pipette/http/form.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/multipart_writer.h"
#include "pipette/http/negotiation.h"
#include "pipette/http/range.h"
#include "pipette/http/set_cookie.h"
#include "pipette/http/uri.h"

namespace pipette::http {
namespace {

using namespace std::chrono_literals;

TEST(Guide, ReadsARequestAsItArrives) {
  const std::string_view octets =
      "POST /orders?dry=1 HTTP/1.1\r\n"
      "Host: shop.example\r\n"
      "Content-Length: 5\r\n"
      "\r\n"
      "hello";
  RequestParser parser;
  RequestHead head;
  EXPECT_EQ(parser.parse(octets.substr(0, 30), head), 0U);  // more is needed
  const Result<std::size_t> size = parser.parse(octets, head);
  ASSERT_TRUE(size);
  EXPECT_EQ(head.path, "/orders");
  EXPECT_EQ(head.fields.get(FieldName::host), "shop.example");

  const Result<BodyLength> length = body_length(head);  // the only judge of framing
  ASSERT_TRUE(length);
  BodyReader reader(*length, BodyLimits());
  const Result<BodyReader::Step> step = reader.next(octets.substr(*size));
  ASSERT_TRUE(step);
  EXPECT_EQ(step->data, "hello");
  EXPECT_TRUE(step->is_complete);
}

TEST(Guide, WritesAResponse) {
  OwnedFields fields;
  ASSERT_TRUE(fields.set("Cache-Control", "no-store"));
  EXPECT_EQ(fields.set("X-Evil", "a\r\nSet-Cookie: b").error(), make_error_code(Errc::bad_field_value));

  ResponseHeadParts parts;
  parts.status = 201;
  parts.fields = fields;
  parts.content_type = "text/plain";
  parts.length = 2;
  Buffer out;
  ASSERT_TRUE(write_response_head(out, parts, "ok"));
  EXPECT_EQ(out.readable(),
            "HTTP/1.1 201 Created\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Length: 2\r\n"
            "Cache-Control: no-store\r\n"
            "\r\n"
            "ok");
}

TEST(Guide, ResolvesReferencesAndEditsQueries) {
  Uri uri;
  ASSERT_TRUE(uri.parse("http://shop.example/a/b/c?page=2&tag=x+y"));
  ASSERT_TRUE(uri.resolve("../d%20e/./f?page=3&flag"));
  EXPECT_EQ(uri.full_uri(), "http://shop.example/a/d%20e/f?page=3&flag");
  EXPECT_EQ(uri.path(), "/a/d e/f");
  EXPECT_EQ(uri.last_path_segment(), "f");

  Args args;
  ASSERT_TRUE(args.parse(*uri.query()));
  EXPECT_EQ(args.get_uint("page"), 3U);
  EXPECT_TRUE(args.has("flag"));
  args.set("tag", "a&b");
  std::string query;
  args.write(query);
  EXPECT_EQ(query, "page=3&flag&tag=a%26b");
}

TEST(Guide, SetsAndReadsCookies) {
  SetCookie cookie("__Host-sid", "31d4d96e");
  cookie.path = "/";
  cookie.secure = true;
  cookie.http_only = true;
  cookie.same_site = SameSite::lax;
  cookie.max_age = 1h;
  std::string value;
  ASSERT_TRUE(write_set_cookie(cookie, value));
  EXPECT_EQ(parse_set_cookie(value), cookie);

  cookie.domain = "shop.example";  // which __Host- forbids
  EXPECT_FALSE(write_set_cookie(cookie, value));

  OwnedFields request;
  ASSERT_TRUE(request.add("Cookie", "theme=dark; __Host-sid=31d4d96e"));
  EXPECT_EQ(cookie_value(request.view(), "theme"), "dark");
}

TEST(Guide, AnswersConditionsRangesAndPreferences) {
  const WallTime now = *parse_date("Sun, 06 Nov 1994 08:49:37 GMT", WallTime());
  OwnedFields request;
  ASSERT_TRUE(request.add("If-None-Match", "\"old\", W/\"current\""));
  ASSERT_TRUE(request.add("Range", "bytes=-100, 0-9"));
  ASSERT_TRUE(request.add("Accept-Encoding", "br;q=0.9, gzip, *;q=0"));

  const Representation current{.etag = parse_entity_tag("\"current\"").value()};
  EXPECT_EQ(evaluate_conditions(Method::get, request.view(), current, now), Verdict::not_modified);

  const Result<Ranges> ranges = requested_ranges(Method::get, request.view(), 1000);
  ASSERT_TRUE(ranges);
  ASSERT_EQ(ranges->parts().size(), 2U);
  EXPECT_EQ(ranges->parts()[0], (ByteRange{900, 999}));

  constexpr std::string_view kOffers[] = {"identity", "br", "gzip"};
  EXPECT_EQ(choose_coding(request.view(), kOffers), 2U);
}

TEST(Guide, SendsAndReadsAForm) {
  const Boundary boundary = Boundary::from("a-boundary").value();
  MultipartWriter writer(boundary);
  std::string body;
  ASSERT_TRUE(writer.add_field("title", "Lighthouse", body));
  ASSERT_TRUE(writer.add_file({.name = "photo", .filename = "fog.jpg", .content_type = "image/jpeg"}, "...", body));
  ASSERT_TRUE(writer.finish(body));

  const Result<Boundary> found = boundary_of(writer.content_type());
  ASSERT_TRUE(found);
  FormReader reader(*found, {.max_parts = 10, .max_total_bytes = 1 << 20});
  for (const char octet : body) ASSERT_TRUE(reader.take({&octet, 1}));  // in any pieces
  const Result<Form> form = reader.finish();
  ASSERT_TRUE(form);
  EXPECT_EQ(form->value("title"), "Lighthouse");
  EXPECT_EQ(form->file("photo")->filename, "fog.jpg");
}

}  // namespace
}  // namespace pipette::http
