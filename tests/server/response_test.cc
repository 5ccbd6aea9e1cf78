// What becomes of the response that a handler makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/server/exchange.h"
#include "pipette/server/request_ctx.h"

#include "tests/support/lone_loop.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::Answer;
using test::answer_of;
using test::answers;
using test::get;
using test::kGet;
using test::ok;
using test::Serving;
using testing::ElementsAre;

std::string_view head_of(const Answer& answer) {
  return std::string_view(answer.octets).substr(0, answer.octets.find("\r\n\r\n"));
}

// What most tests are about, in a line: "404 text/plain 'not here'".
std::string gist(const Answer& answer) {
  return std::to_string(answer.head.status) + " " + std::string(answer.field("Content-Type")) + " '" + answer.body +
         "'";
}

TEST(Response, TakesStatusFieldsAndBodyInAnyOrderAndOverwritesThem) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    ctx.set_body("first");
    EXPECT_TRUE(ctx.set_header("X-A", "1"));
    ctx.set_status(404);
    EXPECT_TRUE(ctx.set_content_type("text/html"));
    EXPECT_TRUE(ctx.set_header("x-a", "2"));
    EXPECT_TRUE(ctx.add_header("X-A", "3"));
    EXPECT_TRUE(ctx.add_header("X-B", ""));
    EXPECT_TRUE(ctx.set_header("X-Gone", "x"));
    ctx.set_body("second");
    ctx.append_body(" and third");
    ctx.set_status(201);
    EXPECT_EQ(ctx.status(), 201);
    ctx.remove_header("X-GONE");
    EXPECT_TRUE(ctx.set_header("content-type", "application/json"));
  });
  EXPECT_EQ(head_of(answer),
            "HTTP/1.1 201 Created\r\nServer: pipette\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 16\r\nx-a: 2\r\nX-A: 3\r\nX-B: ");
  EXPECT_EQ(answer.body, "second and third");
}

TEST(Response, SplitsNoResponse) {
  using namespace std::string_literals;
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_header("X", "kept"));
    EXPECT_TRUE(ctx.set_content_type("text/kept"));
    ctx.set_body("kept");
    for (const std::string& value : {"a\r\nB: c"s, "a\nb"s, "a\rb"s, "a\0b"s, "\x7f"s, "\r\n\r\n"s}) {
      EXPECT_EQ(ctx.set_header("X", value).error(), Errc::bad_field_value);
      EXPECT_EQ(ctx.add_header("X", value).error(), Errc::bad_field_value);
      EXPECT_EQ(ctx.set_header("Content-Type", value).error(), Errc::bad_field_value);
      EXPECT_EQ(ctx.set_content_type(value).error(), Errc::bad_field_value);
      EXPECT_EQ(ctx.redirect(value).error(), Errc::bad_field_value);
    }
    for (const std::string& name : {"X\r\nY"s, "X Y"s, "X:"s, ""s, "X\0"s, "\xc3\xa4"s}) {
      EXPECT_EQ(ctx.set_header(name, "v").error(), Errc::bad_field_name);
      EXPECT_EQ(ctx.add_header(name, "v").error(), Errc::bad_field_name);
    }
  });
  EXPECT_EQ(gist(answer), "200 text/kept 'kept'");
  EXPECT_EQ(answer.head.fields.size(), 5U);
  EXPECT_EQ(answer.field("X"), "kept");
  EXPECT_EQ(answer.field("Location"), "(none)");
}

TEST(Response, KeepsTheFieldsOfFramingForTheStack) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    for (const std::string_view name : {"Content-Length", "content-length", "Transfer-Encoding", "TRANSFER-ENCODING"}) {
      EXPECT_EQ(ctx.set_header(name, "1").error(), Errc::managed_field) << name;
      EXPECT_EQ(ctx.add_header(name, "chunked").error(), Errc::managed_field) << name;
      ctx.remove_header(name);
    }
    EXPECT_EQ(ctx.set_header("Connection", "keep-alive").error(), Errc::managed_field);
    ctx.set_body("Hello");
  });
  EXPECT_EQ(answer.field("Content-Length"), "5");
  EXPECT_EQ(answer.field("Transfer-Encoding"), "(none)");
  EXPECT_EQ(answer.field("Connection"), "(none)");
}

