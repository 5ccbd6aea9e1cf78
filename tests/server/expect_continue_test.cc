// on_expect_continue: who decides whether a body is sent, and what becomes of the connection when it is not.
#include <gtest/gtest.h>
#include <string>

#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using test::get;
using test::kGet;
using test::post;
using test::Serving;

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

std::string head_of(std::size_t size, std::string_view fields = "", std::string_view path = "/") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n" +
         std::string(fields) + "\r\n";
}

constexpr std::string_view kExpect = "Expect: 100-continue\r\n";

TEST(OnExpectContinue, DecidesWhetherTheBodyIsSent) {
  struct Case {
    int said;
    int status;
  };
  for (const Case& each : {Case{100, 100}, Case{401, 401}, Case{413, 413}, Case{599, 599}, Case{0, 417}, Case{200, 417},
                           Case{99, 417}, Case{1'000, 417}}) {
    for (const bool is_streaming : {false, true}) {
      ServerOptions options;
      options.stream_request_body = is_streaming;
      options.on_expect_continue = [&](RequestCtx& ctx) {
        EXPECT_EQ(ctx.remote_ip(), "10.0.0.1");
        EXPECT_EQ(ctx.header("Expect"), "100-continue");
        return each.said;
      };
      Serving app(
          [](RequestCtx& ctx) -> Task<> {
            const Result<std::string_view> body = co_await ctx.read_body();
            ctx.set_body(body ? *body : "none");
          },
          options);
      Peer peer = app.connect();
      peer.send(head_of(5, kExpect));
      const client::Response said = peer.expect_response(each.status);
      peer.send("12345" + get("/"));
      if (each.status == 100) {
        EXPECT_EQ(peer.expect_response(200).body, "12345");
        peer.expect_response(200);
      } else {
        EXPECT_EQ(said.header("Connection"), "close");
        peer.expect_closed();
        EXPECT_FALSE(peer.was_reset());
        EXPECT_EQ(app.worker().served(), 0U);
      }
    }
  }
}

TEST(OnExpectContinue, CannotBeSkippedBySendingTheBodyAtOnce) {
  ServerOptions options;
  options.on_expect_continue = [](RequestCtx&) { return 403; };
  Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; }, options);
  Peer peer = app.connect();
  peer.send(head_of(5, kExpect) + "12345" + std::string(kGet));
  peer.expect_response(403);
  peer.expect_closed();
}

TEST(OnExpectContinue, IsNotAskedWhereThereIsNothingToExpect) {
  ServerOptions options;
  options.on_expect_continue = [](RequestCtx&) { return 403; };
  for (const std::string& request :
       {get("/"), get("/", kExpect), head_of(0, kExpect), post("/", "text/plain", "body"),
        std::string(
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")}) {
    Serving app(greet, options);
    Peer peer = app.connect();
    peer.send(request);
    peer.expect_response(200);
  }
}

TEST(OnExpectContinue, ThatSaidNoLeavesOtherConnectionsAndRequestsAlone) {
  ServerOptions options;
  options.on_expect_continue = [](RequestCtx& ctx) { return ctx.path() == "/no" ? 403 : 100; };
  Serving app(greet, options);
  Peer refused = app.connect();
  refused.send(head_of(5, kExpect, "/no"));
  refused.expect_response(403);
  for (int i = 0; i < 2; ++i) {
    Peer peer = app.connect();
    peer.send(head_of(5, kExpect));
    peer.expect_response(100);
    peer.send("12345" + std::string(kGet));
    EXPECT_EQ(peer.expect_response(200).body, "Hello");
    EXPECT_EQ(peer.expect_response(200).body, "Hello");
  }
}

}  // namespace
}  // namespace pipette::server
