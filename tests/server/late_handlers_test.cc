// Handlers that take longer than they may: what the client gets, what they may still do, and how they are counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/blocking.h"
#include "pipette/server/timeout.h"

#include "tests/support/door.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using async::StopReason;
using test::answers;
using test::get;
using test::kGet;
using test::ok;
using test::post;
using test::Serving;
using test::statuses;
using testing::ElementsAre;
using testing::IsEmpty;

// Deaf to every stop: sleeps for a minute and then sets a body.
Task<> sleep_deaf(RequestCtx& ctx) {
  if (ctx.path() != "/quick") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
  ctx.set_body("at last");
}

Task<> sleep_through(async::Loop& loop, TimePoint wake) { co_await async::sleep_until(loop, wake); }

void block_deaf(RequestCtx& ctx, BlockingCtx& wait) {
  if (ctx.path() != "/quick") wait.wait(sleep_through(ctx.runtime().loop(), after(wait.now(), 1min)));
  ctx.set_body("at last");
}

std::uint64_t count_of(Serving& app, Count Metrics::* counter) { return (app.worker().metrics().*counter).get(); }

// ---- timeout() -------------------------------------------------------------------------------------------

struct Kind {
  std::string name;
  Handler (*make)(Duration time);
};

class Timeout : public testing::TestWithParam<Kind> {};

TEST_P(Timeout, AnswersInTimeAndGoesOnWithTheConnection) {
  Serving app(GetParam().make(2s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(2s - 1ns);
  peer.expect_nothing();
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 0U);
  app.lab().advance(1ns);
  const auto late = answers(peer.take());
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].head.status, 504);
  EXPECT_EQ(late[0].body, "too long");
  EXPECT_EQ(late[0].field("connection"), "(none)");
  EXPECT_EQ(count_of(app, &Metrics::handler_timeouts), 1U);
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 1U);
  EXPECT_EQ(app.worker().overdue_handlers(), 1U);

  peer.send(get("/quick"));
  EXPECT_EQ(peer.expect_response(200).body, "at last") << "while the first one is still at work";
  app.lab().advance(58s - 1ns);
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 1U);
  app.lab().advance(1ns);
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 0U);
  peer.expect_nothing();
  peer.send(get("/quick"));
  EXPECT_EQ(peer.expect_response(200).body, "at last");
  EXPECT_EQ(count_of(app, &Metrics::exchanges), 3U);
  EXPECT_THAT(app.log(), IsEmpty());
}

TEST_P(Timeout, IsNotFeltByAHandlerThatIsInTime) {
  Serving app(GetParam().make(1min + 1ns));
  Peer peer = app.connect();
  peer.send(get("/quick") + get("/slow"));
  app.lab().advance(1min);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200, 503)) << "the server's own limit of 30 s holds";
}

INSTANTIATE_TEST_SUITE_P(
    OfAHandler, Timeout,
    testing::Values(Kind{"Coroutine", [](Duration time) { return timeout(sleep_deaf, time, "too long", 504); }},
                    Kind{"Blocking",
                         [](Duration time) { return timeout(blocking(block_deaf), time, "too long", 504); }}),
    [](const testing::TestParamInfo<Kind>& kind) { return kind.param.name; });

TEST(Timeout, CannotCutAPlainFunctionButCountsIt) {
  Serving app(timeout([](RequestCtx& ctx) { ctx.set_body("Hello"); }, 0s, "too long"));
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(peer.take(), ok("Hello"));
  EXPECT_EQ(count_of(app, &Metrics::handlers_overran), 1U);
  EXPECT_EQ(count_of(app, &Metrics::handler_timeouts), 0U);
}