TEST(Response, SendsObsTextAndTrimsValues) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_header("X", " \tv\xe4lue\t "));
    EXPECT_TRUE(ctx.set_content_type("\ttext/html "));
    ctx.set_body("x");
  });
  EXPECT_TRUE(answer.octets.contains("\r\nX: v\xe4lue\r\n"));
  EXPECT_TRUE(answer.octets.contains("\r\nContent-Type: text/html\r\n"));
}

TEST(Response, RedirectsWithAStatusThatIsOne) {
  struct Row {
    int asked;
    int sent;
  };
  for (const Row& row : {Row{301, 301}, Row{302, 302}, Row{303, 303}, Row{307, 307}, Row{308, 308}, Row{200, 302},
                         Row{404, 302}, Row{304, 302}, Row{300, 302}}) {
    const Answer answer = answer_of([&](RequestCtx& ctx) {
      ctx.set_body("dropped");
      EXPECT_TRUE(ctx.redirect("https://b/c?d#e", row.asked));
    });
    EXPECT_EQ(answer.head.status, row.sent);
    EXPECT_EQ(answer.field("Location"), "https://b/c?d#e");
    EXPECT_EQ(answer.field("Content-Length"), "0");
  }
  EXPECT_EQ(answer_of([](RequestCtx& ctx) { EXPECT_TRUE(ctx.redirect("/x")); }).head.status, 302);
}

TEST(Response, StartsOverWithAnError) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    ctx.set_connection_close();
    EXPECT_TRUE(ctx.set_header("X-Secret", "x"));
    EXPECT_TRUE(ctx.set_content_type("application/json"));
    ctx.set_body("{");
    ctx.error(503, "come back later");
  });
  EXPECT_EQ(gist(answer), "503 text/plain; charset=utf-8 'come back later'");
  EXPECT_EQ(answer.field("X-Secret"), "(none)");
  EXPECT_EQ(answer.field("Connection"), "close");
}

TEST(Response, GivesABodyATypeAndAnEmptyOneNone) {
  EXPECT_EQ(answer_of([](RequestCtx& ctx) { ctx.set_body("x"); }).field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer_of([](RequestCtx&) {}).field("Content-Type"), "(none)");
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_content_type("image/png"));
    ctx.set_body("x");
    ctx.remove_header("Content-Type");
  });
  EXPECT_EQ(answer.field("Content-Type"), "text/plain; charset=utf-8");
}

