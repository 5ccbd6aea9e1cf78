#include "pipette/client/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/http/auth.h"

#include "tests/support/printers.h"

namespace pipette::client {
namespace {

using testing::Optional;

TEST(SetBasic, SaysWhoAsks) {
  Request request;
  ASSERT_TRUE(set_basic(request, "Aladdin", "open sesame"));  // RFC 7617 §2
  EXPECT_THAT(request.fields.get("Authorization"), Optional(std::string_view("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
  std::string decoded;
  ASSERT_TRUE(set_basic(request, "", "a:b"));
  EXPECT_EQ(http::parse_basic(*request.fields.get("Authorization"), decoded), (http::BasicCredentials{"", "a:b"}));
}

TEST(SetBearer, BringsItsToken) {
  Request request;
  ASSERT_TRUE(set_bearer(request, "mF_9.B5f-4.1JqM"));  // RFC 6750 §2.1
  EXPECT_THAT(request.fields.get("Authorization"), Optional(std::string_view("Bearer mF_9.B5f-4.1JqM")));
}

TEST(Credentials, ReplaceThoseThatAreThere) {
  Request request;
  ASSERT_TRUE(request.fields.add("authorization", "Basic one"));
  ASSERT_TRUE(request.fields.add("Authorization", "Basic two"));
  ASSERT_TRUE(set_bearer(request, "three"));
  ASSERT_EQ(request.fields.size(), 1U);
  EXPECT_EQ(request.fields[0].value, "Bearer three");
}

TEST(Credentials, AreRefusedWhereTheyCannotBeWritten) {
  Request request;
  ASSERT_TRUE(set_bearer(request, "old"));
  EXPECT_EQ(set_basic(request, "a:b", "c").error(), Errc::bad_credentials);
  EXPECT_EQ(set_basic(request, "a", "b\r\nX: y").error(), Errc::bad_credentials);
  EXPECT_EQ(set_basic(request, "a\n", "b").error(), Errc::bad_credentials);
  for (const std::string_view token : {"", "a b", "a,b", "a\r\nX: y", "=a", "\xc3\xa4"}) {
    EXPECT_EQ(set_bearer(request, token).error(), Errc::bad_credentials) << token;
  }
  EXPECT_THAT(request.fields.get("Authorization"), Optional(std::string_view("Bearer old")));
}

}  // namespace
}  // namespace pipette::client
