// Connections that are closed to make room for others, or because somebody wants it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/lab/gtest.h"

#include "tests/support/door.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::get;
using test::kGet;
using test::Serving;
using testing::ElementsAre;
using testing::HasSubstr;

ServerOptions evicting(std::size_t connections) {
  ServerOptions options;
  options.concurrency = connections;
  options.evict_idle = true;
  return options;
}

// Sleeps for an hour at most, and says why it could not.
Task<> sleep_if_asked(RequestCtx& ctx) {
  if (ctx.path() != "/sleep") co_return;
  const async::StopReason why = co_await ctx.sleep(1h);
  ctx.set_body(to_string(why));
}

net::ChannelOptions small_pipes() {
  net::ChannelOptions options;
  options.with_capacity(1'000);
  return options;
}

Peer idling(Serving& app) {
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(200);
  return peer;
}

TEST(EvictIdle, ClosesTheOneThatHasWaitedLongestForOneTooMany) {
  Serving app([](RequestCtx&) {}, evicting(3));
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(idling(app));
    app.lab().advance(1s);
  }
  peers[0].send(kGet);  // now the second waits longest
  peers[0].expect_response(200);
  Peer fourth = idling(app);
  EXPECT_FALSE(peers[0].closed());
  peers[1].expect_closed();
  EXPECT_FALSE(peers[2].closed());
  EXPECT_EQ(app.worker().metrics().evicted.get(), 1U);
  EXPECT_EQ(app.worker().metrics().rejected_concurrency.get(), 0U);
  EXPECT_EQ(app.worker().metrics().idle_timeouts.get(), 0U) << "nobody's time was over";
  peers[1].close_write();
  app.lab().settle();
  EXPECT_EQ(app.worker().open_connections(), 3U);
}

TEST(EvictIdle, ClosesOneForEachOfManyThatComeAtOnce) {
  Serving app([](RequestCtx&) {}, evicting(200));
  std::vector<Peer> first;
  std::vector<Peer> second;
  for (int i = 0; i < 200; ++i) first.push_back(idling(app));  // the worker keeps the memory of 128 of them
  for (int i = 0; i < 150; ++i) second.push_back(app.connect());
  app.lab().settle();
  std::string left;
  for (Peer& peer : first) left += peer.closed() ? '.' : 'x';
  EXPECT_EQ(left, std::string(150, '.') + std::string(50, 'x'));
  for (Peer& peer : second) {
    peer.send(kGet);
    peer.expect_response(200);
  }
  EXPECT_EQ(app.worker().metrics().evicted.get(), 150U);
}

// Before any session has run.
TEST(EvictIdle, ClosesNobodyTwice) {
  Serving app([](RequestCtx&) {}, evicting(2));
  Peer first = idling(app);
  Peer second = idling(app);
  async::TaskGroup sessions(app.lab().world().loop());
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    auto [connected, peer] = test::wire(app.lab());
    sessions.spawn(app.worker().serve_connection(std::move(connected)));
    peers.push_back(std::move(peer));
  }
  app.lab().settle();
  EXPECT_TRUE(first.closed());
  EXPECT_TRUE(second.closed());
  EXPECT_EQ(app.worker().metrics().evicted.get(), 2U);
  EXPECT_EQ(app.worker().metrics().rejected_concurrency.get(), 1U);
  peers[2].expect_response(503);
  peers.clear();
  app.lab().settle();
}

TEST(EvictIdle, RefusesOneWhereNobodyIdles) {
  Serving app(sleep_if_asked, evicting(1));
  Peer busy = app.connect();
  busy.send(get("/sleep"));
  Peer second = app.connect();
  second.expect_response(503);
  EXPECT_EQ(app.worker().metrics().evicted.get(), 0U);
  EXPECT_EQ(app.worker().metrics().rejected_concurrency.get(), 1U);
}

TEST(Evict, TellsTheHandlerToStopAndClosesBehindItsAnswer) {
  Serving app(sleep_if_asked);
  Peer other = idling(app);
  Peer peer = app.connect();
  peer.send(get("/sleep") + std::string(kGet));
  app.lab().advance(1s);
  EXPECT_TRUE(app.worker().evict(2));
  app.lab().settle();
  const auto found = answers(peer.take());
  ASSERT_EQ(found.size(), 1U) << "the second one is not begun";
  EXPECT_EQ(found[0].body, "evicted");
  EXPECT_EQ(found[0].field("connection"), "close");
  peer.expect_closed();
  EXPECT_FALSE(other.closed());
  EXPECT_FALSE(app.worker().evict(7)) << "there is none";
  EXPECT_EQ(app.worker().metrics().evicted.get(), 1U);
}

