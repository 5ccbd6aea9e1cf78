#include "pipette/http/uri.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "pipette/http/percent.h"

#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

const Result<void> kBadUri = fail(Errc::bad_uri);

// A URI with its parts named, so that rows can be compared: absent parts are not mentioned.
std::string describe(const UriView& uri) {
  std::string text;
  const auto add = [&](std::string_view name, std::optional<std::string_view> part) {
    if (part) text.append(text.empty() ? "" : " ").append(name).append("<").append(*part).append(">");
  };
  if (!uri.scheme.empty()) add("scheme", uri.scheme);
  if (uri.authority) add("authority", uri.authority);
  add("userinfo", uri.userinfo);
  if (uri.authority) add("host", uri.host);
  add("port", uri.port);
  add("path", uri.path);
  add("query", uri.query);
  add("fragment", uri.fragment);
  return text;
}

using Rows = std::initializer_list<std::pair<std::string_view, std::string_view>>;

Uri parsed(std::string_view text) {
  Uri uri;
  EXPECT_TRUE(uri.parse(test::ExactBlock(text).octets())) << text;
  return uri;
}

std::string resolved(std::string_view base, std::string_view reference) {
  Uri uri = parsed(base);
  EXPECT_TRUE(uri.resolve(test::ExactBlock(reference).octets())) << reference;
  return std::string(uri.full_uri());
}

std::string normalized(std::string_view text) {
  Uri uri = parsed(text);
  uri.normalize();
  return std::string(uri.full_uri());
}

// ---- parsing

TEST(UriReference, IsTakenApart) {
  for (const auto& [text, parts] : Rows{
           // RFC 3986 §3, §1.1.2.
           {"foo://example.com:8042/over/there?name=ferret#nose",
            "scheme<foo> authority<example.com:8042> host<example.com> port<8042> path</over/there> query<name=ferret> "
            "fragment<nose>"},
           {"urn:example:animal:ferret:nose", "scheme<urn> path<example:animal:ferret:nose>"},
           {"ftp://ftp.is.co.za/rfc/rfc1808.txt",
            "scheme<ftp> authority<ftp.is.co.za> host<ftp.is.co.za> path</rfc/rfc1808.txt>"},
           {"ldap://[2001:db8::7]/c=GB?objectClass?one",
            "scheme<ldap> authority<[2001:db8::7]> host<[2001:db8::7]> path</c=GB> query<objectClass?one>"},
           {"mailto:John.Doe@example.com", "scheme<mailto> path<John.Doe@example.com>"},
           {"tel:+1-816-555-1212", "scheme<tel> path<+1-816-555-1212>"},
           {"telnet://192.0.2.16:80/", "scheme<telnet> authority<192.0.2.16:80> host<192.0.2.16> port<80> path</>"},

           {"", "path<>"},
           {"#", "path<> fragment<>"},
           {"?", "path<> query<>"},
           {"?#", "path<> query<> fragment<>"},
           {"a", "path<a>"},
           {"a/b:c", "path<a/b:c>"},
           {"./a:b", "path<./a:b>"},
           {"/a:b", "path</a:b>"},
           {"a?b:c", "path<a> query<b:c>"},
           {"//", "authority<> host<> path<>"},
           {"//a", "authority<a> host<a> path<>"},
           {"///a", "authority<> host<> path</a>"},
           {"//a//b", "authority<a> host<a> path<//b>"},
           {"a:", "scheme<a> path<>"},
           {"a:b:c", "scheme<a> path<b:c>"},
           {"A1+-.:b", "scheme<A1+-.> path<b>"},
           {"a:/b", "scheme<a> path</b>"},
           {"file:///etc/hosts", "scheme<file> authority<> host<> path</etc/hosts>"},
           {"http://a", "scheme<http> authority<a> host<a> path<>"},
           {"http://a?b", "scheme<http> authority<a> host<a> path<> query<b>"},
           {"http://a#b", "scheme<http> authority<a> host<a> path<> fragment<b>"},
           {"http://a/#?b/c?", "scheme<http> authority<a> host<a> path</> fragment<?b/c?>"},
           {"http://a/?b?c/d", "scheme<http> authority<a> host<a> path</> query<b?c/d>"},
           {"http://a:/", "scheme<http> authority<a:> host<a> port<> path</>"},
           {"http://a:0/", "scheme<http> authority<a:0> host<a> port<0> path</>"},
           {"http://a:65535/", "scheme<http> authority<a:65535> host<a> port<65535> path</>"},
           {"http://[::1]:8/", "scheme<http> authority<[::1]:8> host<[::1]> port<8> path</>"},
           {"http://u@a/", "scheme<http> authority<u@a> userinfo<u> host<a> path</>"},
           {"http://u:p:%40@a:1/", "scheme<http> authority<u:p:%40@a:1> userinfo<u:p:%40> host<a> port<1> path</>"},
           {"http://@a/", "scheme<http> authority<@a> userinfo<> host<a> path</>"},
           {"x://:1", "scheme<x> authority<:1> host<> port<1> path<>"},
           {"http://a/@b", "scheme<http> authority<a> host<a> path</@b>"},
           {"http://%41%ff/", "scheme<http> authority<%41%ff> host<%41%ff> path</>"},
           {"http://a/%00%fF", "scheme<http> authority<a> host<a> path</%00%fF>"},
       }) {
    const test::ExactBlock block(text);
    const Result<UriView> uri = parse_uri_reference(block.octets());
    ASSERT_TRUE(uri) << text;
    EXPECT_EQ(describe(*uri), parts) << text;
    const Result<UriView> absolute = parse_uri(block.octets());
    EXPECT_EQ(absolute.has_value(), !uri->is_relative()) << text;
    EXPECT_EQ(absolute ? describe(*absolute) : parts, parts) << text;
  }
}

