// Corners that the sweeps have found, each alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/async/sleep.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::bodies;
using test::get;
using test::kChunkedHead;
using test::kGet;
using test::Serving;
using test::statuses;
using testing::ElementsAre;
using testing::EndsWith;

// For so long, whoever says stop.
async::SleepUntil sleep_deaf(RequestCtx& ctx, Duration time) {
  return async::sleep_until(ctx.runtime().loop(), after(ctx.now(), time));
}

// More than the read-ahead, and less than a head may be.
std::string long_trailers() {
  std::string trailers;
  for (int i = 0; i < 20; ++i) trailers += "X-T" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
  return trailers;
}

void count_trailers(RequestCtx& ctx) { ctx.set_body(std::to_string(ctx.trailers().size())); }

TEST(Session, ReadsTrailersThatAreLargerThanTheReadAhead) {
  Serving app(count_trailers);
  Peer peer = app.connect();
  peer.send(std::string(kChunkedHead) + "1\r\nx\r\n0\r\n" + long_trailers() + "\r\n" + std::string(kGet));
  EXPECT_THAT(bodies(peer.received()), ElementsAre("20", "0"));
}

TEST(Session, DoesNotWaitBeyondTheReadTimeoutForTrailersWithoutEnd) {
  Serving app(count_trailers);
  Peer peer = app.connect();
  peer.send(std::string(kChunkedHead) + "0\r\n" + long_trailers());
  app.lab().advance(60s);
  EXPECT_TRUE(peer.closed());
  EXPECT_THAT(statuses(peer.received()), ElementsAre(408));
}

TEST(Session, KeepsTheTrailersWhileItReadsAhead) {
  ServerOptions options;
  options.stream_request_body = true;
  const auto handler = [](RequestCtx& ctx) -> Task<> {
    for (;;) {
      const Result<std::string_view> part = co_await ctx.read_body();
      if (!part || part->empty()) break;
    }
    co_await sleep_deaf(ctx, 1s);
    ctx.set_body(ctx.trailers().get("X-Sum").value_or("none"));
  };
  Serving app(handler, options);
  Peer peer = app.connect();
  peer.send(std::string(kChunkedHead) + "1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n");
  app.lab().settle();
  peer.send("GET / HTTP/1.1\r\nX: " + std::string(4000, 'y'));
  app.lab().advance(1s);
  EXPECT_THAT(peer.received(), EndsWith("\r\n\r\n1"));
}

TEST(Session, EndsNoResponseThatItsHandlerHasBegunAndThenGivenUp) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    (void)co_await ctx.write("one, ");
    ctx.timeout_error("too late");
    co_await sleep_deaf(ctx, 1s);
    (void)co_await ctx.write("two");
  });
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  EXPECT_EQ(peer.expect_response(200).body, "one, two");
  EXPECT_EQ(app.worker().overdue_handlers(), 0U);
}

TEST(Session, AnswersWhatItHasReadBehindAStreamWhenItShutsDown) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/next") co_return ctx.set_body("next");
    (void)co_await ctx.write("one, ");
    (void)co_await ctx.flush();
    co_await sleep_deaf(ctx, 1s);
    (void)co_await ctx.write("two");
  });
  Peer peer = app.connect();
  peer.send(get("/stream") + get("/next"));
  app.lab().settle();
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 30s));
  shutdown.start();
  app.lab().advance(1s);
  EXPECT_EQ(peer.expect_response(200).header("Connection"), std::nullopt);
  EXPECT_EQ(peer.expect_response(200).header("Connection"), "close");
  peer.expect_closed();
  app.lab().run(std::move(shutdown));
}

TEST(Metrics, CountConnectionsThatAreActive) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    co_await sleep_deaf(ctx, 1s);
    if (ctx.path() == "/hijack") ctx.hijack([](HijackedConnection) -> Task<> { co_return; });
  });
  const auto active = [&app] { return app.worker().metrics().active_connections.get(); };
  Peer peer = app.connect();
  EXPECT_EQ(active(), 0U);
  peer.send("G");
  app.lab().settle();
  EXPECT_EQ(active(), 1U);
  peer.send(std::string(kGet).substr(1) + std::string(kGet));
  app.lab().advance(1s);
  EXPECT_EQ(active(), 1U) << "there is another";
  app.lab().advance(1s);
  EXPECT_EQ(active(), 0U);
  peer.send(get("/hijack"));
  app.lab().settle();
  EXPECT_EQ(active(), 1U);
  app.lab().advance(1s);
  EXPECT_EQ(active(), 0U);
}

}  // namespace
}  // namespace pipette::server
