// What a server must refuse, and how (RFC 9112 §2.2, §3, §5; RFC 9110 §5). One row a mistake; every row is delivered
// whole, octet by octet and cut at every place, and must be refused for the same reason each time.
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string_view octets;
  Errc error;
  int status;
};

template <std::size_t N>
void expect_refused(const Row (&rows)[N], std::string_view before, std::string_view after) {
  for (const Row& row : rows) {
    const std::string octets = std::string(before).append(row.octets).append(after);
    const test::RequestOutcome request = test::parse_request(octets);
    EXPECT_EQ(request.error, row.error) << octets;
    EXPECT_EQ(errc_row(row.error).status, row.status) << octets;
    EXPECT_FALSE(errc_row(row.error).connection_survives) << octets;
  }
}

TEST(Strictness, RefusesMalformedRequestLines) {
  constexpr Row kRows[] = {
      {"GET /\r\n", Errc::bad_target, 400},  // HTTP/0.9
      {"GET\r\n", Errc::bad_method, 400},    // the method alone
      {"GET \r\n", Errc::bad_target, 400},
      {"GET HTTP/1.1\r\n", Errc::bad_target, 400},  // no target
      {"GET  HTTP/1.1\r\n", Errc::bad_target, 400},
      {"GET  / HTTP/1.1\r\n", Errc::bad_target, 400},  // two spaces
      {"GET /  HTTP/1.1\r\n", Errc::bad_version, 400},
      {" GET / HTTP/1.1\r\n", Errc::bad_method, 400},
      {"\tGET / HTTP/1.1\r\n", Errc::bad_method, 400},
      {"   \r\n", Errc::bad_method, 400},              // white space alone
      {"GET\t/ HTTP/1.1\r\n", Errc::bad_method, 400},  // a tab is no space
      {"GET /\tHTTP/1.1\r\n", Errc::bad_target, 400},
      {"G@T / HTTP/1.1\r\n", Errc::bad_method, 400},  // no token
      {"G\xc3\x89T / HTTP/1.1\r\n", Errc::bad_method, 400},
      {"GE\0T / HTTP/1.1\r\n"sv, Errc::bad_method, 400},
      {"GET\0 / HTTP/1.1\r\n"sv, Errc::bad_method, 400},
      {"PUT\0 / HTTP/1.1\r\n"sv, Errc::bad_method, 400},
      {"PUT\0\0\0 / HTTP/1.1\r\n"sv, Errc::bad_method, 400},
      {"DELETE\0 / HTTP/1.1\r\n"sv, Errc::bad_method, 400},
      {"GET: / HTTP/1.1\r\n", Errc::bad_method, 400},
      {"\"GET\" / HTTP/1.1\r\n", Errc::bad_method, 400},
      {"\x16\x03\x01\x02\xff\r\n", Errc::bad_method, 400},  // a TLS hello, more or less
  };
  expect_refused(kRows, "", "Host: a\r\n\r\n");
}

TEST(Strictness, RefusesMalformedVersions) {
  constexpr Row kRows[] = {
      {"HTTP/1", Errc::bad_version, 400},
      {"HTTP/1.", Errc::bad_version, 400},
      {"HTTP/.1", Errc::bad_version, 400},
      {"HTTP/11", Errc::bad_version, 400},
      {"HTTP/01.01", Errc::bad_version, 400},
      {"HTTP/1.01", Errc::bad_version, 400},
      {"HTTP/1.10", Errc::bad_version, 400},
      {"HTTP/ 1.1", Errc::bad_version, 400},
      {"HTTP/1 .1", Errc::bad_version, 400},
      {"HTTP/1,1", Errc::bad_version, 400},
      {"HTTP/+1.1", Errc::bad_version, 400},
      {"HTTP/1.-1", Errc::bad_version, 400},
      {"HTTP/1.x", Errc::bad_version, 400},
      {"http/1.1", Errc::bad_version, 400},
      {"Http/1.1", Errc::bad_version, 400},
      {"HTTPS/1.1", Errc::bad_version, 400},
      {"HTTP1.1", Errc::bad_version, 400},
      {"HTTP", Errc::bad_version, 400},
      {"", Errc::bad_version, 400},
      {"X", Errc::bad_version, 400},
      {"HTTP/1.1 ", Errc::bad_version, 400},
      {"HTTP/1.1 x", Errc::bad_version, 400},
      {"HTTP/1.1\t", Errc::bad_version, 400},
      {"HTTP/1.1\0"sv, Errc::bad_version, 400},
      {"HTTP/0.9", Errc::unsupported_version, 505},
      {"HTTP/2.0", Errc::unsupported_version, 505},
      {"HTTP/3.1", Errc::unsupported_version, 505},
      {"HTTP/9.9", Errc::unsupported_version, 505},
  };
  expect_refused(kRows, "GET / ", "\r\nHost: a\r\n\r\n");
}

TEST(Strictness, RefusesThePrefaceOfHttp2) {
  constexpr Row kRows[] = {{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::unsupported_version, 505}};
  expect_refused(kRows, "", "");
}

