// What a layer around a handler, such as one that compresses or knows its proxies, asks of the context.
#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/request_ctx.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answer_of;
using test::get;
using test::kGet;
using test::ok;
using test::post;
using test::Serving;
using testing::ElementsAre;
using testing::HasSubstr;

// ---- the response so far -------------------------------------------------------------------------------------

TEST(ResponseHeaders, AreAllThatWereSetInOrder) {
  answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.response_headers().empty());
    EXPECT_TRUE(ctx.set_content_type("text/html"));
    EXPECT_TRUE(ctx.add_header("Link", "<a>"));
    EXPECT_TRUE(ctx.set_cookie(http::SetCookie("b", "c")));
    EXPECT_TRUE(ctx.add_header("link", "<d>"));
    std::string all;
    for (std::size_t i = 0; i < ctx.response_headers().size(); ++i) {
      const http::Field field = ctx.response_headers()[i];
      all.append(field.name).append("=").append(field.value).append(" ");
    }
    EXPECT_EQ(all, "Link=<a> Set-Cookie=b=c link=<d> ");
    ctx.reset_response();
    EXPECT_TRUE(ctx.response_headers().empty());
  });
}

TEST(AddVary, NamesEachFieldOnceBesideThoseOfOthers) {
  const test::Answer answer = answer_of([](RequestCtx& ctx) {
    EXPECT_TRUE(ctx.set_header("Vary", "Origin"));
    EXPECT_TRUE(ctx.add_vary("Accept-Encoding"));
    EXPECT_TRUE(ctx.add_vary("accept-encoding"));
    EXPECT_EQ(ctx.add_vary("a b").error(), Errc::bad_field_name);
  });
  EXPECT_EQ(answer.field("Vary"), "Origin, Accept-Encoding");
}

class TwoOctets final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t count = std::exchange(left_, 0);
    std::ranges::fill(into.first(count), 'x');
    co_return count;
  }

 private:
  std::size_t left_ = 2;
};

TEST(RequestCtx, KnowsWhetherTheResponseIsStreamed) {
  const auto act = [](RequestCtx& ctx) -> Task<> {
    EXPECT_FALSE(ctx.is_response_streamed());
    if (ctx.path() == "/body") ctx.set_body("xx");
    if (ctx.path() == "/source") ctx.set_body_source(std::make_unique<TwoOctets>(), 2);
    if (ctx.path() == "/dropped") ctx.set_body_source(std::make_unique<TwoOctets>(), 2);
    if (ctx.path() == "/dropped") ctx.error(404, "xx");
    if (ctx.path() == "/write") (void)co_await ctx.write("xx");
    EXPECT_EQ(ctx.is_response_streamed(), ctx.path() == "/source" || ctx.path() == "/write");
  };
  Serving app(act);
  Peer peer = app.connect();
  for (const std::string_view path : {"/body", "/source", "/dropped", "/write", "/body"}) {
    peer.send(get(path));
    EXPECT_EQ(peer.expect_response(path == "/dropped" ? 404 : 200).body, "xx") << path;
  }
}

TEST(RequestCtx, KnowsWhetherTheConnectionIsGivenAway) {
  const auto drop = [](HijackedConnection) -> Task<> { co_return; };
  Serving app([drop](RequestCtx& ctx) {
    EXPECT_FALSE(ctx.is_hijacked());
    if (ctx.path() == "/hijack") ctx.hijack(drop);
    if (ctx.path() == "/silently") ctx.hijack_silently(drop);
    if (ctx.path() == "/upgrade") (void)ctx.upgrade("chat", drop);
    EXPECT_EQ(ctx.is_hijacked(), ctx.path() != "/");
  });
  for (const std::string_view path : {"/hijack", "/silently", "/upgrade", "/"}) {
    Peer peer = app.connect();
    peer.send(get("/") + get(path));
    app.lab().settle();
    EXPECT_EQ(peer.closed(), path != "/");
  }
  EXPECT_EQ(app.worker().served(), 8U);
}

TEST(RequestCtx, ForgetsItsUserValuesOnceTheConnectionIsGivenAway) {
  const auto held = std::make_shared<int>();
  Serving app([held](RequestCtx& ctx) {
    ctx.set_user_value("held", std::make_shared<std::shared_ptr<int>>(held));
    ctx.hijack([](HijackedConnection connection) -> Task<> {
      std::array<char, 1> octet;
      (void)co_await connection.stream->read_some(octet);
    });
  });
  const long before = held.use_count();
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(200);
  EXPECT_EQ(app.worker().metrics().hijacked.get(), 1U);
  EXPECT_EQ(held.use_count(), before);
}

// ---- whose request it is -------------------------------------------------------------------------------------

TEST(SetRemoteAddress, HoldsForOneRequestWhereverItIsAskedFor) {
  std::vector<std::string> logged;
  std::vector<std::string> seen;
  ServerOptions options;
  options.on_header_received = [](RequestCtx& ctx) {
    if (const auto client = ctx.header("X-Real-IP")) ctx.set_remote_address(*net::Address::parse(*client, 1));
    return RequestConfig();
  };
  options.on_access = [&logged](const AccessRecord& of) { logged.push_back(of.remote.to_string()); };
  Serving app(
      [&seen](RequestCtx& ctx) {
        seen.push_back(ctx.remote_ip() + " " + ctx.local_address().to_string());
        EXPECT_THAT(ctx.to_string(), HasSubstr("<->" + ctx.remote_address().to_string() + " - GET"));
      },
      options);
  const std::string own = get("/", "X-Real-IP: 192.0.2.7\r\n");
  app.answer_to(own + std::string(kGet) + own + get("/", "X-Real-IP: [2001:db8::1]\r\n") + std::string(kGet));
  EXPECT_THAT(seen, ElementsAre("192.0.2.7 10.0.1.1:80", "10.0.0.1 10.0.1.1:80", "192.0.2.7 10.0.1.1:80",
                                "2001:db8::1 10.0.1.1:80", "10.0.0.1 10.0.1.1:80"));
  EXPECT_THAT(logged, ElementsAre("192.0.2.7:1", "10.0.0.1:49152", "192.0.2.7:1", "[2001:db8::1]:1", "10.0.0.1:49152"));
}

