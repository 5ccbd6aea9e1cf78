#include "pipette/http/auth.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;

std::string basic_of(std::string_view user, std::string_view password) {
  std::string out = "<";
  EXPECT_TRUE(write_basic({user, password}, out)) << user;
  return out.substr(1);
}

TEST(Basic, IsReadAndWritten) {
  struct Row {
    std::string_view user, password, value;
  };
  constexpr Row kRows[] = {
      {"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},  // RFC 7617 §2
      {"test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow=="},                 // RFC 7617 §2.1
      {"", "", "Basic Og=="},
      {"a", "", "Basic YTo="},
      {"", "b", "Basic OmI="},
      {"a", "b:c:", "Basic YTpiOmM6"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(basic_of(row.user, row.password), row.value);
    std::string decoded = "old";
    const test::ExactBlock block(row.value);
    EXPECT_EQ(parse_basic(block.octets(), decoded), (BasicCredentials{row.user, row.password}));
  }
}

TEST(Basic, HasASchemeInAnyCaseAndSpacesBehindIt) {
  std::string decoded;
  for (const std::string_view value : {"basic YTpi", "BASIC YTpi", "bAsIc    YTpi"}) {
    EXPECT_EQ(parse_basic(value, decoded), (BasicCredentials{"a", "b"})) << value;
  }
}

TEST(Basic, IsRefusedWhenMalformed) {
  for (const std::string_view value : {""sv,
                                       "Basic"sv,
                                       "Basic "sv,
                                       "BasicYTpi"sv,
                                       "Basic\tYTpi"sv,
                                       "Bearer YTpi"sv,
                                       " Basic YTpi"sv,
                                       "Basic YTpi "sv,
                                       "Basic YTpi YTpi"sv,
                                       "Basic YTpi,"sv,
                                       "Basic YTp"sv,
                                       "Basic YTo"sv,
                                       "Basic YTp="sv,
                                       "Basic YWI="sv /* ab */,
                                       "Basic YTpi\n"sv,
                                       "Basic YQA6Yg=="sv /* a NUL :b */,
                                       "Basic YTpiCg=="sv /* a:b LF */,
                                       "Basic YTp/"sv /* a: DEL */,
                                       "Basic user=\"a\""sv,
                                       "Basi YTpi"sv,
                                       "Basic: YTpi"sv}) {
    std::string decoded;
    const test::ExactBlock block(value);
    EXPECT_EQ(parse_basic(block.octets(), decoded).error(), Errc::bad_credentials) << value;
  }
}

TEST(Basic, RefusesToWriteWhatCouldNotBeReadBack) {
  for (const BasicCredentials& credentials :
       {BasicCredentials{"a:b", "c"}, BasicCredentials{"a\r\n", "c"}, BasicCredentials{"a", "c\n"},
        BasicCredentials{"a\0"sv, "c"}, BasicCredentials{"a", "\t"}, BasicCredentials{"a", "\x7f"}}) {
    std::string out = "kept";
    EXPECT_EQ(write_basic(credentials, out).error(), Errc::bad_credentials);
    EXPECT_EQ(out, "kept");
  }
}

TEST(Bearer, IsReadAndWritten) {
  for (const std::string_view token : {"mF_9.B5f-4.1JqM"sv, "a"sv, "a=="sv, "AZaz09-._~+/="sv}) {
    std::string out = "<";
    ASSERT_TRUE(write_bearer(token, out)) << token;
    EXPECT_EQ(out, "<Bearer " + std::string(token));
    EXPECT_EQ(parse_bearer(std::string_view(out).substr(1)), token);
  }
  EXPECT_EQ(parse_bearer("bEARER  a"), "a");
}

TEST(Bearer, IsRefusedWhenMalformed) {
  for (const std::string_view token :
       {""sv, "="sv, "a b"sv, "a=b"sv, "a,"sv, "a\r\nX: y"sv, "a\0"sv, "\x80"sv, "\"a\""sv, " a"sv, "a "sv}) {
    std::string out;
    EXPECT_EQ(write_bearer(token, out).error(), Errc::bad_credentials) << token;
    EXPECT_EQ(out, "");
    if (token != " a") {
      EXPECT_EQ(parse_bearer("Bearer " + std::string(token)).error(), Errc::bad_credentials) << token;
    }
  }
  for (const std::string_view value : {"Bearer", "Bearera", "Basic a", "", "Bearer\ta"}) {
    EXPECT_EQ(parse_bearer(value).error(), Errc::bad_credentials) << value;
  }
}

TEST(EqualInConstantTime, IsEquality) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret\0a"sv, "secret\0a"sv));
  EXPECT_FALSE(equal_in_constant_time("secret", "secre"));
  EXPECT_FALSE(equal_in_constant_time("secret\0a"sv, "secret\0b"sv));
  const std::string secret(40, '\xff');
  for (std::size_t i = 0; i < secret.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string guess = secret;
      guess[i] = static_cast<char>(guess[i] ^ (1 << bit));
      EXPECT_FALSE(equal_in_constant_time(secret, guess)) << i;
    }
  }
}

}  // namespace
}  // namespace pipette::http
