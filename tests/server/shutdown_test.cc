// Why a handler is told to stop, and how a worker comes to its end.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
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
using test::Serving;
using test::statuses;
using testing::ElementsAre;
using testing::IsEmpty;

ServerOptions patient() {
  ServerOptions options;
  options.handler_timeout = kNoLimit;
  return options;
}

// Sleeps for as long as it may, and says why it could not: "/2" with the time, in seconds.
class Sleepers {
 public:
  auto handler() {
    return [this](RequestCtx& ctx) -> Task<> {
      const StopReason why = co_await ctx.sleep(1h);
      reasons_.push_back(std::string(ctx.path()) + " " + std::string(to_string(why)) + " " +
                         std::to_string(ctx.now().time_since_epoch() / 1s));
      ctx.set_body("stopped");
    };
  }
  std::vector<std::string> take() { return std::exchange(reasons_, {}); }

 private:
  std::vector<std::string> reasons_;
};

std::string said(std::string_view path, StopReason why, int second) {
  return std::string(path) + " " + std::string(to_string(why)) + " " + std::to_string(second);
}

// ---- why to stop ---------------------------------------------------------------------------------------------

TEST(StopToken, SaysThatTheTimeIsOver) {
  Sleepers sleepers;
  Serving app(sleepers.handler());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(30s);
  EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::handler_timeout, 30)));
}

TEST(StopToken, SaysThatTheClientHasFinishedAndTheAnswerIsStillWritten) {
  Sleepers sleepers;
  Serving app(sleepers.handler(), patient());
  Peer peer = app.connect();
  peer.send(get("/1") + get("/2"));
  app.lab().advance(5s);
  EXPECT_THAT(sleepers.take(), IsEmpty());
  peer.close_write();
  app.lab().settle();
  EXPECT_THAT(sleepers.take(),
              ElementsAre(said("/1", StopReason::peer_finished, 5), said("/2", StopReason::peer_finished, 5)));
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200, 200));
  peer.expect_closed();
}

TEST(StopToken, SaysThatTheClientIsGone) {
  Sleepers sleepers;
  Serving app(sleepers.handler(), patient());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(5s);
  peer.abort();
  app.lab().settle();
  EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::peer_reset, 5)));
  EXPECT_EQ(app.worker().open_connections(), 0U);
}

TEST(StopToken, SaysThatTheServerStopsASecondBeforeItsDeadline) {
  Sleepers sleepers;
  Serving app(sleepers.handler(), patient());
  Peer peer = app.connect();
  peer.send(std::string(kGet) + std::string(kGet));
  app.lab().settle();
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 30s));
  shutdown.start();
  app.lab().advance(29s - 1ns);
  EXPECT_THAT(sleepers.take(), IsEmpty());
  app.lab().advance(1ns);
  EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::shutdown, 29)));
  const auto found = answers(peer.take());
  ASSERT_EQ(found.size(), 1U) << "the second one is not begun";
  EXPECT_EQ(found[0].head.status, 200);
  EXPECT_EQ(found[0].field("connection"), "close");
  peer.close_write();
  EXPECT_EQ(app.lab().run(std::move(shutdown)).cut, 0U);
  EXPECT_EQ(app.lab().elapsed(), 29s);
}

TEST(StopToken, ComesAsEarlyAsTheNoticeSays) {
  struct Case {
    Duration time;
    Duration notice;
    int second;
  };
  for (const Case& each : {Case{30s, 10s, 20}, Case{30s, 30s, 0}, Case{1s, 5s, 0}, Case{30s, 0s, 30}}) {
    Sleepers sleepers;
    Serving app(sleepers.handler(), patient());
    Peer peer = app.connect();
    peer.send(kGet);
    app.lab().settle();
    app.lab().run(app.worker().shutdown(after(app.lab().now(), each.time), each.notice));
    EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::shutdown, each.second)));
  }
}

TEST(StopToken, ReachesFunctionsThatBlock) {
  std::vector<std::string> reasons;
  Serving app(blocking([&](RequestCtx& ctx, BlockingCtx& wait) {
                reasons.emplace_back(to_string(wait.sleep_for(1h)));
                ctx.set_body("stopped");
              }),
              patient());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  peer.close_write();
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
  EXPECT_THAT(reasons, ElementsAre(to_string(StopReason::peer_finished)));
}

