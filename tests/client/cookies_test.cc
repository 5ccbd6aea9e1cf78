// A client with a jar: what responses set goes with the requests that follow, also on the way of a redirect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/client/cookie_jar.h"
#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Says what it has been given; "/set" sets a cookie, "/login" sets one and sends on.
class ClientCookies : public testing::Test {
 protected:
  static void act(RequestCtx& ctx) {
    http::SetCookie cookie("sid", "31d4");
    if (ctx.path() == "/short") cookie.max_age = 60s;
    if (ctx.path() == "/set" || ctx.path() == "/login" || ctx.path() == "/short") {
      EXPECT_TRUE(ctx.set_cookie(cookie));
    }
    if (ctx.path() == "/login") {
      EXPECT_TRUE(ctx.redirect("/", 303));
    } else if (ctx.path() == "/away") {
      EXPECT_TRUE(ctx.redirect("http://other.example/", 302));
    } else {
      ctx.set_body(ctx.header("Cookie").value_or("none"));
    }
  }
  static ClientOptions with(CookieJar& jar) {
    ClientOptions options;
    options.cookies = &jar;
    return options;
  }
  std::string get(const std::string& path) { return lab_.run(client_.get("http://app.example" + path))->body; }

  Server server_{act};
  Lab lab_;
  CookieJar jar_;
  Client client_{lab_.runtime(), with(jar_)};
  server::Worker& app_ = lab_.serve(server_, "app.example:80");
  server::Worker& other_ = lab_.serve(server_, "other.example:80");
};

TEST_F(ClientCookies, GoWithTheRequestsThatFollow) {
  EXPECT_EQ(get("/"), "none");
  get("/set");
  EXPECT_EQ(get("/"), "sid=31d4");
  EXPECT_EQ(lab_.run(client_.get("http://other.example/"))->body, "none");
  Request request;
  request.url = "http://app.example/";
  ASSERT_TRUE(request.fields.set("Cookie", "own=1"));
  Response response;
  ASSERT_TRUE(lab_.run(client_.call(request, response)));
  EXPECT_EQ(response.body, "own=1; sid=31d4");
  EXPECT_EQ(request.fields.get("Cookie"), "own=1") << "the request is as it was";
}

TEST_F(ClientCookies, AreSetAndSentOnTheWayOfARedirect) {
  EXPECT_EQ(get("/login"), "sid=31d4");
  EXPECT_EQ(get("/away"), "none") << "and stay with their host";
}

TEST_F(ClientCookies, AreGoneWhenTheirTimeIsOver) {
  get("/short");
  lab_.advance(60s - 1ns);
  EXPECT_EQ(jar_.all(lab_.world().loop().wall_now()).size(), 1U);
  lab_.advance(1ns);
  EXPECT_EQ(get("/"), "none");
}

}  // namespace
}  // namespace pipette::client
