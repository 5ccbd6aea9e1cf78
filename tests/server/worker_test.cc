// Accepting, limits and shutdown of a server at work.
#include "pipette/server/worker.h"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipette/async/sleep.h"

#include "tests/support/door.h"
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

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

Task<> wait_a_minute(RequestCtx& ctx) {
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
  ctx.set_body("at last");
}

// Lets handlers and bodies take their time.
ServerOptions patient() {
  ServerOptions options;
  options.handler_timeout = kNoLimit;
  options.read_body_min_rate = 0;
  return options;
}

net::Address app_address() { return *net::Address::parse("app:80"); }

// When accepts have failed, in virtual time.
std::vector<std::string> failed_accepts(Serving& app) {
  std::vector<std::string> times;
  for (const std::string& line : inmem::transcript_lines(app.lab().world().log())) {
    if (line.contains("accept failed")) times.push_back(line.substr(0, line.find(' ')));
  }
  return times;
}

// ---- accepting -------------------------------------------------------------------------------------------

TEST(Worker, LogsAFailedAcceptAndTriesAgainAfter5Milliseconds) {
  Serving app(greet);
  app.lab().world().network().fail_accept(app_address(), Errc::too_many_open_files);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_THAT(app.log(), ElementsAre("accept on 10.0.1.1:80 failed: no file descriptor left in the process"));
  app.lab().advance(5ms - 1ns);
  EXPECT_EQ(peer.received(), "");
  app.lab().advance(1ns);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200));
}

TEST(Worker, DoublesItsPauseUpToASecondAndNeverSpins) {
  Serving app(greet);
  app.lab().world().network().fail_accept(app_address(), Errc::too_many_open_files, 1000);
  app.lab().advance(3275ms);  // 5 + 10 + … + 640 = 1275, then a second each
  EXPECT_THAT(failed_accepts(app), ElementsAre("+0.000000000", "+0.005000000", "+0.015000000", "+0.035000000",
                                               "+0.075000000", "+0.155000000", "+0.315000000", "+0.635000000",
                                               "+1.275000000", "+2.275000000", "+3.275000000"));
  app.lab().advance(100s);
  EXPECT_EQ(failed_accepts(app).size(), 111U) << "one a second";
  EXPECT_EQ(app.log().size(), 111U);
}

TEST(Worker, StartsWithAShortPauseAgainOnceAnAcceptHasSucceeded) {
  Serving app(greet);
  app.lab().world().network().fail_accept(app_address(), Errc::too_many_open_files, 5);
  app.lab().advance(1s);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200));
  app.lab().world().network().fail_accept(app_address(), Errc::too_many_open_files, 2);
  app.lab().advance(1s);
  const std::vector<std::string> times = failed_accepts(app);
  ASSERT_EQ(times.size(), 7U);
  EXPECT_EQ(times[5], "+1.000000000");
  EXPECT_EQ(times[6], "+1.005000000");
}

TEST(Worker, ShedsThoseWhoWaitWhenThereIsNoDescriptorForThem) {
  for (const Errc error : {Errc::too_many_open_files, Errc::too_many_open_files_in_system}) {
    Serving app(greet);
    app.lab().world().network().fail_accept(app_address(), error, 2);
    app.lab().settle();
    Peer first = app.connect();
    Peer second = app.connect();
    second.send(kGet);
    app.lab().advance(5ms - 1ns);
    EXPECT_FALSE(first.closed() || second.closed()) << "it may get better";
    app.lab().advance(1ns);
    EXPECT_TRUE(first.was_reset() && second.was_reset());
    Peer third = app.connect();
    third.send(kGet);
    app.lab().advance(10ms - 1ns);
    EXPECT_EQ(third.received(), "");
    app.lab().advance(1ns);
    EXPECT_EQ(third.received(), ok("Hello"));
    const Metrics& metrics = app.worker().metrics();
    EXPECT_EQ(metrics.connections_shed.get(), 2U);
    EXPECT_EQ(metrics.accept_errors.get(), 2U);
    EXPECT_EQ(metrics.accepted.get(), 1U) << "who was shed was none of them";
  }
}

