#include "pipette/http/set_cookie.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

WallTime at(std::int64_t unix_seconds) { return WallTime(std::chrono::seconds(unix_seconds)); }

constexpr std::int64_t kNov2009 = 1257894000;  // Tue, 10 Nov 2009 23:00:00 GMT

template <class F>
SetCookie cookie_with(F&& change) {
  SetCookie cookie("a", "b");
  change(cookie);
  return cookie;
}

std::string text_of(const SetCookie& cookie) {
  std::string out;
  EXPECT_TRUE(write_set_cookie(cookie, out)) << cookie.name << "=" << cookie.value;
  return out;
}

// What is left of an accepted cookie, as text: for tables. Not write_set_cookie(), which is stricter.
std::string describe(std::string_view text) {
  const test::ExactBlock block(text);
  const Result<SetCookie> cookie = parse_set_cookie(block.octets());
  if (!cookie) return cookie.error() == Errc::unsafe_cookie ? "unsafe" : "bad";
  std::string described = "<" + std::string(cookie->name) + "> <" + std::string(cookie->value) + ">";
  if (cookie->expires) described += " expires " + std::to_string(cookie->expires->time_since_epoch() / 1s);
  if (cookie->max_age) described += " max-age " + std::to_string(cookie->max_age->count());
  if (!cookie->domain.empty()) described += " domain " + std::string(cookie->domain);
  if (!cookie->path.empty()) described += " path " + std::string(cookie->path);
  if (cookie->secure) described += " secure";
  if (cookie->http_only) described += " http-only";
  if (cookie->same_site == SameSite::lax) described += " lax";
  if (cookie->same_site == SameSite::strict) described += " strict";
  if (cookie->same_site == SameSite::none) described += " none";
  if (cookie->partitioned) described += " partitioned";
  return described;
}

struct Row {
  std::string_view text, described;
};

void expect_described(std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(describe(row.text), row.described) << row.text;
}

TEST(SetCookie, IsReadAsAUserAgentDoes) {
  expect_described({
      {"xxx=yyy", "<xxx> <yyy>"},
      {"a=b; Expires=Tue, 10 Nov 2009 23:00:00 GMT; Max-Age=60; Domain=x.org; Path=/p; Secure; HttpOnly; SameSite=Lax",
       "<a> <b> expires 1257894000 max-age 60 domain x.org path /p secure http-only lax"},
      {"a=b;secure;HTTPONLY;sAmEsItE=sTrIcT;PARTITIONED", "<a> <b> secure http-only strict partitioned"},
      {"  a \t=\t b c ;", "<a> <b c>"},
      {"a=b=c", "<a> <b=c>"},
      {"a=\"b\"", "<a> <\"b\">"},
      {"a=", "<a> <>"},
      {"=a", "<> <a>"},
      {"a", "<> <a>"},
      {"a\tb=c\td", "<a\tb> <c\td>"},
      {"caf\xc3\xa9=\xff", "<caf\xc3\xa9> <\xff>"},
      {"a=b; unknown; other=1; ;;=; =x; max-ag=1; securee; path2=/", "<a> <b>"},
      {"a=b; secure=no; httponly=false", "<a> <b> secure http-only"},
      {"a=b; path = /x y ", "<a> <b> path /x y"},
      {"a=b; domain=.Example.ORG", "<a> <b> domain Example.ORG"},
      {"a=b; domain=..x", "<a> <b> domain .x"},
      {"a=b; path=relative", "<a> <b>"},
      {"a=b; path", "<a> <b>"},
      {"a=b; samesite=other", "<a> <b>"},
  });
}

TEST(SetCookie, TakesTheLastOfRepeatedAttributes) {
  expect_described({
      {"a=b; path=/x; path=/y", "<a> <b> path /y"},
      {"a=b; path=/x; path=y", "<a> <b>"},
      {"a=b; domain=x; domain=y", "<a> <b> domain y"},
      {"a=b; domain=x; domain=", "<a> <b>"},
      {"a=b; max-age=1; max-age=2", "<a> <b> max-age 2"},
      {"a=b; samesite=lax; samesite=strict", "<a> <b> strict"},
      {"a=b; samesite=lax; samesite=other", "<a> <b>"},
      {"a=b; expires=10 nov 2009 23:00:00; expires=10 nov 2009 23:00:01", "<a> <b> expires 1257894001"},
  });
}

