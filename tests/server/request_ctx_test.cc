// What a handler sees of the request, and what becomes of the response it makes.
#include "pipette/server/request_ctx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::Answer;
using test::answers;
using test::kGet;
using test::ok;
using test::Serving;
using testing::ElementsAre;

std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

// The one answer to a GET.
Answer answer_of(Handler handler, std::string_view target = "/") {
  Serving app(std::move(handler));
  std::vector<Answer> found = answers(app.answer_to(get(target)));
  EXPECT_EQ(found.size(), 1U);
  return found.empty() ? Answer() : std::move(found[0]);
}

TEST(RequestCtx, DecodesThePathWithoutDotSegmentsAndLeavesTheRest) {
  struct Row {
    std::string_view target;
    std::string_view path;
    std::string_view query;
  };
  for (const Row& row :
       {Row{"/", "/", ""}, Row{"/a/b?c=d?e", "/a/b", "c=d?e"}, Row{"/%41%2f%2F+?%41+", "/A//+", "%41+"},
        Row{"/a/../b//c/.", "/b//c/", ""}, Row{"/%2e%2E/..%2fa?../b", "/a", "../b"}, Row{"/?", "/", ""},
        Row{"/%25%32%35", "/%25", ""}, Row{"http://b?x", "/", "x"}, Row{"/%e2%82%ac", "/\xe2\x82\xac", ""}}) {
    bool is_called = false;
    answer_of(
        [&](RequestCtx& ctx) {
          is_called = true;
          EXPECT_EQ(ctx.target(), row.target);
          EXPECT_EQ(ctx.path(), row.path) << row.target;
          EXPECT_EQ(ctx.path(), row.path) << "the second time";
          EXPECT_TRUE(row.target.contains(ctx.path_original()) || ctx.path_original() == "/") << row.target;
          EXPECT_EQ(ctx.query(), row.query) << row.target;
        },
        row.target);
    EXPECT_TRUE(is_called) << row.target;
  }
}

TEST(RequestCtx, DecodesAPathAnewForEachRequest) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(ctx.path()); });
  EXPECT_EQ(app.answer_to(get("/%41") + get("/%42") + get("/c")), ok("/A") + ok("/B") + ok("/c"));
}

TEST(RequestCtx, LooksUpQueryParameters) {
  answer_of(
      [](RequestCtx& ctx) {
        EXPECT_EQ(ctx.query("a"), "1");
        EXPECT_EQ(ctx.query("b c"), "d e");
        EXPECT_EQ(ctx.query("flag"), "");
        EXPECT_EQ(ctx.query("empty"), "");
        EXPECT_EQ(ctx.query("none"), std::nullopt);
        EXPECT_EQ(ctx.query("A"), std::nullopt);
      },
      "/?a=1&a=2&b+c=d%20e&flag&empty=&=x");
}

