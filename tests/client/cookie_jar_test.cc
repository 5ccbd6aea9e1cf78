#include "pipette/client/cookie_jar.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr WallTime kNow(std::chrono::seconds(1257894000));  // Tue, 10 Nov 2009 23:00:00 GMT

// No test but that of the built-in list depends on how old it is.
class TinySuffixes final : public PublicSuffixes {
 public:
  bool contains(std::string_view domain) const override { return domain == "co.uk" || domain == "hosting.example"; }
};

const TinySuffixes kSuffixes;

CookieJarOptions tiny() { return {.public_suffixes = &kSuffixes}; }

std::string field(CookieJar& jar, std::string_view url, WallTime now = kNow) {
  std::string out;
  EXPECT_TRUE(jar.append_cookie_field(url, now, out)) << url;
  return out;
}

void set(CookieJar& jar, std::string_view url, std::string_view line, WallTime now = kNow) {
  EXPECT_EQ(jar.set(url, line, now), Result<void>()) << url << " " << line;
}

// The names in the jar, in the order of their creation.
std::string names(CookieJar& jar, WallTime now = kNow) {
  std::string out;
  for (const StoredCookie& cookie : jar.all(now)) out.append(out.empty() ? "" : " ").append(cookie.name);
  return out;
}

std::string saved(CookieJar& jar, WallTime now = kNow) {
  std::string out;
  jar.save(now, out);
  return out;
}

// What one URL sets, and whether a call of another says so.
struct Row {
  std::string_view url, line, other_url;
  bool is_sent;
};

void expect_sent(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    CookieJar jar(tiny());
    static_cast<void>(jar.set(row.url, row.line, kNow));
    EXPECT_EQ(field(jar, row.other_url), row.is_sent ? "a=b" : "")
        << row.url << " " << row.line << " " << row.other_url;
  }
}

// What a URL may not set; the jar stays empty.
struct Refused {
  std::string_view url, line;
  Errc error;
};

void expect_refused(std::initializer_list<Refused> rows) {
  CookieJar jar(tiny());
  for (const Refused& row : rows) {
    const Result<void> done = jar.set(row.url, row.line, kNow);
    EXPECT_TRUE(!done && done.error() == row.error) << row.url << " " << row.line;
  }
  EXPECT_EQ(jar.size(), 0U);
  EXPECT_EQ(jar.bytes(), 0U);
}

TEST(CookieJar, GivesBackWhatWasSet) {
  CookieJar jar;
  set(jar, "https://shop.example/cart", "sid=31d4; Path=/; Secure");
  set(jar, "https://shop.example/cart", "theme=\"dark\"");
  set(jar, "https://shop.example/cart", "nameless");
  EXPECT_EQ(field(jar, "https://shop.example/pay"), "sid=31d4; theme=\"dark\"; nameless");
  EXPECT_EQ(field(jar, "https://other.example/pay"), "");
}

TEST(CookieJar, AppendsBehindOtherCookies) {
  CookieJar jar;
  set(jar, "http://x.org/", "a=b");
  std::string out = "own=1";
  EXPECT_TRUE(jar.append_cookie_field("http://x.org/", kNow, out));
  EXPECT_EQ(out, "own=1; a=b");
}

TEST(CookieJar, TakesEachSetCookieFieldOfAResponse) {
  http::OwnedFields fields;
  ASSERT_TRUE(fields.add("Set-Cookie", "a=1"));
  ASSERT_TRUE(fields.add("Set-Cookie", "b=2; Domain=elsewhere.org"));
  ASSERT_TRUE(fields.add("Cookie", "c=3"));
  ASSERT_TRUE(fields.add("set-cookie", "d=4, e=5"));
  CookieJar jar;
  EXPECT_EQ(jar.set_all(*http::parse_http_url("http://x.org/"), fields.view(), kNow), 2U);
  EXPECT_EQ(field(jar, "http://x.org/"), "a=1; d=4, e=5");
}

