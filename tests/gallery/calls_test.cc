// Outages that a client made, or could not get out of.
#include <array>
#include <gmock/gmock.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/scripted_server.h"

#include "tests/gallery/gallery.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using lab::BodyIs;
using lab::HasStatus;
using lab::IsError;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

client::Request request_to(std::string url) {
  client::Request request;
  request.url = std::move(url);
  return request;
}

// fasthttp #1743: who closed a streamed response early gave its connection back with the rest still to come, and the
// next call, somebody else's, was answered with that.
TEST_F(Gallery, AnswersNobodyWithTheRestOfAnotherResponse) {
  stands_for("fasthttp #1743");
  serve([](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/mine") co_return ctx.set_body("mine");
    const std::string piece(10'000, 'x');
    for (Result<void> sent; sent;) sent = co_await ctx.write(piece);
  });
  {
    Result<client::ResponseStream> endless = lab_.run(lab_.client().stream(request_to("http://app/endless")));
    ASSERT_TRUE(endless);
    std::array<char, 100> room;
    EXPECT_EQ(lab_.run(endless->read(room)), 100U);
  }
  EXPECT_EQ(lab_.client().open_connections(), 0U);
  EXPECT_THAT(lab_.get("http://app/mine"), BodyIs("mine"));
}

// fasthttp #1617, #1619: a GET that was late was sent again at once, without a word, five times in all. Who had asked
// for an answer within a second had it after five, and a server that was too slow had five times the work.
TEST_F(Gallery, MultipliesNeitherTimeOutsNorTheLoadOfASlowServer) {
  stands_for("fasthttp #1617, #1619");
  int requests = 0;
  serve([&requests](RequestCtx& ctx) -> Task<> {
    ++requests;
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1min));
  });
  ClientOptions options;
  options.response_header_timeout = 1s;
  Client client(lab_.runtime(), options);
  EXPECT_THAT(lab_.run(client.get("http://app/")), IsError(Errc::response_header_timeout));
  EXPECT_EQ(lab_.elapsed(), 1s);
  lab_.advance(2min);
  EXPECT_EQ(requests, 1);
}

// fasthttp #1875, #1892, Glaze #2126: the server had closed a connection that was idle, and the client sent its next
// request on it all the same. A GET could be sent again; a POST was lost, as users saw it, at random.
TEST_F(Gallery, SendsNoPostIntoAConnectionThatIsClosed) {
  stands_for("fasthttp #1875, #1892, Glaze #2126");
  ServerOptions options;
  options.idle_timeout = 5s;
  int orders = 0;
  serve([&orders](RequestCtx& ctx) { orders += ctx.is_post() ? 1 : 0; }, options);
  ClientOptions patient;
  patient.idle_timeout = 1h;
  Client client(lab_.runtime(), patient);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(lab_.run(client.post("http://app/order", "text/plain", "one")).value(), HasStatus(200));
    lab_.advance(5s + 1ns * i);
  }
  EXPECT_EQ(orders, 10);
  EXPECT_EQ(lab_.log().connections(), 10U);
}

// fasthttp #2198, #965, Pistache #95: a call that a handler makes could not be ended. When its own client had long
// gone, the back end went on working for nobody, and under load for nobody but those.
TEST_F(Gallery, CallsNobodyForAClientThatHasGone) {
  stands_for("fasthttp #2198, #965, Pistache #95");
  std::vector<async::StopReason> told;
  std::vector<std::error_code> ended;
  Client client(lab_.runtime_of(*net::Address::parse("app:80")));
  lab_.serve([&told](RequestCtx& ctx) -> Task<> { told.push_back(co_await ctx.sleep(20s)); }, "back:80");
  serve([&](RequestCtx& ctx) -> Task<> {
    const Result<client::Response> page = co_await client.get("http://back/", ctx.call_options());
    if (!page) ended.push_back(page.error());
  });
  {
    Peer peer = lab_.connect("app:80");
    peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    lab_.advance(3s);
  }
  lab_.settle();
  EXPECT_THAT(ended, ElementsAre(Errc::operation_canceled));
  EXPECT_THAT(told, ElementsAre(async::StopReason::peer_reset));
  EXPECT_EQ(client.open_connections(), 0U);
  EXPECT_EQ(lab_.elapsed(), 3s);
}

// fasthttp #788, #1761: a URL that somebody else had chosen reached hosts of his choice: a "," made two of one, and a
// line end in the target of a proxy's CONNECT put fields of his own into it.
TEST_F(Gallery, ReachesNoHostThatHidesInAnother) {
  stands_for("fasthttp #788, #1761");
  ScriptedServer proxy(lab_, "proxy:3128");
  client::ProxySettings settings;
  settings.all_proxy = "http://proxy:3128";
  ClientOptions options;
  options.proxies = *client::ProxyRules::from(settings);
  Client direct(lab_.runtime());
  Client proxied(lab_.runtime(), options);
  for (const std::string host : {"app,evil", "app%2Cevil,x", "app\r\nX: y", "app%0d%0aX: y", "app evil", "app@evil@app",
                                 "app\\evil", "app#@evil", "[app]"}) {
    for (Client* const client : {&direct, &proxied}) {
      const Result<client::Response> page = lab_.run(client->get("http://" + host + "/"));
      EXPECT_FALSE(page) << host;
    }
  }
  EXPECT_THAT(proxy.requests(), testing::Each(testing::Not(testing::HasSubstr("evil"))));
}

// KJ #726, and most of the others: without a time-out that the user has thought of, a call to a server that takes
// connections and says nothing never ends, and neither does whoever waits for it.
TEST_F(Gallery, EndsACallThatNobodyHasGivenATime) {
  stands_for("KJ #726");
  lab_.allow_leaks();
  const auto silent = std::move(*lab_.host("app").runtime().network().listen(*net::Address::parse("app:80")));
  EXPECT_THAT(lab_.run(lab_.client().get("http://app/")), IsError(Errc::timed_out));
  EXPECT_EQ(lab_.elapsed(), 30s);
  EXPECT_EQ(lab_.client().open_connections(), 0U);
}

}  // namespace
}  // namespace pipette::test
