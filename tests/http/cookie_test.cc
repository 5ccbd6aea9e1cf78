#include "pipette/http/cookie.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/printers.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

OwnedFields fields_of(const std::vector<std::string_view>& lines) {
  OwnedFields fields;
  EXPECT_TRUE(fields.add("Host", "a"));
  for (const std::string_view line : lines) EXPECT_TRUE(fields.add("cOOkie", line)) << line;
  EXPECT_TRUE(fields.add("X-Cookie", "no=cookie"));
  return fields;
}

// "<name> <value>" for each cookie, and the error, if there is one.
std::string read(const Fields& fields, std::size_t max_cookies = kMaxCookies) {
  std::string text;
  CookieReader reader(fields, max_cookies);
  while (true) {
    const Result<std::optional<Cookie>> cookie = reader.next();
    if (!cookie) return text + cookie.error().message();
    if (!*cookie) return text;
    text.append("<").append((*cookie)->name).append("> <").append((*cookie)->value).append("> ");
  }
}

TEST(Cookies, AreReadInOrder) {
  struct Row {
    std::vector<std::string_view> lines;
    std::string_view cookies;
  };
  const Row rows[] = {
      {{}, ""},
      {{""}, ""},
      {{"a=b"}, "<a> <b> "},
      {{"a=b; c=d"}, "<a> <b> <c> <d> "},
      {{"a=b;c=d"}, "<a> <b> <c> <d> "},
      {{"a=b ;\t c = d ;"}, "<a> <b> <c> <d> "},
      {{"a=b", "c=d; e=f"}, "<a> <b> <c> <d> <e> <f> "},
      {{"", "a=b", "", ";", "c=d"}, "<a> <b> <c> <d> "},
      {{"a=b; a=c", "a=d"}, "<a> <b> <a> <c> <a> <d> "},  // duplicates
      {{";;a=b;; ;=;"}, "<a> <b> "},                      // empty pairs
      {{"a"}, "<> <a> "},
      {{"=a"}, "<> <a> "},
      {{"a="}, "<a> <> "},
      {{"a=b=c=="}, "<a> <b=c==> "},
      {{"a=\"b c\""}, "<a> <\"b c\"> "},
      {{"a=\"b; c=d\""}, "<a> <\"b> <c> <d\"> "},  // quotes hide nothing
      {{"a=b, c=d"}, "<a> <b, c=d> "},
      {{"A=1; a=2"}, "<A> <1> <a> <2> "},
      {{"caf\xc3\xa9=\xff"}, "<caf\xc3\xa9> <\xff> "},
      {{"$Version=1; a=b; $Path=/"}, "<$Version> <1> <a> <b> <$Path> </> "},
  };
  for (const Row& row : rows) EXPECT_EQ(read(fields_of(row.lines).view()), row.cookies);
}

TEST(Cookies, AreBoundedInNumber) {
  const std::string too_many = "<a> <1> <b> <2> " + std::string(errc_row(Errc::too_many_cookies).message);
  EXPECT_EQ(read(fields_of({"a=1; b=2"}).view(), 2), "<a> <1> <b> <2> ");
  EXPECT_EQ(read(fields_of({"a=1; b=2;; ;"}).view(), 2), "<a> <1> <b> <2> ");
  EXPECT_EQ(read(fields_of({"a=1; b=2; c=3"}).view(), 2), too_many);
  EXPECT_EQ(read(fields_of({"a=1", "b=2", "c=3"}).view(), 2), too_many);

  std::string line;
  for (std::size_t i = 0; i < kMaxCookies; ++i) line += "a=1;";
  EXPECT_FALSE(read(fields_of({line}).view()).contains("many"));
  EXPECT_TRUE(read(fields_of({line, "b=2"}).view()).contains("many"));
  EXPECT_EQ(cookie_value(fields_of({line, "b=2"}).view(), "b"), std::nullopt);
}

TEST(Cookies, AreFoundByName) {
  const OwnedFields fields = fields_of({"a=1; b=2", "b=3; c=4; bare; d="});
  EXPECT_EQ(cookie_value(fields.view(), "a"), "1");
  EXPECT_EQ(cookie_value(fields.view(), "b"), "2");
  EXPECT_EQ(cookie_value(fields.view(), "c"), "4");
  EXPECT_EQ(cookie_value(fields.view(), "d"), "");
  EXPECT_EQ(cookie_value(fields.view(), ""), "bare");
  EXPECT_EQ(cookie_value(fields.view(), "A"), std::nullopt);
  EXPECT_EQ(cookie_value(fields.view(), "no"), std::nullopt);
  EXPECT_EQ(cookie_value(OwnedFields().view(), "a"), std::nullopt);
}

