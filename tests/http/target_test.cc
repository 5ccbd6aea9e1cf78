// Request targets and the Host field (RFC 9112 §3.2, RFC 9110 §7.1-§7.2, RFC 3986 §3.2.2).
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;
using test::parse_request;
using test::RequestOutcome;

RequestOutcome parse_target(std::string_view method, std::string_view target) {
  return parse_request(std::string(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: from.host\r\n\r\n"));
}

RequestOutcome parse_host(std::string_view value) {
  return parse_request("GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n");
}

struct Good {
  std::string_view method, target;
  TargetForm form;
  std::string_view authority, path, query;
};

TEST(Target, HasFourForms) {
  constexpr Good kRows[] = {
      {"GET", "/", TargetForm::origin, "from.host", "/", ""},
      {"GET", "/a/b", TargetForm::origin, "from.host", "/a/b", ""},
      {"GET", "/a?b=c&d", TargetForm::origin, "from.host", "/a", "b=c&d"},
      {"GET", "/a?", TargetForm::origin, "from.host", "/a", ""},
      {"GET", "/a?b?c/d", TargetForm::origin, "from.host", "/a", "b?c/d"},
      {"GET", "//evil.example/a", TargetForm::origin, "from.host", "//evil.example/a", ""},
      {"GET", "/a/../b/./c", TargetForm::origin, "from.host", "/a/../b/./c", ""},
      {"GET", "/%41%2f%0d%0A", TargetForm::origin, "from.host", "/%41%2f%0d%0A", ""},
      {"GET", "/-._~!$&'()*+,;=:@", TargetForm::origin, "from.host", "/-._~!$&'()*+,;=:@", ""},
      {"GET", "/http://x/", TargetForm::origin, "from.host", "/http://x/", ""},
      {"GET", "http://app:8080/a?b", TargetForm::absolute, "app:8080", "/a", "b"},
      {"GET", "HTTP://App/a", TargetForm::absolute, "App", "/a", ""},
      {"GET", "https://app/", TargetForm::absolute, "app", "/", ""},
      {"GET", "http://app", TargetForm::absolute, "app", "/", ""},
      {"GET", "http://app?b", TargetForm::absolute, "app", "/", "b"},
      {"GET", "http://[::1]:80/a", TargetForm::absolute, "[::1]:80", "/a", ""},
      {"OPTIONS", "*", TargetForm::asterisk, "from.host", "*", ""},
      {"OPTIONS", "/a", TargetForm::origin, "from.host", "/a", ""},
      {"CONNECT", "app:443", TargetForm::authority, "app:443", "", ""},
      {"CONNECT", "[::1]:443", TargetForm::authority, "[::1]:443", "", ""},
      {"CONNECT", "10.0.0.1:1", TargetForm::authority, "10.0.0.1:1", "", ""},
  };
  for (const Good& row : kRows) {
    const RequestOutcome request = parse_target(row.method, row.target);
    ASSERT_EQ(request.error, std::nullopt) << row.target;
    EXPECT_EQ(request.head.form, row.form) << row.target;
    EXPECT_EQ(request.head.target, row.target);
    EXPECT_EQ(request.head.authority, row.authority) << row.target;
    EXPECT_EQ(request.head.path, row.path) << row.target;
    EXPECT_EQ(request.head.query, row.query) << row.target;
  }
}

TEST(Target, ThatFitsNoFormIsRefused) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"GET", "*"},  // the asterisk is for OPTIONS
      {"GET", "a"},
      {"GET", "a/b"},
      {"GET", "?a"},
      {"GET", "app:80"},  // authority-form is for CONNECT
      {"POST", "**"},
      {"OPTIONS", "**"},
      {"OPTIONS", "*/"},
      {"GET", "ftp://app/"},
      {"GET", "http:/app/"},
      {"GET", "http://"},  // an http URI has a host
      {"GET", "http:///a"},
      {"GET", "http://:80/a"},
      {"GET", "http://user@app/"},  // RFC 9110 §4.2.4
      {"GET", "http://user:secret@app/"},
      {"GET", "http://app:x/"},
      {"GET", "http://app:65536/"},
      {"GET", "http://app:80:80/"},
      {"GET", "http://[::1/"},
      {"GET", "http://a]b/"},
      {"GET", "http://[::1]/[a"},  // RFC 3986 §3.2.2: brackets have no other place
      {"GET", "http://[::1]/?a]"},
      {"CONNECT", "app"},  // RFC 9110 §9.3.6: a port is needed
      {"CONNECT", "app:"},
      {"CONNECT", "app:x"},
      {"CONNECT", "app:65536"},
      {"CONNECT", "app:0"},
      {"CONNECT", "app:000"},
      {"CONNECT", ":443"},
      {"CONNECT", "[::1]"},
      {"CONNECT", "[::1]:"},
      {"CONNECT", "/"},
      {"CONNECT", "*"},
      {"CONNECT", "http://app:443/"},
      {"CONNECT", "user@app:443"},
      {"CONNECT", "app:443/a"},
      {"CONNECT", "app:443?a"},
  };
  for (const auto& [method, target] : kRows) {
    EXPECT_EQ(parse_target(method, target).error, Errc::bad_target) << method << " " << target;
  }
}

