// What one call does otherwise than its client.
#include "pipette/client/call_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/client/cookie_jar.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CallOption : public testing::Test {
 protected:
  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  Client client_{lab_.runtime()};
};

TEST_F(CallOption, TimeoutTakesThePlaceOfTheClients) {
  lab_.allow_leaks();
  for (const Duration timeout : {Duration(3s), Duration(29s), Duration(0s)}) {
    const TimePoint before = lab_.now();
    CallOptions options;
    options.timeout = timeout;
    EXPECT_EQ(lab_.run(client_.get("http://app/", options)), fail(Errc::timed_out));
    EXPECT_EQ(lab_.now() - before, timeout);
  }
  EXPECT_EQ(server_.accepted(), 2U) << "where there is no time at all, nothing is begun";
}

TEST_F(CallOption, TimeoutMayBeLongerThanTheClients) {
  ClientOptions brief;
  brief.timeout = 1s;
  Client client(lab_.runtime(), brief);
  server_.answer(Script().wait(20s).send(lab::respond(200, "late")));
  CallOptions options;
  options.timeout = 25s;
  EXPECT_EQ(lab_.run(client.get("http://app/", options))->body, "late");
}

TEST_F(CallOption, DeadlineThatHasPassedBeginsNothing) {
  lab_.advance(5s);
  CallOptions options;
  options.deadline = TimePoint(4s);
  EXPECT_EQ(lab_.run(client_.get("http://app/", options)), fail(Errc::timed_out));
  EXPECT_EQ(server_.accepted(), 0U);
}

TEST_F(CallOption, FieldsAreBesideThoseOfTheRequest) {
  server_.answer(lab::respond(200));
  Request request;
  request.url = "http://app/";
  ASSERT_TRUE(request.fields.set("X-Own", "request"));
  http::OwnedFields fields;
  ASSERT_TRUE(fields.set("X-Own", "options"));
  ASSERT_TRUE(fields.add("X-More", "1"));
  ASSERT_TRUE(fields.add("X-More", "2"));
  CallOptions options;
  options.fields = &fields;
  Response response;
  ASSERT_TRUE(lab_.run(client_.call(request, response, options)));
  EXPECT_THAT(server_.requests(), ElementsAre(AllOf(HasSubstr("X-Own: request\r\n"), Not(HasSubstr("X-Own: options")),
                                                    HasSubstr("X-More: 1\r\nX-More: 2\r\n"))));
}

TEST_F(CallOption, FieldsThatTheClientWritesAreRefused) {
  http::OwnedFields fields;
  ASSERT_TRUE(fields.set("Content-Length", "7"));
  CallOptions options;
  options.fields = &fields;
  EXPECT_EQ(lab_.run(client_.get("http://app/", options)), fail(Errc::managed_field));
}

TEST_F(CallOption, BodyLimitTakesThePlaceOfTheClients) {
  ClientOptions strict;
  strict.max_response_body_bytes = 3;
  Client client(lab_.runtime(), strict);
  CallOptions options;
  options.max_response_body_bytes = 5;
  server_.answer(lab::respond(200, "Hello"));
  EXPECT_EQ(lab_.run(client.get("http://app/", options))->body, "Hello");
  server_.answer(lab::respond(200, "Hello!"));
  EXPECT_EQ(lab_.run(client.get("http://app/", options)), fail(Errc::body_too_large));
}

TEST_F(CallOption, RedirectsTakeThePlaceOfTheClients) {
  RedirectPolicy none;
  none.max = 0;
  CallOptions options;
  options.redirects = &none;
  server_.answer(lab::respond(302, "", "Location: /there\r\n"));
  EXPECT_EQ(lab_.run(client_.get("http://app/", options))->status, 302);
}

TEST_F(CallOption, RetriesTakeThePlaceOfTheClients) {
  RetryPolicy eager;
  eager.on_new_connections = true;
  CallOptions options;
  options.retries = &eager;
  server_.reset_next();
  server_.answer(lab::respond(200, "again"));
  EXPECT_EQ(lab_.run(client_.get("http://app/", options))->body, "again");
  RetryPolicy never;
  never.max_attempts = 1;
  options.retries = &never;
  server_.reset_next();
  EXPECT_EQ(lab_.run(client_.get("http://app/", options)), fail(Errc::connection_reset)) << "though it was a kept one";
}

