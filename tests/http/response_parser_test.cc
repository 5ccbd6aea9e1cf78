// What a client must accept and refuse in the head of a response (RFC 9112 §4-§5).
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;
using test::parse_response;
using test::ResponseOutcome;

TEST(ResponseParser, ReadsAResponse) {
  const std::string octets = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX: y\r\n\r\n";
  const ResponseOutcome response = parse_response(octets + "HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_EQ(response.error, std::nullopt);
  EXPECT_EQ(response.size, octets.size());
  EXPECT_EQ(response.head.status, 404);
  EXPECT_EQ(response.head.reason, "Not Found");
  EXPECT_FALSE(response.head.is_http_1_0);
  EXPECT_EQ(response.head.fields.get(FieldName::content_length), "0");
  EXPECT_EQ(response.head.fields.size(), 2U);
}

TEST(ResponseParser, ReadsStatusLinesWithAndWithoutAReason) {
  struct Row {
    std::string_view line;
    int status;
    std::string_view reason;
    bool is_http_1_0;
  };
  constexpr Row kRows[] = {
      {"HTTP/1.1 200 OK", 200, "OK", false},
      {"HTTP/1.1 200 ", 200, "", false},
      {"HTTP/1.1 200", 200, "", false},
      {"HTTP/1.0 200 OK", 200, "OK", true},
      {"HTTP/1.5 200 OK", 200, "OK", false},
      {"HTTP/1.1 100 Continue", 100, "Continue", false},
      {"HTTP/1.1 999 ?", 999, "?", false},
      {"HTTP/1.1 299 a  b\tc ", 299, "a  b\tc ", false},
      {"HTTP/1.1 200 caf\xc3\xa9", 200, "caf\xc3\xa9", false},
      {"HTTP/1.1 200  OK", 200, " OK", false},
  };
  for (const Row& row : kRows) {
    const ResponseOutcome response = parse_response(std::string(row.line) + "\r\n\r\n");
    ASSERT_EQ(response.error, std::nullopt) << row.line;
    EXPECT_EQ(response.head.status, row.status) << row.line;
    EXPECT_EQ(response.head.reason, row.reason) << row.line;
    EXPECT_EQ(response.head.is_http_1_0, row.is_http_1_0) << row.line;
  }
}

TEST(ResponseParser, RefusesMalformedStatusLines) {
  constexpr std::pair<std::string_view, Errc> kRows[] = {
      {"", Errc::bad_status},
      {"HTTP/1.1", Errc::bad_status},
      {"HTTP/1.1 ", Errc::bad_status},
      {"HTTP/1.1 20", Errc::bad_status},
      {"HTTP/1.1 20 OK", Errc::bad_status},
      {"HTTP/1.1 2000 OK", Errc::bad_status},
      {"HTTP/1.1 099 OK", Errc::bad_status},
      {"HTTP/1.1 000 OK", Errc::bad_status},
      {"HTTP/1.1 +20 OK", Errc::bad_status},
      {"HTTP/1.1 -20 OK", Errc::bad_status},
      {"HTTP/1.1 0x2 OK", Errc::bad_status},
      {"HTTP/1.1 2OO OK", Errc::bad_status},
      {"HTTP/1.1  200 OK", Errc::bad_status},
      {"HTTP/1.1\t200 OK", Errc::bad_status},
      {"HTTP/1.1 200\tOK", Errc::bad_status},
      {"HTTP/1.1 200OK", Errc::bad_status},
      {"HTTP/1.1 200.1 OK", Errc::bad_status},
      {"HTTP/1.1 OK 200", Errc::bad_status},
      {"HTTP/1.1 200 O\0K"sv, Errc::bad_status},
      {"HTTP/1.1 200 O\x1bK", Errc::bad_status},
      {"HTTP/1.1 200 O\x7fK", Errc::bad_status},
      {"http/1.1 200 OK", Errc::bad_version},
      {"HTTP/1.x 200 OK", Errc::bad_version},
      {" HTTP/1.1 200 OK", Errc::bad_version},
      {"ICY 200 OK, here is music", Errc::bad_version},
      {"HTTP/11 200 OK", Errc::bad_version},
      {"HTTP/2.0 200 OK", Errc::unsupported_version},
      {"HTTP/0.9 200 OK", Errc::unsupported_version},
  };
  for (const auto& [line, error] : kRows) {
    EXPECT_EQ(parse_response(std::string(line) + "\r\nX: y\r\n\r\n").error, error) << line;
  }
}

TEST(ResponseParser, EndsALineWithCrLfOnly) {
  for (const std::string_view octets : {
           "HTTP/1.1 200 OK\nX: y\r\n\r\n"sv,
           "HTTP/1.1 200 OK\rX: y\r\n\r\n"sv,
           "HTTP/1.1 200 O\rK\r\n\r\n"sv,
           "HTTP/1.1 200 OK\r\r\n\r\n"sv,
           "HTTP/1.1 200 \n\r\n"sv,
           "HTTP/1.1 200\rOK\r\n\r\n"sv,
           "HTTP/1.1 200 OK\r\nX: y\n\r\n"sv,
           "HTTP/1.1 200 OK\r\nX: y\r\n\n"sv,
           "HTTP/1.1 200 OK\r\n\rX: y\r\n\r\n"sv,
       }) {
    EXPECT_EQ(parse_response(octets).error, Errc::bad_line_end) << octets;
  }
}

TEST(ResponseParser, RefusesWhatIsWrongWithFieldsAsForRequests) {
  constexpr std::pair<std::string_view, Errc> kRows[] = {
      {"X : y", Errc::bad_field_name},      {": y", Errc::bad_field_name},   {"X", Errc::bad_field_name},
      {"X: a\x01z", Errc::bad_field_value}, {" X: a", Errc::bad_field_name},
  };
  for (const auto& [line, error] : kRows) {
    EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n" + std::string(line) + "\r\n\r\n").error, error) << line;
  }
}

// RFC 9112 §5.2.
TEST(ResponseParser, MakesOneSpaceOfEachFold) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"X: a\r\n b", "a b"},         {"X: a\r\n\tb", "a b"}, {"X: a \t\r\n \t b", "a b"}, {"X: a  b\r\n c", "a  b c"},
      {"X: a\r\n b\r\n c", "a b c"}, {"X:\r\n b", "b"},      {"X: \r\n b\r\n  ", "b"},    {"X: a\r\n ", "a"},
      {"X: a\r\n \r\n b", "a b"},    {"X:\r\n \r\n\t", ""},  {"X: a\r\n Y: b", "a Y: b"},
  };
  for (const auto& [line, value] : kRows) {
    const ResponseOutcome response =
        parse_response("HTTP/1.1 200 OK\r\nServer: s\r\n" + std::string(line) + "\r\nZ: z\r\n\r\n");
    ASSERT_EQ(response.error, std::nullopt) << line;
    ASSERT_EQ(response.head.fields.size(), 3U) << line;
    EXPECT_EQ(response.head.fields.get("X"), value) << line;
    EXPECT_EQ(response.head.fields.get("Z"), "z") << line;
  }
}