TEST(CookieJar, TellsWhatItHas) {
  CookieJar jar;
  set(jar, "https://www.X.org/p/q", "a=b; Domain=X.ORG; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
  const std::vector<StoredCookie> cookies = jar.all(kNow);
  ASSERT_EQ(cookies.size(), 1U);
  const StoredCookie& cookie = cookies[0];
  EXPECT_EQ(cookie.name, "a");
  EXPECT_EQ(cookie.value, "b");
  EXPECT_EQ(cookie.domain, "x.org");
  EXPECT_EQ(cookie.path, "/p");
  EXPECT_EQ(cookie.expires, kNow + 60s);
  EXPECT_EQ(cookie.created, kNow);
  EXPECT_EQ(cookie.same_site, http::SameSite::lax);
  EXPECT_FALSE(cookie.host_only);
  EXPECT_TRUE(cookie.secure);
  EXPECT_TRUE(cookie.http_only);
  EXPECT_EQ(jar.cookies("https://x.org/p", kNow)->size(), 1U);
  EXPECT_EQ(jar.cookies("http://x.org/p", kNow)->size(), 0U);
}

TEST(CookieJar, RefusesWhatIsNoHttpUrl) {
  CookieJar jar;
  std::string out;
  EXPECT_EQ(jar.set("ftp://x.org/", "a=b", kNow).error(), Errc::unsupported_scheme);
  EXPECT_EQ(jar.set("x.org", "a=b", kNow).error(), Errc::bad_uri);
  EXPECT_EQ(jar.append_cookie_field("x.org", kNow, out).error(), Errc::bad_uri);
  EXPECT_EQ(jar.cookies("x.org", kNow).error(), Errc::bad_uri);
  EXPECT_EQ(jar.set("http://" + std::string(256, 'x') + "/", "a=b", kNow).error(), Errc::bad_uri);
  EXPECT_EQ(field(jar, "http://" + std::string(256, 'x') + "/"), "");
}

// ---- RFC 6265bis §5.1: hosts and paths -------------------------------------------------------------------

TEST(CookieJarDomainMatch, Section5_1_3) {
  expect_sent({
      {"http://x.org/", "a=b", "http://x.org/", true},
      {"http://x.org/", "a=b", "http://X.ORG:8080/", true},  // §8.5: ports are not told apart
      {"http://X.org/", "a=b", "https://x.org/", true},
      {"http://x.org/", "a=b", "http://www.x.org/", false},
      {"http://www.x.org/", "a=b", "http://x.org/", false},
      {"http://x.org/", "a=b; domain=x.org", "http://x.org/", true},
      {"http://x.org/", "a=b; domain=x.org", "http://www.x.org/", true},
      {"http://x.org/", "a=b; domain=x.org", "http://a.b.c.x.org/", true},
      {"http://x.org/", "a=b; domain=.X.oRG", "http://www.x.org/", true},
      {"http://x.org/", "a=b; domain=x.org", "http://yx.org/", false},
      {"http://x.org/", "a=b; domain=x.org", "http://x.org.evil.net/", false},
      {"http://x.org/", "a=b; domain=x.org", "http://org/", false},
      {"http://www.x.org/", "a=b; domain=x.org", "http://ftp.x.org/", true},
      {"http://www.x.org/", "a=b; domain=www.x.org", "http://ftp.x.org/", false},
      {"http://www.x.org/", "a=b; domain=www.x.org", "http://x.org/", false},
      {"http://www.x.org/", "a=b; domain=y.org; domain=x.org", "http://x.org/", true},
      {"http://www.x.org/", "a=b; domain=x.org; domain=", "http://x.org/", false},
      {"http://xn--bcher-kva.example/", "a=b; domain=XN--BCHER-KVA.example", "http://www.xn--bcher-kva.example/", true},
      {"http://www.x.org/", "a=b; domain=.", "http://www.x.org/", true},
      {"http://x.org/", "a=b", "http://x.org./", false},
      {"http://x.org./", "a=b; domain=x.org.", "http://www.x.org./", true},
      {"http://x.org./", "a=b; domain=x.org.", "http://www.x.org/", false},
  });
}

TEST(CookieJarDomainMatch, RefusesTheDomainsOfOthers) {
  expect_refused({
      {"http://x.org/", "a=b; domain=www.x.org", Errc::unsafe_cookie},
      {"http://x.org/", "a=b; domain=y.org", Errc::unsafe_cookie},
      {"http://yx.org/", "a=b; domain=x.org", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=ftp.x.org", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=..x.org", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=x.org.", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=x..org", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=\"x.org\"", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=x.org:80", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=. x.org", Errc::unsafe_cookie},
      {"http://www.x.org/", "a=b; domain=x.\xc3\xb6rg", Errc::unsafe_cookie},
      {"http://www..x.org/", "a=b; domain=x.org", Errc::unsafe_cookie},
      {"http://.x.org/", "a=b", Errc::bad_uri},
  });
}

// A resolver may take any of these for the address of some machine.
TEST(CookieJarDomainMatch, KnowsNothingBelowAnAddress) {
  expect_sent({
      {"http://127.0.0.1/", "a=b", "http://127.0.0.1/", true},
      {"http://127.0.0.1/", "a=b; domain=127.0.0.1", "http://127.0.0.1/", true},
      {"http://127.0.0.1/", "a=b; domain=127.0.0.1", "http://1.127.0.0.1/", false},
      {"http://127.0.0.1/", "a=b", "http://127.0.0.2/", false},
      {"http://[::1]/", "a=b; domain=[::1]", "http://[::1]:8080/", true},
      {"http://[::A]/", "a=b", "http://[::a]/", true},
      {"http://1.2/", "a=b; domain=1.2", "http://1.2/", true},
      {"http://1.2/", "a=b; domain=1.2", "http://3.1.2/", false},
  });
  expect_refused({
      {"http://127.0.0.1/", "a=b; domain=0.0.1", Errc::unsafe_cookie},
      {"http://127.0.0.1./", "a=b; domain=0.0.1.", Errc::unsafe_cookie},
      {"http://0x7f.0.1/", "a=b; domain=0.1", Errc::unsafe_cookie},
      {"http://1.2.0xff/", "a=b; domain=2.0xff", Errc::unsafe_cookie},
      {"http://127.0.0.1/", "a=b; domain=1.127.0.0.1", Errc::unsafe_cookie},
      {"http://[::1.2.3.4]/", "a=b; domain=2.3.4]", Errc::unsafe_cookie},
      {"http://[::1]/", "a=b; domain=::1", Errc::unsafe_cookie},
  });
}

TEST(CookieJarDefaultPath, Section5_1_4) {
  struct PathRow {
    std::string_view url, path;
  };
  for (const PathRow& row : {
           PathRow{"http://x.org", "/"},
           {"http://x.org/", "/"},
           {"http://x.org?q=/a/b", "/"},
           {"http://x.org/a", "/"},
           {"http://x.org/a/", "/a"},
           {"http://x.org/a/b", "/a"},
           {"http://x.org/a/b/", "/a/b"},
           {"http://x.org/a/b?q=/c/d", "/a"},
           {"http://x.org/a/b#/c/d", "/a"},
           {"http://x.org//", "/"},
           {"http://x.org/a%2Fb/c", "/a%2Fb"},
           {"http://x.org/A/b", "/A"},
       }) {
    for (const std::string_view line : {"a=b", "a=b; path", "a=b; path=", "a=b; path=relative", "a=b; path=\"/\""}) {
      CookieJar jar(tiny());
      set(jar, row.url, line);
      EXPECT_EQ(jar.all(kNow)[0].path, row.path) << row.url << line;
    }
  }
}

TEST(CookieJarPathMatch, Section5_1_4) {
  expect_sent({
      {"http://x.org/a/b", "a=b", "http://x.org/a", true},
      {"http://x.org/a/b", "a=b", "http://x.org/a?q", true},
      {"http://x.org/a/b", "a=b", "http://x.org/a/", true},
      {"http://x.org/a/b", "a=b", "http://x.org/a/c/d", true},
      {"http://x.org/a/b", "a=b", "http://x.org/", false},
      {"http://x.org/a/b", "a=b", "http://x.org/ab", false},
      {"http://x.org/a/b", "a=b", "http://x.org/A", false},
      {"http://x.org/a/b", "a=b; path=/", "http://x.org", true},
      {"http://x.org/a/b", "a=b; path=/", "http://x.org?q", true},
      {"http://x.org/a/b", "a=b; path=/elsewhere", "http://x.org/elsewhere", true},
      {"http://x.org/", "a=b; path=/a/", "http://x.org/a/", true},
      {"http://x.org/", "a=b; path=/a/", "http://x.org/a/b", true},
      {"http://x.org/", "a=b; path=/a/", "http://x.org/a", false},
      {"http://x.org/", "a=b; path=/a/", "http://x.org/ab", false},
      {"http://x.org/", "a=b; path=/a%2Fb", "http://x.org/a/b", false},
      {"http://x.org/", "a=b; path=/a?q", "http://x.org/a?q", false},
  });
}

// ---- RFC 6265bis §5.7: what is stored --------------------------------------------------------------------

TEST(CookieJarPublicSuffix, Section5_7Step9) {
  expect_refused({
      {"http://x.org/", "a=b; domain=org", Errc::unsafe_cookie},
      {"http://x.org./", "a=b; domain=org.", Errc::unsafe_cookie},
      {"http://x.co.uk/", "a=b; domain=co.uk", Errc::unsafe_cookie},
      {"http://x.co.uk/", "a=b; domain=.CO.UK", Errc::unsafe_cookie},
      {"http://x.co.uk./", "a=b; domain=co.uk.", Errc::unsafe_cookie},
      {"http://x.hosting.example/", "a=b; domain=hosting.example", Errc::unsafe_cookie},
  });
  expect_sent({
      {"http://www.x.co.uk/", "a=b; domain=x.co.uk", "http://x.co.uk/", true},
      {"http://x.hosting.example/", "a=b; domain=example", "http://example/", false},
      // A suffix that sets a cookie for itself.
      {"http://hosting.example/", "a=b; domain=hosting.example", "http://hosting.example/", true},
      {"http://hosting.example/", "a=b; domain=hosting.example", "http://x.hosting.example/", false},
      {"http://localhost/", "a=b; domain=localhost", "http://localhost:8080/", true},
      {"http://localhost/", "a=b; domain=localhost", "http://x.localhost/", false},
      {"http://localhost/", "a=b", "http://localhost/", true},
  });
}

TEST(CookieJarPublicSuffix, IsThatOfTheBuiltInListUnlessTold) {
  CookieJar jar;
  EXPECT_EQ(jar.set("http://someone.github.io/", "a=b; domain=github.io", kNow).error(), Errc::unsafe_cookie);
  EXPECT_TRUE(jar.set("http://x.hosting.example/", "a=b; domain=hosting.example", kNow));
}

TEST(CookieJarSecure, Section5_7Step13AndSection5_8_3) {
  expect_sent({
      {"https://x.org/", "a=b; secure", "https://x.org/", true},
      {"https://x.org/", "a=b; secure", "http://x.org/", false},
      {"https://localhost/", "a=b; secure", "http://localhost/", false},
      {"https://x.org/", "a=b", "http://x.org/", true},
  });
  expect_refused({
      {"http://x.org/", "a=b; secure", Errc::unsafe_cookie},
      {"http://localhost/", "a=b; secure", Errc::unsafe_cookie},
      {"http://127.0.0.1/", "a=b; secure", Errc::unsafe_cookie},
  });
}

TEST(CookieJarSecure, IsLeftAloneBySection5_7Step16) {
  struct AloneRow {
    std::string_view url, line;
    bool is_set;
  };
  for (const AloneRow& row : {
           AloneRow{"http://www.x.org/login", "a=evil", false},
           {"http://www.x.org/login", "a=evil; domain=x.org", false},
           {"http://www.x.org/login/en", "a=evil", false},
           {"http://deep.www.x.org/login/", "a=evil", false},
           {"http://x.org/login/", "a=evil", false},
           {"http://www.x.org/login/", "a=evil; max-age=0", false},
           {"http://www.x.org/login/", "A=other", true},
           {"http://www.x.org/", "a=other", true},
           {"http://www.x.org/", "a=other; path=/loginn", true},
           {"http://ftp.x.org/login/", "a=other", true},
           {"http://ftp.x.org/login/", "a=evil; domain=x.org", false},
           {"http://wwww.x.org/login/", "a=other", true},
           {"https://www.x.org/login/", "a=owner", true},
           {"https://www.x.org/login/", "a=owner; secure", true},
       }) {
    CookieJar jar(tiny());
    set(jar, "https://www.x.org/", "a=b; secure; path=/login");
    const bool has_path = row.line.contains("path") || row.url.contains("/login/") || row.url == "http://www.x.org/";
    const std::string line = std::string(row.line) + (has_path ? "" : "; path=/login");
    EXPECT_EQ(jar.set(row.url, line, kNow).has_value(), row.is_set) << row.url << " " << line;
    if (!row.is_set) {
      EXPECT_EQ(field(jar, "https://www.x.org/login"), "a=b") << row.url << " " << line;
    }
  }
}

TEST(CookieJarSecure, IsNotLeftAloneOnceItHasExpired) {
  CookieJar jar;
  set(jar, "https://x.org/", "a=b; secure; max-age=60");
  EXPECT_EQ(jar.set("http://x.org/", "a=c", kNow + 59s).error(), Errc::unsafe_cookie);
  EXPECT_TRUE(jar.set("http://x.org/", "a=c", kNow + 60s));
}

TEST(CookieJar, IsHeldBackByNoSameSiteHttpOnlyOrPartitioned) {
  for (const std::string_view line : {"a=b; samesite=strict", "a=b; samesite=lax", "a=b; samesite=none; secure",
                                      "a=b; httponly", "a=b; secure; partitioned"}) {
    CookieJar jar;
    set(jar, "https://x.org/", line);
    EXPECT_EQ(field(jar, "https://x.org/"), "a=b") << line;
  }
}

TEST(CookieJar, RefusesWhatItCouldNotGiveBackOrKeep) {
  const std::string long_path = "http://x.org/" + std::string(1024, 'p');
  expect_refused({
      {"http://x.org/", "", Errc::bad_cookie},
      {"http://x.org/", "a=b\tc", Errc::bad_cookie},
      {"http://x.org/", "a\tb=c", Errc::bad_cookie},
      {"http://x.org/", "a=b; path=/\tp", Errc::bad_cookie},
      {"http://x.org/", "=a=b", Errc::bad_cookie},
      {long_path + "/", "a=b", Errc::bad_cookie},
      {"https://x.org/", "__Host-a=b; secure", Errc::unsafe_cookie},
      {"http://x.org/", "__Secure-a=b; secure", Errc::unsafe_cookie},
  });
  CookieJar jar;
  set(jar, long_path, "a=b");
  set(jar, "https://x.org/", "__Host-a=b; secure; path=/");
}

// What parse_set_cookie() would never make.
TEST(CookieJar, LooksAtCookiesThatItsCallerHasMade) {
  const auto refusal = [](auto&& change) {
    http::SetCookie cookie("a", "b");
    change(cookie);
    CookieJar jar(tiny());
    const Result<void> done = jar.set("https://x.org/", cookie, kNow);
    EXPECT_EQ(jar.size(), done ? 1U : 0U);
    return done ? std::error_code() : done.error();
  };
  const std::string big(4096, 'v');
  EXPECT_EQ(refusal([](http::SetCookie&) {}), std::error_code());
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.name = c.value = ""; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.name = "a=b"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.name = " a"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.value = "b; c=d"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.value = "b\r\nX: y"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.value = "b\n"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([&](http::SetCookie& c) { c.value = big; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.path = "p"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.path = "/\n"; }), Errc::bad_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.same_site = http::SameSite::none; }), Errc::unsafe_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.name = "__Host-a", c.secure = true; }), Errc::unsafe_cookie);
  EXPECT_EQ(refusal([](http::SetCookie& c) { c.domain = "org"; }), Errc::unsafe_cookie);
}

