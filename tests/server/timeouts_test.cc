// Every phase of a connection ends at its deadline, to the nanosecond.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
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
using test::statuses;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kHalf = "GET / HTTP/1.1\r\nHost: a";

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

// Nothing is said and the connection stays until `wait` is over, less a nanosecond; then it has a 408 and is closed.
void expect_408_after(Serving& app, Peer& peer, Duration wait) {
  app.lab().advance(wait - 1ns);
  EXPECT_EQ(peer.received(), "");
  EXPECT_FALSE(peer.closed());
  app.lab().advance(1ns);
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  const auto found = answers(peer.received());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].head.status, 408);
  EXPECT_EQ(found[0].field("connection"), "close");
}

TEST(Session, CutsAHalfHeadAtReadHeaderTimeout) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(kHalf);
  expect_408_after(app, peer, 10s);
}

TEST(Session, CountsTheFirstHeadFromAccept) {
  Serving app(greet);
  Peer peer = app.connect();
  app.lab().advance(9s);
  peer.send(kHalf);
  expect_408_after(app, peer, 1s);
}

TEST(Session, CountsALaterHeadFromItsFirstOctet) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(peer.take(), ok("Hello"));
  app.lab().advance(30s);
  peer.send(kHalf);
  expect_408_after(app, peer, 10s);
}

TEST(Session, CountsAHalfHeadBehindARequestFromItsAnswer) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(std::string(kGet).append(kHalf));
  EXPECT_EQ(peer.take(), ok("Hello"));
  expect_408_after(app, peer, 10s);
}

TEST(Session, IsNotMovedByADripOfOctets) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  for (int i = 0; i < 9; ++i) {
    app.lab().advance(1s);
    peer.send("v");
  }
  expect_408_after(app, peer, 1s);
}

TEST(Session, ServesAHeadThatCompletesJustInTime) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(kHalf);
  app.lab().advance(10s - 1ns);
  peer.send("\r\n\r\n");
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200));
}

TEST(Session, ClosesASilentNewConnectionWithoutAnAnswer) {
  for (const std::string_view nothing : {"", "\r\n", "\r\n\r\n\r", "\r"}) {
    Serving app(greet);
    Peer peer = app.connect();
    peer.send(nothing);
    app.lab().advance(10s - 1ns);
    EXPECT_FALSE(peer.closed());
    app.lab().advance(1ns);
    EXPECT_TRUE(peer.closed());
    EXPECT_EQ(peer.received(), "");
  }
}

TEST(Session, ClosesAnIdleConnectionSilently) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(peer.take(), ok("Hello"));
  app.lab().advance(75s - 1ns);
  EXPECT_FALSE(peer.closed());
  app.lab().advance(1ns);
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  EXPECT_EQ(peer.received(), "");
}

TEST(Session, TakesEmptyLinesBetweenRequestsForIdling) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx\r\n");
  EXPECT_EQ(peer.take(), ok("Hello"));
  app.lab().advance(74s);
  peer.send("\r\n");
  app.lab().advance(1s - 1ns);
  EXPECT_FALSE(peer.closed());
  app.lab().advance(1ns);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(peer.received(), "");
}

TEST(Session, CountsAHeadBehindEmptyLinesFromItsOwnFirstOctet) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(std::string(kGet) + "\r\n");
  EXPECT_EQ(peer.take(), ok("Hello"));
  app.lab().advance(30s);
  peer.send(kHalf);
  expect_408_after(app, peer, 10s);
}

TEST(Session, StartsIdlingAnewAfterEachRequest) {
  Serving app(greet);
  Peer peer = app.connect();
  for (int i = 0; i < 5; ++i) {
    peer.send(kGet);
    EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
    app.lab().advance(74s);
  }
  EXPECT_FALSE(peer.closed());
}