TEST(Target, TakesOnlyTheOctetsOfAUri) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    if (c == '%' || c == ' ' || c == '\n') continue;
    const std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?";
    const RequestOutcome request = parse_target("GET", std::string("/a") + c + "b");
    EXPECT_EQ(request.error, allowed.contains(c) ? std::nullopt : std::optional(Errc::bad_target)) << octet;
  }
}

TEST(Target, RefusesWhatIsNoUri) {
  for (const std::string_view target :
       {"/a b"sv, "/a\tb"sv,  "/a#b"sv,  "/a\\b"sv,  "/a\0b"sv, "/\xc3\xa9"sv, "/\xc0\xaf"sv, "/%"sv,
        "/%00"sv, "/a?%00"sv, "/%4"sv,   "/%4g"sv,   "/%g4"sv,  "/%%41"sv,     "/a?%"sv,      "/a?%zz"sv,
        "/a\r"sv, "/\x7f"sv,  "/a\nb"sv, "/\"a\""sv, "/<a>"sv,  "/{a}"sv}) {
    const RequestOutcome request = parse_target("GET", target);
    const bool is_cut_by_space = target == "/a b";  // what follows the space is no version then
    EXPECT_EQ(request.error, is_cut_by_space ? Errc::bad_version : Errc::bad_target) << target;
  }
}

TEST(Host, IsNeededOnceInHttp11) {
  EXPECT_EQ(parse_request("GET / HTTP/1.1\r\n\r\n").error, Errc::missing_host);
  EXPECT_EQ(parse_request("GET / HTTP/1.1\r\nX: a\r\n\r\n").error, Errc::missing_host);
  EXPECT_EQ(parse_request("GET http://app/ HTTP/1.1\r\n\r\n").error, Errc::missing_host);
  EXPECT_EQ(parse_request("CONNECT app:443 HTTP/1.1\r\n\r\n").error, Errc::missing_host);
  EXPECT_EQ(parse_request("OPTIONS * HTTP/1.2\r\n\r\n").error, Errc::missing_host);
}

TEST(Host, IsNeverTakenTwice) {
  EXPECT_EQ(parse_request("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").error, Errc::repeated_host);
  EXPECT_EQ(parse_request("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").error, Errc::repeated_host);
  EXPECT_EQ(parse_request("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: a\r\n\r\n").error, Errc::repeated_host);
  EXPECT_EQ(parse_request("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").error, Errc::repeated_host);
  EXPECT_EQ(parse_request("GET http://c/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").error, Errc::repeated_host);
}