TEST(CookieJarExpiry, Section5_7Step6) {
  struct ExpiryRow {
    std::string_view line;
    std::optional<WallTime> expires;
  };
  for (const ExpiryRow& row : {
           ExpiryRow{"a=b", std::nullopt},
           {"a=b; max-age=60", kNow + 60s},
           {"a=b; expires=Tue, 10 Nov 2009 23:00:30 GMT", kNow + 30s},
           {"a=b; max-age=60; expires=Tue, 10 Nov 2009 23:00:30 GMT", kNow + 60s},
           {"a=b; expires=Tue, 10 Nov 2009 22:59:59 GMT; max-age=60", kNow + 60s},
           {"a=b; max-age=x", std::nullopt},
           {"a=b; max-age=99999999999999999999", kNow + 24h * 400},
           {"a=b; expires=Fri, 31 Dec 9999 23:59:59 GMT", kNow + 24h * 400},
       }) {
    CookieJar jar;
    set(jar, "http://x.org/", row.line);
    ASSERT_EQ(jar.all(kNow).size(), 1U) << row.line;
    EXPECT_EQ(jar.all(kNow)[0].expires, row.expires) << row.line;
    if (!row.expires) {
      EXPECT_EQ(field(jar, "http://x.org/", kNow + 24h * 4000), "a=b") << row.line;
      continue;
    }
    EXPECT_EQ(field(jar, "http://x.org/", *row.expires - 1ns), "a=b") << row.line;
    EXPECT_EQ(field(jar, "http://x.org/", *row.expires), "") << row.line;
    EXPECT_TRUE(jar.all(*row.expires).empty()) << row.line;
    EXPECT_EQ(jar.size(), 0U);
  }
}