TEST(Session, CutsABodyAtReadTimeoutCountedFromTheFirstOctetOfTheRequest) {
  for (const std::string_view framing : {"Content-Length: 5\r\n\r\nbo", "Transfer-Encoding: chunked\r\n\r\n5\r\nbo"}) {
    ServerOptions options;
    options.read_body_min_rate = 0;
    Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; }, options);
    Peer peer = app.connect();
    app.lab().advance(9s);
    peer.send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing));
    app.lab().advance(30s);
    peer.send("d");
    expect_408_after(app, peer, 21s);
  }
}

TEST(Session, DoesNotCutAHandlerThatMayTakeLong) {
  ServerOptions options;
  options.handler_timeout = kNoLimit;
  const auto act = [](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
    ctx.set_body("at last");
  };
  Serving app(act, options);
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1h - 1ns);
  EXPECT_EQ(peer.received(), "");
  EXPECT_FALSE(peer.closed());
  app.lab().advance(1ns);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200));
  app.lab().advance(75s - 1ns);
  EXPECT_FALSE(peer.closed());
}

// A peer that does not read: pipes hold 1000 octets, and the answer is longer.
void expect_abort_after(std::size_t body_bytes, int requests, Duration wait) {
  net::ChannelOptions narrow;
  narrow.with_capacity(1000);
  ServerOptions options;
  options.write_min_rate = 0;
  Serving app([&](RequestCtx& ctx) { ctx.set_body(std::string(body_bytes, 'x')); }, options, narrow);
  Peer peer = app.connect();
  std::string octets;
  for (int i = 0; i < requests; ++i) octets += kGet;
  peer.send(octets);
  app.lab().advance(wait - 1ns);
  EXPECT_EQ(app.worker().open_connections(), 1U);
  app.lab().advance(1ns);
  EXPECT_EQ(app.worker().open_connections(), 0U);
  EXPECT_TRUE(peer.was_reset());
}

TEST(Session, AbortsAPeerThatDoesNotReadAtWriteTimeout) {
  expect_abort_after(2'000, 1, 60s);
  expect_abort_after(100'000, 1, 60s);
  expect_abort_after(100, 20, 60s);
}

TEST(Session, FinishesAnAnswerThatIsReadInTimeAndForgetsItsDeadline) {
  for (const std::size_t size : {2'000U, 100'000U}) {
    net::ChannelOptions narrow;
    narrow.with_capacity(1000);
    ServerOptions options;
    options.write_min_rate = 0;
    const auto act = [&](RequestCtx& ctx) { ctx.set_body(std::string(ctx.path() == "/" ? 1 : size, 'x')); };
    Serving app(act, options, narrow);
    Peer peer = app.connect();
    peer.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    app.lab().advance(60s - 1ns);
    EXPECT_THAT(statuses(peer.take()), ElementsAre(200)) << size;
    app.lab().advance(60s);
    peer.send(kGet);
    EXPECT_THAT(statuses(peer.take()), ElementsAre(200)) << size;
  }
}

TEST(Session, LingersForSoLongAndNoLonger) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(peer.closed());
  app.lab().advance(5s - 1ns);
  EXPECT_EQ(app.worker().open_connections(), 1U);
  app.lab().advance(1ns);
  EXPECT_EQ(app.worker().open_connections(), 0U);
}

TEST(Session, ObeysOtherTimeoutsThanTheDefaultOnes) {
  ServerOptions options;
  options.read_header_timeout = 1s;
  options.read_timeout = 2s;
  options.idle_timeout = 3s;
  Serving app(greet, options);
  Peer head = app.connect();
  head.send(kHalf);
  expect_408_after(app, head, 1s);
  Peer body = app.connect();
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  expect_408_after(app, body, 2s);
  Peer idle = app.connect();
  idle.send(kGet);
  app.lab().advance(3s - 1ns);
  EXPECT_FALSE(idle.closed());
  app.lab().advance(1ns);
  EXPECT_TRUE(idle.closed());
}

}  // namespace
}  // namespace pipette::server