TEST(Response, LetsTheHandlersServerAndDateWin) {
  const Answer both = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_header("server", "mine"));
    EXPECT_TRUE(ctx.set_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT"));
  });
  EXPECT_EQ(head_of(both),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nserver: mine\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT");
  const Answer one = answer_of([](RequestCtx& ctx) { EXPECT_TRUE(ctx.set_header("Server", "mine")); });
  EXPECT_EQ(one.field("Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  EXPECT_EQ(one.field("Server"), "mine");
}

TEST(Response, StartsEachResponseAfresh) {
  Serving app([](RequestCtx& ctx) {
    if (ctx.path() != "/first") return;
    EXPECT_TRUE(ctx.set_header("X", "y"));
    EXPECT_TRUE(ctx.set_content_type("text/html"));
    ctx.set_status(404);
    ctx.set_body("not here");
  });
  const auto found = answers(app.answer_to(get("/first") + get("/second")));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(gist(found[0]), "404 text/html 'not here'");
  EXPECT_EQ(gist(found[1]), "200 (none) ''");
  EXPECT_EQ(app.answer_to(get("/second")), ok(""));
}

TEST(Response, AnswersAStatusThatCannotBeFinalWith500) {
  for (const int status : {-1, 0, 100, 199, 600, 1000}) {
    Serving app([status](RequestCtx& ctx) { ctx.set_status(status); });
    EXPECT_TRUE(app.answer_to(kGet).starts_with("HTTP/1.1 500 ")) << status;
  }
}

// ---- fields ----------------------------------------------------------------------------------------------

TEST(Response, ReadsBackWhatWasSet) {
  answer_of([](RequestCtx& ctx) {
    for (const std::string_view name : {"X", "Content-Type", "Connection", "Content-Length", "Date"}) {
      EXPECT_EQ(ctx.response_header(name), std::nullopt) << name;
    }
    ctx.set_body("body");
    EXPECT_TRUE(ctx.set_header("X", "1"));
    EXPECT_TRUE(ctx.add_header("x", "2"));
    EXPECT_TRUE(ctx.set_header("content-type", "text/html"));
    ctx.set_connection_close();
    EXPECT_EQ(ctx.response_header("x"), "1");
    EXPECT_EQ(ctx.response_header("CONTENT-TYPE"), "text/html");
    EXPECT_EQ(ctx.response_header("Connection"), "close");
    EXPECT_EQ(ctx.response_header("Content-Length"), std::nullopt);
    EXPECT_EQ(ctx.response_body(), "body");
  });
}

TEST(Response, TakesAReasonThatIsOne) {
  using namespace std::string_literals;
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  EXPECT_TRUE(exchange.ctx.set_reason("I like it"));
  for (const std::string& reason : {"a\r\nb"s, "a\0"s, std::string(http::kMaxReasonBytes + 1, 'x')}) {
    EXPECT_EQ(exchange.ctx.set_reason(reason).error(), Errc::bad_reason);
  }
  exchange.ctx.set_status(404);
  EXPECT_EQ(exchange.response.reason, "I like it");
  exchange.ctx.error(500, "");
  EXPECT_EQ(exchange.response.reason, "") << "an error starts over";
}

std::vector<std::string> cookies_of(const Answer& answer) {
  std::vector<std::string> lines;
  answer.head.fields.for_each(http::FieldName::set_cookie, [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

http::SetCookie cookie_for(std::string_view name, std::string_view value, std::string_view path,
                           std::string_view domain = "") {
  http::SetCookie cookie(name, value);
  cookie.path = path;
  cookie.domain = domain;
  return cookie;
}

TEST(Response, SetsCookiesAndReplacesThose) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_cookie({"a", "1"}));
    EXPECT_TRUE(ctx.set_cookie({"b", "2"}));
    EXPECT_TRUE(ctx.set_cookie(cookie_for("a", "3", "/x")));
    EXPECT_TRUE(ctx.set_cookie(cookie_for("a", "4", "/x", "b.org")));
    EXPECT_TRUE(ctx.add_header("Set-Cookie", "mine"));
    EXPECT_TRUE(ctx.set_cookie({"a", "5"}));
    EXPECT_TRUE(ctx.set_cookie(cookie_for("a", "6", "/x", "B.ORG")));
  });
  EXPECT_THAT(cookies_of(answer), ElementsAre("b=2", "a=3; Path=/x", "mine", "a=5", "a=6; Domain=B.ORG; Path=/x"));
}

TEST(Response, RefusesCookiesThatNobodyMayKeep) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_cookie({"a", "kept"}));
    EXPECT_EQ(ctx.set_cookie({"a", "x\r\nX: y"}).error(), Errc::bad_cookie);
    EXPECT_EQ(ctx.set_cookie({"a", "x; Path=/"}).error(), Errc::bad_cookie);
    EXPECT_EQ(ctx.set_cookie({"__Host-a", "x"}).error(), Errc::unsafe_cookie);
    EXPECT_EQ(ctx.delete_client_cookie("a b").error(), Errc::bad_cookie);
  });
  EXPECT_THAT(cookies_of(answer), ElementsAre("a=kept"));
}

TEST(Response, TakesCookiesAway) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_cookie({"a", "1"}));
    EXPECT_TRUE(ctx.delete_client_cookie("a"));
    EXPECT_TRUE(ctx.delete_client_cookie(cookie_for("b", "ignored", "/x")));
  });
  EXPECT_THAT(cookies_of(answer), ElementsAre("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
                                              "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/x"));
}

// ---- the body --------------------------------------------------------------------------------------------

TEST(Response, TakesATemporaryBodyWithoutACopy) {
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  std::string text(1000, 'x');
  const char* const octets = text.data();
  exchange.ctx.set_body(text);
  EXPECT_NE(exchange.ctx.response_body().data(), octets);
  exchange.ctx.set_body(std::move(text));
  EXPECT_EQ(exchange.ctx.response_body().data(), octets);
  EXPECT_EQ(answer_of([](RequestCtx& ctx) { ctx.set_body("Hello, " + std::string(ctx.path())); }).body, "Hello, /");
}