TEST(CookieJarExpiry, TakesTheCookieAway) {
  for (const std::string_view end : {"max-age=0", "max-age=-1", "expires=Tue, 10 Nov 2009 23:00:00 GMT",
                                     "expires=Thu, 01 Jan 1970 00:00:00 GMT", "max-age=60; max-age=0"}) {
    CookieJar jar;
    set(jar, "http://x.org/", "a=b");
    set(jar, "http://x.org/", "c=d");
    set(jar, "http://x.org/", "a=; "s.append(end));
    EXPECT_EQ(names(jar), "c") << end;
    set(jar, "http://y.org/", "a=; "s.append(end));
    EXPECT_EQ(jar.size(), 1U) << end;
  }
}

TEST(CookieJarExpiry, TakesNoOtherCookieAway) {
  for (const std::string_view line : {"A=; path=/p", "a=", "a=; path=/p/", "a=; path=/p; domain=x.org"}) {
    CookieJar jar(tiny());
    set(jar, "http://x.org/", "a=b; path=/p");
    set(jar, "http://x.org/", std::string(line) + "; max-age=0");
    EXPECT_EQ(field(jar, "http://x.org/p"), "a=b") << line;
  }
}

TEST(CookieJar, ReplacesACookieAndKeepsItsTimeOfCreationBySection5_7Step23) {
  CookieJar jar(tiny());
  set(jar, "http://x.org/", "a=1", kNow);
  set(jar, "http://x.org/", "b=2", kNow + 1s);
  set(jar, "http://x.org/", "a=3; max-age=60; httponly", kNow + 2s);
  EXPECT_EQ(field(jar, "http://x.org/", kNow + 3s), "a=3; b=2");
  EXPECT_EQ(jar.all(kNow)[0].created, kNow);
  EXPECT_EQ(jar.all(kNow)[0].expires, kNow + 62s);
  EXPECT_EQ(jar.bytes(), 2 * "a3/x.org"s.size());

  set(jar, "http://x.org/", "a=; max-age=0", kNow + 3s);
  set(jar, "http://x.org/", "a=4", kNow + 4s);
  EXPECT_EQ(field(jar, "http://x.org/", kNow + 5s), "b=2; a=4");

  for (const std::string_view line : {"a=1", "b=2", "a=3"}) set(jar, "http://same.org/", line);
  EXPECT_EQ(field(jar, "http://same.org/"), "a=3; b=2");
}

