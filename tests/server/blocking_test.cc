// Functions that block: what their clients get when the runtime has no room for one more.
#include "pipette/server/blocking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <system_error>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/timeout.h"

#include "tests/support/door.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::Door;
using test::get;
using test::post;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr inmem::FiberOptions kRoomForOne{.max_fibers = 1};

Task<> sleep_through(async::Loop& loop, TimePoint wake) { co_await async::sleep_until(loop, wake); }

// "/nap" takes ten seconds, whoever says stop.
void nap(RequestCtx& ctx, BlockingCtx& wait) {
  if (ctx.path() == "/nap") wait.wait(sleep_through(ctx.runtime().loop(), after(wait.now(), 10s)));
  ctx.set_body("rested");
}

void expect_no_room(Peer& peer, http::Method method = http::Method::get) {
  const client::Response refused = peer.read_response(method);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.header("Content-Length"), "29");
  EXPECT_EQ(refused.body, method == http::Method::head ? "" : "too many functions that block");
}

TEST(Blocking, IsRefusedWhereThereIsNoRoomAndTheConnectionGoesOn) {
  Door door(blocking(nap), {}, kRoomForOne);
  Peer napper = door.enter();
  napper.send(get("/nap"));
  Peer peer = door.enter();
  peer.send(get("/") + get("/nap"));
  expect_no_room(peer);
  expect_no_room(peer);
  peer.expect_nothing();
  EXPECT_EQ(door.fibers().size(), 1U);
  door.lab().advance(10s);
  EXPECT_EQ(napper.expect_response(200).body, "rested");
  peer.send(get("/"));
  EXPECT_EQ(peer.expect_response(200).body, "rested") << "there is room again";
}

TEST(Blocking, ThatIsRefusedHasNotBegunAndLeavesNothing) {
  int begun = 0;
  const auto count = [&](RequestCtx& ctx, BlockingCtx& wait) {
    ++begun;
    nap(ctx, wait);
  };
  Door door(blocking(count), {}, kRoomForOne);
  Peer napper = door.enter();
  napper.send(get("/nap"));
  Peer peer = door.enter();
  for (int i = 0; i < 100; ++i) {
    peer.send(get("/"));
    expect_no_room(peer);
  }
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(door.fibers().size(), 1U);
  const Metrics& metrics = door.worker().metrics();
  EXPECT_EQ(metrics.responses[5].get(), 100U);
  EXPECT_EQ(metrics.exchanges.get(), 100U);
  EXPECT_EQ(metrics.handlers_threw.get() + metrics.handlers_overdue.get() + metrics.refused.get(), 0U);
  door.lab().advance(10s);
  EXPECT_EQ(door.fibers().size(), 0U);
  EXPECT_EQ(metrics.responses[2].get(), 1U);
  EXPECT_THAT(door.log(), IsEmpty());
}

TEST(Blocking, IsRefusedAsItsRequestAsks) {
  struct Row {
    std::string request;
    http::Method method;
    bool closes;
  };
  const Row rows[] = {
      {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", http::Method::head, false},
      {post("/", "text/plain", "a body"), http::Method::post, false},
      {"GET / HTTP/1.0\r\n\r\n", http::Method::get, true},
      {get("/", "Connection: close\r\n"), http::Method::get, true},
  };
  for (const Row& row : rows) {
    Door door(blocking(nap), {}, kRoomForOne);
    Peer napper = door.enter();
    napper.send(get("/nap"));
    Peer peer = door.enter();
    peer.send(row.request);
    expect_no_room(peer, row.method);
    EXPECT_EQ(peer.closed(), row.closes) << row.request;
    door.lab().advance(10s);
    if (row.closes) continue;
    peer.send(get("/"));
    EXPECT_EQ(peer.expect_response(200).body, "rested") << row.request;
  }
}

TEST(Blocking, KeepsItsRoomWhileItIsLate) {
  Door door(timeout(blocking(nap), 1s, "too late", 504), {}, kRoomForOne);
  Peer napper = door.enter();
  napper.send(get("/nap"));
  door.lab().advance(1s);
  EXPECT_EQ(napper.expect_response(504).body, "too late");
  napper.send(get("/"));
  expect_no_room(napper);
  EXPECT_EQ(door.worker().overdue_handlers(), 1U);
  door.lab().advance(9s);
  EXPECT_EQ(door.worker().overdue_handlers(), 0U);
  napper.send(get("/"));
  napper.expect_response(200);
}

TEST(Blocking, IsNotTakenForRefusedWhenItThrowsAnotherError) {
  const auto fall = [](RequestCtx&, BlockingCtx&) {
    throw std::system_error(make_error_code(Errc::connection_refused), "the old library");
  };
  Door door(blocking(fall));
  Peer peer = door.enter();
  peer.send(get("/"));
  EXPECT_EQ(peer.expect_response(500).header("Retry-After"), std::nullopt);
  EXPECT_THAT(door.log(), ElementsAre(HasSubstr("the old library")));
  EXPECT_FALSE(peer.closed());
}

}  // namespace
}  // namespace pipette::server