TEST(Worker, KeepsThoseWhoWaitWhenAnAcceptFailsForAnotherReason) {
  struct Case {
    std::error_code error;
    std::size_t lost;
  };
  const std::vector<Case> cases = {
      {std::make_error_code(std::errc::no_buffer_space), 0},
      {std::make_error_code(std::errc::not_enough_memory), 0},
      {make_error_code(Errc::connection_aborted), 1},  // whose accept it was
  };
  for (const Case& each : cases) {
    Serving app(greet);
    app.lab().world().network().fail_accept(app_address(), each.error, 2);
    app.lab().settle();
    std::array<Peer, 3> peers = {app.connect(), app.connect(), app.connect()};
    for (Peer& peer : peers) peer.send(kGet);
    app.lab().advance(14ms);
    for (Peer& peer : peers) EXPECT_EQ(peer.received(), "") << "it pauses again: " << each.error.message();
    app.lab().advance(1ms);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (i < each.lost) {
        EXPECT_TRUE(peers.at(i).was_reset());
      } else {
        EXPECT_EQ(peers.at(i).received(), ok("Hello")) << each.error.message();
      }
    }
    EXPECT_THAT(failed_accepts(app), ElementsAre("+0.000000000", "+0.005000000"));
    EXPECT_EQ(app.worker().metrics().connections_shed.get(), 0U);
  }
}

TEST(Worker, ShedsInTurnsAndPausesEvenIfNotAllAreShed) {
  ServerOptions options;
  options.log = [](std::string_view) {};
  Lab lab;
  const Server server(greet, options);
  Worker worker(server, lab.host("app").runtime());
  async::TaskGroup serving(lab.host("app").runtime().loop());
  net::ListenOptions crowded;
  crowded.backlog = 2000;
  serving.spawn(worker.serve(*lab.host("app").runtime().network().listen(app_address(), crowded)));
  lab.settle();
  lab.world().network().fail_accept(app_address(), Errc::too_many_open_files, 3);
  lab.settle();
  std::vector<Peer> peers;
  for (int i = 0; i < 1100; ++i) peers.push_back(lab.connect("app:80"));
  lab.advance(5ms - 1ns);
  const Count& shed = worker.metrics().connections_shed;
  while (shed.get() == 0) ASSERT_TRUE(lab.world().step());
  EXPECT_EQ(shed.get(), 4U) << "and then it is somebody else's turn";
  lab.settle();
  EXPECT_EQ(shed.get(), 1024U);
  EXPECT_EQ(lab.elapsed(), 5ms);
  lab.advance(10ms - 1ns);
  EXPECT_EQ(shed.get(), 1024U) << "it pauses all the same";
  lab.advance(1ns);
  EXPECT_EQ(shed.get(), 1100U);
  EXPECT_EQ(worker.metrics().accept_errors.get(), 3U);
  EXPECT_TRUE(std::ranges::all_of(peers, [](Peer& peer) { return peer.was_reset(); }));
  lab.run(worker.shutdown(after(lab.now(), 1s)));
  lab.settle();
}

TEST(Worker, ShedsNoMoreOnceItShutsDown) {
  Serving app(greet);
  app.lab().world().network().fail_accept(app_address(), Errc::too_many_open_files, 2);
  app.lab().settle();
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(app.connect());
  app.lab().advance(5ms - 1ns);
  while (app.worker().metrics().connections_shed.get() == 0) ASSERT_TRUE(app.lab().world().step());
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 1s));
  shutdown.start();
  app.lab().settle();
  EXPECT_TRUE(shutdown.done());
  EXPECT_EQ(app.worker().metrics().connections_shed.get(), 4U) << "the others went with the listener";
  EXPECT_TRUE(std::ranges::all_of(peers, [](Peer& peer) { return peer.was_reset(); }));
  EXPECT_EQ(app.lab().elapsed(), 5ms);
}

TEST(Worker, AbortsConnectionsBeyondItsLimit) {
  ServerOptions options;
  options.concurrency = 2;
  options.refusal = Refusal::close;
  Serving app(greet, options);
  Peer first = app.connect();
  Peer second = app.connect();
  Peer third = app.connect();
  EXPECT_TRUE(third.was_reset());
  EXPECT_EQ(app.worker().open_connections(), 2U);
  EXPECT_EQ(app.worker().metrics().rejected_concurrency.get(), 1U);
  first.abort();
  Peer fourth = app.connect();
  fourth.send(kGet);
  EXPECT_EQ(fourth.received(), ok("Hello"));
  EXPECT_FALSE(second.closed());
}

TEST(Worker, ServesAConnectionFromAnywhere) {
  Lab lab;
  const Server server(greet);
  Worker worker(server, lab.runtime());
  auto [connected, peer] = test::wire(lab, "unix:/x");
  peer.send(std::string(kGet));
  peer.close_write();
  lab.run(worker.serve_connection(std::move(connected)));
  EXPECT_EQ(peer.received(), ok("Hello"));
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(worker.served(), 1U);
  EXPECT_EQ(worker.open_connections(), 0U);
}

// ---- shutdown --------------------------------------------------------------------------------------------