TEST(CookieJar, TellsCookiesApartByNameDomainPathAndHostOnly) {
  CookieJar jar(tiny());
  for (const std::string_view line : {"a=1", "A=2", "a=3; path=/p", "a=4; domain=www.x.org", "a=5; domain=x.org"}) {
    set(jar, "http://www.x.org/", line);
  }
  EXPECT_EQ(field(jar, "http://www.x.org/p"), "a=3; a=1; A=2; a=4; a=5");
  EXPECT_EQ(field(jar, "http://x.org/p"), "a=5");
}

// ---- RFC 6265bis §5.7: too many --------------------------------------------------------------------------

TEST(CookieJarEviction, TakesTheLeastUsedOfADomainWithTooMany) {
  CookieJar jar({.max_cookies_per_domain = 3, .public_suffixes = &kSuffixes});
  for (const std::string_view line : {"a=1; path=/a", "b=2", "c=3"}) set(jar, "http://x.org/", line);
  set(jar, "http://y.org/", "other=1");
  EXPECT_EQ(field(jar, "http://x.org/a"), "a=1; b=2; c=3");
  EXPECT_EQ(field(jar, "http://x.org/"), "b=2; c=3");
  set(jar, "http://x.org/", "d=4");
  EXPECT_EQ(names(jar), "b c other d");
  set(jar, "http://x.org/", "b=5");                           // setting is using
  EXPECT_FALSE(jar.cookies("http://x.org/", kNow)->empty());  // looking is not
  set(jar, "http://x.org/", "e=6");
  EXPECT_EQ(names(jar), "b other d e");
}

TEST(CookieJarEviction, CountsTheDomainAndNotTheHost) {
  CookieJar jar({.max_cookies_per_domain = 2, .public_suffixes = &kSuffixes});
  set(jar, "http://a.x.org/", "a=1; domain=x.org");
  set(jar, "http://b.x.org/", "b=1; domain=x.org");
  set(jar, "http://c.x.org/", "c=1");
  set(jar, "http://x.org/", "d=1");
  EXPECT_EQ(names(jar), "b c d");
}

TEST(CookieJarEviction, TakesWhatHasExpiredFirstAndWhatIsSecureLast) {
  CookieJar jar({.max_cookies_per_domain = 3, .public_suffixes = &kSuffixes});
  set(jar, "https://x.org/", "a=1; secure");
  set(jar, "https://x.org/", "b=2");
  set(jar, "https://x.org/", "c=3; max-age=60; secure");
  set(jar, "https://x.org/", "d=4; secure", kNow + 60s);
  EXPECT_EQ(names(jar, kNow + 60s), "a b d");
  set(jar, "https://x.org/", "e=5; secure", kNow + 60s);
  EXPECT_EQ(names(jar, kNow + 60s), "a d e");
  set(jar, "https://x.org/", "f=6; secure", kNow + 60s);
  EXPECT_EQ(names(jar, kNow + 60s), "d e f");
  set(jar, "https://x.org/", "g=7", kNow + 60s);  // goes itself: the others are Secure
  EXPECT_EQ(names(jar, kNow + 60s), "d e f");
}

