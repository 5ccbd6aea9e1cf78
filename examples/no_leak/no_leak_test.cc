// The leak of Go's http.TimeoutHandler, and why it is none here.
//
// There, a handler that is late goes on in a goroutine that nobody waits for, counts or can find: one that never looks
// at its context leaks a goroutine for each request. Here a late handler is told to stop, its client is answered in
// time, and it stays where it can be seen: it is counted until it returns, and when too many are late the server
// answers 503 at once instead of making more of them. What looks at its token is gone at once; what does not is no
// secret.
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/server/blocking.h"
#include "pipette/server/timeout.h"

using namespace pipette;
using namespace std::chrono_literals;

namespace {

Task<> nap(async::Loop& loop) { co_await async::sleep_until(loop, after(loop.now(), 1s)); }

// 500 seconds of work that never asks whether anybody still wants it …
Task<> stubborn(RequestCtx& ctx) {
  for (int i = 0; i < 500; ++i) co_await nap(ctx.runtime().loop());
  ctx.set_body("done");
}

// … and the same that does.
Task<> attentive(RequestCtx& ctx) {
  for (int i = 0; i < 500; ++i) {
    if (co_await ctx.sleep(1s) != async::StopReason::none) co_return;
  }
  ctx.set_body("done");
}

// Both once more as functions that block.
void stubborn_function(RequestCtx& ctx, BlockingCtx& wait) {
  for (int i = 0; i < 500; ++i) wait.wait(nap(ctx.runtime().loop()));
  ctx.set_body("done");
}
void attentive_function(RequestCtx& ctx, BlockingCtx& wait) {
  for (int i = 0; i < 500; ++i) {
    if (wait.sleep_for(1s) != async::StopReason::none) return;
  }
  ctx.set_body("done");
}

constexpr std::string_view kGet = "GET /report HTTP/1.1\r\nHost: app\r\n\r\n";

// Ten clients ask, one connection each; each has its answer after two seconds, and asks once more.
void ask_twenty_times(Lab& lab) {
  std::vector<Peer> peers;
  for (int i = 0; i < 10; ++i) peers.push_back(lab.connect("app:80"));
  for (int round = 1; round <= 2; ++round) {
    for (Peer& peer : peers) peer.send(kGet);
    lab.advance(2s - 1ns);
    for (Peer& peer : peers) peer.expect_nothing();
    lab.advance(1ns);
    for (Peer& peer : peers) EXPECT_EQ(peer.expect_response(503).body, "the report takes too long");
  }
}

void expect_that_nothing_leaks(Handler handler, bool is_attentive) {
  const Server server(timeout(std::move(handler), 2s, "the report takes too long"));
  Lab lab;
  const server::Worker& worker = lab.serve(server, "app:80");
  ask_twenty_times(lab);
  EXPECT_EQ(worker.overdue_handlers(), is_attentive ? 0U : 20U);
  EXPECT_EQ(server.metrics().handlers_overdue, worker.overdue_handlers());
  EXPECT_EQ(server.metrics().handler_timeouts, 20U);
  lab.advance(500s);
  EXPECT_EQ(worker.overdue_handlers(), 0U) << "each has returned, and given its place back";
  EXPECT_EQ(server.metrics().handlers_overdue, 0U);
}  // and here the lab looks for handlers, tasks, timers and connections that are left

TEST(NoLeak, AnAttentiveCoroutineIsGoneWithItsTime) { expect_that_nothing_leaks(attentive, true); }
TEST(NoLeak, AStubbornCoroutineIsCountedUntilItReturns) { expect_that_nothing_leaks(stubborn, false); }
TEST(NoLeak, AnAttentiveFunctionIsGoneWithItsTime) { expect_that_nothing_leaks(blocking(attentive_function), true); }
TEST(NoLeak, AStubbornFunctionIsCountedUntilItReturns) {
  expect_that_nothing_leaks(blocking(stubborn_function), false);
}

TEST(NoLeak, BeyondAMeasureNoMoreAreBegun) {
  ServerOptions options;
  options.max_overdue_handlers = 5;
  const Server server(timeout(stubborn, 2s), options);
  Lab lab;
  const server::Worker& worker = lab.serve(server, "app:80");
  for (int i = 0; i < 5; ++i) {
    Peer peer = lab.connect("app:80");
    peer.send(kGet);
    lab.advance(2s);
    peer.expect_response(503);
  }
  Peer peer = lab.connect("app:80");
  peer.send(kGet);
  EXPECT_EQ(peer.expect_response(503).header("Retry-After"), "1") << "at once";
  EXPECT_EQ(worker.overdue_handlers(), 5U);
  EXPECT_EQ(server.metrics().rejected_swamped, 1U);
  lab.advance(500s);
  EXPECT_EQ(worker.overdue_handlers(), 0U);
}

}  // namespace