TEST(StopToken, IsFreshForTheNextRequest) {
  std::vector<StopReason> reasons;
  Serving app(timeout(
      [&](RequestCtx& ctx) -> Task<> {
        reasons.push_back(ctx.stop_token().reason());
        co_await ctx.sleep(ctx.path() == "/late" ? 10s : 1s);
        reasons.push_back(ctx.stop_token().reason());
      },
      2s));
  Peer peer = app.connect();
  peer.send(get("/late") + get("/"));
  app.lab().advance(3s);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(503, 200));
  EXPECT_THAT(reasons, testing::UnorderedElementsAre(StopReason::none, StopReason::handler_timeout, StopReason::none,
                                                     StopReason::none));
  reasons.clear();
  Peer heir = app.connect();  // of what the late one has left
  heir.send(get("/"));
  app.lab().advance(1s);
  EXPECT_THAT(statuses(heir.take()), ElementsAre(200));
  EXPECT_THAT(reasons, ElementsAre(StopReason::none, StopReason::none));
}

// ---- the end of a worker -------------------------------------------------------------------------------------

TEST(Shutdown, IsNoTimeOutOfAnybody) {
  Serving app([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  Peer silent = app.connect();
  Peer idle = app.connect();
  idle.send(kGet);
  idle.expect_response(200);
  silent.close_write();
  idle.close_write();
  app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  const Metrics& metrics = app.worker().metrics();
  EXPECT_EQ(metrics.idle_timeouts.get(), 0U);
  EXPECT_EQ(metrics.read_header_timeouts.get(), 0U);
  EXPECT_EQ(metrics.cut.get(), 0U);
}

TEST(Shutdown, OfIdleConnectionsIsNoTimeOutEither) {
  Serving app([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  Peer silent = app.connect();
  Peer idle = app.connect();
  idle.send(kGet);
  idle.expect_response(200);
  app.lab().advance(6s);
  app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(app.lab().elapsed(), 6s);
  EXPECT_TRUE(idle.closed() && silent.closed());
  EXPECT_FALSE(idle.was_reset() || silent.was_reset());
  EXPECT_EQ(app.worker().metrics().idle_timeouts.get(), 0U);
  EXPECT_EQ(app.worker().metrics().read_header_timeouts.get(), 0U);
}

TEST(Shutdown, WaitsForHandlersThatAreLateAndTellsThemToo) {
  std::vector<std::string> reasons;
  const auto overstay = [&](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 20s));
    reasons.emplace_back(to_string(ctx.stop_token().reason()));
  };
  Serving app(timeout(overstay, 1s));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  peer.expect_response(503);
  peer.close_write();
  app.lab().settle();
  EXPECT_EQ(app.worker().open_connections(), 0U);
  const ShutdownReport report = app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(app.lab().elapsed(), 20s);
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_THAT(reasons, ElementsAre(to_string(StopReason::handler_timeout))) << "the first reason stays";
}

TEST(Shutdown, TellsAHandlerThatGaveUpAndGoesOn) {
  Sleepers sleepers;
  const auto handler = [inner = sleepers.handler()](RequestCtx& ctx) -> Task<> {
    ctx.timeout_error("later");
    return inner(ctx);
  };
  Serving app(handler);
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(503);
  peer.close_write();
  app.lab().settle();
  const ShutdownReport report = app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::shutdown, 29)));
}

TEST(Shutdown, LetsAStreamComeToItsEndAndCutsOneThatDoesNot) {
  const auto stream = [](RequestCtx& ctx) -> Task<> {
    const int count = ctx.path() == "/short" ? 10 : 1'000;
    for (int i = 0; i < count; ++i) {
      const Result<void> flushed = co_await ctx.flush();  // named: g++ 12 would await it behind a false && too
      if (!flushed) co_return;
      (void)co_await ctx.write("x");
      co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    }
  };
  Serving app(stream);
  Peer ends = app.connect();
  ends.send(get("/short"));
  Peer stays = app.connect();
  stays.send(get("/long"));
  app.lab().settle();
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 30s));
  shutdown.start();
  app.lab().advance(10s);
  EXPECT_EQ(ends.expect_response(200).body, "xxxxxxxxxx");
  ends.expect_closed();
  ends.close_write();
  app.lab().advance(20s);
  EXPECT_TRUE(stays.was_reset());
  app.lab().advance(1s);
  ASSERT_TRUE(shutdown.done());
  const ShutdownReport report = shutdown.await_resume();
  EXPECT_EQ(report.cut, 1U);
  EXPECT_EQ(app.worker().metrics().cut.get(), 1U);
}

