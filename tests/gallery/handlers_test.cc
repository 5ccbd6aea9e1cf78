// Outages around handlers that work for long: nobody told them to stop, or what they did then did harm.
#include <gmock/gmock.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/matchers.h"
#include "pipette/server/timeout.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using async::StopReason;
using lab::BodyIs;
using lab::HasStatus;
using testing::ElementsAre;

constexpr std::string_view kGet = "GET /report HTTP/1.1\r\nHost: app\r\n\r\n";

// Drogon #2190, RESTinio #136: a job of ten minutes could not learn that its client had left, and went on for nobody.
TEST_F(Gallery, TellsAHandlerThatItsClientHasGone) {
  stands_for("Drogon #2190, RESTinio #136");
  std::optional<Duration> stopped;
  StopReason why = StopReason::none;
  serve([&](RequestCtx& ctx) -> Task<> {
    why = co_await ctx.sleep(10min);
    stopped = lab_.elapsed();
  });
  Peer peer = lab_.connect("app:80");
  peer.send(kGet);
  lab_.advance(3s);
  EXPECT_FALSE(stopped);
  peer.abort();
  lab_.settle();
  EXPECT_EQ(stopped, 3s) << "at once";
  EXPECT_EQ(why, StopReason::peer_reset);
}

// Crow #649, RESTinio #224: the time-out of the server did not bound its handlers, so a client waited as long as the
// slowest of them took.
TEST_F(Gallery, AnswersInTimeForAHandlerThatIsNot) {
  stands_for("Crow #649, RESTinio #224");
  serve(timeout([](RequestCtx& ctx) -> Task<> { (void)co_await ctx.sleep(1h); }, 2s, "later"));
  Peer peer = lab_.connect("app:80");
  peer.send(kGet);
  lab_.advance(2s - 1ns);
  peer.expect_nothing();
  lab_.advance(1ns);
  EXPECT_THAT(peer.expect_response(503), BodyIs("later"));
  peer.send(kGet);
  lab_.advance(2s);
  EXPECT_THAT(peer.expect_response(503), BodyIs("later")) << "on the same connection";
}

// fasthttp #1219: when the time of a handler was over its context was not cancelled, so it went on to its end. What it
// wrote then must at least be nobody's.
TEST_F(Gallery, StopsAHandlerWhoseTimeIsOverAndHearsItNoMore) {
  stands_for("fasthttp #1219");
  StopReason why = StopReason::none;
  const auto act = [&](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/next") co_return ctx.set_body("mine");
    why = co_await ctx.sleep(1h);
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 5s));  // and takes its time to go
    ctx.set_status(200);
    ctx.set_body("too late");
    EXPECT_FALSE(co_await ctx.write("far too late"));
  };
  serve(timeout(act, 2s));
  Peer peer = lab_.connect("app:80");
  peer.send(kGet);
  lab_.advance(2s);
  peer.expect_response(503);
  EXPECT_EQ(why, StopReason::handler_timeout);
  peer.send("GET /next HTTP/1.1\r\nHost: app\r\n\r\n");
  EXPECT_THAT(peer.expect_response(200), BodyIs("mine"));
  lab_.advance(10s);
  peer.expect_nothing();
}

// fasthttp #2368: what a handler left unread of a streamed body was taken for the next request, and served.
TEST_F(Gallery, TakesNoBodyForARequest) {
  stands_for("fasthttp #2368");
  std::vector<std::string> served;
  ServerOptions options;
  options.stream_request_body = true;
  serve([&](RequestCtx& ctx) { served.emplace_back(ctx.path()); }, options);
  const std::string hidden = "GET /admin HTTP/1.1\r\nHost: app\r\n\r\n";
  Peer peer = lab_.connect("app:80");
  peer.send("POST /upload HTTP/1.1\r\nHost: app\r\nContent-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" +
            hidden.substr(0, 5));
  lab_.settle();
  peer.send(hidden.substr(5) + std::string(kGet));
  lab_.settle();
  EXPECT_THAT(served, ElementsAre("/upload", "/report"));
}

// Crow #1064, RESTinio #14: a body was one string, so an upload took as much memory as it was long.
TEST_F(Gallery, HoldsNoMoreOfAnUploadThanAPiece) {
  stands_for("Crow #1064, RESTinio #14");
  std::size_t largest = 0;
  std::size_t all = 0;
  ServerOptions options;
  options.stream_request_body = true;
  options.max_request_body_bytes = 1'000'000'000;
  const auto act = [&](RequestCtx& ctx) -> Task<> {
    for (;;) {
      const Result<std::string_view> piece = co_await ctx.read_body();
      if (!piece || piece->empty()) break;
      largest = std::max(largest, piece->size());
      all += piece->size();
    }
  };
  serve(act, options);
  EXPECT_THAT(lab_.post("http://app/", "text/plain", std::string(20'000'000, 'x')), HasStatus(200));
  EXPECT_EQ(all, 20'000'000U);
  EXPECT_LE(largest, 64U * 1024);
}

// uWebSockets #1670: an answer that was written when its client had gone was written into freed memory.
TEST_F(Gallery, SaysSoWhenAnAnswerIsWrittenForNobody) {
  stands_for("uWebSockets #1670");
  std::optional<std::error_code> said;
  const auto act = [&](RequestCtx& ctx) -> Task<> {
    for (;;) {
      const Result<void> written = co_await ctx.write("tick\n");
      const Result<void> flushed = co_await ctx.flush();
      if (!written || !flushed) co_return void(said = (written ? flushed : written).error());
      co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    }
  };
  serve(act);
  Peer peer = lab_.connect("app:80");
  peer.send(kGet);
  lab_.advance(3s);
  EXPECT_FALSE(said);
  peer.abort();
  lab_.advance(1s);
  EXPECT_EQ(said, make_error_code(Errc::connection_reset));
}

// cpp-httplib #1966, #1511: a dozen clients that wait for events held every thread, and nobody else was served.
TEST_F(Gallery, ServesOthersBesideThoseWhoWaitForEvents) {
  stands_for("cpp-httplib #1966, #1511");
  const auto act = [](RequestCtx& ctx) -> Task<> {
    if (ctx.path() != "/events") co_return ctx.set_body("Hello");
    for (;;) {
      (void)co_await ctx.write("data: tick\n\n");
      const Result<void> flushed = co_await ctx.flush();
      if (!flushed) co_return;
      const StopReason why = co_await ctx.sleep(1min);
      if (why != StopReason::none) co_return;
    }
  };
  serve(act);
  std::vector<Peer> waiting;
  for (int i = 0; i < 1000; ++i) {
    waiting.push_back(lab_.connect("app:80"));
    waiting.back().send("GET /events HTTP/1.1\r\nHost: app\r\n\r\n");
  }
  lab_.advance(1h);
  EXPECT_THAT(lab_.get("http://app/"), BodyIs("Hello"));
  EXPECT_EQ(lab_.elapsed(), 1h) << "and it did not have to wait";
}

}  // namespace
}  // namespace pipette::test