TEST(UriReference, IsRefusedWhenMalformed) {
  for (const std::string_view text : {":"sv,
                                      ":a"sv,
                                      "1a:b"sv,
                                      "a_b:c"sv,
                                      "a%41:b"sv,
                                      "//a:x"sv,
                                      "//a:65536"sv,
                                      "//a:1:2"sv,
                                      "//:x"sv,
                                      "//:65536"sv,
                                      "//u@v@a"sv,
                                      "//u[@a"sv,
                                      "//[::1"sv,
                                      "//[::1]a"sv,
                                      "//::1"sv,
                                      "//[v1.a]"sv,
                                      "//[fe80::1%25eth0]"sv,
                                      "//a,b"sv,
                                      "//a b"sv,
                                      "//a\\b"sv,
                                      "//%"sv,
                                      "//%4"sv,
                                      "//a%4g"sv,
                                      "//%zz@a"sv,
                                      "%"sv,
                                      "/%4"sv,
                                      "?%g1"sv,
                                      "#%"sv,
                                      "/a#b#c"sv,
                                      "/[a]"sv,
                                      "?[a]"sv,
                                      "#[a]"sv,
                                      " /a"sv,
                                      "/a "sv,
                                      "/a\0"sv,
                                      "/caf\xc3\xa9"sv}) {
    const test::ExactBlock block(text);
    EXPECT_EQ(parse_uri_reference(block.octets()).error(), Errc::bad_uri) << text;
    EXPECT_EQ(parse_uri(block.octets()).error(), Errc::bad_uri) << text;
  }
}

TEST(UriReference, TakesOnlyTheOctetsOfEachPart) {
  const std::string unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  const std::string pchar = unreserved + "!$&'()*+,;=:@";
  const std::string userinfo = unreserved + "!$&'()*+,;=:";
  struct Row {
    std::string before, after, allowed;
  };
  const Row kRows[] = {
      {"x://a/b", "c", pchar + "/?#"},
      {"x:/?b", "c", pchar + "/?#"},
      {"x:/#b", "c", pchar + "/?"},
      {"x://u", "v@a/", userinfo + "@/?#"},
  };
  for (const Row& row : kRows) {
    for (int octet = 0; octet < 256; ++octet) {
      const char c = static_cast<char>(octet);
      if (row.after == "v@a/" && "@/?#"s.contains(c)) continue;  // these end the userinfo
      const bool is_allowed = row.allowed.contains(c);
      EXPECT_EQ(parse_uri_reference(row.before + c + row.after).has_value(), is_allowed) << row.before << " " << octet;
    }
  }
}

// ---- what a client calls