TEST(Strictness, EndsALineWithCrLfOnly) {
  constexpr Row kRows[] = {
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\n", Errc::bad_line_end, 400},
      {"GET / HTTP/9.9\n", Errc::unsupported_version, 505},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\rHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost:\ra\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", Errc::bad_line_end, 400},
      {"GET / HTTP/1.1\r\nX: b\r\n\rHost: a\r\n\r\n", Errc::bad_line_end, 400},
  };
  expect_refused(kRows, "", "");
}

TEST(Strictness, RefusesAFieldNameThatIsNoTokenBeforeAColon) {
  constexpr Row kRows[] = {
      {"Name : v", Errc::bad_field_name, 400},  // RFC 9112 §5.1
      {"Name\t: v", Errc::bad_field_name, 400},
      {"Content-Length : 5", Errc::bad_field_name, 400},
      {"Transfer-Encoding : chunked", Errc::bad_field_name, 400},
      {"Transfer-Encoding\x0b: chunked", Errc::bad_field_name, 400},
      {": v", Errc::bad_field_name, 400},  // no name
      {":", Errc::bad_field_name, 400},
      {"Name", Errc::bad_field_name, 400},  // no colon
      {"Name v", Errc::bad_field_name, 400},
      {"Bad[Name: v", Errc::bad_field_name, 400},
      {"Bad(Name): v", Errc::bad_field_name, 400},
      {"Bad,Name: v", Errc::bad_field_name, 400},
      {"Bad/Name: v", Errc::bad_field_name, 400},
      {"Bad@Name: v", Errc::bad_field_name, 400},
      {"\"Name\": v", Errc::bad_field_name, 400},
      {"Na me: v", Errc::bad_field_name, 400},
      {"Na\tme: v", Errc::bad_field_name, 400},
      {"Na\0me: v"sv, Errc::bad_field_name, 400},
      {"Na\rme: v", Errc::bad_field_name, 400},
      {"Na\x7fme: v", Errc::bad_field_name, 400},
      {"Caf\xc3\xa9: v", Errc::bad_field_name, 400},
      {"\0: v"sv, Errc::bad_field_name, 400},
  };
  expect_refused(kRows, "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n\r\n");
}

TEST(Strictness, RefusesFoldedLines) {
  constexpr Row kRows[] = {
      {"X: a\r\n b", Errc::obsolete_line_folding, 400},
      {"X: a\r\n\tb", Errc::obsolete_line_folding, 400},
      {"X: a\r\n ", Errc::obsolete_line_folding, 400},
      {"X:\r\n a", Errc::obsolete_line_folding, 400},
      {"X: a\r\n b: c", Errc::obsolete_line_folding, 400},
      {"Transfer-Encoding:\r\n chunked", Errc::obsolete_line_folding, 400},
  };
  expect_refused(kRows, "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n\r\n");
}

TEST(Strictness, RefusesWhiteSpaceBeforeTheFirstField) {
  constexpr Row kRows[] = {
      {" \r\nHost: a", Errc::bad_field_name, 400},
      {" Host: a", Errc::bad_field_name, 400},
      {"\tHost: a", Errc::bad_field_name, 400},
  };
  expect_refused(kRows, "GET / HTTP/1.1\r\n", "\r\n\r\n");
}

TEST(Strictness, RefusesEveryControlOctetInAValue) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const bool is_allowed = c == '\t' || (octet >= 0x20 && octet != 0x7f);
    if (c == '\r' || c == '\n') continue;  // line ends: EndsALineWithCrLfOnly
    const std::string octets = std::string("GET / HTTP/1.1\r\nHost: a\r\nX: v") + c + "w\r\n\r\n";
    const test::RequestOutcome request = test::parse_request(octets);
    EXPECT_EQ(request.error, is_allowed ? std::nullopt : std::optional(Errc::bad_field_value)) << octet;
  }
}

TEST(Strictness, RefusesControlsAtEveryPlaceOfAValue) {
  for (std::size_t place = 0; place <= 40; ++place) {
    std::string value(40, 'v');
    value.insert(place, 1, '\x01');
    const test::RequestOutcome request =
        test::deliver_request({"GET / HTTP/1.1\r\nHost: a\r\nX:" + value + "\r\n\r\n"});
    EXPECT_EQ(request.error, Errc::bad_field_value) << place;
  }
}

TEST(Strictness, RefusesWhatIsHiddenInAValue) {
  constexpr Row kRows[] = {
      {"X: a\0b"sv, Errc::bad_field_value, 400},
      {"X: \0"sv, Errc::bad_field_value, 400},
      {"X:\0"sv, Errc::bad_field_value, 400},
      {"Transfer-Encoding: \x0b"
       "chunked",
       Errc::bad_field_value, 400},
      {"Transfer-Encoding: \x0c"
       "chunked",
       Errc::bad_field_value, 400},
      {"Transfer-Encoding: chunked\0"sv, Errc::bad_field_value, 400},
      {"X: \x1b[31m", Errc::bad_field_value, 400},
      {"X: \x7f", Errc::bad_field_value, 400},
  };
  expect_refused(kRows, "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n\r\n");
}

}  // namespace
}  // namespace pipette::http