TEST(SetRemoteAddress, MaySayTwoThingsAndIsForgottenWithItsConnection) {
  Serving app([](RequestCtx& ctx) {
    const std::string before = ctx.remote_ip();
    if (ctx.path() == "/proxied") {
      ctx.set_remote_address(*net::Address::parse("192.0.2.7:1"));
      ctx.set_remote_address(ctx.remote_address().with_port(2));
    }
    ctx.set_body(before + " " + ctx.remote_address().to_string());
  });
  EXPECT_EQ(app.answer_to(get("/proxied")), ok("10.0.0.1 192.0.2.7:2"));
  EXPECT_EQ(app.answer_to(kGet), ok("10.0.0.1 10.0.0.1:49153"));
}

TEST(SetRemoteAddress, OutlivesTheConnectionOfAHandlerThatIsLate) {
  std::string seen;
  Serving app([&seen](RequestCtx& ctx) -> Task<> {
    ctx.set_remote_address(*net::Address::parse("192.0.2.7:1"));
    ctx.timeout_error();
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
    seen = ctx.to_string();
  });
  EXPECT_THAT(app.answer_to(get("/", "Connection: close\r\n")), HasSubstr("503"));
  EXPECT_EQ(app.worker().open_connections(), 0U);
  app.lab().advance(1h);
  EXPECT_THAT(seen, HasSubstr("10.0.1.1:80<->192.0.2.7:1 - GET http://a/"));
}

// ---- a body that is wanted whole -----------------------------------------------------------------------------

// What read_whole_body() says, and then body(), what is parsed from it, and read_body().
Task<> read_whole(RequestCtx& ctx) {
  const Result<std::string_view> whole = co_await ctx.read_whole_body();
  if (!whole) co_return ctx.error(400, whole.error().message());
  EXPECT_EQ(ctx.body(), *whole);
  EXPECT_EQ(co_await ctx.read_whole_body(), *whole) << "the second time";
  const std::string text(*whole);
  EXPECT_EQ(ctx.form_value("k"),
            text.starts_with("k=") ? std::optional<std::string_view>(text.substr(2)) : std::nullopt);
  EXPECT_EQ(co_await ctx.read_body(), text);
  EXPECT_EQ(co_await ctx.read_body(), "");
  ctx.set_body(text);
}

TEST(ReadWholeBody, IsTheSameStreamedOrNotHoweverItComes) {
  const std::string type = "application/x-www-form-urlencoded";
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
                              "\r\nTransfer-Encoding: chunked\r\n\r\n" + "3\r\nk=v\r\n2\r\nal\r\n0\r\n\r\n";
  const std::string large = "k=" + std::string(50'000, 'v');
  struct Case {
    std::string request;
    std::string body;
  };
  for (const Case& each : {Case{post("/", type, "k=val"), "k=val"}, Case{chunked, "k=val"},
                           Case{post("/", type, large), large}, Case{post("/", type, ""), ""}, Case{get("/"), ""}}) {
    for (const bool is_streaming : {false, true}) {
      for (const std::size_t cut : {0U, 1U, 12U}) {
        ServerOptions options;
        options.stream_request_body = is_streaming;
        Serving app(read_whole, options);
        Peer peer = app.connect();
        const std::size_t first = each.request.size() - cut;
        peer.send(each.request.substr(0, first));
        app.lab().advance(1s);
        peer.send(each.request.substr(first) + std::string(kGet));
        EXPECT_EQ(peer.expect_response(200).body, each.body) << is_streaming << " " << cut;
        EXPECT_EQ(peer.expect_response(200).body, "") << "of the next request";
      }
    }
  }
}

TEST(ReadWholeBody, IsWhatIsLeftOfABodyThatHasBeenBegun) {
  ServerOptions options;
  options.stream_request_body = true;
  Serving app(
      [](RequestCtx& ctx) -> Task<> {
        EXPECT_EQ(co_await ctx.read_body(), "12");
        const Result<std::string_view> rest = co_await ctx.read_whole_body();
        ctx.set_body(rest.value_or("none"));
      },
      options);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12");
  app.lab().settle();
  peer.send("3");
  app.lab().settle();
  peer.send("45");
  EXPECT_EQ(peer.expect_response(200).body, "345");
}

TEST(ReadWholeBody, SaysWhyThereIsNone) {
  struct Case {
    std::string_view rest;
    std::string_view message;
  };
  for (const Case& each : {Case{"b\r\n12345678901\r\n0\r\n\r\n", "body too large"}, Case{"x\r\n", "malformed chunk"},
                           Case{"5\r\n12", "the message ended before its body was complete"}}) {
    ServerOptions options;
    options.stream_request_body = true;
    options.max_request_body_bytes = 10;
    Serving app(read_whole, options);
    Peer peer = app.connect();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(each.rest));
    peer.close_write();
    EXPECT_EQ(peer.expect_response(400).body, each.message);
    peer.expect_closed();
  }
}

}  // namespace
}  // namespace pipette::server