TEST(HttpUrl, IsTakenApart) {
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
      {"http://app/a#?b/c", false, "app", "app", 80, "/a"},
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
    const Result<HttpUrl> url = parse_http_url(block.octets());
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->is_https, row.is_https) << row.text;
    EXPECT_EQ(url->authority, row.authority) << row.text;
    EXPECT_EQ(url->host, row.host) << row.text;
    EXPECT_EQ(url->port, row.port) << row.text;
    EXPECT_EQ(url->target, row.target) << row.text;
    EXPECT_EQ(url->target_prefix(), row.target.starts_with('/') ? "" : "/") << row.text;
  }
}

TEST(HttpUrl, IsRefusedWhenMalformed) {
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
                                      "http://app/#a#b"sv,
                                      "http://app/#a b"sv,
                                      "http://app/#%"sv,
                                      "http://app#a\r\nX: y"sv,
                                      "http://app/%"sv,
                                      "http://app/%4"sv,
                                      "http://app/%4g"sv,
                                      "http://app/a\\b"sv,
                                      "http://app/\"a\""sv}) {
    const test::ExactBlock block(text);
    const Result<HttpUrl> url = parse_http_url(block.octets());
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error(), Errc::bad_uri) << text;
  }
}

TEST(HttpUrl, IsRefusedWithASchemeThatIsNotHttp) {
  for (const std::string_view text : {"ftp://app/", "ws://app/", "file:///etc/passwd", "httpx://app/"}) {
    EXPECT_EQ(parse_http_url(text).error(), Errc::unsupported_scheme) << text;
  }
}

TEST(HttpUrl, HasATargetThatARequestLineMayCarry) {
  EXPECT_TRUE(is_target("/a?b=%20&c=()"));
  EXPECT_TRUE(is_target(""));
  for (const std::string_view target : {"/a b", "/a\r\n", "/%", "/%4", "/%zz", "/#", "/\\", "/\x7f", "/\xff"}) {
    EXPECT_FALSE(is_target(target)) << target;
  }
}

// ---- paths

std::string path_of(std::string_view raw) {
  std::string path = "before";
  EXPECT_TRUE(append_path(test::ExactBlock(raw).octets(), path)) << raw;
  EXPECT_TRUE(path.starts_with("before"));
  return path.substr(6);
}

TEST(Path, IsDecodedAndHasNoDotSegments) {
  for (const auto& [raw, path] : Rows{
           {"/", "/"},
           {"", ""},
           {"*", "*"},
           {"/a/b", "/a/b"},
           {"/a/./b/.", "/a/b/"},
           {"/a/b/../c", "/a/c"},
           {"/a/b/..", "/a/"},
           {"/a/b/../", "/a/"},
           {"/a/..", "/"},
           {"/..", "/"},
           {"/../", "/"},
           {"/../../../a", "/a"},
           {"/a/../../b", "/b"},
           {"/.", "/"},
           {"/./", "/"},
           {"/.a", "/.a"},
           {"/a.", "/a."},
           {"/...", "/..."},
           {"/..a/a../.../.well-known", "/..a/a../.../.well-known"},
           {"/a//b", "/a//b"},
           {"//a", "//a"},
           {"/a//../b", "/a/b"},
           {"/a//..//b", "/a//b"},
           {"//..", "/"},
           {"/%61%2Fb", "/a/b"},
           {"/a/%2e%2e/b", "/b"},
           {"/a/%2E./b", "/b"},
           {"/a/.%2e%2fb", "/b"},
           {"/a%2f..%2fb", "/b"},
           {"/a/%2e/b", "/a/b"},
           {"/%2e%2e%2f%2e%2e%2fetc/passwd", "/etc/passwd"},
           {"/a/%252e%252e/b", "/a/%2e%2e/b"},  // decoded once
           {"/a/..%5cb", "/a/..\\b"},           // a backslash is no slash
           {"/a+b%20c", "/a+b c"},
           {"/%e2%82%ac", "/\xe2\x82\xac"},
           {"../a", "a"},
           {"./a", "a"},
           {"..", ""},
           {"a/../../b", "/b"},
       }) {
    EXPECT_EQ(path_of(raw), path) << raw;
    EXPECT_EQ(is_plain_path(test::ExactBlock(raw).octets()), raw == path) << raw;
  }
}

TEST(Path, IsRefusedWithNulOrAMalformedPercentSign) {
  for (const std::string_view raw : {"/%00"sv, "/a%00.txt"sv, "/a/../%00"sv, "/%"sv, "/%4"sv, "/%zz"sv, "/\0"sv}) {
    std::string path = "before";
    EXPECT_EQ(append_path(raw, path), kBadUri) << raw;
    EXPECT_EQ(path, "before") << raw;
    EXPECT_FALSE(is_plain_path(raw)) << raw;
  }
}