TEST(Response, ShowsABodyWithoutACopyUntilItIsChanged) {
  constexpr std::string_view kStatic = "static text";
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  RequestCtx& ctx = exchange.ctx;
  ctx.set_body("before");
  ctx.set_body_view(kStatic);
  EXPECT_EQ(ctx.response_body().data(), kStatic.data());
  EXPECT_EQ(exchange.response.body_bytes(), kStatic);
  ctx.append_body("!");
  EXPECT_EQ(ctx.response_body(), "static text!");
  ctx.set_body_view(kStatic);
  ctx.set_body("after");
  EXPECT_EQ(ctx.response_body(), "after");
  ctx.set_body_view("");
  EXPECT_EQ(ctx.response_body(), "") << "an empty view is an empty body";
  ctx.set_body_view(kStatic);
  ctx.reset_body();
  EXPECT_EQ(ctx.response_body(), "");
  ctx.set_body_view(kStatic);
  ctx.set_body(std::string("moved"));
  EXPECT_EQ(ctx.response_body(), "moved");
  ctx.set_body_view(kStatic);
  exchange.begin();
  EXPECT_EQ(ctx.response_body(), "");
}

TEST(Response, TakesPartsOfItselfForItsBody) {
  answer_of([](RequestCtx& ctx) {
    ctx.set_body("a text that is longer than what a string holds without memory of its own");
    ctx.error(400, ctx.response_body().substr(2, 4));
    EXPECT_EQ(ctx.response_body(), "text");
    EXPECT_TRUE(ctx.set_header("X", "why"));
    ctx.error(400, *ctx.response_header("X"));
    EXPECT_EQ(ctx.response_body(), "why");
    ctx.set_body(ctx.response_body().substr(1));
    EXPECT_EQ(ctx.response_body(), "hy");
  });
}

// ---- whole answers ---------------------------------------------------------------------------------------

TEST(Response, SucceedsWithATypeAndABody) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    ctx.set_status(404);
    EXPECT_TRUE(ctx.success("application/json", "{}"));
    EXPECT_EQ(ctx.success("a\nb", "x").error(), Errc::bad_field_value);
  });
  EXPECT_EQ(gist(answer), "200 application/json '{}'");
}

TEST(Response, SaysThatNothingIsThere) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.success("application/json", "{}"));
    ctx.not_found();
  });
  EXPECT_EQ(gist(answer), "404 text/plain; charset=utf-8 '404 page not found'");
}

TEST(Response, SaysThatNothingWasModifiedWithTheFieldsThatCachesWant) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.success("application/json", "{}"));
    EXPECT_TRUE(ctx.set_header("ETag", "\"a\""));
    ctx.not_modified();
  });
  EXPECT_EQ(gist(answer), "304 (none) ''");
  EXPECT_EQ(answer.field("Content-Length"), "(none)");
  EXPECT_EQ(answer.field("ETag"), "\"a\"");
}

TEST(Response, StartsOverAltogether) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.success("application/json", "{}"));
    EXPECT_TRUE(ctx.set_header("X", "y"));
    EXPECT_TRUE(ctx.set_cookie({"a", "b"}));
    ctx.set_connection_close();
    ctx.set_status(404);
    ctx.reset_response();
  });
  EXPECT_EQ(gist(answer), "200 (none) ''");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_EQ(answer.head.fields.size(), 4U) << "Server, Date, Content-Length, Connection";
}

TEST(Response, KeepsWhatIsSuppressedAndForgetsItWithTheExchange) {
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  exchange.ctx.suppress_server();
  exchange.ctx.suppress_date();
  exchange.ctx.suppress_content_type();
  exchange.ctx.error(404, "no");
  exchange.ctx.not_modified();
  exchange.ctx.reset_response();
  const ResponseParts& response = exchange.response;
  EXPECT_TRUE(response.no_default_server && response.no_default_date && response.no_default_content_type);
  exchange.begin();
  EXPECT_FALSE(response.no_default_server || response.no_default_date || response.no_default_content_type);
}

// ---- what the session makes of it ------------------------------------------------------------------------