TEST(ResponseParser, RefusesFoldsWithWhatNoValueMayHold) {
  constexpr std::pair<std::string_view, Errc> kRows[] = {
      {"X: a\r\n b\x01", Errc::bad_field_value},
      {"X: a\r\n b\n", Errc::bad_line_end},
      {"X: a\r\n \rb", Errc::bad_line_end},
      {"X: a\n b", Errc::bad_line_end},
  };
  for (const auto& [line, error] : kRows) {
    EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n" + std::string(line) + "\r\n\r\n").error, error) << line;
  }
}

TEST(ResponseParser, CountsAFieldWithItsFolds) {
  const std::string head = "HTTP/1.1 200 OK\r\nX: a\r\n bcd\r\n\r\n";
  EXPECT_EQ(parse_response(head, {.max_field_bytes = 12}).error, std::nullopt);
  EXPECT_EQ(parse_response(head, {.max_field_bytes = 11}).error, Errc::field_too_large);
  EXPECT_EQ(parse_response(head, {.max_head_bytes = head.size()}).error, std::nullopt);
  EXPECT_EQ(parse_response(head, {.max_head_bytes = head.size() - 1}).error, Errc::head_too_large);
}

TEST(ResponseParser, TakesNoEmptyLineBeforeTheStatusLine) {
  EXPECT_NE(parse_response("\r\nHTTP/1.1 200 OK\r\n\r\n").error, std::nullopt);
}

TEST(ResponseParser, NeedsMoreForEveryPrefix) {
  const std::string head = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) {
    const ResponseOutcome response = test::deliver_response({std::string_view(head).substr(0, size)});
    EXPECT_EQ(response.error, std::nullopt) << size;
    EXPECT_EQ(response.size, 0U) << size;
  }
}

TEST(ResponseParser, ReadsManyHeadsOneAfterAnother) {
  ResponseParser parser;
  ResponseHead head;
  test::ExactBlock first("HTTP/1.0 200 OK\r\nServer: s\r\n\r\n");
  EXPECT_GT(parser.parse(first.writable(), head).value_or(0), 0U);
  parser.reset();
  test::ExactBlock second("HTTP/1.1 204 \r\n\r\n");
  EXPECT_GT(parser.parse(second.writable(), head).value_or(0), 0U);
  EXPECT_EQ(head.status, 204);
  EXPECT_EQ(head.reason, "");
  EXPECT_FALSE(head.is_http_1_0);
  EXPECT_TRUE(head.fields.empty());
  EXPECT_FALSE(head.fields.contains(FieldName::server));
}

}  // namespace
}  // namespace pipette::http
