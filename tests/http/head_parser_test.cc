// What a server must accept, and what it must see in it (RFC 9112 §2-§3, §5). Every head is delivered whole, octet
// by octet and cut at every place.
#include "pipette/http/head_parser.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using test::parse_request;
using test::RequestOutcome;

// With that field between the request line and Host.
RequestOutcome parse_field(std::string_view line) {
  return parse_request("GET / HTTP/1.1\r\n" + std::string(line) + "\r\nHost: a\r\n\r\n");
}

TEST(HeadParser, ReadsARequest) {
  const std::string octets = "GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nX-Own: 1\r\n\r\n";
  const RequestOutcome request = parse_request(octets);
  ASSERT_EQ(request.error, std::nullopt);
  EXPECT_EQ(request.size, octets.size());
  EXPECT_EQ(request.head.method, Method::get);
  EXPECT_EQ(request.head.method_text, "GET");
  EXPECT_EQ(request.head.target, "/a/b?c=d");
  EXPECT_EQ(request.head.form, TargetForm::origin);
  EXPECT_EQ(request.head.authority, "example.com");
  EXPECT_EQ(request.head.path, "/a/b");
  EXPECT_EQ(request.head.query, "c=d");
  EXPECT_FALSE(request.head.is_http_1_0);
  ASSERT_EQ(request.head.fields.size(), 3U);
  EXPECT_EQ(request.head.fields[0].name, "Host");
  EXPECT_EQ(request.head.fields[1].value, "*/*");
  EXPECT_EQ(request.head.fields.get("x-own"), "1");
}

TEST(HeadParser, TakesNothingOfWhatFollowsTheHead) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string_view behind : {"\r\n", "GET /next HTTP/1.1\r\nHost: b\r\n\r\n", "\n", " body", "\x01"}) {
    const RequestOutcome request = parse_request(head + std::string(behind));
    EXPECT_EQ(request.error, std::nullopt);
    EXPECT_EQ(request.size, head.size());
    EXPECT_EQ(request.head.fields.size(), 1U);
  }
}

TEST(HeadParser, NeedsMoreForEveryPrefix) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) {
    const RequestOutcome request = test::deliver_request({std::string_view(head).substr(0, size)});
    EXPECT_EQ(request.error, std::nullopt) << size;
    EXPECT_EQ(request.size, 0U) << size;
  }
}

TEST(HeadParser, ReadsManyHeadsOneAfterAnother) {
  RequestParser parser;
  RequestHead head;
  const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\nX-Only: first\r\n\r\n";
  const std::string second = "GET /2 HTTP/1.0\r\n\r\n";
  EXPECT_EQ(parser.parse(first, head), first.size());
  parser.reset();
  EXPECT_EQ(parser.parse(second, head), second.size());
  EXPECT_EQ(head.target, "/2");
  EXPECT_TRUE(head.is_http_1_0);
  EXPECT_EQ(head.authority, "");
  EXPECT_TRUE(head.fields.empty());
  EXPECT_EQ(head.fields.get(FieldName::host), std::nullopt);
}

TEST(HeadParser, StartsOverAfterResetInTheMiddleOfAHead) {
  RequestParser parser;
  RequestHead head;
  EXPECT_EQ(parser.parse("GET /1 HTTP/1.1\r\nHost: a\r\nX-", head), 0U);
  parser.reset();
  const std::string second = "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
  EXPECT_EQ(parser.parse(second, head), second.size());
  EXPECT_EQ(head.fields.size(), 1U);
  EXPECT_EQ(head.authority, "b");
}

TEST(HeadParser, SkipsEmptyLinesBeforeTheRequestLine) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string_view before : {"\r\n", "\r\n\r\n", "\r\n\r\n\r\n\r\n"}) {
    const RequestOutcome request = parse_request(std::string(before) + head);
    EXPECT_EQ(request.error, std::nullopt);
    EXPECT_EQ(request.size, before.size() + head.size());
    EXPECT_EQ(request.head.method, Method::get);
  }
}