// ---- Uri

TEST(Uri, IsTakenApart) {
  const Uri uri = parsed("http://user:secret@Example.org:8080/a%20b/../c%2Fd?x=1&y=%20#top");
  EXPECT_EQ(uri.full_uri(), "http://user:secret@Example.org:8080/a%20b/../c%2Fd?x=1&y=%20#top");
  EXPECT_EQ(uri.scheme(), "http");
  EXPECT_FALSE(uri.is_https());
  EXPECT_EQ(uri.authority(), "user:secret@Example.org:8080");
  EXPECT_EQ(uri.userinfo(), "user:secret");
  EXPECT_EQ(uri.host(), "Example.org");
  EXPECT_EQ(uri.port(), 8080);
  EXPECT_EQ(uri.path(), "/c/d");
  EXPECT_EQ(uri.path_original(), "/a%20b/../c%2Fd");
  EXPECT_EQ(uri.last_path_segment(), "d");
  EXPECT_EQ(uri.query(), "x=1&y=%20");
  EXPECT_EQ(uri.fragment(), "top");
  EXPECT_EQ(uri.request_target(), "/a%20b/../c%2Fd?x=1&y=%20");
}

TEST(Uri, IsEmptyAtFirstAndWhenCleared) {
  Uri uri;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(uri.full_uri(), "");
    EXPECT_EQ(uri.scheme(), "");
    EXPECT_EQ(uri.authority(), std::nullopt);
    EXPECT_EQ(uri.host(), "");
    EXPECT_EQ(uri.port(), 0);
    EXPECT_EQ(uri.path(), "");
    EXPECT_EQ(uri.query(), std::nullopt);
    EXPECT_TRUE((*uri.query_args())->empty());
    EXPECT_EQ(uri.request_target(), "/");
    EXPECT_EQ(uri, Uri());
    ASSERT_TRUE(uri.parse("https://a:1/%41?b#c"));
    uri.clear();
  }
}

TEST(Uri, KeepsWhatItHasWhenATextIsRefused) {
  Uri uri = parsed("http://a/%41?b=1#c");
  EXPECT_EQ(uri.parse("http://a/ "), kBadUri);
  EXPECT_EQ(uri.parse("/a"), kBadUri);
  EXPECT_EQ(uri.parse("http://a/%00"), kBadUri);
  EXPECT_EQ(uri.parse("http://a/" + std::string(1 << 20, 'a')), kBadUri);
  EXPECT_EQ(uri.resolve("a b"), kBadUri);
  EXPECT_EQ(uri.resolve("%00"), kBadUri);
  EXPECT_EQ(uri.resolve(std::string(1 << 20, 'a')), kBadUri);
  EXPECT_EQ(uri.full_uri(), "http://a/%41?b=1#c");
  EXPECT_EQ(uri.path(), "/A");
}

TEST(Uri, IsCopiedAndMovedWithItsText) {
  Uri uri = parsed("http://a/%41?b=1");
  Uri copy = uri;
  ASSERT_TRUE(uri.parse("x:y"));
  EXPECT_EQ(copy.path(), "/A");
  EXPECT_EQ((*copy.query_args())->get("b"), "1");
  const Uri taken = std::move(copy);
  EXPECT_EQ(taken.host(), "a");
  EXPECT_EQ(taken.path(), "/A");
}

struct TargetRow {
  std::string_view host, target, full, path, request_target;
};

