// timeout_error(): a handler that answers at once and goes on for itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::kGet;
using test::Serving;

TEST(TimeoutError, AnswersNowWithTheLastWord) {
  const auto give_up = [](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(1s);
    ctx.timeout_error("first", 504);
    ctx.timeout_error("last", 429);
    ctx.set_body("edited");
    (void)ctx.set_header("X-Edited", "1");
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
    ctx.timeout_error("much later");
    ctx.set_body("edited again");
  };
  Serving app(give_up);
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  const client::Response answer = peer.expect_response(429);
  EXPECT_EQ(answer.body, "last");
  EXPECT_EQ(answer.header("X-Edited"), std::nullopt);
  EXPECT_EQ(app.worker().overdue_handlers(), 1U);
  EXPECT_EQ(app.worker().metrics().handler_timeouts.get(), 0U);
  app.lab().advance(1min);
  peer.expect_nothing();
  EXPECT_EQ(app.worker().overdue_handlers(), 0U);
}

TEST(TimeoutError, AnswersAlsoForAHandlerThatHasNotSlept) {
  const auto give_up = [](RequestCtx& ctx) -> Task<> {
    ctx.timeout_error("at once", 504);
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
  };
  Serving app(give_up);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(peer.expect_response(504).body, "at once");
}

TEST(TimeoutError, HoldsForHandlersThatReturnAtOnce) {
  for (const bool is_plain : {true, false}) {
    Handler plain = [](RequestCtx& ctx) {
      ctx.timeout_error("later", 504);
      ctx.set_body("edited");
    };
    Handler coroutine = [](RequestCtx& ctx) -> Task<> {
      ctx.timeout_error("later", 504);
      ctx.set_body("edited");
      co_return;
    };
    Serving app(is_plain ? std::move(plain) : std::move(coroutine));
    Peer peer = app.connect();
    peer.send(kGet);
    EXPECT_EQ(peer.expect_response(504).body, "later");
    EXPECT_EQ(app.worker().overdue_handlers(), 0U);
  }
}

TEST(TimeoutError, ComesTooLateForAResponseThatHasBegun) {
  const auto begin_and_give_up = [](RequestCtx& ctx) -> Task<> {
    (void)co_await ctx.write("one ");
    ctx.timeout_error("later");
    co_await ctx.sleep(1s);
    ctx.timeout_error("later");
    co_await ctx.sleep(1s);
    (void)co_await ctx.write("two");
    EXPECT_TRUE(ctx.add_trailer("X-Sum", "7"));
  };
  Serving app(begin_and_give_up);
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(2s);
  EXPECT_TRUE(peer.received().ends_with("4\r\none \r\n3\r\ntwo\r\n0\r\nX-Sum: 7\r\n\r\n")) << peer.received();
  EXPECT_EQ(peer.expect_response(200).body, "one two");
  peer.expect_nothing();
  EXPECT_EQ(app.worker().metrics().responses[2].get(), 1U);
}

}  // namespace
}  // namespace pipette::server
