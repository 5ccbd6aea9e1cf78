// Pipelined requests: answered in order, flushed together, never held back while the server waits (RFC 9112 §9.3.2).
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "pipette/async/event.h"
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
using testing::HasSubstr;

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

void echo(RequestCtx& ctx) { ctx.set_body(ctx.body().empty() ? ctx.path() : ctx.body()); }

// Writes of the server, as the transcript has them.
std::ptrdiff_t server_writes(Serving& app) {
  return std::ranges::count_if(inmem::transcript_lines(app.lab().world().log()), [](const std::string& line) {
    return line.contains("app -> client") && line.contains(" B  ");
  });
}

TEST(Session, AnswersPipelinedRequestsInOrder) {
  Serving app(echo);
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  const std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  EXPECT_EQ(app.answer_to(get("/1") + post + get("/2") + chunked + get("/3")),
            ok("/1") + ok("body") + ok("/2") + ok("abc") + ok("/3"));
}

TEST(Session, FlushesPipelinedAnswersInOneWrite) {
  Serving app(echo);
  Peer peer = app.connect();
  std::string requests;
  for (int i = 0; i < 20; ++i) requests += kGet;
  peer.send(requests);
  EXPECT_EQ(answers(peer.received()).size(), 20U);
  EXPECT_EQ(server_writes(app), 1);
}

TEST(Session, HoldsNoAnswerBackWhileItWaitsForTheRestOfAHead) {
  Serving app(echo);
  Peer peer = app.connect();
  peer.send(get("/1") + get("/2") + "GET /3 HT");
  EXPECT_EQ(peer.take(), ok("/1") + ok("/2"));
  peer.send("TP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(peer.take(), ok("/3"));
}

TEST(Session, HoldsNoAnswerBackWhileItWaitsForABody) {
  for (const std::string_view framing : {"Content-Length: 4\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n4\r\n"}) {
    Serving app(echo);
    Peer peer = app.connect();
    peer.send(get("/1") + "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing));
    EXPECT_EQ(peer.take(), ok("/1"));
    peer.send("bo");
    EXPECT_EQ(peer.take(), "");
    peer.send(framing.contains("chunked") ? "dy\r\n0\r\n\r\n" : "dy");
    EXPECT_EQ(peer.take(), ok("body"));
  }
}

Task<> dawdle(RequestCtx& ctx) {
  if (ctx.path() == "/slow") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 5s));
  ctx.set_body(ctx.path());
}

TEST(Session, HoldsNoAnswerBackWhileAHandlerIsSuspended) {
  Serving app(dawdle);
  Peer peer = app.connect();
  peer.send(get("/1") + get("/slow") + get("/2"));
  EXPECT_EQ(peer.take(), ok("/1"));
  app.lab().advance(5s - 1ns);
  EXPECT_EQ(peer.take(), "");
  app.lab().advance(1ns);
  const auto found = answers(peer.take());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].body, "/slow");
  EXPECT_EQ(found[1].body, "/2");
}

TEST(Session, RunsOneHandlerAtATimeOnAConnection) {
  int running = 0;
  int most = 0;
  const auto handler = [&](RequestCtx& ctx) -> Task<> {
    most = std::max(most, ++running);
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    --running;
  };
  Serving app(handler);
  Peer peer = app.connect();
  peer.send(get("/1") + get("/2") + get("/3"));
  app.lab().advance(3s);
  EXPECT_EQ(answers(peer.take()).size(), 3U);
  EXPECT_EQ(most, 1);
}

TEST(Session, AnswersALongPipelineWholeThroughNarrowPipes) {
  net::ChannelOptions narrow;
  narrow.with_capacity(1);
  Serving app(echo, {}, narrow);
  std::string requests;
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    requests += get("/" + std::to_string(i));
    expected += ok("/" + std::to_string(i));
  }
  EXPECT_EQ(app.answer_to(requests), expected);
}

TEST(Session, SendsLargeBodiesInOrderWithSmallOnes) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(std::string(std::stoul(std::string(ctx.path().substr(1))), 'x')); });
  for (const std::size_t capacity : {1'000U, 64U * 1024, 1024U * 1024}) {
    net::ChannelOptions pipes;
    pipes.with_capacity(capacity);
    app.lab().world().network().set_pipe_options(pipes);
    const auto found = answers(app.answer_to(get("/1") + get("/300000") + get("/2") + get("/16384") + get("/16383")));
    ASSERT_EQ(found.size(), 5U);
    EXPECT_EQ(found[0].body.size(), 1U);
    EXPECT_EQ(found[1].body, std::string(300'000, 'x'));
    EXPECT_EQ(found[2].body.size(), 2U);
    EXPECT_EQ(found[3].body.size(), 16384U);
    EXPECT_EQ(found[4].body.size(), 16383U);
  }
}

TEST(Session, LetsOthersRunBetweenThePipelinedRequestsOfOne) {
  constexpr int kMany = 10'000;
  int served_to_the_greedy = 0;
  int served_before_the_other = -1;
  Serving app([&](RequestCtx& ctx) {
    if (ctx.path() == "/other") {
      served_before_the_other = served_to_the_greedy;
    } else {
      ++served_to_the_greedy;
    }
  });
  net::ChannelOptions wide;
  wide.with_capacity(16 * 1024 * 1024);
  app.lab().world().network().set_pipe_options(wide);
  std::string requests;
  for (int i = 0; i < kMany; ++i) requests += kGet;
  Result<net::Connected> first = app.lab().world().dial_now(*net::Address::parse("app:80"));
  Result<net::Connected> second = app.lab().world().dial_now(*net::Address::parse("app:80"));
  const Bytes many = requests;
  const std::string one = get("/other");
  const Bytes few = one;
  ASSERT_TRUE(first && second);
  ASSERT_EQ(first->connection->try_write({&many, 1}), many.size());
  ASSERT_EQ(second->connection->try_write({&few, 1}), few.size());
  app.lab().settle();  // everything is there before anybody looks
  EXPECT_LE(served_before_the_other, 64);
  EXPECT_EQ(served_to_the_greedy, kMany);
}

}  // namespace
}  // namespace pipette::server