TEST(Host, GivesWayToTheAuthorityOfTheTarget) {
  const RequestOutcome request = parse_request("GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n");
  EXPECT_EQ(request.error, std::nullopt);
  EXPECT_EQ(request.head.authority, "a.example");
  EXPECT_EQ(parse_request("GET http://a.example/ HTTP/1.1\r\nHost: b/c\r\n\r\n").error, Errc::bad_host);
}

TEST(Host, IsANameOrAnAddressWithAnOptionalPort) {
  for (const std::string_view host : {"a",
                                      "a.b.example",
                                      "a.example:80",
                                      "a:",
                                      "A-1_b~c",
                                      "127.0.0.1",
                                      "127.0.0.1:8080",
                                      "a:0",
                                      "a:65535",
                                      "%41",
                                      "xn--caf-dma.example",
                                      "a!$&'()*+;=",
                                      "[::]",
                                      "[::1]",
                                      "[::1]:80",
                                      "[::1]:",
                                      "[1:2:3:4:5:6:7:8]",
                                      "[2001:db8::ff00:42:8329]",
                                      "[::ffff:1.2.3.4]",
                                      "[1:2:3:4:5:6:1.2.3.4]",
                                      "[1::]",
                                      "[1::8]",
                                      "[1:2:3:4:5:6:7::]",
                                      "[::2:3:4:5:6:7:8]",
                                      "[ABCD::ef01]",
                                      "[::255.255.255.255]",
                                      "[0000::]"}) {
    const RequestOutcome request = parse_host(host);
    EXPECT_EQ(request.error, std::nullopt) << host;
    EXPECT_EQ(request.head.authority, host);
    EXPECT_TRUE(is_host(host)) << host;
  }
}

TEST(Host, IsRefusedInEveryOtherForm) {
  for (const std::string_view host : {"",
                                      ":",
                                      ":80",
                                      "user@a",
                                      "user:secret@a",
                                      "a/b",
                                      "a/",
                                      "/",
                                      "http://a",
                                      "a?b",
                                      "a#b",
                                      "a b",
                                      "a, b",
                                      "a\tb",
                                      "a\\b",
                                      "a:b",
                                      "a:80:80",
                                      "a:80a",
                                      "a:-1",
                                      "a:+80",
                                      "a: 80",
                                      "a:65536",
                                      "a:99999999999999999999",
                                      "a%",
                                      "a%4",
                                      "a%zz",
                                      "\"a\"",
                                      "<a>",
                                      "a^b",
                                      "a|b",
                                      "a{b}",
                                      "a`b",
                                      "caf\xc3\xa9",
                                      "[",
                                      "]",
                                      "[]",
                                      "[]:80",
                                      "[::1",
                                      "::1",
                                      "[::1]80",
                                      "[::1]a",
                                      "[::1]:80a",
                                      "[::1]:65536",
                                      "a[::1]",
                                      "[[::1]]",
                                      "[fe80::1%25eth0]",
                                      "[fe80::1%eth0]",
                                      "[1]",
                                      "[1:2]",
                                      "[1:2:3:4:5:6:7]",
                                      "[1:2:3:4:5:6:7:8:9]",
                                      "[12345::]",
                                      "[1::2::3]",
                                      "[:::]",
                                      "[:1::]",
                                      "[1::2:]",
                                      "[:]",
                                      "[.:]",
                                      "[g::]",
                                      "[1:2:3:4:5:6:7:1.2.3.4]",
                                      "[::1.2.3]",
                                      "[::1.2.3.4.5]",
                                      "[::256.2.3.4]",
                                      "[::1.2.3.4:1]",
                                      "[::01.2.3.4]",
                                      "[1.2.3.4]",
                                      "[v1.a:b]",
                                      "[1:2:3:4:5:6:7:8::]"}) {
    EXPECT_EQ(parse_host(host).error, Errc::bad_host) << host;
    EXPECT_FALSE(is_host(host)) << host;
  }
}

}  // namespace
}  // namespace pipette::http