TEST(Cookies, AreUnquotedOnDemand) {
  EXPECT_EQ(unquoted("\"a\""), "a");
  EXPECT_EQ(unquoted("\"\""), "");
  EXPECT_EQ(unquoted("\"\"a\"\""), "\"a\"");
  for (const std::string_view value : {"", "a", "\"", "\"a", "a\"", "a\"b\""}) EXPECT_EQ(unquoted(value), value);
}

TEST(Cookies, HaveValuesOfCookieOctets) {
  for (int octet = 0; octet < 256; ++octet) {
    const bool is_allowed = octet == 0x21 || (octet >= 0x23 && octet <= 0x2b) || (octet >= 0x2d && octet <= 0x3a) ||
                            (octet >= 0x3c && octet <= 0x5b) || (octet >= 0x5d && octet <= 0x7e);
    const std::string value = std::string("a") + static_cast<char>(octet) + "b";
    EXPECT_EQ(is_cookie_value(value), is_allowed) << octet;
    EXPECT_EQ(is_cookie_value('"' + value + '"'), is_allowed) << octet;
  }
  EXPECT_TRUE(is_cookie_value(""));
  EXPECT_TRUE(is_cookie_value("\"\""));
  EXPECT_FALSE(is_cookie_value("\""));
  EXPECT_FALSE(is_cookie_value("\"a"));
  EXPECT_FALSE(is_cookie_value("a\""));
}

TEST(AppendCookie, JoinsPairs) {
  std::string line;
  EXPECT_TRUE(append_cookie(line, "a", "b"));
  EXPECT_EQ(line, "a=b");
  EXPECT_TRUE(append_cookie(line, "c", ""));
  EXPECT_TRUE(append_cookie(line, "d", "\"e\""));
  EXPECT_EQ(line, "a=b; c=; d=\"e\"");
  EXPECT_EQ(read(fields_of({line}).view()), "<a> <b> <c> <> <d> <\"e\"> ");
}

TEST(AppendCookie, RefusesWhatTheGrammarDoesNotAllow) {
  constexpr Cookie kCookies[] = {{"", "a"},        {"a b", "c"},    {"a=", "b"},   {"a;", "b"},   {"a\r\n", "b"},
                                 {"a\0"sv, "b"},   {"\xff", "b"},   {"a", "b;c"},  {"a", "b c"},  {"a", "b,c"},
                                 {"a", "b\r\nX:"}, {"a", "b\0"sv},  {"a", "\xff"}, {"a", "b\\"},  {"a", "\"b"},
                                 {"a", "b\"c"},    {"a", "\"b\"c"}, {"a", " "},    {"a", "\x7f"}, {"a", "\t"}};
  for (const Cookie& cookie : kCookies) {
    std::string line = "x=y";
    EXPECT_EQ(append_cookie(line, cookie.name, cookie.value).error(), Errc::bad_cookie) << cookie.name << cookie.value;
    EXPECT_EQ(line, "x=y");
  }
}

TEST(AppendReceivedCookie, GivesBackWhatCame) {
  std::string line;
  for (const Cookie& cookie :
       {Cookie{"a b", "c, \"d e"}, Cookie{"", "bare"}, Cookie{"f", "=g="}, Cookie{"h\xff", "\xff"}, Cookie{"i", ""}}) {
    EXPECT_TRUE(append_received_cookie(line, cookie)) << cookie.value;
  }
  EXPECT_EQ(line, "a b=c, \"d e; bare; f==g=; h\xff=\xff; i=");
  EXPECT_EQ(read(fields_of({line}).view()), "<a b> <c, \"d e> <> <bare> <f> <=g=> <h\xff> <\xff> <i> <> ");
}

TEST(AppendReceivedCookie, RefusesWhatWouldBeReadAsSomethingElse) {
  for (const Cookie& cookie :
       {Cookie{"", ""}, Cookie{"", "a=b"}, Cookie{"a=b", "c"}, Cookie{"a", "b; c=d"}, Cookie{"a;", "b"},
        Cookie{"a", " b"}, Cookie{"a\t", "b"}, Cookie{"a", "b\r\nX: y"}, Cookie{"a", "\0"sv}}) {
    std::string line = "x=y";
    EXPECT_EQ(append_received_cookie(line, cookie).error(), Errc::bad_cookie) << cookie.name << cookie.value;
    EXPECT_EQ(line, "x=y");
  }
}

}  // namespace
}  // namespace pipette::http