TEST(Evict, ClosesAnIdleConnectionAtOnce) {
  Serving app([](RequestCtx&) {});
  Peer peer = idling(app);
  app.lab().advance(1s);
  EXPECT_TRUE(app.worker().evict(1));
  peer.expect_closed();
}

TEST(Evict, ServesARequestWhoseHeadIsOnItsWay) {
  Serving app([](RequestCtx&) {});
  Peer peer = app.connect();
  peer.send(kGet.substr(0, 10));
  app.lab().settle();
  EXPECT_TRUE(app.worker().evict(1));
  app.lab().settle();
  peer.send(kGet.substr(10));
  EXPECT_THAT(peer.expect_response(200).header("Connection"), testing::Optional(std::string("close")));
  peer.expect_closed();
}

// ---- who waits for a client ------------------------------------------------------------------------------------

// A stop does not let a handler wait on: what it has written goes, and the client sees that the end is missing.
TEST(Stop, WakesAWriteThatWaitsForItsClient) {
  std::vector<Result<void>> seen;
  Serving app(
      [&](RequestCtx& ctx) -> Task<> {
        for (int i = 0; i < 3; ++i) {
          const Result<void> went = co_await ctx.write(std::string(10'000, 'x'));
          seen.push_back(went);
        }
      },
      {}, small_pipes());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  ASSERT_EQ(seen.size(), 0U);
  EXPECT_TRUE(app.worker().evict(1));
  app.lab().settle();
  EXPECT_EQ(seen, (std::vector<Result<void>>(3, fail(Errc::operation_canceled))));
  std::string octets;
  for (std::string more = peer.take(); !more.empty(); more = peer.take()) {
    octets += more;
    app.lab().settle();
  }
  EXPECT_THAT(octets, testing::EndsWith("x\r\n")) << "and no last chunk";
  EXPECT_EQ(std::ranges::count(octets.substr(octets.find("\r\n\r\n")), 'x'), 10'000);
  EXPECT_TRUE(peer.closed());
}

TEST(Stop, LetsNoWriteBeginToWait) {
  std::vector<Result<void>> seen;
  const auto act = [&](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(1h);
    for (const std::size_t size : {std::size_t{10}, std::size_t{10'000}, std::size_t{10}}) {
      const Result<void> went = co_await ctx.write(std::string(size, 'x'));
      seen.push_back(went);
    }
  };
  Serving app(act, {}, small_pipes());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  EXPECT_TRUE(app.worker().evict(1));
  app.lab().settle();
  const Result<void> canceled = fail(Errc::operation_canceled);
  EXPECT_EQ(seen, (std::vector<Result<void>>{Result<void>(), canceled, canceled}));
}

TEST(Stop, WakesAReadThatWaitsForTheBody) {
  std::vector<std::error_code> seen;
  ServerOptions options;
  options.stream_request_body = true;
  Serving app(
      [&](RequestCtx& ctx) -> Task<> {
        for (int i = 0; i < 2; ++i) {
          const Result<std::string_view> data = co_await ctx.read_body();
          seen.push_back(data ? std::error_code() : data.error());
        }
        ctx.set_body("stopped");
      },
      options);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  app.lab().settle();
  ASSERT_EQ(seen.size(), 0U);
  EXPECT_TRUE(app.worker().evict(1));
  EXPECT_EQ(peer.expect_response(200).body, "stopped");
  const std::error_code canceled = make_error_code(Errc::operation_canceled);
  EXPECT_THAT(seen, ElementsAre(canceled, canceled));
  peer.expect_closed();
}

TEST(Stop, ReachesAHandlerThatBeginsBehindTheNotice) {
  Serving app(sleep_if_asked);
  Peer peer = app.connect();
  peer.send("GET /sleep HTTP/1.1\r\nHost: a\r\nX: ");
  app.lab().settle();
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 5s));
  shutdown.start();
  app.lab().advance(4s + 500ms);
  peer.send("y\r\n\r\n");
  EXPECT_EQ(peer.expect_response(200).body, "shutdown");
  peer.close_write();
  EXPECT_EQ(app.lab().run(std::move(shutdown)).cut, 0U);
}

TEST(Stop, TellsWhoHasHijackedAConnection) {
  Serving app([](RequestCtx& ctx) {
    ctx.hijack_silently([](HijackedConnection connection) -> Task<> {
      async::Loop& loop = connection.runtime->loop();
      const async::StopReason why = co_await async::sleep_until(loop, kNever, connection.stop);
      const std::string text(to_string(why));
      const std::array<Bytes, 1> pieces = {text};
      (void)co_await connection.stream->write(pieces);
    });
  });
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_nothing();
  app.lab().run(app.worker().shutdown(after(app.lab().now(), 5s)));
  app.lab().settle();
  EXPECT_EQ(peer.take(), "shutdown");
}

}  // namespace
}  // namespace pipette::server