TEST_F(CallOption, FieldsGoNoFurtherThanTheRequests) {
  ScriptedServer other(lab_, "other:80");
  server_.answer(lab::respond(302, "", "Location: /b\r\n"));
  server_.answer(lab::respond(302, "", "Location: http://other/\r\n"));
  other.answer(lab::respond(200));
  http::OwnedFields fields;
  ASSERT_TRUE(fields.set("Authorization", "Bearer secret"));
  ASSERT_TRUE(fields.set("Host", "virtual"));
  ASSERT_TRUE(fields.add("X-Kind", "a"));
  ASSERT_TRUE(fields.add("X-Kind", "b"));
  CallOptions options;
  options.fields = &fields;
  ASSERT_TRUE(lab_.run(client_.get("http://app/a", options)));
  EXPECT_THAT(server_.requests(), ElementsAre(AllOf(HasSubstr("Host: virtual\r\n"), HasSubstr("Bearer secret")),
                                              AllOf(HasSubstr("Host: app\r\n"), HasSubstr("Bearer secret"))));
  EXPECT_THAT(other.requests(), ElementsAre(AllOf(HasSubstr("Host: other\r\n"), Not(HasSubstr("Authorization")),
                                                  HasSubstr("X-Kind: a\r\n"), HasSubstr("X-Kind: b\r\n"))));
}

TEST_F(CallOption, FieldsMayAskToClose) {
  server_.answer(lab::respond(200));
  http::OwnedFields fields;
  ASSERT_TRUE(fields.set("Connection", "close"));
  CallOptions options;
  options.fields = &fields;
  ASSERT_TRUE(lab_.run(client_.get("http://app/", options)));
  EXPECT_EQ(client_.open_connections(), 0U);
}

// ---- credentials in URLs -----------------------------------------------------------------------------------

constexpr const char* kOfMe = "Authorization: Basic bWU6c2U6Y3JldA==\r\n";  // me, se:cret

TEST_F(CallOption, CredentialsInAUrlAreBasicOnes) {
  struct Row {
    std::string_view url;
    std::string_view field;
  };
  for (const Row& row : {Row{"http://me:se%3Acret@app/a", kOfMe}, Row{"http://me:se:cret@app/a", kOfMe},
                         Row{"http://me@app/a", "Authorization: Basic bWU6\r\n"},
                         Row{"http://:x@app/a", "Authorization: Basic Ong=\r\n"}}) {
    server_.answer(lab::respond(200));
    EXPECT_TRUE(lab_.run(client_.get(std::string(row.url)))) << row.url;
    EXPECT_THAT(server_.requests().back(),
                AllOf(testing::StartsWith("GET /a HTTP/1.1\r\nHost: app\r\n"), HasSubstr(row.field)));
  }
  EXPECT_EQ(server_.accepted(), 1U);
}

TEST_F(CallOption, CredentialsInAUrlGiveWayToTheRequests) {
  server_.answer(lab::respond(200));
  Request request;
  request.url = "http://me:secret@app/";
  ASSERT_TRUE(request.fields.set("Authorization", "Bearer x"));
  ASSERT_TRUE(lab_.run(client_.call(request)));
  EXPECT_THAT(server_.requests()[0], AllOf(HasSubstr("Authorization: Bearer x\r\n"), Not(HasSubstr("Basic"))));
}

TEST_F(CallOption, CredentialsInAUrlGoNoFurtherThanItsOrigin) {
  ScriptedServer other(lab_, "other:80");
  server_.answer(lab::respond(302, "", "Location: /b\r\n"));
  server_.answer(lab::respond(302, "", "Location: http://other/\r\n"));
  other.answer(lab::respond(200));
  ASSERT_TRUE(lab_.run(client_.get("http://me:se:cret@app/a")));
  EXPECT_THAT(server_.requests(), ElementsAre(HasSubstr(kOfMe), HasSubstr(kOfMe)));
  EXPECT_THAT(other.requests(), ElementsAre(Not(HasSubstr("Authorization"))));
}

TEST_F(CallOption, CredentialsThatAreMalformedAreRefused) {
  for (const std::string_view url :
       {"http://me%@app/", "http://me:%0@app/", "http://a@b@app/", "http://%0d%0a:x@app/"}) {
    const Result<Response> page = lab_.run(client_.get(std::string(url)));
    EXPECT_FALSE(page) << url;
  }
  EXPECT_EQ(server_.accepted(), 0U);
}

TEST_F(CallOption, CredentialsAndCookiesGoTogether) {
  CookieJar jar;
  ClientOptions options;
  options.cookies = &jar;
  Client client(lab_.runtime(), options);
  server_.answer(lab::respond(200, "", "Set-Cookie: a=b\r\n"));
  server_.answer(lab::respond(200));
  ASSERT_TRUE(lab_.run(client.get("http://app/")));
  ASSERT_TRUE(lab_.run(client.get("http://me:se:cret@app/")));
  EXPECT_THAT(server_.requests()[1], AllOf(HasSubstr(kOfMe), HasSubstr("Cookie: a=b\r\n")));
}

}  // namespace
}  // namespace pipette::client