TEST(SetCookie, IgnoresAttributesItCannotRead) {
  expect_described({
      {"a=b; max-age=5; max-age=x", "<a> <b> max-age 5"},
      {"a=b; max-age=", "<a> <b>"},
      {"a=b; max-age=-", "<a> <b>"},
      {"a=b; max-age=+1", "<a> <b>"},
      {"a=b; max-age=1.5", "<a> <b>"},
      {"a=b; max-age=1 2", "<a> <b>"},
      {"a=b; max-age=--1", "<a> <b>"},
      {"a=b; max-age=0", "<a> <b> max-age 0"},
      {"a=b; max-age=-99", "<a> <b> max-age 0"},
      {"a=b; max-age=-99999999999999999999999", "<a> <b> max-age 0"},
      {"a=b; max-age=007", "<a> <b> max-age 7"},
      {"a=b; max-age=9223372036854775807", "<a> <b> max-age 9223372036854775807"},
      {"a=b; max-age=9223372036854775808", "<a> <b> max-age 9223372036854775807"},
      {"a=b; max-age=99999999999999999999999", "<a> <b> max-age 9223372036854775807"},
      {"a=b; expires=10 nov 2009 23:00:00; expires=never", "<a> <b> expires 1257894000"},
      {"a=b; expires=", "<a> <b>"},
  });
}

TEST(SetCookie, IsRefusedWithAControlOctetAnywhere) {
  for (int octet = 0; octet < 256; ++octet) {
    const bool is_allowed = octet == '\t' || (octet >= 0x20 && octet != 0x7f);
    for (std::string text : {"x#x=b", "a=x#x", "a=b; path=x#x", "a=b; a longer attribute, and then x#x somewhere"}) {
      text[text.find('#')] = static_cast<char>(octet);
      EXPECT_EQ(describe(text) == "bad", !is_allowed) << octet << text;
    }
  }
}

TEST(SetCookie, IsRefusedWhenEmpty) {
  expect_described({{"", "bad"}, {";", "bad"}, {"=", "bad"}, {" = ;", "bad"}, {"; path=/", "bad"}, {"\t", "bad"}});
}

TEST(SetCookie, IsBoundedInSize) {
  const std::string name(96, 'n');
  const std::string value(4000, 'v');
  EXPECT_TRUE(parse_set_cookie(name + "=" + value + "; path=/"));
  EXPECT_TRUE(parse_set_cookie(name + " = " + value + " "));
  EXPECT_EQ(parse_set_cookie(name + "n=" + value).error(), Errc::bad_cookie);
  EXPECT_EQ(parse_set_cookie(name + "=" + value + "v").error(), Errc::bad_cookie);
  EXPECT_EQ(parse_set_cookie(std::string(4097, 'v')).error(), Errc::bad_cookie);

  std::string out;
  EXPECT_TRUE(write_set_cookie({name, value}, out));
  EXPECT_EQ(write_set_cookie({name, value + "v"}, out).error(), Errc::bad_cookie);
}

TEST(SetCookie, IgnoresAttributesThatAreTooLong) {
  const std::string fits = "/" + std::string(1023, 'p');
  EXPECT_EQ(describe("a=b; path=" + fits), "<a> <b> path " + fits);
  EXPECT_EQ(describe("a=b; path=/x; path=" + fits + "p"), "<a> <b> path /x");
  EXPECT_EQ(describe("a=b; secure=" + fits + "p"), "<a> <b>");

  const std::string too_long = fits + "p";
  std::string out;
  EXPECT_TRUE(write_set_cookie(cookie_with([&](SetCookie& c) { c.path = fits; }), out));
  EXPECT_EQ(write_set_cookie(cookie_with([&](SetCookie& c) { c.path = too_long; }), out).error(), Errc::bad_cookie);
}

TEST(SetCookie, MustBeSecureWhereItsNameOrItsAttributesSaySo) {
  expect_described({
      {"__Secure-a=b", "unsafe"},
      {"__SECURE-a=b", "unsafe"},
      {"__secure-a=b; secure", "<__secure-a> <b> secure"},
      {"__Host-a=b; secure", "unsafe"},
      {"__Host-a=b; path=/", "unsafe"},
      {"__hOST-a=b; secure; path=/x", "unsafe"},
      {"__Host-a=b; secure; path=/; domain=x", "unsafe"},
      {"__Host-a=b; secure; path=/", "<__Host-a> <b> path / secure"},
      {"__Host-a=b; secure; path=/; domain=x; domain=", "<__Host-a> <b> path / secure"},
      {"__Host-=b", "unsafe"},
      {"__Hosta=b", "<__Hosta> <b>"},
      {"_-Host-a=b", "<_-Host-a> <b>"},
      {"a=__Host-b", "<a> <__Host-b>"},
      {"=__Host-a=b; secure; path=/", "unsafe"},
      {"__Host-a; secure; path=/", "unsafe"},
      {"=__secure-a=b; secure", "unsafe"},
      {"a=b; samesite=none", "unsafe"},
      {"a=b; samesite=none; samesite=lax", "<a> <b> lax"},
      {"a=b; samesite=none; secure", "<a> <b> secure none"},
      {"a=b; partitioned", "unsafe"},
      {"a=b; partitioned; secure", "<a> <b> secure partitioned"},
  });
}