TEST(Response, GoesOutWithAReasonOfItsOwn) {
  EXPECT_TRUE(
      answer_of([](RequestCtx& ctx) {
        EXPECT_TRUE(ctx.set_reason("I like it"));
      }).octets.starts_with("HTTP/1.1 200 I like it\r\nServer: pipette\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
}

TEST(Response, GoesOutWithoutTheDefaultsThatAreSuppressed) {
  const Answer none = answer_of([](RequestCtx& ctx) {
    ctx.suppress_server();
    ctx.suppress_date();
    ctx.suppress_content_type();
    ctx.error(404, "no");
  });
  EXPECT_EQ(none.octets, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
  const Answer own = answer_of([](RequestCtx& ctx) {
    ctx.suppress_date();
    ctx.suppress_content_type();
    EXPECT_TRUE(ctx.success("text/html", "yes"));
  });
  EXPECT_EQ(own.octets, "HTTP/1.1 200 OK\r\nServer: pipette\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nyes")
      << "what the handler says itself is sent";
}

TEST(Response, GoesOutFromWhereItsBodyStands) {
  static const std::string large(100'000, 'x');
  for (const std::string_view body : {std::string_view("small"), std::string_view(large)}) {
    EXPECT_EQ(answer_of([body](RequestCtx& ctx) { ctx.set_body_view(body); }).body, body);
  }
  EXPECT_EQ(answer_of([](RequestCtx& ctx) {
              ctx.set_body_view("gone");
              ctx.set_status(205);
            }).field("Content-Length"),
            "0");
}

// ---- redirects -------------------------------------------------------------------------------------------

std::string location_for(std::string_view head, std::string_view location) {
  const Handler::Plain to_location = [=](RequestCtx& ctx) { EXPECT_TRUE(ctx.redirect(location)) << location; };
  return std::string(
      answer_of([&](RequestCtx& ctx) { to_location(ctx); }, std::string(head) + "\r\n\r\n").field("Location"));
}

TEST(Redirect, GoesToAnAbsoluteUri) {
  struct Row {
    std::string_view location;
    std::string_view sent;
  };
  constexpr Row kRows[] = {
      {"/x?y#z", "http://app:8080/x?y#z"},
      {"x", "http://app:8080/a/x"},
      {"../../x", "http://app:8080/x"},
      {"/x/%2e%2E/y", "http://app:8080/x/%2e%2E/y"},
      {"?q", "http://app:8080/a/b?q"},
      {"#f", "http://app:8080/a/b?c#f"},
      {"", "http://app:8080/a/b?c"},
      {"//other/x", "http://other/x"},
      {"https://o/a/../b", "https://o/a/../b"},  // is absolute already, and goes as it is
      {"mailto:ada@b", "mailto:ada@b"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(location_for("GET /a/b?c HTTP/1.1\r\nHost: app:8080", row.location), row.sent) << row.location;
  }
}

TEST(Redirect, StartsFromTheUriThatTheRequestIsFor) {
  struct Row {
    std::string_view head;
    std::string_view sent;
  };
  constexpr Row kRows[] = {
      {"GET http://t:8443/a HTTP/1.1\r\nHost: ignored", "http://t:8443/x"},
      {"GET / HTTP/1.1\r\nHost: [::1]", "http://[::1]/x"},
      {"OPTIONS * HTTP/1.1\r\nHost: app", "http://app/x"},
      {"GET / HTTP/1.0\r\nHost: app", "http://app/x"},
      {"GET / HTTP/1.0", "/x"},  // nobody knows from where
  };
  for (const Row& row : kRows) EXPECT_EQ(location_for(row.head, "/x"), row.sent) << row.head;
}

TEST(Redirect, RefusesWhatIsNoUriReference) {
  using namespace std::string_view_literals;
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.success("text/kept", "kept"));
    for (const std::string_view bad : {"/a b", "/%zz", "/\xc3\xa4", "/a\\b", "http://[", "/[", "1:b", "http://a:b/"}) {
      EXPECT_EQ(ctx.redirect(bad).error(), Errc::bad_uri) << bad;
    }
    for (const std::string_view bad : {"/a\r\nX: y"sv, "/\n"sv, "/\0"sv}) {
      EXPECT_EQ(ctx.redirect(bad).error(), Errc::bad_field_value);
    }
  });
  EXPECT_EQ(gist(answer), "200 text/kept 'kept'");
  EXPECT_EQ(answer.field("Location"), "(none)");
}

TEST(Redirect, DropsTypeAndBodyAndKeepsTheRest) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.success("text/html", "x"));
    EXPECT_TRUE(ctx.set_cookie({"a", "b"}));
    EXPECT_TRUE(ctx.redirect("/x"));
    EXPECT_TRUE(ctx.redirect("/y", 303));
  });
  EXPECT_EQ(gist(answer), "303 (none) ''");
  EXPECT_EQ(answer.field("Set-Cookie"), "a=b");
  EXPECT_EQ(answer.field("Location"), "http://a/y");
}

}  // namespace
}  // namespace pipette::server