TEST(Timeout, SaysTheStatusAloneWhenThereIsNoMessage) {
  Serving app(timeout(sleep_deaf, 1s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  const client::Response late = peer.expect_response(503);
  EXPECT_EQ(late.body, "Service Unavailable");
}

TEST(Timeout, OfSeveralIsTheShortestWithItsOwnAnswer) {
  for (const bool is_inner_shorter : {false, true}) {
    Handler inner = timeout(sleep_deaf, is_inner_shorter ? 1s : 2s, "inner", 504);
    Serving app(timeout(std::move(inner), is_inner_shorter ? 2s : 1s, "outer", 503));
    Peer peer = app.connect();
    peer.send(kGet);
    app.lab().advance(1s);
    EXPECT_EQ(peer.expect_response(is_inner_shorter ? 504 : 503).body, is_inner_shorter ? "inner" : "outer");
  }
}

TEST(Timeout, TellsTheHandlerWhenAndThatItIsOver) {
  std::vector<std::string> heard;
  TimePoint deadline{};
  Serving app(timeout(
      [&](RequestCtx& ctx) -> Task<> {
        deadline = ctx.deadline();
        heard.emplace_back(to_string(co_await ctx.sleep(1h)));
      },
      2s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(2s - 1ns);
  EXPECT_THAT(heard, IsEmpty());
  app.lab().advance(1ns);
  EXPECT_THAT(heard, ElementsAre(to_string(StopReason::handler_timeout)));
  EXPECT_EQ(deadline, TimePoint(2s));
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 0U);
}

TEST(Timeout, AnswersEachRequestAsItsMethodAndVersionAsk) {
  Serving app(timeout(sleep_deaf, 1s, "too long"));
  Peer head = app.connect();
  head.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer old = app.connect();
  old.send("GET / HTTP/1.0\r\n\r\n");
  Peer last = app.connect();
  last.send(get("/", "Connection: close\r\n"));
  app.lab().advance(1s);
  const auto to_head = answers(head.take(), {http::Method::head});
  ASSERT_EQ(to_head.size(), 1U);
  EXPECT_EQ(to_head[0].field("content-length"), "8");
  EXPECT_EQ(to_head[0].body, "");
  EXPECT_FALSE(head.closed());
  for (Peer* peer : {&old, &last}) {
    EXPECT_THAT(statuses(peer->take()), ElementsAre(503));
    EXPECT_TRUE(peer->closed());
  }
}

TEST(Timeout, AnswersInFrontOfWhatIsPipelinedBehindIt) {
  Serving app(timeout(sleep_deaf, 1s, "too long"));
  Peer peer = app.connect();
  peer.send(post("/slow", "text/plain", "a body") + get("/quick") + post("/slow", "text/plain", "b") + get("/quick"));
  app.lab().advance(2s);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(503, 200, 503, 200));
  EXPECT_EQ(app.worker().overdue_handlers(), 2U);
}

// ---- what a late handler may still do ----------------------------------------------------------------------

TEST(LateHandler, KeepsItsContextWhileOthersAreServed) {
  std::vector<std::string> seen;
  const auto handler = [&seen](RequestCtx& ctx) -> Task<> {
    ctx.set_user_value("path", std::string(ctx.path()));
    const std::string_view path = ctx.path();
    const std::string_view body = ctx.body();
    if (path.starts_with("/late")) co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 10s));
    ctx.set_body(body);
    if (path.starts_with("/late")) {
      seen.push_back(std::string(path) + " " + std::string(body) + " " + *ctx.user_value<std::string>("path") + " " +
                     std::string(ctx.response_body()) + " " + std::to_string(ctx.request_number()) + " " +
                     ctx.remote_ip());
    }
  };
  Serving app(timeout(handler, 1s));
  {
    Peer peer = app.connect();
    peer.send(post("/late/1", "text/plain", "one"));
    app.lab().advance(1s);
    peer.send(post("/late/2", "text/plain", "two"));
    app.lab().advance(1s);
    for (int i = 0; i < 20; ++i) peer.send(post("/other", "text/plain", std::string(100, 'x')));
    EXPECT_EQ(answers(peer.take()).size(), 22U);
    peer.abort();
  }
  app.lab().advance(10s);
  EXPECT_THAT(seen, ElementsAre("/late/1 one /late/1 one 1 10.0.0.1", "/late/2 two /late/2 two 2 10.0.0.1"))
      << "the connection is gone by then";
}

TEST(LateHandler, ThatThrowsCostsALineInTheLog) {
  const auto throw_late = [](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 10s));
    throw std::runtime_error("too late");
  };
  Serving app(timeout(throw_late, 1s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(10s);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(503));
  EXPECT_THAT(app.log(), ElementsAre(testing::HasSubstr("too late")));
  EXPECT_EQ(app.worker().overdue_handlers(), 0U);
  EXPECT_EQ(count_of(app, &Metrics::handlers_threw), 1U);
}

