// Where a response sends its client, and what goes along (RFC 9110 §15.4).
#include "pipette/client/redirect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::client {
namespace {

using http::Method;
using test::Serving;
using testing::Optional;

Response to(std::string_view location, int status = 302) {
  Response response;
  response.status = status;
  EXPECT_TRUE(response.fields.set("Location", location));
  return response;
}

Request from(std::string_view url, Method method = Method::get) {
  Request request;
  request.url = url;
  request.method = method;
  return request;
}

TEST(Redirect, ChangesMethodAndBodyAsItsStatusSays) {
  struct Case {
    int status;
    Method method;
    Method next;
    bool keeps_body;
  };
  for (const Case& each : {
           Case{301, Method::get, Method::get, true},
           Case{301, Method::post, Method::get, false},
           Case{301, Method::put, Method::put, true},
           Case{302, Method::post, Method::get, false},
           Case{302, Method::head, Method::head, true},
           Case{302, Method::delete_, Method::delete_, true},
           Case{303, Method::post, Method::get, false},
           Case{303, Method::put, Method::get, false},
           Case{303, Method::head, Method::head, true},
           Case{307, Method::post, Method::post, true},
           Case{308, Method::post, Method::post, true},
       }) {
    Request request = from("http://a/", each.method);
    request.body = "body";
    ASSERT_TRUE(request.fields.set("Content-Type", "text/plain"));
    ASSERT_TRUE(request.fields.set("X-Other", "1"));
    ASSERT_TRUE(follow(to("/b", each.status), 1, {}, request));
    EXPECT_EQ(request.method, each.next) << each.status;
    EXPECT_EQ(request.body, each.keeps_body ? "body" : "") << each.status;
    EXPECT_EQ(request.fields.contains("Content-Type"), each.keeps_body) << each.status;
    EXPECT_TRUE(request.fields.contains("X-Other"));
  }
}

TEST(Redirect, ResolvesItsLocation) {
  struct Case {
    std::string_view url, location, next;
  };
  for (const Case& each : {
           Case{"http://a/b/c?d", "e", "http://a/b/e"},
           Case{"http://a/b/c?d", "/e?f", "http://a/e?f"},
           Case{"http://a/b/c?d", "?f", "http://a/b/c?f"},
           Case{"http://a/b/c", "../../e", "http://a/e"},
           Case{"http://a/b", "//other:81/e", "http://other:81/e"},
           Case{"http://a/b", "https://a/e", "https://a/e"},
           Case{"http://[::1]:8080/b", "c", "http://[::1]:8080/c"},
       }) {
    Request request = from(each.url);
    ASSERT_TRUE(follow(to(each.location), 1, {}, request)) << each.location;
    EXPECT_EQ(request.url, each.next);
  }
}

TEST(Redirect, LeadsNowhereWhenItsLocationDoes) {
  struct Case {
    std::string_view url, location;
    Errc expected;
  };
  for (const Case& each : {
           Case{"http://a/", "ftp://a/", Errc::unsupported_scheme},
           Case{"http://a/", "javascript:alert(1)", Errc::bad_uri},
           Case{"http://a/", "http://user:secret@b/", Errc::bad_uri},
           Case{"http://a/", "http://b:99999/", Errc::bad_uri},
           Case{"http://a/", "/a b", Errc::bad_uri},
           Case{"https://a/", "http://a/", Errc::refused_redirect},
       }) {
    Request request = from(each.url);
    EXPECT_EQ(follow(to(each.location), 1, {}, request), fail(each.expected)) << each.location;
  }
  RedirectPolicy careless;
  careless.allows_downgrade = true;
  Request request = from("https://a/");
  EXPECT_TRUE(follow(to("http://a/"), 1, careless, request));
}

TEST(Redirect, TakesNoSecretsToAnotherOrigin) {
  struct Case {
    std::string_view url, location;
    bool keeps;
  };
  for (const Case& each : {
           Case{"http://a/", "/b", true},
           Case{"http://a/", "http://A:80/b", true},
           Case{"http://a/", "http://a:81/b", false},
           Case{"http://a/", "https://a/b", false},
           Case{"http://a/", "http://sub.a/b", false},
           Case{"http://sub.a/", "http://a/b", false},
           Case{"http://a/", "http://a.evil/b", false},
       }) {
    Request request = from(each.url);
    const std::vector<std::string> secrets = {"Authorization", "Cookie", "Proxy-Authorization"};
    for (const std::string& name : secrets) ASSERT_TRUE(request.fields.set(name, "secret"));
    ASSERT_TRUE(request.fields.set("Accept", "*/*"));
    ASSERT_TRUE(follow(to(each.location), 1, {}, request));
    for (const std::string& name : secrets) EXPECT_EQ(request.fields.contains(name), each.keeps) << each.location;
    EXPECT_TRUE(request.fields.contains("Accept"));
  }
}

TEST(Redirect, IsUpToTheUser) {
  RedirectPolicy policy;
  policy.follow_if = [](const Redirect& redirect) { return redirect.next.url == "http://good/"; };
  Request good = from("http://a/");
  EXPECT_TRUE(follow(to("http://good/"), 1, policy, good));
  Request evil = from("http://a/");
  EXPECT_EQ(follow(to("http://evil/"), 1, policy, evil), fail(Errc::refused_redirect));
}

// ---- a client on its way -----------------------------------------------------------------------------------------

void count_down(RequestCtx& ctx) {
  const int left = std::stoi(std::string(ctx.path().substr(1)));
  if (left == 0) return ctx.set_body(ctx.method_text());
  EXPECT_TRUE(ctx.redirect("/" + std::to_string(left - 1), 303));
}

TEST(ClientRedirects, AreFollowedToTheEnd) {
  Serving app(count_down);
  Client client(app.lab().runtime());
  const Result<Response> page = app.lab().run(client.post("http://app/10", "text/plain", "x"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->body, "GET");
  EXPECT_EQ(client.counts().redirected, 10U);
  EXPECT_EQ(client.counts().dials, 1U) << "all on one connection";
}

TEST(ClientRedirects, AreBounded) {
  Serving app(count_down);
  Client client(app.lab().runtime());
  EXPECT_EQ(app.lab().run(client.get("http://app/11")), fail(Errc::too_many_redirects));
  EXPECT_EQ(client.idle_connections(), 1U) << "nothing is wrong with the connection";
}

TEST(ClientRedirects, AreResponsesLikeOthersWhenTheyAreNotWanted) {
  Serving app(count_down);
  ClientOptions options;
  options.redirects.max = 0;
  Client client(app.lab().runtime(), options);
  const Result<Response> page = app.lab().run(client.get("http://app/1"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 303);
}

TEST(ClientRedirects, StandAsTheyAreWithoutALocation) {
  Serving app([](RequestCtx& ctx) { ctx.set_status(302); });
  EXPECT_EQ(app.lab().get("http://app/").status, 302);
}

}  // namespace
}  // namespace pipette::client