// ---- writing ---------------------------------------------------------------------------------------------

TEST(WriteSetCookie, WritesEachAttribute) {
  EXPECT_EQ(text_of({"a", "b"}), "a=b");
  EXPECT_EQ(text_of({"a", ""}), "a=");
  EXPECT_EQ(text_of({"a", "\"b\""}), "a=\"b\"");
  const SetCookie all = cookie_with([](SetCookie& c) {
    c.expires = at(kNov2009);
    c.max_age = 60s;
    c.domain = "x.org";
    c.path = "/p q";
    c.secure = c.http_only = c.partitioned = true;
    c.same_site = SameSite::none;
  });
  EXPECT_EQ(text_of(all),
            "a=b; Expires=Tue, 10 Nov 2009 23:00:00 GMT; Max-Age=60; Domain=x.org; Path=/p q; Secure; HttpOnly; "
            "SameSite=None; Partitioned");
  EXPECT_EQ(text_of(cookie_with([](SetCookie& c) { c.same_site = SameSite::lax; })), "a=b; SameSite=Lax");
  EXPECT_EQ(text_of(cookie_with([](SetCookie& c) { c.same_site = SameSite::strict; })), "a=b; SameSite=Strict");
  EXPECT_EQ(text_of(cookie_with([](SetCookie& c) { c.max_age = std::chrono::seconds::max(); })),
            "a=b; Max-Age=9223372036854775807");
}

TEST(WriteSetCookie, IsReadBackAsTheSame) {
  std::vector<SetCookie> cookies;
  for (unsigned bits = 0; bits < 4096; ++bits) {
    SetCookie cookie((bits & 1) != 0 ? "__Host-a" : "a", (bits & 2) != 0 ? "\"b\"" : "");
    if ((bits & 4) != 0) cookie.expires = at(kNov2009);
    if ((bits & 8) != 0) cookie.max_age = (bits & 16) != 0 ? 0s : 86400s;
    if ((bits & 32) != 0) cookie.domain = "WWW.example.org";
    if ((bits & 64) != 0) cookie.path = (bits & 16) != 0 ? "/a/b=c" : "/";
    cookie.same_site = static_cast<SameSite>(bits >> 7 & 3);
    cookie.secure = (bits & 512) != 0;
    cookie.http_only = (bits & 1024) != 0;
    cookie.partitioned = (bits & 2048) != 0;
    cookies.push_back(cookie);
  }
  std::size_t written = 0;
  for (const SetCookie& cookie : cookies) {
    std::string out;
    if (!write_set_cookie(cookie, out)) continue;
    ++written;
    EXPECT_EQ(parse_set_cookie(out), cookie) << out;
  }
  EXPECT_GT(written, 512U);
}

TEST(WriteSetCookie, RefusesWhatTheGrammarDoesNotAllow) {
  const std::string label(64, 'a');
  std::string long_domain = "a";
  while (long_domain.size() < 254) long_domain += ".a";
  std::vector<SetCookie> cookies = {{"", "b"},      {"a b", "c"},   {"a=", "b"},   {"a;", "b"},   {"a\r\nX: y", "b"},
                                    {"a\0"sv, "b"}, {"\xff", "b"},  {"a", "b;c"},  {"a", "b c"},  {"a", "b,c"},
                                    {"a", "b\r\n"}, {"a", "b\0"sv}, {"a", "\xff"}, {"a", "b\\c"}, {"a", "\"b"},
                                    {"a", "b\x7f"}, {"a", "\t"}};
  for (const std::string_view path :
       {"a"sv, "/;"sv, "/\r\nX: y"sv, "/\n"sv, "/\0"sv, "/\x7f"sv, "/\xff"sv, "/a "sv, " /"sv, "/\t"sv, ";"sv}) {
    cookies.push_back(cookie_with([&](SetCookie& c) { c.path = path; }));
  }
  for (const std::string_view domain :
       {".x"sv, "x."sv, "x..y"sv, "-x"sv, "x-"sv, "x.-y"sv, "x_y"sv, "x y"sv, "x;"sv, "x\r\nX: y"sv, "x\0"sv, "\xff"sv,
        "[::1]"sv, "x:80"sv, "."sv, " x"sv, std::string_view(label), std::string_view(long_domain)}) {
    cookies.push_back(cookie_with([&](SetCookie& c) { c.domain = domain; }));
  }
  cookies.push_back(cookie_with([](SetCookie& c) { c.max_age = -1s; }));
  for (const SetCookie& cookie : cookies) {
    std::string out = "kept";
    EXPECT_EQ(write_set_cookie(cookie, out).error(), Errc::bad_cookie)
        << cookie.name << "=" << cookie.value << " " << cookie.domain << " " << cookie.path;
    EXPECT_EQ(out, "kept");
  }
}