TEST(RequestCtx, ShowsTheRequest) {
  Serving app([&](RequestCtx& ctx) {
    EXPECT_EQ(ctx.method(), http::Method::post);
    EXPECT_TRUE(ctx.is_post());
    EXPECT_FALSE(ctx.is_get() || ctx.is_head());
    EXPECT_EQ(ctx.host(), "example.org:81");
    EXPECT_EQ(ctx.header("x-KEY"), "value");
    EXPECT_EQ(ctx.header(http::FieldName::host), "example.org:81");
    EXPECT_EQ(ctx.header("Cookie"), std::nullopt);
    EXPECT_EQ(ctx.headers().size(), 3U);
    EXPECT_EQ(ctx.body(), "body");
    EXPECT_EQ(ctx.local_address(), *net::Address::parse("10.0.1.1:80"));
    EXPECT_EQ(ctx.remote_address(), *net::Address::parse("10.0.0.1:49152"));
    EXPECT_EQ(ctx.now(), ctx.runtime().loop().now());
  });
  app.answer_to("POST / HTTP/1.1\r\nHost: example.org:81\r\nX-Key: \t value \t\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(app.worker().served(), 1U);
}

TEST(RequestCtx, TakesStatusFieldsAndBodyInAnyOrderAndOverwritesThem) {
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
  EXPECT_EQ(answer.octets.substr(0, answer.octets.find("\r\n\r\n")),
            "HTTP/1.1 201 Created\r\nServer: pipette\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 16\r\nx-a: 2\r\nX-A: 3\r\nX-B: ");
  EXPECT_EQ(answer.body, "second and third");
}

TEST(RequestCtx, SplitsNoResponse) {
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
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_EQ(answer.head.fields.size(), 5U);
  EXPECT_EQ(answer.field("X"), "kept");
  EXPECT_EQ(answer.field("Content-Type"), "text/kept");
  EXPECT_EQ(answer.field("Location"), "(none)");
  EXPECT_EQ(answer.body, "kept");
}

TEST(RequestCtx, KeepsTheFieldsOfFramingForTheStack) {
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

TEST(RequestCtx, SendsObsTextAndTrimsValues) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_header("X", " \tv\xe4lue\t "));
    EXPECT_TRUE(ctx.set_content_type("\ttext/html "));
    ctx.set_body("x");
  });
  EXPECT_TRUE(answer.octets.contains("\r\nX: v\xe4lue\r\n"));
  EXPECT_TRUE(answer.octets.contains("\r\nContent-Type: text/html\r\n"));
}

TEST(RequestCtx, RedirectsWithAStatusThatIsOne) {
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

TEST(RequestCtx, StartsOverWithAnError) {
  const Answer answer = answer_of([](RequestCtx& ctx) {
    ctx.set_connection_close();
    EXPECT_TRUE(ctx.set_header("X-Secret", "x"));
    EXPECT_TRUE(ctx.set_content_type("application/json"));
    ctx.set_body("{");
    ctx.error(503, "come back later");
  });
  EXPECT_EQ(answer.head.status, 503);
  EXPECT_EQ(answer.field("X-Secret"), "(none)");
  EXPECT_EQ(answer.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_EQ(answer.body, "come back later");
}

TEST(RequestCtx, GivesABodyATypeAndAnEmptyOneNone) {
  EXPECT_EQ(answer_of([](RequestCtx& ctx) { ctx.set_body("x"); }).field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer_of([](RequestCtx&) {}).field("Content-Type"), "(none)");
  const Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_content_type("image/png"));
    ctx.set_body("x");
    ctx.remove_header("Content-Type");
  });
  EXPECT_EQ(answer.field("Content-Type"), "text/plain; charset=utf-8");
}

TEST(RequestCtx, LetsTheHandlersServerAndDateWin) {
  const Answer both = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_header("server", "mine"));
    EXPECT_TRUE(ctx.set_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT"));
  });
  EXPECT_EQ(both.octets.substr(0, both.octets.find("\r\n\r\n")),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nserver: mine\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT");
  const Answer one = answer_of([](RequestCtx& ctx) { EXPECT_TRUE(ctx.set_header("Server", "mine")); });
  EXPECT_EQ(one.field("Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  EXPECT_EQ(one.field("Server"), "mine");
}

TEST(RequestCtx, StartsEachResponseAfresh) {
  Serving app([](RequestCtx& ctx) {
    if (ctx.path() != "/first") return;
    EXPECT_TRUE(ctx.set_header("X", "y"));
    EXPECT_TRUE(ctx.set_content_type("text/html"));
    ctx.set_status(404);
    ctx.set_body("not here");
  });
  const auto found = answers(app.answer_to(get("/first") + get("/second")));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].head.status, 404);
  EXPECT_EQ(app.answer_to(get("/second")), ok(""));
  EXPECT_EQ(found[1].head.status, 200);
  EXPECT_EQ(found[1].body, "");
}

TEST(RequestCtx, AnswersAStatusThatCannotBeFinalWith500) {
  for (const int status : {-1, 0, 100, 199, 600, 1000}) {
    Serving app([status](RequestCtx& ctx) { ctx.set_status(status); });
    EXPECT_TRUE(app.answer_to(kGet).starts_with("HTTP/1.1 500 ")) << status;
  }
}

}  // namespace
}  // namespace pipette::server
