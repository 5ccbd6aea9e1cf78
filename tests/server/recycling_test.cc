// What serves a connection goes from one to the next, and takes nothing along.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::kGet;
using test::Serving;

// All that a request may leave behind: what it was, what was said of it, and what was to be answered.
std::string seen(RequestCtx& ctx) {
  std::string text = std::string(ctx.target()) + "|" + std::string(ctx.header("X-Mine").value_or("")) + "|" +
                     std::string(ctx.body()) + "|" + (ctx.user_value<std::string>("mine") == nullptr ? "" : "a value") +
                     "|" + std::to_string(ctx.connection_id()) + "." + std::to_string(ctx.request_number());
  return text;
}

void answer(RequestCtx& ctx) {
  std::string text = seen(ctx);
  if (ctx.path() == "/own") {
    ctx.set_user_value("mine", std::string("yes"));
    ctx.set_status(404);
    (void)ctx.set_header("X-Theirs", "kept?");
    (void)ctx.set_content_type("text/css");
  }
  ctx.set_body(std::move(text));
}

// "/own" has limits of its own.
ServerOptions with_own() {
  ServerOptions options;
  options.read_body_min_rate = options.write_min_rate = 0;
  options.max_request_body_bytes = 1000;
  options.on_header_received = [](RequestCtx& ctx) {
    RequestConfig config;
    if (ctx.path() != "/own") return config;
    config.read_timeout = 1s;
    config.write_timeout = 1s;
    config.handler_timeout = 1s;
    config.max_request_body_bytes = 5;
    return config;
  };
  return options;
}

// Of the one answer that has come.
std::string body_of(Peer& peer) {
  const std::vector<test::Answer> found = answers(peer.take());
  return found.size() == 1 ? found[0].body : std::to_string(found.size()) + " answers";
}

class RecycledSession : public testing::Test {
 protected:
  // On the connection that it returns, so that the next one finds what served it.
  Peer leave_one_idle(std::string_view rest = "") {
    Peer peer = app_.connect();
    peer.send("POST /own?a=b HTTP/1.1\r\nHost: a\r\nX-Mine: me\r\nContent-Length: 5\r\n\r\nhello");
    peer.expect_response(404);
    if (!rest.empty()) peer.send(rest);
    app_.lab().settle();
    return peer;
  }

  Serving app_{answer, with_own()};
};

TEST_F(RecycledSession, KnowsNothingOfTheRequestBefore) {
  const Peer before = leave_one_idle();
  Peer peer = app_.connect();
  peer.send(kGet);
  EXPECT_EQ(body_of(peer), "/||||2.1");
}

TEST_F(RecycledSession, HasTheLimitsOfTheServer) {
  const Peer before = leave_one_idle();
  Peer peer = app_.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
  app_.lab().advance(30s);
  peer.expect_nothing();
  peer.send(std::string(900, 'x'));
  EXPECT_EQ(body_of(peer), "/||" + std::string(900, 'x') + "||2.1");
}

TEST_F(RecycledSession, IsCountedFromTheBeginningOfItsOwnConnection) {
  Peer before = leave_one_idle();
  app_.lab().advance(60s);
  Peer peer = app_.connect();
  peer.send("GET / HTTP/1.1\r\nHo");
  app_.lab().advance(9s);
  peer.send("st: a\r\n\r\n");
  peer.expect_response(200);
  before.send(kGet);
  EXPECT_EQ(body_of(before), "/||||1.2") << "and the first goes on where it was";
  app_.lab().advance(59s);
  EXPECT_FALSE(peer.closed());
}

// One whose request has begun is not there for others.
TEST_F(RecycledSession, IsNoneWhileAHeadHasBegun) {
  Peer before = leave_one_idle("GET /half HTTP/1.1\r\nHo");
  Peer peer = app_.connect();
  peer.send(kGet);
  EXPECT_EQ(body_of(peer), "/||||2.1");
  before.send("st: a\r\n\r\n");
  EXPECT_EQ(body_of(before), "/half||||1.2");
}

}  // namespace
}  // namespace pipette::server