TEST(Worker, ShutsDownAtOnceWhenNothingIsUnderWay) {
  Serving app(greet);
  Peer idle = app.connect();
  idle.send(kGet);
  Peer fresh = app.connect();
  EXPECT_EQ(idle.take(), ok("Hello"));
  app.lab().advance(5s);  // a linger: its answer has arrived by now, or never will
  Peer silent = app.connect();
  const Duration before = app.lab().elapsed();
  const ShutdownReport report = app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(report.served, 1U);
  EXPECT_EQ(report.cut, 0U);
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_EQ(app.lab().elapsed(), before) << "whether the clients hang up or not";
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_THROW(app.connect(), std::system_error) << "it listens no more";
}

TEST(Worker, ClosesIdleAndSilentConnectionsAtTheInstantOfItsShutdown) {
  Serving app(greet);
  Peer idle = app.connect();
  idle.send(kGet);
  EXPECT_EQ(idle.take(), ok("Hello"));
  Peer silent = app.connect();
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 30s));
  shutdown.start();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(idle.was_reset());
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(silent.received() + idle.received(), "");
  app.lab().run(std::move(shutdown));
}

TEST(Worker, LetsExchangesFinishAndAnnouncesTheClose) {
  Serving app(wait_a_minute, patient());
  Peer peer = app.connect();
  peer.send(std::string(kGet) + std::string(kGet));
  Peer half = app.connect();
  half.send("GET / HTTP/1.1\r\nHost: a");
  app.lab().advance(1s);
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 1h));
  shutdown.start();
  half.send("\r\n\r\n");
  peer.close_write();
  half.close_write();
  app.lab().advance(2min);
  for (Peer* served : {&peer, &half}) {
    const auto found = answers(served->received());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].body, "at last");
    EXPECT_EQ(found[0].field("connection"), "close");
    EXPECT_TRUE(served->closed());
  }
  ASSERT_TRUE(shutdown.done());
  const ShutdownReport report = shutdown.await_resume();
  EXPECT_EQ(report.served, 2U);
  EXPECT_EQ(report.cut, 0U);
}

TEST(Worker, CutsWhatIsStillThereAtTheDeadline) {
  Serving app(wait_a_minute, patient());
  Peer slow = app.connect();
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx");
  app.lab().settle();
  Task<ShutdownReport> shutdown = app.worker().shutdown(after(app.lab().now(), 30s));
  shutdown.start();
  app.lab().advance(30s - 1ns);
  EXPECT_FALSE(slow.closed());
  app.lab().advance(1ns);
  EXPECT_TRUE(slow.was_reset());
  const ShutdownReport report = app.lab().run(std::move(shutdown));
  EXPECT_EQ(report.served, 0U);
  EXPECT_EQ(report.cut, 1U);
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_EQ(app.lab().elapsed(), 30s);
}

TEST(Worker, ReportsHandlersThatDoNotReturn) {
  Serving app(wait_a_minute, patient());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  const ShutdownReport report = app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(report.cut, 1U);
  EXPECT_EQ(report.overdue, 1U);
  EXPECT_LE(app.lab().elapsed(), 31s);
  EXPECT_TRUE(peer.was_reset());
}

TEST(Worker, ShutsDownTwiceAndWithADeadlineThatHasPassed) {
  Serving app(wait_a_minute, patient());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  const ShutdownReport first = app.lab().run(app.worker().shutdown(app.lab().now() - 1s));
  EXPECT_EQ(first.cut, 1U);
  app.lab().advance(2min);
  const ShutdownReport second = app.lab().run(app.worker().shutdown(after(app.lab().now(), 1s)));
  EXPECT_EQ(second.cut, 0U);
  EXPECT_EQ(second.overdue, 0U);
}

TEST(Worker, ShutsDownWhileItPausesAfterAFailedAccept) {
  Serving app(greet);
  app.lab().world().network().fail_accept(app_address(), Errc::too_many_open_files, 3);
  app.lab().settle();
  const ShutdownReport report = app.lab().run(app.worker().shutdown(after(app.lab().now(), 30s)));
  EXPECT_EQ(report.cut, 0U);
  app.lab().settle();
  EXPECT_EQ(app.lab().world().scheduler().next_deadline(), kNever) << "the pause ends with the shutdown";
  EXPECT_EQ(failed_accepts(app).size(), 1U);
}

TEST(Worker, ListensAgainBesideOneThatHasShutDown) {
  Serving app(greet);
  app.lab().run(app.worker().shutdown(after(app.lab().now(), 1s)));
  Lab& lab = app.lab();
  lab.advance(1s);
  lab.serve(greet, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "Hello");
  lab.client().close_idle();
  lab.settle();
}

}  // namespace
}  // namespace pipette::server
