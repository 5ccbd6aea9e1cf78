// Outages in which new clients found nobody at home.
#include <gmock/gmock.h>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/attacks.h"
#include "pipette/lab/matchers.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using lab::BodyIs;
using lab::HasStatus;
using lab::IsError;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

// Crow #1228: with no file descriptor left, accept fails at once, and the loop tried again at once: a core at 100 %.
// C++ REST SDK #546: the same failure ended the loop for good, and the server never accepted anybody again.
TEST_F(Gallery, NeitherSpinsNorGivesUpWhenDescriptorsRunOut) {
  stands_for("Crow #1228, C++ REST SDK #546");
  serve([](RequestCtx& ctx) { ctx.set_body("Hello"); });
  lab_.world().network().fail_accept(*net::Address::parse("app:80"), Errc::too_many_open_files, 20);
  EXPECT_THAT(lab_.run(lab_.client().get("http://app/")), IsError(Errc::connection_reset)) << "who cannot be served";
  EXPECT_EQ(lab_.elapsed(), 5ms) << "need not wait to learn it";
  lab_.advance(12'270ms);
  EXPECT_THAT(lab_.get("http://app/"), BodyIs("Hello"));
  EXPECT_THAT(log_, SizeIs(20)) << "a line for each try, and not millions";
  EXPECT_EQ(lab_.elapsed(), 13'275ms) << "5 ms, 10 ms, … 640 ms, and then once a second";
}

// cpp-httplib #1410, #1511: each connection that is open holds a thread of the pool. A few browsers that keep theirs,
// or twelve long answers, and whoever comes next waits for one of them to leave. Here a thousand wait for an hour.
TEST_F(Gallery, HasTimeForANewClientWhateverTheOthersDo) {
  stands_for("cpp-httplib #1410, #1511");
  ServerOptions options;
  options.handler_timeout = server::kNoLimit;
  const auto act = [](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/events") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
    ctx.set_body("Hello");
  };
  server::Worker& worker = serve(act, options);
  std::vector<Peer> others;
  for (int i = 0; i < 1000; ++i) others.push_back(lab_.connect("app:80"));
  for (Peer& peer : others) peer.send("GET /events HTTP/1.1\r\nHost: app\r\n\r\n");
  EXPECT_THAT(lab_.get("http://app/"), BodyIs("Hello"));
  EXPECT_EQ(lab_.elapsed(), 0s) << "and it did not have to wait";
  EXPECT_EQ(worker.open_connections(), 1001U);
  lab_.advance(1h);
  for (Peer& peer : others) peer.expect_response(200);
}

// Crow #1188: under a flood of clients the server took every one of them, until it had no file descriptor left for its
// own files. It has a limit now, as ours has: up to it all are served, beyond it all are turned away at once.
TEST_F(Gallery, TurnsAwayWhomItHasNoRoomFor) {
  stands_for("Crow #1188");
  ServerOptions options;
  options.concurrency = 100;
  serve([](RequestCtx& ctx) { ctx.set_body("Hello"); }, options);
  const attack::Report flood = attack::connection_flood(lab_, "app:80", {.connections = 10'000});
  EXPECT_THAT(flood.answered, ElementsAre(Pair(200, 100), Pair(503, 64))) << "no more are told so at once";
  EXPECT_EQ(flood.reset, 9'836U) << "at once";
  EXPECT_THAT(lab_.get("http://app/"), HasStatus(200)) << "the flood has gone";
}

}  // namespace
}  // namespace pipette::test