TEST(Uri, IsThatOfARequest) {
  constexpr TargetRow kRows[] = {
      {"google.com", "/foo/bar", "http://google.com/foo/bar", "/foo/bar", "/foo/bar"},
      {"a:80", "/?q#f", "http://a:80/?q#f", "/", "/?q"},
      {"[::1]:1", "/a", "http://[::1]:1/a", "/a", "/a"},
      {"a", "//b/c", "http://a//b/c", "//b/c", "//b/c"},
      {"a", "/http://b/", "http://a/http://b/", "/http://b/", "/http://b/"},
      {"a", "http://b/c?d", "http://b/c?d", "/c", "/c?d"},
      {"a", "https://b", "https://b", "/", "/"},
      {"a", "https://b?c", "https://b?c", "/", "/?c"},
      {"a", "*", "http://a", "/", "/"},
  };
  Uri uri;
  for (const TargetRow& row : kRows) {
    ASSERT_TRUE(uri.parse(row.host, row.target)) << row.target;
    EXPECT_EQ(uri.full_uri(), row.full);
    EXPECT_EQ(uri.path(), row.path) << row.target;
    EXPECT_EQ(uri.request_target(), row.request_target) << row.target;
    EXPECT_EQ(describe(uri.parts()), describe(*parse_uri(row.full))) << row.target;
  }
  ASSERT_TRUE(uri.parse("a", "/b", "https"));
  EXPECT_EQ(uri.full_uri(), "https://a/b");
  ASSERT_TRUE(uri.parse(uri.host(), uri.path(), uri.scheme()));
  EXPECT_EQ(uri.full_uri(), "https://a/b");
}

TEST(Uri, IsNoneOfARequestWhenItsPartsAreNone) {
  Uri uri;
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"", "/"},    {":80", "/"}, {"u@a", "/"},      {"a/b", "/"},      {"a b", "/"}, {"a", ""},
      {"a", "b"},   {"a", "?b"},  {"a", "/ "},       {"a", "/%"},       {"a", "**"},  {"a", "/%00"},
      {"a", "b:c"}, {"a", "x:/"}, {"", "http://a/"}, {"a", "http:///"},
  };
  for (const auto& [host, target] : kRows) EXPECT_EQ(uri.parse(host, target), kBadUri) << host << " " << target;
  for (const std::string_view scheme : {"", "1", "a:", "a b", "http://"}) {
    EXPECT_EQ(uri.parse("a", "/", scheme), kBadUri) << scheme;
  }
  EXPECT_EQ(uri, Uri());
}

TEST(Uri, HasThePortOfItsScheme) {
  EXPECT_EQ(parsed("http://a/").port(), 80);
  EXPECT_EQ(parsed("HTTPS://a:/").port(), 443);
  EXPECT_EQ(parsed("http://a:443/").port(), 443);
  EXPECT_EQ(parsed("ftp://a/").port(), 0);
  EXPECT_TRUE(parsed("HTTPS://a/").is_https());
}

TEST(Uri, HasALastPathSegment) {
  for (const auto& [text, segment] : Rows{{"http://a", ""},
                                          {"http://a/", ""},
                                          {"http://a/foo/bar/", ""},
                                          {"http://a/foobar.js", "foobar.js"},
                                          {"http://a/foo/bar/baz.html", "baz.html"},
                                          {"http://a/foo/bar/..", ""},
                                          {"http://a/b%2Fc", "c"},
                                          {"mailto:b", "b"}}) {
    EXPECT_EQ(parsed(text).last_path_segment(), segment) << text;
  }
}

