#include "pipette/http/url.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

TEST(Url, IsTakenApart) {
  struct Row {
    std::string_view text;
    bool is_https;
    std::string_view authority, host;
    std::uint16_t port;
    std::string_view target;
  };
  constexpr Row kRows[] = {
      {"http://app/", false, "app", "app", 80, "/"},
      {"https://app/", true, "app", "app", 443, "/"},
      {"http://app:8080/a/b?q=1", false, "app:8080", "app", 8080, "/a/b?q=1"},
      {"HTTP://App", false, "App", "App", 80, ""},
      {"hTTpS://app", true, "app", "app", 443, ""},
      {"http://app?q", false, "app", "app", 80, "?q"},
      {"http://app/a#fragment", false, "app", "app", 80, "/a"},
      {"http://app#fragment", false, "app", "app", 80, ""},
      {"http://app/a#?b/c#d", false, "app", "app", 80, "/a"},
      {"http://app?a#b", false, "app", "app", 80, "?a"},
      {"http://app:/", false, "app:", "app", 80, "/"},
      {"https://app:/", true, "app:", "app", 443, "/"},
      {"http://app:0/", false, "app:0", "app", 0, "/"},
      {"http://app:65535/", false, "app:65535", "app", 65535, "/"},
      {"http://127.0.0.1:81/", false, "127.0.0.1:81", "127.0.0.1", 81, "/"},
      {"http://[::1]/", false, "[::1]", "[::1]", 80, "/"},
      {"http://[::1]:81/a", false, "[::1]:81", "[::1]", 81, "/a"},
      {"http://app/http://x:1/", false, "app", "app", 80, "/http://x:1/"},
      {"http://app/a:b@c", false, "app", "app", 80, "/a:b@c"},
      {"http://app//a", false, "app", "app", 80, "//a"},
  };
  for (const Row& row : kRows) {
    const test::ExactBlock block(row.text);
    const Result<Url> url = parse_url(block.octets());
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->is_https, row.is_https) << row.text;
    EXPECT_EQ(url->authority, row.authority) << row.text;
    EXPECT_EQ(url->host, row.host) << row.text;
    EXPECT_EQ(url->port, row.port) << row.text;
    EXPECT_EQ(url->target, row.target) << row.text;
    EXPECT_EQ(url->target_prefix(), row.target.starts_with('/') ? "" : "/") << row.text;
  }
}

TEST(Url, IsRefusedWhenMalformed) {
  for (const std::string_view text : {""sv,
                                      "app"sv,
                                      "/a"sv,
                                      "app:80"sv,
                                      "http:"sv,
                                      "http:/"sv,
                                      "http:/app"sv,
                                      "http://"sv,
                                      "https://"sv,
                                      "http:///a"sv,
                                      "http://?a"sv,
                                      "http://#a"sv,
                                      "http://:80/"sv,
                                      "http://user@app/"sv,
                                      "http://user:secret@app/"sv,
                                      "http://@app/"sv,
                                      "http://app:x/"sv,
                                      "http://app:-1/"sv,
                                      "http://app:+80/"sv,
                                      "http://app: 80/"sv,
                                      "http://app:65536/"sv,
                                      "http://app:80:81/"sv,
                                      "http://[::1/"sv,
                                      "http://[::1]x/"sv,
                                      "http://[]/"sv,
                                      "http://[fe80::1%25eth0]/"sv,
                                      "http://a b/"sv,
                                      "http://a\\b/"sv,
                                      "http://a%/"sv,
                                      "http://caf\xc3\xa9/"sv,
                                      "http://app/a b"sv,
                                      "http://app/\t"sv,
                                      "http://app/a\r\nX: y"sv,
                                      "http://app\r\nX: y/"sv,
                                      "http://app/\0"sv,
                                      "http://app/caf\xc3\xa9"sv,
                                      "http://app/%"sv,
                                      "http://app/%4"sv,
                                      "http://app/%4g"sv,
                                      "http://app/a\\b"sv,
                                      "http://app/\"a\""sv}) {
    const test::ExactBlock block(text);
    const Result<Url> url = parse_url(block.octets());
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error(), Errc::bad_url) << text;
  }
}

TEST(Url, IsRefusedWithASchemeThatIsNotHttp) {
  for (const std::string_view text : {"ftp://app/", "ws://app/", "file:///etc/passwd", "httpx://app/"}) {
    EXPECT_EQ(parse_url(text).error(), Errc::unsupported_scheme) << text;
  }
}

TEST(Url, HasATargetThatARequestLineMayCarry) {
  EXPECT_TRUE(is_target("/a?b=%20&c=[]"));
  EXPECT_TRUE(is_target(""));
  for (const std::string_view target : {"/a b", "/a\r\n", "/%", "/%4", "/%zz", "/#", "/\\", "/\x7f", "/\xff"}) {
    EXPECT_FALSE(is_target(target)) << target;
  }
}

}  // namespace
}  // namespace pipette::http
