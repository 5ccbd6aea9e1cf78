// Connections that a handler takes over: what comes first, who owns them, and what no longer holds for them.
#include "pipette/server/hijack.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/net/close.h"

#include "tests/support/door.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::ok;
using test::post;
using test::Serving;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

// Sends back what it is sent, until the client finishes.
Task<> echo(HijackedConnection connection) {
  std::array<char, 4> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.stream->read_some(room);
    if (!count || *count == 0) break;
    const std::array<Bytes, 1> pieces = {Bytes(room.data(), *count)};
    (void)co_await connection.stream->write(pieces);
  }
  (void)co_await net::close(*connection.stream, after(connection.runtime->loop().now(), 5s));
}

void take_over(RequestCtx& ctx) {
  if (ctx.path() == "/plain") return ctx.set_body("plain");
  if (ctx.path() == "/silent") return ctx.hijack_silently(echo);
  if (ctx.path() == "/upgrade") {
    EXPECT_TRUE(ctx.upgrade("echo", echo));
    return;
  }
  ctx.set_body("over to you");
  ctx.hijack(echo);
}

TEST(Hijack, BeginsBehindTheResponseWithWhatTheClientHasSentAlready) {
  Serving app(take_over);
  Peer peer = app.connect();
  peer.send(get("/plain") + get("/") + "early words");
  EXPECT_EQ(peer.take(), ok("plain") + ok("over to you") + "early words");
  peer.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(peer.take(), "GET / HTTP/1.1\r\n\r\n") << "no HTTP any more";
  peer.close_write();
  peer.expect_closed();
  EXPECT_FALSE(peer.was_reset());
}

TEST(Hijack, GivesWhatStandsBehindABody) {
  for (const std::size_t cut : {0U, 1U, 3U}) {
    Serving app(take_over);
    Peer peer = app.connect();
    const std::string request = post("/", "text/plain", "body");
    peer.send(request.substr(0, request.size() - cut));
    app.lab().settle();
    peer.send(request.substr(request.size() - cut) + "early");
    EXPECT_EQ(peer.take(), ok("over to you") + "early") << cut;
  }
}

TEST(Hijack, SaysNothingWhenItIsSilent) {
  Serving app(take_over);
  Peer peer = app.connect();
  peer.send(get("/silent"));
  peer.expect_nothing();
  peer.send("hello");
  EXPECT_EQ(peer.take(), "hello");
}

TEST(Hijack, SwitchesProtocolsWith101) {
  Serving app(take_over);
  Peer peer = app.connect();
  peer.send(get("/upgrade", "Connection: Upgrade\r\nUpgrade: echo\r\n") + "hello");
  EXPECT_EQ(peer.take(), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello");
}

TEST(Hijack, SwitchesNothingForHttp10) {
  Serving app([](RequestCtx& ctx) {
    const Result<void> upgraded = ctx.upgrade("echo", [](HijackedConnection) -> Task<> {
      ADD_FAILURE() << "hijacked";
      co_return;
    });
    EXPECT_EQ(upgraded, fail(Errc::bad_status));
    ctx.set_body("as it is");
  });
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  EXPECT_EQ(peer.expect_response(200).body, "as it is");
  peer.expect_closed();
}

TEST(Hijack, FreesTheConnectionOfEveryLimit) {
  ServerOptions options;
  options.concurrency = 1;
  options.max_conns_per_ip = 1;
  Serving app(take_over, options);
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(app.connect());
    peers.back().send(get("/"));
    peers.back().expect_response(200);
  }
  EXPECT_EQ(app.worker().open_connections(), 0U);
  const Metrics& metrics = app.worker().metrics();
  EXPECT_EQ(metrics.hijacked.get(), 3U);
  EXPECT_EQ(metrics.exchanges.get(), 3U);
  EXPECT_EQ(metrics.responses[2].get(), 3U);
  EXPECT_EQ(metrics.active_connections.get(), 0U);
  EXPECT_EQ(app.lab().world().scheduler().next_deadline(), kNever) << "nor has it a deadline";
  app.lab().advance(24h);
  peers[1].send("still there");
  EXPECT_EQ(peers[1].take(), "still there");
  for (Peer& peer : peers) peer.close_write();
  app.lab().settle();
  EXPECT_EQ(metrics.hijacked.get(), 0U);
}

TEST(Hijack, EndsWithAResetWhenTheFunctionDropsTheConnection) {
  Serving app([](RequestCtx& ctx) { ctx.hijack([](HijackedConnection) -> Task<> { co_return; }); });
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(200);
  peer.expect_reset();
}

TEST(Hijack, ThatThrowsCostsALineInTheLog) {
  Serving app([](RequestCtx& ctx) {
    ctx.hijack([](HijackedConnection connection) -> Task<> {
      co_await async::sleep_until(connection.runtime->loop(), after(connection.runtime->loop().now(), 1s));
      throw std::runtime_error("no such dialect");
    });
  });
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(200);
  app.lab().advance(1s);
  peer.expect_reset();
  EXPECT_THAT(app.log(), ElementsAre(HasSubstr("no such dialect")));
  EXPECT_EQ(app.worker().metrics().hijacked.get(), 0U);
}

TEST(Hijack, IsForgottenWhenItsHandlerThrows) {
  Serving app([](RequestCtx& ctx) {
    ctx.hijack(echo);
    throw std::runtime_error("no");
  });
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(500);
  peer.send(kGet);
  peer.expect_response(500);
}

TEST(Hijack, DoesNotBeginWhenTheClientIsGone) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    ctx.hijack([](HijackedConnection) -> Task<> {
      ADD_FAILURE() << "hijacked";
      co_return;
    });
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
  });
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  peer.abort();
  app.lab().advance(1s);
  EXPECT_EQ(app.worker().open_connections(), 0U);
}

