// Outages in which a time-out came when it should not have, or did not come at all.
#include <gmock/gmock.h>
#include <memory>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/attacks.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/triggers.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using lab::BodyIs;
using lab::IsError;
using net::Toxics;
using testing::ElementsAre;
using testing::Pair;

// Pistache #1030: a minute after a good 200 the server sent a 408 on the idle connection. A client that was about to
// send its next request took it for the answer to that.
TEST_F(Gallery, SaysNothingWhenItClosesAnIdleConnection) {
  stands_for("Pistache #1030");
  serve([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  Peer peer = lab_.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  peer.expect_response(200);
  lab_.advance(75s - 1ns);
  peer.expect_nothing();
  lab_.advance(1ns);
  peer.expect_closed();
  EXPECT_EQ(compare_with_golden("idle_close.txt"), "");
}

// hyper #2457: a server that only bounds the gap between two octets, or nothing, waits for a head that comes an octet a
// second for as long as the sender likes. A thousand such connections cost next to nothing, and hold the server.
TEST_F(Gallery, CutsThoseWhoDripTheirHeads) {
  stands_for("hyper #2457");
  serve([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  const attack::Report drip = attack::slowloris(lab_, "app:80", {.connections = 1000, .interval = 1s});
  EXPECT_EQ(drip.cut, 1000U);
  EXPECT_EQ(drip.latest_cut, 10s) << "a deadline, which no octet moves";
  EXPECT_THAT(drip.answered, ElementsAre(Pair(408, 1000)));
}

// Cloud Foundry CLI #203, OpenDAL #2894: the server falls silent in the middle of an answer, and no reset tells of it.
// The client had no deadline unless it was given one, and nobody had: the call waits for ever.
TEST_F(Gallery, WaitsNoLongerThanItsDeadlineForASilentServer) {
  stands_for("CF CLI #203, OpenDAL #2894");
  serve([](RequestCtx& ctx) { ctx.set_body(std::string(1000, 'x')); });
  const auto vanishes = lab_.link("app", "client").add(Toxics().with_black_hole(), [] {
    return std::make_unique<lab::OnMessage>(lab::on_response(2).on_body_byte(500));
  });
  EXPECT_EQ(lab_.get("http://app/").body.size(), 1000U);
  EXPECT_THAT(lab_.run(lab_.client().get("http://app/")), IsError(Errc::timed_out));
  EXPECT_EQ(lab_.elapsed(), 30s);
}

// cpp-httplib #71, #1959: stop() waited until the last client that kept its connection had been idle for five seconds.
// Every test of every user that started a server took that long, and so did every restart.
TEST_F(Gallery, StopsAtOnceThoughClientsKeepTheirConnections) {
  stands_for("cpp-httplib #71, #1959");
  server::Worker& worker = serve([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  EXPECT_THAT(lab_.get("http://app/"), BodyIs("Hello"));
  Peer browser = lab_.connect("app:80");
  lab_.advance(10s);  // the answer has long arrived
  const server::ShutdownReport report = lab_.run(worker.shutdown(after(lab_.now(), 30s)));
  EXPECT_EQ(report.served, 1U);
  EXPECT_EQ(report.cut, 0U);
  EXPECT_EQ(lab_.elapsed(), 10s);
}

// userver #713: SIGTERM cut every request that was under way, and each deployment showed users a page of errors. To
// stop is to answer what was asked, to say that no more will be answered here, and to take nobody new.
TEST_F(Gallery, AnswersWhatWasAskedBeforeItStops) {
  stands_for("userver #713");
  server::Worker& worker = serve([](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 10s));
    ctx.set_body("done");
  });
  Peer peer = lab_.connect("app:80");
  peer.send("GET /report HTTP/1.1\r\nHost: app\r\n\r\n");
  lab_.advance(5s);
  server::ShutdownReport report;
  lab_.spawn([](server::Worker& stopping, TimePoint deadline, server::ShutdownReport& result) -> Task<> {
    result = co_await stopping.shutdown(deadline);
  }(worker, after(lab_.now(), 30s), report));
  EXPECT_THAT(lab_.run(lab_.client().get("http://app/")), IsError(Errc::connection_refused));
  lab_.advance(5s);
  EXPECT_THAT(peer.expect_response(200), testing::AllOf(BodyIs("done"), lab::HasHeader("Connection", "close")));
  peer.expect_closed();
  peer.close_write();
  lab_.settle();
  EXPECT_EQ(report.served, 1U);
  EXPECT_EQ(report.cut, 0U);
}

}  // namespace
}  // namespace pipette::test