TEST(WriteSetCookie, TakesEveryDomainOfTheGrammar) {
  const std::string label(63, 'a');
  for (const std::string_view domain :
       {"x"sv, "x.y"sv, "1.2.3.4"sv, "a-b.c--d"sv, "X.ORG"sv, "0"sv, std::string_view(label)}) {
    EXPECT_TRUE(text_of(cookie_with([&](SetCookie& c) { c.domain = domain; })).ends_with(domain));
  }
}

TEST(WriteSetCookie, RefusesWhatAUserAgentWouldNotKeep) {
  const auto refusal = [](std::string_view name, auto&& change) {
    SetCookie cookie(name, "b");
    change(cookie);
    std::string out;
    const Result<void> written = write_set_cookie(cookie, out);
    EXPECT_EQ(out.empty(), !written);
    return written ? std::error_code() : written.error();
  };
  EXPECT_EQ(refusal("a", [](SetCookie& c) { c.same_site = SameSite::none; }), Errc::unsafe_cookie);
  EXPECT_EQ(refusal("a", [](SetCookie& c) { c.partitioned = true; }), Errc::unsafe_cookie);
  EXPECT_EQ(refusal("__Secure-a", [](SetCookie&) {}), Errc::unsafe_cookie);
  EXPECT_EQ(refusal("__secure-a", [](SetCookie&) {}), Errc::unsafe_cookie);
  EXPECT_EQ(refusal("__Host-a", [](SetCookie& c) { c.secure = true; }), Errc::unsafe_cookie);
  EXPECT_EQ(refusal("__Host-a", [](SetCookie& c) { c.secure = true, c.path = "/", c.domain = "x"; }),
            Errc::unsafe_cookie);
  EXPECT_EQ(refusal("__Host-a", [](SetCookie& c) { c.secure = true, c.path = "/"; }), std::error_code());
}

TEST(DeletedCookie, IsInThePastAndKeepsItsPlace) {
  const SetCookie cookie = cookie_with([](SetCookie& c) {
    c.domain = "x.org";
    c.path = "/p";
    c.secure = true;
    c.max_age = 60s;
  });
  EXPECT_EQ(text_of(deleted(cookie)),
            "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Domain=x.org; Path=/p; Secure");
  EXPECT_EQ(deleted(cookie).expiry_at(at(kNov2009)), WallTime::min());
}

// ---- expiry ----------------------------------------------------------------------------------------------

TEST(CookieExpiry, CountsMaxAgeBeforeExpires) {
  const WallTime now = at(kNov2009);
  const auto expiry = [now](std::optional<WallTime> expires, std::optional<std::chrono::seconds> max_age) {
    return cookie_with([&](SetCookie& c) { c.expires = expires, c.max_age = max_age; }).expiry_at(now);
  };
  EXPECT_EQ(expiry({}, {}), std::nullopt);
  EXPECT_EQ(expiry(now + 1h, {}), now + 1h);
  EXPECT_EQ(expiry(now - 1h, {}), now - 1h);
  EXPECT_EQ(expiry({}, 60s), now + 60s);
  EXPECT_EQ(expiry(now + 1h, 60s), now + 60s);
  EXPECT_EQ(expiry(now + 1h, 0s), WallTime::min());
  EXPECT_EQ(expiry(now + 1h, -5s), WallTime::min());
}