TEST(HeadParser, KnowsTheRegisteredMethods) {
  constexpr std::pair<std::string_view, Method> kMethods[] = {
      {"GET", Method::get},        {"HEAD", Method::head},
      {"POST", Method::post},      {"PUT", Method::put},
      {"DELETE", Method::delete_}, {"OPTIONS", Method::options},
      {"TRACE", Method::trace},    {"PATCH", Method::patch},
      {"get", Method::other},      {"Get", Method::other},
      {"GETX", Method::other},     {"PROPFIND", Method::other},
      {"M-SEARCH", Method::other}, {"!#$%&'*+-.^_`|~09", Method::other},
  };
  for (const auto& [text, method] : kMethods) {
    const RequestOutcome request = parse_request(std::string(text) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(request.error, std::nullopt) << text;
    EXPECT_EQ(request.head.method, method) << text;
    EXPECT_EQ(request.head.method_text, text);
  }
}

TEST(HeadParser, ServesEveryHigherMinorVersionAs1Dot1) {
  for (const char minor : std::string_view("123456789")) {
    const RequestOutcome request = parse_request(std::string("GET / HTTP/1.") + minor + "\r\nHost: a\r\n\r\n");
    EXPECT_EQ(request.error, std::nullopt) << minor;
    EXPECT_FALSE(request.head.is_http_1_0) << minor;
  }
}

TEST(HeadParser, ServesHttp10WithAndWithoutHost) {
  const RequestOutcome without = parse_request("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(without.error, std::nullopt);
  EXPECT_TRUE(without.head.is_http_1_0);
  EXPECT_EQ(without.head.authority, "");
  const RequestOutcome with = parse_request("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  EXPECT_EQ(with.head.authority, "a");
}

TEST(HeadParser, TakesWhiteSpaceOffAValueAndLeavesItInside) {
  constexpr std::pair<std::string_view, std::string_view> kLines[] = {
      {"X:v", "v"},
      {"X: v", "v"},
      {"X:\tv", "v"},
      {"X:  \t v\t  ", "v"},
      {"X: a b\tc ", "a b\tc"},
      {"X:", ""},
      {"X: ", ""},
      {"X: \t ", ""},
      {"X::", ":"},
      {"X: a:b", "a:b"},
      {"X: \xa0\x85", "\xa0\x85"},
      {"X: caf\xc3\xa9", "caf\xc3\xa9"},
      {"X: \"q, r\"", "\"q, r\""},
  };
  for (const auto& [line, value] : kLines) {
    const RequestOutcome request = parse_field(line);
    ASSERT_EQ(request.error, std::nullopt) << line;
    EXPECT_EQ(request.head.fields[0].name, "X") << line;
    EXPECT_EQ(request.head.fields[0].value, value) << line;
  }
}

TEST(HeadParser, TakesEveryTokenAsAName) {
  for (const std::string_view name : {"a", "X-Y", "!#$%&'*+-.^_`|~", "Content_Length", "Transfer_Encoding", "hOsT2"}) {
    const RequestOutcome request = parse_field(std::string(name) + ": v");
    ASSERT_EQ(request.error, std::nullopt) << name;
    EXPECT_EQ(request.head.fields[0].name, name);
    EXPECT_EQ(request.head.fields.get(name), "v");
    EXPECT_FALSE(request.head.fields.contains(FieldName::content_length));
    EXPECT_FALSE(request.head.fields.contains(FieldName::transfer_encoding));
  }
}

TEST(HeadParser, KeepsOrderDuplicatesAndSpelling) {
  const RequestOutcome request =
      parse_request("GET / HTTP/1.1\r\nhOST: a\r\ncookie: 1\r\nB: x\r\nCookie: 2\r\nb: y\r\n\r\n");
  EXPECT_EQ(test::describe(request.head.fields), "\n<hOST> <a>\n<cookie> <1>\n<B> <x>\n<Cookie> <2>\n<b> <y>");
  EXPECT_TRUE(request.head.fields.is_repeated(FieldName::cookie));
  EXPECT_FALSE(request.head.fields.is_repeated(FieldName::host));
  EXPECT_EQ(request.head.fields.get("B"), "x");
}

TEST(HeadParser, FindsTheColonHoweverFarAwayItIs) {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (const std::string_view value : {"", "v", "a value that is longer than sixteen octets"}) {
      const std::string name(size, 'n');
      const RequestOutcome request = parse_field(name + ": " + std::string(value));
      ASSERT_EQ(request.error, std::nullopt) << size;
      EXPECT_EQ(request.head.fields.get(name), value);
    }
  }
}

}  // namespace
}  // namespace pipette::http