TEST(LateHandler, WritesForNobody) {
  std::vector<std::error_code> errors;
  const auto write_late = [&errors](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(1h);
    const auto note = [&errors](const Result<void>& result) {
      errors.push_back(result ? std::error_code() : result.error());
    };
    note(co_await ctx.write("late"));
    note(co_await ctx.flush());
    note(ctx.send_early_hints());
    const Result<std::string_view> body = co_await ctx.read_body();
    EXPECT_TRUE(body) << "it is there already";
    ctx.set_write_deadline(ctx.now());
    ctx.set_read_deadline(ctx.now());
    ctx.limit_time(1s);
    ctx.timeout_error("again");
    ctx.hijack([](HijackedConnection) -> Task<> {
      ADD_FAILURE() << "hijacked";
      co_return;
    });
  };
  Serving app(timeout(write_late, 1s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(503));
  const std::error_code canceled = make_error_code(Errc::operation_canceled);
  EXPECT_THAT(errors, ElementsAre(canceled, canceled, canceled));
  app.lab().advance(10s);
  EXPECT_FALSE(peer.closed());
  peer.expect_nothing();
}

TEST(LateHandler, ThatWaitsForItsBodyIsToldAtOnceAndTheConnectionCloses) {
  ServerOptions options;
  options.stream_request_body = true;
  std::vector<std::string> heard;
  const auto read_on = [&heard](RequestCtx& ctx) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      const Result<std::string_view> more = co_await ctx.read_body();
      heard.push_back(more ? std::string(*more) : more.error().message());
    }
  };
  Serving app(timeout(read_on, 1s), options);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n");
  peer.send("GET /smuggled");
  app.lab().advance(1s);
  const std::string canceled = make_error_code(Errc::operation_canceled).message();
  EXPECT_THAT(heard, ElementsAre("GET /smuggled", canceled, canceled));
  const auto found = answers(peer.take());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].head.status, 503);
  EXPECT_EQ(found[0].field("connection"), "close");
  peer.send(" HTTP/1.1\r\nHost: a\r\n\r\n" + get("/after"));
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(app.worker().served(), 1U);
  EXPECT_EQ(app.worker().overdue_handlers(), 0U);
}

TEST(LateHandler, ThatSleepsForEverDiesWithItsWorker) {
  auto held = std::make_shared<int>();
  const auto sleep_for_ever = [held](RequestCtx& ctx) -> Task<> {
    const std::shared_ptr<int> guard = held;
    async::Event never(ctx.runtime().loop());
    co_await never.wait();
    ctx.set_body("never");
  };
  const Server server(timeout(sleep_for_ever, 1s));
  const long before = held.use_count();
  Lab lab;
  {
    Worker worker(server, lab.runtime());
    auto [connected, peer] = test::wire(lab);
    peer.send(std::string(kGet) + std::string(kGet));
    Task<> session = worker.serve_connection(std::move(connected));
    session.start();
    lab.advance(1s);
    EXPECT_THAT(statuses(peer.take()), ElementsAre(503));
    EXPECT_EQ(held.use_count(), before + 2) << "one is late, one is not yet";
    EXPECT_EQ(server.metrics().handlers_overdue, 1U);
    peer.abort();
    lab.settle();
  }
  EXPECT_EQ(held.use_count(), before);
  EXPECT_EQ(server.metrics().handlers_overdue, 0U);
}

// ---- too many of them --------------------------------------------------------------------------------------

TEST(LateHandler, IsTheLastOneWhenThereAreTooMany) {
  ServerOptions options;
  options.max_overdue_handlers = 2;
  Serving app(timeout(sleep_deaf, 1s), options);
  std::vector<Peer> peers;
  for (int i = 0; i < 2; ++i) {
    peers.push_back(app.connect());
    peers.back().send(kGet);
  }
  app.lab().advance(1s);
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 2U);
  Peer peer = app.connect();
  peer.send(get("/quick"));
  const client::Response swamped = peer.expect_response(503);
  EXPECT_EQ(swamped.header("Retry-After"), "1");
  EXPECT_EQ(count_of(app, &Metrics::rejected_swamped), 1U);
  EXPECT_EQ(count_of(app, &Metrics::handler_timeouts), 2U);
  app.lab().advance(59s);
  EXPECT_EQ(count_of(app, &Metrics::handlers_overdue), 0U);
  peer.send(get("/quick"));
  peer.expect_response(200);
}

}  // namespace
}  // namespace pipette::server