TEST(CookieJarEviction, TakesTheLeastUsedOfAll) {
  CookieJar jar({.max_cookies = 3, .public_suffixes = &kSuffixes});
  set(jar, "https://a.org/", "a=1; secure");
  set(jar, "http://b.org/", "b=1");
  set(jar, "http://c.org/", "c=1; max-age=60");
  EXPECT_EQ(field(jar, "https://a.org/"), "a=1");
  set(jar, "http://d.org/", "d=1");
  EXPECT_EQ(names(jar), "a c d");
  EXPECT_EQ(field(jar, "http://c.org/"), "c=1");
  set(jar, "http://e.org/", "e=1", kNow + 60s);  // what has expired goes first, however lately it was used
  EXPECT_EQ(names(jar), "a d e");
  set(jar, "http://f.org/", "f=1", kNow + 60s);
  EXPECT_EQ(names(jar), "d e f");
}

TEST(CookieJarEviction, BoundsTheOctets) {
  CookieJar jar({.max_bytes = 30, .public_suffixes = &kSuffixes});
  set(jar, "http://x.org/", "a=1");  // 8 octets each
  set(jar, "http://y.org/", "b=1");
  set(jar, "http://z.org/", "c=1");
  EXPECT_EQ(jar.bytes(), 24U);
  set(jar, "http://x.org/", "d=1234567");
  EXPECT_EQ(names(jar), "b c d");
  EXPECT_EQ(jar.bytes(), 30U);
  set(jar, "http://x.org/", "d=1");
  EXPECT_EQ(jar.bytes(), 24U);
}

TEST(CookieJarEviction, KeepsEveryLimitWhateverIsSet) {
  CookieJar jar({.max_cookies = 20, .max_cookies_per_domain = 4, .max_bytes = 2000, .public_suffixes = &kSuffixes});
  for (int i = 0; i < 2000; ++i) {
    const std::string url =
        "https://h" + std::to_string(i * i % 17) + ".x.org/" + std::string(static_cast<std::size_t>(i) % 7, '/');
    const std::string line = "n" + std::to_string(i % 23) + "=" + std::string(static_cast<std::size_t>(i) % 200, 'v') +
                             (i % 3 == 0 ? "; domain=x.org" : "") + (i % 4 == 0 ? "; secure" : "") +
                             (i % 5 == 0 ? "; max-age=" + std::to_string(i % 40) : "");
    set(jar, url, line, kNow + std::chrono::seconds(i));
    std::size_t bytes = 0;
    std::map<std::string_view, std::size_t> domains;
    ASSERT_LE(jar.size(), 20U);
    for (const StoredCookie& cookie : jar.all(kNow + std::chrono::seconds(i))) {
      bytes += cookie.name.size() + cookie.value.size() + cookie.domain.size() + cookie.path.size();
      ASSERT_LE(++domains[cookie.domain], 4U);
    }
    ASSERT_EQ(bytes, jar.bytes());
    ASSERT_LE(bytes, 2000U);
  }
}

TEST(CookieJarEviction, LeavesNothingWhereNothingMayBe) {
  for (const CookieJarOptions& options :
       {CookieJarOptions{.max_cookies = 0}, {.max_cookies_per_domain = 0}, {.max_bytes = 0}}) {
    CookieJar jar(options);
    set(jar, "http://x.org/", "a=b");
    EXPECT_EQ(jar.size(), 0U);
    EXPECT_EQ(field(jar, "http://x.org/"), "");
  }
}

// ---- RFC 6265bis §5.8.3: what is sent --------------------------------------------------------------------

TEST(CookieJarOrder, Section5_8_3Step2) {
  CookieJar jar(tiny());
  set(jar, "http://www.x.org/p/q/r", "a=1; path=/p", kNow + 2s);
  set(jar, "http://www.x.org/p/q/r", "b=2; path=/p; domain=x.org", kNow + 1s);
  set(jar, "http://www.x.org/p/q/r", "c=3; path=/", kNow);
  set(jar, "http://www.x.org/p/q/r", "d=4", kNow + 3s);
  set(jar, "http://www.x.org/p/q/r", "e=5; path=/p", kNow + 1s);
  set(jar, "http://www.x.org/p/q/r", "f=6; path=/p/", kNow + 5s);
  EXPECT_EQ(field(jar, "http://www.x.org/p/q/s", kNow + 9s), "d=4; f=6; b=2; e=5; a=1; c=3");
  EXPECT_EQ(names(jar), "c b e a d f");
}

TEST(CookieJarField, LeavesOutWhatIsBehindItsLimit) {
  CookieJar jar({.max_field_bytes = 10, .public_suffixes = &kSuffixes});
  for (const std::string_view line : {"a=1", "b=2", "c=3"}) set(jar, "http://x.org/", line);
  EXPECT_EQ(field(jar, "http://x.org/"), "a=1; b=2");
  std::string out = "own=12";
  EXPECT_TRUE(jar.append_cookie_field("http://x.org/", kNow, out));
  EXPECT_EQ(out, "own=12");
  EXPECT_EQ(jar.cookies("http://x.org/", kNow)->size(), 3U);
}

// ---- taking away -----------------------------------------------------------------------------------------

