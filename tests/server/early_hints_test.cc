// 103 Early Hints: which fields they have, where they stand, and who gets none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::Serving;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

Task<> hint(RequestCtx& ctx) {
  (void)ctx.set_header("X-Other", "1");
  if (ctx.path() != "/none") {
    (void)ctx.add_header("Link", "</a.css>; rel=preload");
    (void)ctx.add_header("Link", "</b.js>; rel=preload");
  }
  EXPECT_TRUE(ctx.send_early_hints());
  co_await ctx.sleep(1s);
  ctx.set_body("page");
}

TEST(EarlyHints, GoBehindTheResponsesBeforeAndInFrontOfTheirOwn) {
  Serving app(hint);
  Peer peer = app.connect();
  peer.send(get("/none") + get("/"));
  peer.expect_nothing();
  app.lab().advance(1s);
  peer.expect_response(200);
  const client::Response hints = peer.expect_response(103);
  EXPECT_EQ(hints.header("Link"), "</a.css>; rel=preload");
  EXPECT_EQ(hints.header("X-Other"), std::nullopt);
  peer.expect_nothing();
  app.lab().advance(1s);
  EXPECT_EQ(peer.expect_response(200).body, "page");
}

// A plain function holds the loop, but not its hints.
TEST(EarlyHints, AreOnTheirWayBeforeTheHandlerHasEnded) {
  std::string said;
  Lab* lab = nullptr;
  Serving app([&](RequestCtx& ctx) {
    (void)ctx.add_header("Link", "</a.css>; rel=preload");
    (void)ctx.send_early_hints();
    said = lab->transcript();
  });
  lab = &app.lab();
  Peer peer = app.connect();
  peer.send(kGet);
  peer.expect_response(103);
  peer.expect_response(200);
  EXPECT_THAT(said, HasSubstr("103 Early Hints"));
}

TEST(EarlyHints, AreNotSentToAnHttp10Client) {
  Serving app(hint);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.0\r\n\r\n");
  app.lab().advance(1s);
  EXPECT_EQ(peer.expect_response(200).body, "page");
}

TEST(EarlyHints, ComeTooLateForAResponseThatHasBegun) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    (void)ctx.add_header("Link", "</a.css>; rel=preload");
    (void)co_await ctx.write("one");
    EXPECT_FALSE(ctx.send_early_hints());
    (void)co_await ctx.write("two");
  });
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_THAT(peer.received(), Not(HasSubstr("103")));
  EXPECT_THAT(peer.received(), EndsWith("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace pipette::server