// RFC 3986 §5.4, its two tables.
TEST(Uri, ResolvesReferences) {
  for (const auto& [reference, target] : Rows{
           {"g:h", "g:h"},
           {"g", "http://a/b/c/g"},
           {"./g", "http://a/b/c/g"},
           {"g/", "http://a/b/c/g/"},
           {"/g", "http://a/g"},
           {"//g", "http://g"},
           {"?y", "http://a/b/c/d;p?y"},
           {"g?y", "http://a/b/c/g?y"},
           {"#s", "http://a/b/c/d;p?q#s"},
           {"g#s", "http://a/b/c/g#s"},
           {"g?y#s", "http://a/b/c/g?y#s"},
           {";x", "http://a/b/c/;x"},
           {"g;x", "http://a/b/c/g;x"},
           {"g;x?y#s", "http://a/b/c/g;x?y#s"},
           {"", "http://a/b/c/d;p?q"},
           {".", "http://a/b/c/"},
           {"./", "http://a/b/c/"},
           {"..", "http://a/b/"},
           {"../", "http://a/b/"},
           {"../g", "http://a/b/g"},
           {"../..", "http://a/"},
           {"../../", "http://a/"},
           {"../../g", "http://a/g"},

           {"../../../g", "http://a/g"},
           {"../../../../g", "http://a/g"},
           {"/./g", "http://a/g"},
           {"/../g", "http://a/g"},
           {"g.", "http://a/b/c/g."},
           {".g", "http://a/b/c/.g"},
           {"g..", "http://a/b/c/g.."},
           {"..g", "http://a/b/c/..g"},
           {"./../g", "http://a/b/g"},
           {"./g/.", "http://a/b/c/g/"},
           {"g/./h", "http://a/b/c/g/h"},
           {"g/../h", "http://a/b/c/h"},
           {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
           {"g;x=1/../y", "http://a/b/c/y"},
           {"g?y/./x", "http://a/b/c/g?y/./x"},
           {"g?y/../x", "http://a/b/c/g?y/../x"},
           {"g#s/./x", "http://a/b/c/g#s/./x"},
           {"g#s/../x", "http://a/b/c/g#s/../x"},
           {"http:g", "http:g"},
       }) {
    EXPECT_EQ(resolved("http://a/b/c/d;p?q", reference), target) << reference;
  }
}

TEST(Uri, ResolvesInOtherBases) {
  struct Row {
    std::string_view base, reference, target;
  };
  constexpr Row kRows[] = {
      {"http://foo.bar/baz?aaa=22#aaa", "https://aa.com/bb", "https://aa.com/bb"},
      {"http://aaa.com/aaa.html?234=234#add", "", "http://aaa.com/aaa.html?234=234"},
      {"ftp://aaa/xxx/yyy?aaa=bb#aa", "/boo/bar?xx", "ftp://aaa/boo/bar?xx"},
      {"http://xx/a/b/c/d", "../qwe/p?zx=34", "http://xx/a/b/qwe/p?zx=34"},
      {"https://qqq/aaa.html?foo=bar", "?baz=434&aaa#xcv", "https://qqq/aaa.html?baz=434&aaa#xcv"},
      {"https://foo.bar/baz", "//aaa.bbb/cc?dd", "https://aaa.bbb/cc?dd"},
      {"http://a/b", "a//b", "http://a/a//b"},  // no authority
      {"http://u:p@a:1", "g", "http://u:p@a:1/g"},
      {"http://a", "?q", "http://a?q"},
      {"http://a", "#f", "http://a#f"},
      {"http://a?q", "g", "http://a/g"},
      {"http://a/b", "//c:2", "http://c:2"},
      {"http://a/b/", "?", "http://a/b/?"},
      {"http://a/b?q", "//", "http://"},
      {"http://a/x/../b", "#f", "http://a/x/../b#f"},
      {"http://a/b", "x:/c/../d", "x:/d"},
      {"http://a/b", "%2e%2e/c", "http://a/%2e%2e/c"},
      {"mailto:a", "b", "mailto:b"},
      {"urn:a:b", "#f", "urn:a:b#f"},
      {"x:/a/b", "..//c", "x:/.//c"},  // not the authority "c"
      {"x:/a", "/.//c", "x:/.//c"},
      {"x:", "../y:z", "x:y:z"},
  };
  for (const Row& row : kRows)
    EXPECT_EQ(resolved(row.base, row.reference), row.target) << row.base << " " << row.reference;
}

TEST(Uri, ResolvesAReferenceToItself) {
  Uri uri = parsed("http://a/b/c?d#e");
  ASSERT_TRUE(uri.resolve(uri.path_original()));
  EXPECT_EQ(uri.full_uri(), "http://a/b/c");
  ASSERT_TRUE(uri.resolve(uri.full_uri()));
  EXPECT_EQ(uri.full_uri(), "http://a/b/c");
}

TEST(Uri, ResolvesNothingRelativeWithoutAScheme) {
  Uri uri;
  EXPECT_EQ(uri.resolve("/a"), kBadUri);
  ASSERT_TRUE(uri.resolve("http://a/b"));
  EXPECT_EQ(uri.full_uri(), "http://a/b");
}

TEST(Uri, IsNormalized) {
  for (const auto& [text, normal] : Rows{
           {"eXAMPLE://a/./b/../b/%63/%7bfoo%7d", "example://a/b/c/%7Bfoo%7D"},  // RFC 3986 §6.2.2
           {"HTTP://www.EXAMPLE.com/", "http://www.example.com/"},
           {"http://a", "http://a/"},
           {"http://a?q", "http://a/?q"},
           {"http://a#f", "http://a/#f"},
           {"http://a:/", "http://a/"},
           {"http://a:80/", "http://a/"},
           {"http://a:0080/", "http://a/"},
           {"http://a:0081/", "http://a:81/"},
           {"http://a:443/", "http://a:443/"},
           {"https://a:443/", "https://a/"},
           {"https://a:80/", "https://a:80/"},
           {"ftp://a:0/", "ftp://a:0/"},
           {"http://User:Pass%7e@A/", "http://User:Pass~@a/"},
           {"http://%41%2dB%c3/", "http://a-b%C3/"},
           {"http://[2001:DB8::A]/", "http://[2001:db8::a]/"},
           {"http://a/%41%2f%2F%2e%2E/%3a", "http://a/A%2F%2F../%3A"},
           {"http://a/b/%2e%2e/c", "http://a/c"},
           {"http://a/../b/.", "http://a/b/"},
           {"http://a//b", "http://a//b"},
           {"http://a/?%61%3d#%7E%7f", "http://a/?a%3D#~%7F"},
           {"x:/.//a", "x:/.//a"},
           {"x:/b/..//a", "x:/.//a"},
           {"mailto:A%40b", "mailto:A%40b"},
           {"x:a/../b", "x:a/../b"},
           {"file:///A", "file:///A"},
           {"x://", "x:///"},
       }) {
    EXPECT_EQ(normalized(text), normal) << text;
    EXPECT_EQ(normalized(normal), normal) << text;
  }
}

TEST(Uri, IsEmptyWhenMovedFrom) {
  Uri from = parsed("http://a:1/%2e/b?c=d");
  ASSERT_TRUE(from.query_args());
  Uri to = std::move(from);
  EXPECT_EQ(from, Uri());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_EQ(from.host(), "");
  EXPECT_EQ(from.query(), std::nullopt);
  EXPECT_EQ(from.query_args().value()->size(), 0U);
  EXPECT_EQ(to.full_uri(), "http://a:1/%2e/b?c=d");
  EXPECT_EQ(to.path(), "/b");
  EXPECT_EQ(to.query_args().value()->get("c"), "d");
  from = std::move(to);
  EXPECT_EQ(from.path(), "/b");
  EXPECT_EQ(to.path(), "");  // NOLINT(bugprone-use-after-move): the same
}

TEST(Uri, IsNormalizedAtItsLargest) {
  const std::string front = "http://a?";
  const std::string text = front + std::string(kMaxUriBytes - front.size(), 'q');
  Uri uri = parsed(text);
  uri.normalize();
  EXPECT_EQ(uri.full_uri(), "http://a/" + text.substr(front.size() - 1));
  uri.normalize();
  EXPECT_EQ(uri.full_uri().size(), kMaxUriBytes + 1);
}

TEST(Uri, HasItsQueryAsArgs) {
  Uri uri = parsed("http://a/?b=1&c=x+y&b");
  const Args* args = uri.query_args().value();
  EXPECT_EQ(args->size(), 3U);
  EXPECT_EQ(args->get("c"), "x y");
  EXPECT_EQ(uri.query_args(), Result<const Args*>(args));

  Args changed = *args;
  changed.set("b", "&");
  ASSERT_TRUE(uri.set_query(changed));
  EXPECT_EQ(uri.query(), "b=%26&c=x+y");
  EXPECT_EQ((*uri.query_args())->get("b"), "&");

  ASSERT_TRUE(uri.set_query("z=9"));
  EXPECT_FALSE((*uri.query_args())->has("b"));
  ASSERT_TRUE(uri.set_query(Args()));
  EXPECT_EQ(uri.full_uri(), "http://a/");

  std::string many = "?";
  for (std::size_t i = 0; i <= kMaxArgs; ++i) many += "a&";
  ASSERT_TRUE(uri.resolve(many));
  EXPECT_EQ(uri.query_args(), Result<const Args*>(fail(Errc::too_many_args)));
}

TEST(Uri, IsBuiltPartByPart) {
  Uri uri;
  ASSERT_TRUE(uri.set_scheme("http"));
  ASSERT_TRUE(uri.set_host("a"));
  ASSERT_TRUE(uri.set_path("/" + percent_encode("b c/d", PercentSet::segment)));
  ASSERT_TRUE(uri.set_query("e"));
  ASSERT_TRUE(uri.set_fragment("f"));
  ASSERT_TRUE(uri.set_port(81));
  ASSERT_TRUE(uri.set_userinfo("u:p"));
  EXPECT_EQ(uri.full_uri(), "http://u:p@a:81/b%20c%2Fd?e#f");
  EXPECT_EQ(uri.path(), "/b c/d");
  ASSERT_TRUE(uri.set_scheme("https"));
  ASSERT_TRUE(uri.set_host("[::1]"));
  ASSERT_TRUE(uri.set_path(""));
  ASSERT_TRUE(uri.set_query(""));
  ASSERT_TRUE(uri.set_fragment(""));
  ASSERT_TRUE(uri.set_port(std::nullopt));
  ASSERT_TRUE(uri.set_userinfo(""));
  EXPECT_EQ(uri.full_uri(), "https://@[::1]?#");
  ASSERT_TRUE(uri.set_query(std::nullopt));
  ASSERT_TRUE(uri.set_fragment(std::nullopt));
  ASSERT_TRUE(uri.set_host(std::nullopt));
  EXPECT_EQ(uri.full_uri(), "https:");
}

TEST(Uri, RefusesPartsOutsideTheirGrammar) {
  using Set = Result<void> (*)(Uri&, std::string_view);
  struct Row {
    std::string_view part;
    Set set;
    std::string allowed;
  };
  const std::string unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  const std::string pchar = unreserved + "!$&'()*+,;=:@";
  const Row kRows[] = {
      {"scheme", [](Uri& uri, std::string_view x) { return uri.set_scheme(x); },
       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-."},
      {"userinfo", [](Uri& uri, std::string_view x) { return uri.set_userinfo(x); }, unreserved + "!$&'()*+,;=:"},
      {"host", [](Uri& uri, std::string_view x) { return uri.set_host(x); }, unreserved + "!$&'()*+;="},
      {"path", [](Uri& uri, std::string_view x) { return uri.set_path("/" + std::string(x)); }, pchar + "/"},
      {"query", [](Uri& uri, std::string_view x) { return uri.set_query(x); }, pchar + "/?"},
      {"fragment", [](Uri& uri, std::string_view x) { return uri.set_fragment(x); }, pchar + "/?"},
  };
  for (const Row& row : kRows) {
    for (int octet = 0; octet < 256; ++octet) {
      Uri uri = parsed("http://u@a:81/b?c#d");
      const Uri before = uri;
      const std::string text = std::string("x") + static_cast<char>(octet) + "y";
      const Result<void> set = row.set(uri, text);
      EXPECT_EQ(set.has_value(), row.allowed.contains(static_cast<char>(octet))) << row.part << " " << octet;
      EXPECT_EQ(uri == before, !set) << row.part << " " << octet;
      EXPECT_TRUE(set || set == kBadUri) << row.part << " " << octet;
    }
    if (row.part == "scheme") continue;
    Uri uri = parsed("http://u@a:81/b?c#d");
    EXPECT_TRUE(row.set(uri, "%41")) << row.part;
    for (const std::string_view text : {"%", "%4", "%4g", "a%"}) EXPECT_EQ(row.set(uri, text), kBadUri) << row.part;
  }
}

TEST(Uri, RefusesPartsThatDoNotGoTogether) {
  Uri uri;
  EXPECT_EQ(uri.set_userinfo("u"), kBadUri);
  EXPECT_EQ(uri.set_port(1), kBadUri);
  EXPECT_EQ(uri.set_path("//a"), kBadUri);
  EXPECT_EQ(uri.set_path("a:b"), kBadUri);
  EXPECT_EQ(uri.set_path("/%00"), kBadUri);
  EXPECT_EQ(uri.set_host("a:1"), kBadUri);
  EXPECT_EQ(uri.set_host("u@a"), kBadUri);
  EXPECT_EQ(uri.set_host("a/b"), kBadUri);
  EXPECT_EQ(uri, Uri());

  uri = parsed("http://a//b");
  EXPECT_EQ(uri.set_path("b"), kBadUri);
  EXPECT_EQ(uri.set_host(std::nullopt), kBadUri);
  EXPECT_EQ(uri.set_query(std::string(1 << 20, 'a')), kBadUri);
  EXPECT_EQ(uri.full_uri(), "http://a//b");

  uri = parsed("x:a:b");
  EXPECT_EQ(uri.set_scheme(""), kBadUri);
  EXPECT_EQ(uri.set_host("h"), kBadUri);
  EXPECT_EQ(uri.full_uri(), "x:a:b");
}

}  // namespace
}  // namespace pipette::http