TEST(CookieJar, TakesAwayWhatItIsToldTo) {
  CookieJar jar(tiny());
  for (const std::string_view line : {"a=1", "b=2", "a=3; path=/p", "a=4; domain=x.org", "c=5; max-age=60"}) {
    set(jar, "http://x.org/", line);
  }
  set(jar, "http://www.x.org/", "a=6");
  EXPECT_EQ(jar.remove("x.org", "/p", "b"), 0U);
  EXPECT_EQ(jar.remove("X.org", "/", "a"), 2U);
  EXPECT_EQ(names(jar), "b a c a");
  EXPECT_EQ(jar.remove_domain("www.x.ORG"), 1U);
  EXPECT_EQ(jar.remove_domain("org"), 0U);
  EXPECT_EQ(jar.clear_session(), 2U);
  EXPECT_EQ(names(jar), "c");
  EXPECT_EQ(jar.remove_expired(kNow + 59s), 0U);
  EXPECT_EQ(jar.remove_expired(kNow + 60s), 1U);
  EXPECT_EQ(jar.bytes(), 0U);
  set(jar, "http://x.org/", "a=1");
  jar.clear();
  EXPECT_EQ(jar.size() + jar.bytes(), 0U);
  EXPECT_EQ(field(jar, "http://x.org/"), "");
}

TEST(CookieJar, TakesAwayACookieByItsOwnName) {
  CookieJar jar(tiny());
  for (const std::string_view line : {"a=1; domain=x.org", "a=2", "b=3", "c=4"}) set(jar, "http://x.org/", line);
  const StoredCookie first = jar.all(kNow)[0];
  EXPECT_EQ(jar.remove(first.domain, first.path, first.name), 2U);
  EXPECT_EQ(jar.remove_domain(jar.all(kNow)[0].domain), 2U);
}

// ---- files -----------------------------------------------------------------------------------------------

TEST(CookieJarFile, IsWrittenInTheOrderOfCreation) {
  CookieJar jar(tiny());
  set(jar, "https://www.x.org/", "sid=31d4; path=/p; domain=x.org; secure; httponly; max-age=60");
  set(jar, "http://a.org/", "a=");
  set(jar, "http://[::1]/", "nameless", kNow - 1s);
  set(jar, "http://a.org/", "gone=1; max-age=10");
  EXPECT_EQ(saved(jar, kNow + 10s),
            "# Netscape HTTP Cookie File\n"
            "# domain, whether names below it too, path, whether over https only, end, name, value\n"
            "[::1]\tFALSE\t/\tFALSE\t0\t\tnameless\n"
            "#HttpOnly_.x.org\tTRUE\t/p\tTRUE\t1257894060\tsid\t31d4\n"
            "a.org\tFALSE\t/\tFALSE\t0\ta\t\n");
}

TEST(CookieJarFile, IsReadBackAsTheSame) {
  CookieJar jar(tiny());
  set(jar, "https://www.x.org/", "a=\"1\"; path=/p; domain=x.org; secure; httponly; max-age=60");
  set(jar, "https://www.x.org/", "__Host-b=2; path=/; secure");
  set(jar, "https://www.x.org/", "__Secure-c=3; domain=x.org; secure");
  set(jar, "http://www.x.org/", "caf\xc3\xa9=\xff # b c");
  set(jar, "http://localhost/", "nameless");
  set(jar, "http://127.0.0.1/", "=x; max-age=99999999999");
  set(jar, "http://[::1]/", "a=");
  set(jar, "http://x.org./", "a=1; domain=x.org.");
  const std::string text = saved(jar);

  CookieJar other(tiny());
  const CookieLoad load = other.load(test::ExactBlock(text).octets(), kNow);
  EXPECT_EQ(load.accepted, 8U);
  EXPECT_EQ(load.refused, 0U);
  EXPECT_EQ(saved(other), text);
  EXPECT_EQ(field(other, "https://www.x.org/p"), field(jar, "https://www.x.org/p"));
  EXPECT_EQ(other.bytes(), jar.bytes());
}

TEST(CookieJarFile, KeepsNoEndLongerThanItWas) {
  CookieJar jar;
  set(jar, "http://x.org/", "a=b; max-age=1", kNow + 999ms);
  EXPECT_TRUE(saved(jar).ends_with("\t1257894001\ta\tb\n"));
  jar.clear();
  set(jar, "http://x.org/", "a=b; max-age=1", WallTime(-500ms));  // ends in 1970, before the first second is over
  EXPECT_FALSE(saved(jar, WallTime(-500ms)).contains("a\tb"));
}

TEST(CookieJarFile, IsReadAsCurlWritesIt) {
  CookieJar jar(tiny());
  const CookieLoad load = jar.load(
      "# Netscape HTTP Cookie File\r\n"
      "# https://curl.se/docs/http-cookies.html\r\n"
      "\r\n"
      "#HttpOnly_.x.org\tTRUE\t/\tTRUE\t1257894060\tsid\t31d4\r\n"
      "x.org\tTRUE\t/\tFALSE\t0\tno_dot\t1\r\n"
      "www.x.org\tfalse\t/\tfalse\t0\tb\t\r\n"
      "x.org\tFALSE\t/\tFALSE\t1257894000\tgone\t1\n"
      "x.org\tFALSE\t/\tFALSE\t99999999999999999\tfar\t1",
      kNow);
  EXPECT_EQ(load.accepted, 5U);
  EXPECT_EQ(load.refused, 0U);
  EXPECT_EQ(field(jar, "https://www.x.org/"), "sid=31d4; no_dot=1; b=");
  EXPECT_EQ(field(jar, "http://x.org/"), "no_dot=1; far=1");
  EXPECT_EQ(names(jar), "sid no_dot b far");
  EXPECT_EQ(jar.all(kNow)[3].expires, kNow + 24h * 400);
  EXPECT_TRUE(jar.all(kNow)[0].http_only);
}