TEST(Hijack, IsNotWaitedForByAShutdownAndEndsWithItsWorker) {
  auto held = std::make_shared<int>();
  const Server server([held](RequestCtx& ctx) {
    ctx.hijack([held](HijackedConnection connection) -> Task<> {
      const std::shared_ptr<int> guard = held;
      std::array<char, 4> room;
      (void)co_await connection.stream->read_some(room);
    });
  });
  Lab lab;
  auto [connected, peer] = test::wire(lab);
  const long before = held.use_count();
  {
    Worker worker(server, lab.runtime());
    peer.send(kGet);
    lab.run(worker.serve_connection(std::move(connected)));
    peer.expect_response(200);
    const ShutdownReport report = lab.run(worker.shutdown(after(lab.now(), 30s)));
    EXPECT_EQ(report.cut + report.overdue, 0U);
    EXPECT_EQ(lab.elapsed(), 0s);
    EXPECT_FALSE(peer.closed());
    EXPECT_GT(held.use_count(), before);
  }
  EXPECT_EQ(held.use_count(), before);
  peer.expect_reset();
}

// ---- around what is streamed ---------------------------------------------------------------------------------

void must_not_be_called(RequestCtx& ctx) {
  ctx.hijack([](HijackedConnection) -> Task<> {
    ADD_FAILURE() << "hijacked";
    co_return;
  });
}

Task<> stream_and_take_over(RequestCtx& ctx) {
  (void)co_await ctx.write("one");
  if (ctx.path() == "/silent") {
    ctx.hijack_silently(echo);
  } else {
    ctx.hijack(echo);
  }
  (void)co_await ctx.write("two");
}

TEST(Hijack, BeginsBehindTheEndOfAResponseThatIsStreamed) {
  for (const std::string_view target : {"/", "/silent"}) {  // it is too late to be silent
    Serving app(stream_and_take_over);
    Peer peer = app.connect();
    peer.send(get(target) + "early");
    EXPECT_THAT(peer.received(), EndsWith("chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nearly")) << target;
  }
}

TEST(Hijack, DoesNotBeginWhereTheConnectionIsTheEndOfTheResponse) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    (void)co_await ctx.write("all of it");
    must_not_be_called(ctx);
  });
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(peer.received(), EndsWith("Connection: close\r\n\r\nall of it"));
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
}

// Gives "source" once, then its end.
class OneWord final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    co_return std::exchange(word_, Bytes()).copy(into.data(), into.size());
  }

 private:
  Bytes word_ = "source";
};

TEST(Hijack, BeginsBehindABodyThatASourceGives) {
  Serving app([](RequestCtx& ctx) {
    ctx.set_body_source(std::make_unique<OneWord>(), 6);
    ctx.hijack(echo);
  });
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_THAT(peer.take(), EndsWith("Content-Length: 6\r\n\r\nsource"));
  peer.send("hello");
  EXPECT_EQ(peer.take(), "hello");
}

ServerOptions streaming() {
  ServerOptions options;
  options.stream_request_body = true;
  options.max_drain_bytes = 1'000;
  return options;
}

std::string post_head(std::string_view framing) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + "\r\n\r\n";
}

// However it arrives, the body belongs to the request, which has to be sent whole before the protocol changes
// (RFC 9110 §7.8).
TEST(Hijack, BeginsBehindARequestBodyThatNobodyReads) {
  const std::string requests[] = {post_head("Content-Length: 4") + "body",
                                  post_head("Transfer-Encoding: chunked") + "4\r\nbody\r\n0\r\nX: y\r\n\r\n"};
  for (const std::string& request : requests) {
    for (std::size_t cut = request.find("\r\n\r\n") + 4; cut <= request.size(); ++cut) {
      Serving app(take_over, streaming());
      Peer peer = app.connect();
      peer.send(request.substr(0, cut));
      app.lab().settle();
      peer.send(request.substr(cut) + "early");
      ASSERT_EQ(peer.take(), ok("over to you") + "early") << request.substr(0, cut);
    }
  }
}

TEST(Hijack, BeginsBehindTheRestOfARequestBody) {
  Serving app(
      [](RequestCtx& ctx) -> Task<> {
        const Result<std::string_view> first = co_await ctx.read_body();
        EXPECT_EQ(first, "bo");
        take_over(ctx);
      },
      streaming());
  Peer peer = app.connect();
  peer.send(post_head("Content-Length: 4"));
  app.lab().settle();
  peer.send("bo");
  app.lab().settle();
  peer.send("dyearly");
  EXPECT_EQ(peer.take(), ok("over to you") + "early");
}

TEST(Hijack, DoesNotBeginWhenTheRequestBodyHasNoEnd) {
  struct Row {
    std::string request;
    Duration wait;
  };
  const Row rows[] = {
      {post_head("Content-Length: 40000") + std::string(40'000, 'b'), 0s},        // too much to be dropped
      {post_head("Content-Length: 4000") + "b", 10s},                             // too slow
      {post_head("Content-Length: 4\r\nExpect: 100-continue"), 0s},               // nobody has asked for it
      {post_head("Transfer-Encoding: chunked") + "4\r\nbody!\r\n0\r\n\r\n", 0s},  // malformed
  };
  for (const Row& row : rows) {
    Serving app(must_not_be_called, streaming());
    Peer peer = app.connect();
    peer.send(row.request);
    app.lab().advance(row.wait);
    peer.expect_response(200);
    EXPECT_TRUE(peer.closed()) << row.request.substr(0, 80);
    EXPECT_FALSE(peer.was_reset());
  }
}

}  // namespace
}  // namespace pipette::server