TEST(CookieExpiry, IsCappedAt400Days) {
  const WallTime now = at(kNov2009);
  const WallTime latest = now + 24h * 400;
  for (const std::chrono::seconds max_age :
       {std::chrono::seconds(24h * 400), std::chrono::seconds(24h * 401), std::chrono::seconds::max()}) {
    EXPECT_EQ(cookie_with([&](SetCookie& c) { c.max_age = max_age; }).expiry_at(now), latest);
  }
  EXPECT_EQ(cookie_with([&](SetCookie& c) { c.max_age = 24h * 400 - 1s; }).expiry_at(now), latest - 1s);
  EXPECT_EQ(cookie_with([&](SetCookie& c) { c.expires = latest + 1s; }).expiry_at(now), latest);
  EXPECT_EQ(cookie_with([&](SetCookie& c) { c.expires = WallTime::max(); }).expiry_at(now), latest);
  EXPECT_EQ(cookie_with([&](SetCookie& c) { c.max_age = 24h * 500; }).expiry_at(WallTime::max()), WallTime::max());
  EXPECT_EQ(cookie_with([&](SetCookie& c) { c.max_age = 60s; }).expiry_at(WallTime::min()), WallTime::min() + 60s);
}

// ---- cookie dates ----------------------------------------------------------------------------------------

TEST(CookieDate, IsReadFromNearlyEverySpelling) {
  for (const std::string_view text :
       {"Tue, 10 Nov 2009 23:00:00 GMT", "Tue, 10-Nov-2009 23:00:00 GMT", "Tuesday, 10-Nov-09 23:00:00 GMT",
        "Tue Nov 10 23:00:00 2009", "10 nov 2009 23:0:0", "2009 NOVEMBER 10th 23:00:00", "23:00:00 10 09 novel",
        "Wed, 10 Nov 2009 23:00:00 GMT", "23:00:00pm,10x/Nov.2009y", "10-Nov-2009 23:00:00 +0100",
        "Tue, 10 Nov 2009 23:00:00 23:59:59 11 Dec 2010", "\t10;nov\"2009<23:00:00~",
        "00023:0:0 10 nov 2009 23:00:00"}) {
    const test::ExactBlock block(text);
    EXPECT_EQ(parse_cookie_date(block.octets()), at(kNov2009)) << text;
  }
}

TEST(CookieDate, GivesTwoDigitsTheirCentury) {
  const auto year_of = [](std::string_view year) {
    const Result<WallTime> date = parse_cookie_date("1 jan 00:00:00 " + std::string(year));
    if (!date) return 0;
    return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*date)).year());
  };
  EXPECT_EQ(year_of("70"), 1970);
  EXPECT_EQ(year_of("99"), 1999);
  EXPECT_EQ(year_of("00"), 2000);
  EXPECT_EQ(year_of("69"), 2069);
  EXPECT_EQ(year_of("069"), 2069);
  EXPECT_EQ(year_of("100"), 0);
  EXPECT_EQ(year_of("1600"), 0);
  EXPECT_EQ(year_of("1700"), 1700);
  EXPECT_EQ(year_of("20090"), 0);
}

TEST(CookieDate, IsRefusedWhenSomethingIsMissingOrWrong) {
  for (const std::string_view text : {"",
                                      "10 nov 2009",
                                      "nov 2009 23:00:00",
                                      "10 2009 23:00:00",
                                      "10 nov 23:00:00",
                                      "31 nov 2009 23:00:00",
                                      "0 nov 2009 23:00:00",
                                      "32 nov 2009 23:00:00",
                                      "29 feb 2009 23:00:00",
                                      "10 nov 2009 24:00:00",
                                      "10 nov 2009 23:60:00",
                                      "10 nov 2009 23:00:60",
                                      "10 nov 2009 23:00",
                                      "10 nov 2009 123:00:00",
                                      "10 nov 2009 23:00:000",
                                      "100 nov 2009 23:00:00",
                                      "10 xnov 2009 23:00:00",
                                      "10 no 2009 23:00:00",
                                      "Sat, 31 Dec 2016 23:59:60 GMT",
                                      "Fri, 31 Dec 1600 00:00:00 GMT",
                                      "a=b"}) {
    const test::ExactBlock block(text);
    EXPECT_EQ(parse_cookie_date(block.octets()).error(), Errc::bad_date) << text;
  }
}

TEST(CookieDate, IsHeldWithinWallTime) {
  const Result<WallTime> first = parse_cookie_date("Mon, 01 Jan 1601 00:00:00 GMT");
  const Result<WallTime> last = parse_cookie_date("Fri, 31 Dec 9999 23:59:59 GMT");
  ASSERT_TRUE(first && last);
  EXPECT_LT(*first, at(-9'223'372'000));
  EXPECT_GT(*last, at(9'223'372'000));
}

}  // namespace
}  // namespace pipette::http
