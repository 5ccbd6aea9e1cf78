// Handlers of every kind, and what becomes of those that throw.
#include "pipette/server/handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>

#include "pipette/async/sleep.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::kGet;
using test::ok;
using test::Serving;
using testing::ElementsAre;

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

void plain(RequestCtx& ctx) { ctx.set_body("plain"); }
Task<> coroutine(RequestCtx& ctx) {
  ctx.set_body("coroutine");
  co_return;
}
struct Counter {
  void operator()(RequestCtx& ctx) const { ctx.set_body("object " + *name); }
  std::unique_ptr<std::string> name;
};

TEST(Handler, IsAnythingThatTakesAContext) {
  EXPECT_EQ(Serving(plain).answer_to(kGet), ok("plain"));
  EXPECT_EQ(Serving(&plain).answer_to(kGet), ok("plain"));
  EXPECT_EQ(Serving(coroutine).answer_to(kGet), ok("coroutine"));
  Counter counter;
  counter.name = std::make_unique<std::string>("that moves");
  EXPECT_EQ(Serving(std::move(counter)).answer_to(kGet), ok("object that moves"));
}

TEST(Handler, MayBeACapturingLambdaThatIsACoroutine) {
  const std::string captured(100, 'c');
  const auto handler = [captured](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    ctx.set_body(captured);
  };
  Serving app(handler);
  EXPECT_EQ(answers(app.answer_to(std::string(kGet) + std::string(kGet))).at(1).body, captured);
}

TEST(Handler, KeepsItsContextWhileItIsSuspended) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    const std::string_view path = ctx.path();
    const std::string_view body = ctx.body();
    ctx.set_status(202);
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    ctx.set_body(std::string(path) + " " + std::string(body) + " " + std::string(ctx.header("X").value_or("")));
  });
  Peer peer = app.connect();
  peer.send("POST /%70ath HTTP/1.1\r\nHost: a\r\nX: field\r\nContent-Length: 4\r\n\r\nbody");
  peer.send(std::string(5'000, '\r') + "and more, which must not touch it");
  app.lab().advance(1s);
  EXPECT_EQ(answers(peer.received()).at(0).body, "/path body field");
}

void throw_by_path(RequestCtx& ctx) {
  ctx.set_status(201);
  EXPECT_TRUE(ctx.set_header("X-Half", "made"));
  ctx.set_body("half made");
  if (ctx.path() == "/std") throw std::runtime_error("out of luck");
  if (ctx.path() == "/int") throw 42;
}

Task<> throw_at_once(RequestCtx& ctx) {
  throw_by_path(ctx);
  co_return;
}

Task<> throw_later(RequestCtx& ctx) {
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
  throw_by_path(ctx);
}

void expect_500_and_a_line(Handler handler) {
  Serving app(std::move(handler));
  const auto found = answers(app.answer_to(get("/std") + get("/int") + get("/good")));
  ASSERT_EQ(found.size(), 3U);
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(found[i].head.status, 500);
    EXPECT_FALSE(found[i].octets.substr(0, found[i].octets.find("\r\n\r\n")).contains("X-Half"));
    EXPECT_EQ(found[i].body, "internal server error");
  }
  EXPECT_EQ(found[2].head.status, 201);
  EXPECT_EQ(found[2].body, "half made");
  EXPECT_THAT(app.log(),
              ElementsAre("handler of GET /std threw: out of luck", "handler of GET /int threw: not a std::exception"));
}

TEST(Handler, CostsOnlyItsRequestWhenItThrows) { expect_500_and_a_line(throw_by_path); }
TEST(Handler, CostsOnlyItsRequestWhenItsCoroutineThrowsAtOnce) { expect_500_and_a_line(throw_at_once); }
TEST(Handler, CostsOnlyItsRequestWhenItsCoroutineThrowsLater) { expect_500_and_a_line(throw_later); }

TEST(Handler, StillClosesWhenItThrowsAfterSayingSo) {
  Serving app([](RequestCtx& ctx) {
    ctx.set_connection_close();
    throw std::runtime_error("x");
  });
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(answers(peer.received()).at(0).field("connection"), "close");
  EXPECT_TRUE(peer.closed());
}

TEST(Handler, MayCallTheServerItIsIn) {
  Lab* lab = nullptr;
  const auto handler = [&lab](RequestCtx& ctx) -> Task<> {
    if (ctx.path() != "/outer") {
      ctx.set_body("inner");
      co_return;
    }
    const Result<client::Response> inner = co_await lab->client().get("http://app/inner");
    ctx.set_body("outer of " + inner.value().body);
  };
  Serving app(handler);
  lab = &app.lab();
  EXPECT_EQ(app.answer_to(get("/outer")), ok("outer of inner"));
}

TEST(Server, SendsTheDateOfTheVirtualSecond) {
  Serving app(plain);
  Peer peer = app.connect();
  for (const std::string_view date :
       {"Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:01 GMT", "Thu, 01 Jan 2026 00:00:02 GMT"}) {
    peer.send(kGet);
    EXPECT_EQ(answers(peer.take()).at(0).field("Date"), date);
    app.lab().advance(1s - 1ns);
    peer.send(kGet);
    EXPECT_EQ(answers(peer.take()).at(0).field("Date"), date);
    app.lab().advance(1ns);
  }
}

TEST(Server, IsNamedAsItsOptionsSayIfThatCanBeSent) {
  struct Row {
    std::string name;
    std::string sent;
  };
  for (const Row& row :
       {Row{"pipette", "pipette"}, Row{"Mine/1.0 (x)", "Mine/1.0 (x)"}, Row{"", "(none)"}, Row{"a\r\nX: y", "(none)"},
        Row{std::string(256, 'n'), std::string(256, 'n')}, Row{std::string(257, 'n'), "(none)"}}) {
    ServerOptions options;
    options.name = row.name;
    Serving app(plain, options);
    EXPECT_EQ(answers(app.answer_to(kGet)).at(0).field("Server"), row.sent);
  }
}

}  // namespace
}  // namespace pipette::server
