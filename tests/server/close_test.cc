// How connections end: answers that survive unread input, half-close, resets (RFC 9112 §9.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::kGet;
using test::ok;
using test::Serving;
using test::statuses;
using testing::ElementsAre;

TEST(Session, DeliversARefusalWhileTheBodyIsStillBeingSent) {
  ServerOptions options;
  options.max_request_body_bytes = 1000;
  Serving app([](RequestCtx&) {}, options);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'));
  peer.close_write();
  EXPECT_EQ(peer.unsent(), 0U);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(413));
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  EXPECT_EQ(app.worker().open_connections(), 0U);
}

TEST(Session, ReadsNoMoreThanItsLingerAllowsFromOneThatNeverStops) {
  ServerOptions options;
  options.max_request_body_bytes = 1000;
  Serving app([](RequestCtx&) {}, options);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
  EXPECT_THAT(statuses(peer.received()), ElementsAre(413));
  peer.send(std::string(20'000'000, 'x'));
  EXPECT_EQ(peer.unsent(), 0U) << "what a reset has made pointless is dropped";
  EXPECT_TRUE(peer.was_reset());
  EXPECT_EQ(app.worker().open_connections(), 0U);
  EXPECT_TRUE(app.lab().transcript().contains("reset: app is closed with unread input"));
}

TEST(Session, DeliversTheAnswerThatClosesOverPipelinedInput) {
  Serving app([](RequestCtx& ctx) {
    ctx.set_connection_close();
    ctx.set_body(std::string(30'000, 'x'));
  });
  Peer peer = app.connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += kGet;
  peer.send(requests);
  const auto found = answers(peer.received());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].body.size(), 30'000U);
  EXPECT_FALSE(peer.was_reset());
}

// The client has sent its second request before it could know of the end.
TEST(Session, DeliversAnAnswerThatIsOnItsWayWhenItShutsDown) {
  Serving app([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  const inmem::Link::Guard far = app.lab().link("app", "client").add(net::Toxics().with_latency(2s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 30s));
  shutdown.start();
  app.lab().settle();
  peer.send(kGet);
  app.lab().advance(3s);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200));
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  app.lab().run(std::move(shutdown));
}

TEST(Session, AnswersAClientThatHasFinishedSendingAlsoMuchLater) {
  ServerOptions options;
  options.handler_timeout = kNoLimit;
  const auto act = [](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
    ctx.set_body(std::string(30'000, 'x'));
  };
  Serving app(act, options);
  Peer peer = app.connect();
  peer.send(std::string(kGet) + std::string(kGet));
  peer.close_write();
  app.lab().advance(2h);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200, 200));
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
}

TEST(Session, ForgetsAClientThatResetsAnywhere) {
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  for (std::size_t sent = 0; sent <= request.size(); ++sent) {
    Serving app([](RequestCtx&) {});
    Peer other = app.connect();
    Peer peer = app.connect();
    peer.send(std::string(kGet) + request.substr(0, sent));
    app.lab().settle();
    peer.abort();
    app.lab().settle();
    EXPECT_EQ(app.worker().open_connections(), 1U) << sent;
    other.send(kGet);
    EXPECT_EQ(other.take(), ok("")) << sent;
    EXPECT_THAT(app.log(), testing::IsEmpty());
  }
}

TEST(Session, FinishesAHandlerWhoseClientHasReset) {
  auto guard = std::make_shared<int>();
  bool finished = false;
  const auto handler = [&finished, guard](RequestCtx& ctx) -> Task<> {
    const std::shared_ptr<int> held = guard;
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 10s));
    ctx.set_body(std::string(100'000, 'x'));
    finished = true;
  };
  const long before = guard.use_count();
  Serving app(handler);
  Peer other = app.connect();
  Peer peer = app.connect();
  peer.send(kGet);
  other.send(kGet);
  app.lab().advance(5s);
  peer.abort();
  app.lab().advance(5s);
  EXPECT_TRUE(finished);
  EXPECT_EQ(app.worker().open_connections(), 1U);
  EXPECT_THAT(statuses(other.take()), ElementsAre(200));
  EXPECT_EQ(guard.use_count(), before + 1) << "the server's copy, and no frame";
}

TEST(Session, LingersBehindTheRefusalOfALineThatIsNone) {
  Serving app([](RequestCtx&) {});
  Peer peer = app.connect();
  peer.send("\n");
  app.lab().settle();
  EXPECT_EQ(app.worker().open_connections(), 1U) << "what the client sends now must not destroy the answer";
  peer.send("\n");
  EXPECT_THAT(statuses(peer.received()), ElementsAre(400));
  EXPECT_FALSE(peer.was_reset());
}

TEST(Session, SurvivesAResetInTheMiddleOfAnAnswer) {
  net::ChannelOptions narrow;
  narrow.with_capacity(100);
  for (const std::size_t size : {1'000U, 100'000U}) {
    Serving app([&](RequestCtx& ctx) { ctx.set_body(std::string(size, 'x')); }, {}, narrow);
    Peer peer = app.connect();
    peer.send(kGet);
    app.lab().settle();
    peer.abort();
    app.lab().settle();
    EXPECT_EQ(app.worker().open_connections(), 0U);
    EXPECT_EQ(app.worker().served(), 1U);
  }
}

TEST(Session, DiesWithItsWorkerWhereverItIs) {
  const auto wait = [](RequestCtx& ctx) -> Task<> {
    const std::string kept(100, 'x');
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
    ctx.set_body(kept);
  };
  net::ChannelOptions narrow;
  narrow.with_capacity(100);
  Serving app(wait, {}, narrow);
  std::vector<Peer> peers;
  for (const std::string_view sent :
       {"", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
        "GET nowhere HTTP/1.1\r\n\r\n"}) {
    peers.push_back(app.connect());
    peers.back().send(sent);
  }
  app.lab().settle();
  EXPECT_EQ(app.worker().open_connections(), 5U);
}

}  // namespace
}  // namespace pipette::server
