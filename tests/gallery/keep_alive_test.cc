// Outages in which one request on a connection had to suffer for another.
#include <gmock/gmock.h>
#include <memory>
#include <stdexcept>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/triggers.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using lab::BodyIs;
using lab::HasHeader;
using lab::HasNoHeader;
using lab::HasStatus;
using lab::IsError;
using net::Toxics;
using testing::AllOf;

// uWebSockets.js #1301: several requests came in one read, and the handler answered the first one a little later. That
// one was given up, and the others never reached the handler: the client got nothing at all, and waited.
TEST_F(Gallery, LosesNothingThatComesBehindABody) {
  stands_for("uWebSockets.js #1301");
  serve([](RequestCtx& ctx) -> Task<> {
    if (ctx.is_post()) co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    ctx.set_body(ctx.is_post() ? ctx.body() : ctx.path());
  });
  const std::string requests =
      "POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 5\r\n\r\nfirstGET /second HTTP/1.1\r\nHost: app\r\n\r\n";
  for (std::size_t cut = 0; cut <= requests.size(); ++cut) {
    Peer peer = lab_.connect("app:80");
    peer.send(requests.substr(0, cut));
    lab_.advance(500ms);
    peer.send(requests.substr(cut));
    lab_.advance(1s);
    EXPECT_THAT(peer.read_response(), BodyIs("first")) << "cut at " << cut;
    EXPECT_THAT(peer.read_response(), BodyIs("/second")) << "cut at " << cut;
  }
}

// Glaze #2284: the fields of a request stayed where they were for the next one on the connection. Behind a proxy, which
// shares connections among its users, one user's Authorization then counted for another.
TEST_F(Gallery, ForgetsTheFieldsOfTheRequestBefore) {
  stands_for("Glaze #2284");
  serve([](RequestCtx& ctx) {
    if (ctx.header("Authorization")) (void)ctx.set_header("X-Welcome", "back");
    ctx.set_body(ctx.header("Authorization").value_or("a stranger"));
  });
  client::Request request;
  request.url = "http://app/";
  ASSERT_TRUE(request.fields.set("Authorization", "Bearer alice"));
  EXPECT_THAT(lab_.call(request), AllOf(BodyIs("Bearer alice"), HasHeader("X-Welcome", "back")));
  EXPECT_THAT(lab_.get("http://app/"), AllOf(BodyIs("a stranger"), HasNoHeader("X-Welcome")));
  EXPECT_EQ(lab_.log().connections(), 1U) << "or it would prove nothing";
}

// fasthttp #2219: a handler that panicked under a time-out took its place in the concurrency limit with it, for good.
// After some such requests the server answered everybody with 429, until it was restarted.
TEST_F(Gallery, PaysForAHandlerThatThrowsWithOneRequestOnly) {
  stands_for("fasthttp #2219");
  const auto handler = [](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    if (ctx.path() == "/bug") throw std::runtime_error("out of range");
    ctx.set_body("Hello");
  };
  ServerOptions options;
  options.concurrency = 2;
  server::Worker& worker = serve(handler, options);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(lab_.get("http://app/bug"), HasStatus(500));
    EXPECT_THAT(lab_.get("http://app/"), BodyIs("Hello")) << "on the same connection";
    if (i % 2 == 0) lab_.client().close_idle();
  }
  EXPECT_LE(worker.open_connections(), 1U);
  EXPECT_EQ(log_.size(), 100U);
  EXPECT_EQ(log_.back(), "handler of GET /bug threw: out of range");
}

// Crow #1165, cpp-httplib #425: a value that a handler took from the query went into a header as it was. With a line
// end in it, the client could write fields of its own, or a second response, and poison a cache for all the others.
TEST_F(Gallery, SendsNoFieldThatHidesInAnother) {
  stands_for("Crow #1165, cpp-httplib #425");
  serve([](RequestCtx& ctx) {
    const Result<void> set = ctx.redirect(ctx.query("next").value_or("/"));
    if (!set) ctx.error(400, "that is no place to go");
  });
  EXPECT_THAT(lab_.get("http://app/?next=/home"), AllOf(HasStatus(302), HasHeader("Location", "http://app/home")));
  for (const std::string evil : {"%0d%0aSet-Cookie:%20admin=1", "%0aSet-Cookie:%20admin=1", "%0dSet-Cookie:%20admin=1",
                                 "%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0a"}) {
    EXPECT_THAT(lab_.get("http://app/?next=/" + evil), AllOf(HasStatus(400), HasNoHeader("Set-Cookie"))) << evil;
  }
}

// golang/go #22158: the server closes a kept connection just as the client sends its next request on it. What may be
// repeated is to be asked once more, on a new connection; for a POST nobody knows whether the server has acted on it.
TEST_F(Gallery, RepeatsWhatIsSafeWhenAKeptConnectionBreaks) {
  stands_for("Go #22158");
  int orders = 0;
  serve([&](RequestCtx& ctx) { orders += ctx.is_post() ? 1 : 0; });
  const auto breaks = lab_.link("client", "app").add(Toxics().with_reset_peer(), [] {
    return std::make_unique<lab::OnMessage>(lab::on_request(2).after_bytes(41));
  });
  EXPECT_THAT(lab_.get("http://app/"), HasStatus(200));
  EXPECT_THAT(lab_.get("http://app/"), HasStatus(200)) << "breaks, and is sent again";
  EXPECT_EQ(lab_.log().connections(), 2U);
  EXPECT_THAT(lab_.run(lab_.client().post("http://app/order", "text/plain", "one")), IsError(Errc::connection_reset));
  EXPECT_EQ(lab_.log().connections(), 2U) << "breaks, and is not";
  EXPECT_EQ(orders, 0);
}

}  // namespace
}  // namespace pipette::test