TEST(Shutdown, ServesNoConnectionThatComesLater) {
  Lab lab;
  const Server server([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; });
  Worker worker(server, lab.runtime());
  lab.run(worker.shutdown(after(lab.now(), 30s)));
  EXPECT_EQ(worker.state(), WorkerState::stopped);
  auto [connected, peer] = test::wire(lab);
  peer.send(kGet);
  peer.close_write();
  lab.run(worker.serve_connection(std::move(connected)));
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(peer.received(), "");
}

TEST(Shutdown, DoesNotWaitForThoseThatAreBeingRefused) {
  ServerOptions options;
  options.concurrency = 0;
  Serving app([](RequestCtx&) {}, options);
  Peer refused = app.connect();
  refused.expect_response(503);
  const ShutdownReport report = app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(app.lab().elapsed(), 0s);
  EXPECT_EQ(report.cut + report.overdue + report.served, 0U);
  refused.send("still there");
  EXPECT_TRUE(refused.was_reset());
}

TEST(Shutdown, MayBeAskedForTwiceAtOnce) {
  Sleepers sleepers;
  Serving app(sleepers.handler(), patient());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  Task<ShutdownReport> late = app.worker().shutdown(after(app.lab().now(), 30s));
  Task<ShutdownReport> early = app.worker().shutdown(after(app.lab().now(), 10s));
  late.start();
  early.start();
  EXPECT_EQ(app.worker().state(), WorkerState::draining);
  app.lab().advance(9s);
  EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::shutdown, 9)));
  peer.expect_response(200);
  peer.close_write();
  app.lab().settle();
  EXPECT_TRUE(late.done() && early.done());
}

// ---- what idles, where somebody else serves on ----------------------------------------------------------------

Task<ShutdownReport> shutdown_gently(Lab& lab, Worker& worker) {
  return worker.shutdown(after(lab.now(), 30s), 1s, IdleOnes::answer_one_more);
}

TEST(GentleShutdown, AnswersOneMoreOnEachConnectionAndSaysThatItWasTheLast) {
  struct Case {
    std::string before;
    std::string later;
    std::vector<int> found;
  };
  for (const Case& each : {
           Case{"", std::string(kGet), {200}},
           Case{std::string(kGet), std::string(kGet), {200, 200}},
           Case{std::string(kGet), get("/1") + get("/2"), {200, 200}},
           Case{std::string(kGet) + "GET / HT", "TP/1.1\r\nHost: a\r\n\r\n", {200, 200}},
       }) {
    Serving app([](RequestCtx& ctx) { ctx.set_body("Hello"); });
    Peer peer = app.connect();
    if (!each.before.empty()) peer.send(each.before);
    app.lab().settle();
    Task<ShutdownReport> shutdown = shutdown_gently(app.lab(), app.worker());
    shutdown.start();
    app.lab().advance(5s);
    EXPECT_FALSE(peer.closed());
    peer.send(each.later);
    app.lab().settle();
    const std::string octets = peer.take();
    EXPECT_EQ(statuses(octets), each.found) << each.later;
    EXPECT_EQ(answers(octets).back().field("connection"), "close");
    EXPECT_TRUE(peer.closed());
    peer.close_write();
    app.lab().settle();
    ASSERT_TRUE(shutdown.done());
    EXPECT_EQ(shutdown.await_resume().cut, 0U);
    EXPECT_EQ(app.lab().elapsed(), 5s);
  }
}

TEST(GentleShutdown, EndsWithTheExchangeThatIsUnderWay) {
  Serving app([](RequestCtx& ctx) -> Task<> { (void)co_await ctx.sleep(2s); });
  Peer peer = app.connect();
  peer.send(get("/1") + get("/2"));
  app.lab().settle();
  Task<ShutdownReport> shutdown = shutdown_gently(app.lab(), app.worker());
  shutdown.start();
  app.lab().advance(2s);
  const auto found = answers(peer.take());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].field("connection"), "close");
  EXPECT_TRUE(peer.closed());
}