TEST(CookieJarFile, IsRefusedLineByLine) {
  struct LineRow {
    std::string line, why;
  };
  const std::string big(4096, 'v');
  const std::string columns = "not seven columns with tabs between them";
  const std::string no_host = "column 1, domain: not a host";
  const std::string not_shared =
      "column 1, domain: an address or a public suffix, which no name below it shares cookies with";
  const std::string unsafe = "cookie without what its name or its attributes demand";
  for (const LineRow& row : std::vector<LineRow>{
           {"hello", columns},
           {"x.org\tTRUE\t/\tTRUE\t0\ta", columns},
           {"x.org\tTRUE\t/\tTRUE\t0\ta\tb\tc", columns},
           {"x.org TRUE / TRUE 0 a b", columns},
           {"#HttpOnly_", columns},
           {"x.org\tyes\t/\tTRUE\t0\ta\tb", "column 2, names below the domain: neither TRUE nor FALSE"},
           {"x.org\tTRUE\tp\tTRUE\t0\ta\tb", "column 3, path: does not begin with \"/\""},
           {"x.org\tTRUE\t\tTRUE\t0\ta\tb", "column 3, path: does not begin with \"/\""},
           {"x.org\tTRUE\t/\t1\t0\ta\tb", "column 4, https only: neither TRUE nor FALSE"},
           {"x.org\tTRUE\t/\tTRUE\t-1\ta\tb", "column 5, end: not a number of seconds"},
           {"x.org\tTRUE\t/\tTRUE\t1.5\ta\tb", "column 5, end: not a number of seconds"},
           {"x.org\tTRUE\t/\tTRUE\t\ta\tb", "column 5, end: not a number of seconds"},
           {"x.org\tTRUE\t/\tTRUE\t99999999999999999999\ta\tb", "column 5, end: not a number of seconds"},
           {"\tTRUE\t/\tTRUE\t0\ta\tb", no_host},
           {".\tTRUE\t/\tTRUE\t0\ta\tb", no_host},
           {"..x.org\tTRUE\t/\tTRUE\t0\ta\tb", no_host},
           {".x.org\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {"x.org:80\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {"[::1]:80\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {"::1\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {"x org\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {"b\xc3\xbc.org\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {std::string(256, 'x') + "\tFALSE\t/\tTRUE\t0\ta\tb", no_host},
           {".co.uk\tTRUE\t/\tTRUE\t0\ta\tb", not_shared},
           {"ORG\tTRUE\t/\tTRUE\t0\ta\tb", not_shared},
           {"127.0.0.1\tTRUE\t/\tTRUE\t0\ta\tb", not_shared},
           {"[::1]\tTRUE\t/\tTRUE\t0\ta\tb", not_shared},
           {"x.org\tTRUE\t/\tTRUE\t0\t\t", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta=b\tc", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta;b\tc", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta\tb; c=d", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta\tb ", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta\tb\rX: y", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta\tb\0"s, "malformed cookie"},
           {"x.org\tTRUE\t/\x7f\tTRUE\t0\ta\tb", "malformed cookie"},
           {"x.org\tTRUE\t/\tTRUE\t0\ta\t" + big, "malformed cookie"},
           {"x.org\tTRUE\t/" + big + "\tTRUE\t0\ta\tb", "malformed cookie"},
           {"x.org\tFALSE\t/\tFALSE\t0\t__Secure-a\tb", unsafe},
           {"x.org\tTRUE\t/\tTRUE\t0\t__Host-a\tb", unsafe},
           {"x.org\tFALSE\t/p\tTRUE\t0\t__Host-a\tb", unsafe},
       }) {
    const std::string text =
        "# head\nx.org\tFALSE\t/\tFALSE\t0\tfirst\t1\n" + row.line + "\nx.org\tFALSE\t/\tFALSE\t0\tlast\t1\n";
    CookieJar jar(tiny());
    const CookieLoad load = jar.load(test::ExactBlock(text).octets(), kNow);
    EXPECT_EQ(load.accepted, 2U) << row.line;
    EXPECT_EQ(load.refused, 1U) << row.line;
    ASSERT_EQ(load.refusals.size(), 1U) << row.line;
    EXPECT_EQ(load.refusals[0].line, 3U) << row.line;
    EXPECT_EQ(load.refusals[0].why, row.why) << row.line;
    EXPECT_EQ(names(jar), "first last") << row.line;
  }
}

TEST(CookieJarFile, BoundsWhatItSaysOfARefusedText) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "no cookie\n";
  CookieJar jar;
  const CookieLoad load = jar.load(text, kNow);
  EXPECT_EQ(load.refused, 100U);
  EXPECT_EQ(load.refusals.size(), CookieLoad::kMaxRefusals);
}

TEST(CookieJarFile, AddsToWhatIsThere) {
  CookieJar jar({.max_cookies_per_domain = 3, .public_suffixes = &kSuffixes});
  set(jar, "https://x.org/", "a=1; secure");
  set(jar, "https://x.org/", "b=1");
  const CookieLoad load = jar.load(
      "x.org\tFALSE\t/\tFALSE\t0\ta\t2\n"
      "x.org\tFALSE\t/\tFALSE\t0\tc\t3\n"
      "x.org\tFALSE\t/\tFALSE\t0\td\t4\n",
      kNow);
  EXPECT_EQ(load.accepted, 3U);
  EXPECT_EQ(field(jar, "http://x.org/"), "a=2; c=3; d=4");
}

}  // namespace
}  // namespace pipette::client