TEST(GentleShutdown, ClosesWhatStillIdlesAtTheNotice) {
  Serving app([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  Peer idle = app.connect();
  idle.send(kGet);
  idle.expect_response(200);
  Task<ShutdownReport> shutdown = shutdown_gently(app.lab(), app.worker());
  shutdown.start();
  app.lab().advance(29s - 1ns);
  EXPECT_FALSE(idle.closed());
  app.lab().advance(1ns);
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(idle.was_reset());
  ASSERT_TRUE(shutdown.done());
  EXPECT_EQ(shutdown.await_resume().cut, 0U);
  EXPECT_EQ(app.worker().metrics().idle_timeouts.get(), 0U);
}

TEST(GentleShutdown, ServesAConnectionThatWasStillOnItsWay) {
  Lab lab;
  const Server server([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  Worker worker(server, lab.runtime());
  auto [first, idle] = test::wire(lab);
  async::TaskGroup sessions(lab.runtime().loop());
  sessions.spawn(worker.serve_connection(std::move(first)));
  lab.settle();
  Task<ShutdownReport> shutdown = shutdown_gently(lab, worker);
  shutdown.start();
  auto [second, late] = test::wire(lab);
  sessions.spawn(worker.serve_connection(std::move(second)));
  late.send(kGet);
  lab.settle();
  EXPECT_THAT(statuses(late.take()), ElementsAre(200));
  EXPECT_TRUE(late.closed());
}

TEST(GentleShutdown, MayBecomeAnOrdinaryOne) {
  Serving app([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  Peer idle = app.connect();
  idle.send(kGet);
  idle.expect_response(200);
  app.lab().advance(6s);
  Task<ShutdownReport> gentle = shutdown_gently(app.lab(), app.worker());
  gentle.start();
  app.lab().settle();
  EXPECT_FALSE(idle.closed());
  app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(app.lab().elapsed(), 6s);
}

// ---- several workers -----------------------------------------------------------------------------------------

// A worker on a loop of its own, at a port of its own.
struct Loop {
  Loop(const Server& server, Runtime& runtime, std::string_view address)
      : worker(server, runtime), serving(runtime.loop()) {
    serving.spawn(worker.serve(*runtime.network().listen(*net::Address::parse(address))));
  }
  Worker worker;
  async::TaskGroup serving;
};

TEST(ShutdownAll, EndsWorkersOnSeveralLoopsAtOnceAndSumsWhatTheyReport) {
  const auto act = [](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/deaf") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
    if (ctx.path() == "/slow") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 20s));
  };
  const Server server(act, patient());
  Lab lab;
  Loop first(server, lab.host("app").runtime(), "app:80");
  Loop second(server, lab.host("app").add_runtime(), "app:81");
  lab.settle();
  std::vector<Peer> peers;
  const auto say = [&](std::string_view address, const std::string& words) {
    peers.push_back(lab.connect(address));
    peers.back().send(words);
  };
  say("app:80", get("/"));
  say("app:80", get("/deaf"));
  say("app:81", get("/") + get("/") + get("/slow"));
  say("app:81", get("/deaf"));
  say("app:81", get("/deaf"));
  lab.settle();
  const std::array<Worker*, 2> workers = {&first.worker, &second.worker};
  const ShutdownReport report = lab.run(shutdown_all(workers, after(lab.now(), 30s)));
  EXPECT_EQ(report.served, 4U);
  EXPECT_EQ(report.cut, 3U);
  EXPECT_EQ(report.overdue, 3U);
  EXPECT_LE(lab.elapsed(), 31s) << "not one after the other";
  for (const Worker* worker : workers) EXPECT_EQ(worker->state(), WorkerState::stopped);
}

TEST(ShutdownAll, GivesTheNoticeThatWasAskedForAndHasNothingToSayOfNobody) {
  Sleepers sleepers;
  const Server server(sleepers.handler(), patient());
  Lab lab;
  Loop loop(server, lab.host("app").runtime(), "app:80");
  lab.settle();
  Peer peer = lab.connect("app:80");
  peer.send(kGet);
  lab.settle();
  const std::array<Worker*, 1> workers = {&loop.worker};
  EXPECT_EQ(lab.run(shutdown_all(std::span<Worker* const>(), after(lab.now(), 30s))).served, 0U);
  EXPECT_EQ(lab.run(shutdown_all(workers, after(lab.now(), 30s), 10s)).cut, 0U);
  EXPECT_THAT(sleepers.take(), ElementsAre(said("/", StopReason::shutdown, 20)));
}

}  // namespace
}  // namespace pipette::server
