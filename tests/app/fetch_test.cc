#include "pipette/app/fetch.h"

#include <atomic>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "pipette/server/server.h"
#include "pipette/server/worker.h"
#include "pipette/tls/authority.h"

namespace pipette::app {
namespace {

using namespace std::chrono_literals;

Task<> serve(tcp::Runtime& runtime, const Server& server, std::unique_ptr<net::Listener> listener,
             net::Security* security) {
  server::Worker worker(server, runtime);
  co_await worker.serve(std::move(listener), security);
}

// A server on a free port and a thread of its own.
class Elsewhere {
 public:
  explicit Elsewhere(Handler handler, server::ServerOptions options = {}, net::Security* security = nullptr)
      : server_(std::move(handler), std::move(options)) {
    std::unique_ptr<net::Listener> listener = *runtime_.network().listen(*net::Address::parse("127.0.0.1:0"));
    base_ = (security == nullptr ? "http://" : "https://") + listener->address().to_string();
    thread_ = std::jthread([this, security, at = std::move(listener)]() mutable {
      runtime_.run(serve(runtime_, server_, std::move(at), security));
    });
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;
  ~Elsewhere() { runtime_.stop(); }

  std::string url(const std::string& path) const { return base_ + path; }
  // Returns when what the server does in this turn of its loop is done.
  void wait_for_turn() {
    std::promise<void> next;
    const std::future<void> is_next = next.get_future();
    runtime_.loop().post([next = std::move(next)]() mutable { next.set_value(); });
    is_next.wait();
  }

 private:
  tcp::Runtime runtime_;
  const Server server_;
  std::string base_;
  std::jthread thread_;  // joined first
};

void say_it_back(RequestCtx& ctx) {
  ctx.set_body(std::string(ctx.method_text()) + " " + std::string(ctx.target()) + " " + std::string(ctx.body()));
}

void say_too_much(RequestCtx& ctx) { ctx.set_body("0123456789"); }

Task<> say_nothing(RequestCtx& ctx) { (void)co_await ctx.sleep(1h); }

TEST(Fetch, GetsOnePage) {
  const Elsewhere app(say_it_back);
  const Result<client::Response> page = fetch(app.url("/page?a=b"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->body, "GET /page?a=b ");
}

TEST(Fetch, SaysWhatWentWrong) {
  struct Case {
    Handler handler;
    ClientOptions options;
    Errc error;
  };
  ClientOptions small;
  small.max_response_body_bytes = 9;
  ClientOptions hasty;
  hasty.timeout = 20ms;
  ClientOptions hastier;
  hastier.response_header_timeout = 10ms;
  Case cases[] = {{say_too_much, small, Errc::body_too_large},
                  {say_nothing, hasty, Errc::timed_out},
                  {say_nothing, hastier, Errc::response_header_timeout}};
  for (Case& each : cases) {
    const Elsewhere app(std::move(each.handler));
    const Result<client::Response> page = fetch(app.url("/"), each.options);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error(), make_error_code(each.error));
  }
}

TEST(Fetch, RefusesWhatIsNoUrl) {
  const Result<client::Response> page = fetch("nowhere");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error(), make_error_code(Errc::bad_uri));
}

TEST(BlockingClient, HasEachMethod) {
  const Elsewhere app(say_it_back);
  BlockingClient client;
  EXPECT_EQ(client.get(app.url("/")).value().body, "GET / ");
  EXPECT_EQ(client.head(app.url("/")).value().header("Content-Length"), "7");
  EXPECT_EQ(client.post(app.url("/"), "text/plain", "new").value().body, "POST / new");
  EXPECT_EQ(client.put(app.url("/"), "text/plain", "other").value().body, "PUT / other");
  client::Request request;
  request.method = http::Method::delete_;
  request.url = app.url("/1");
  EXPECT_EQ(client.call(request).value().body, "DELETE /1 ");
}

TEST(BlockingClient, ReusesTheConnectionTheRequestAndTheResponse) {
  const Elsewhere app(say_it_back);
  BlockingClient client;
  client::Request request;
  client::Response response;
  for (const std::string path : {"/1", "/2", "/3"}) {
    request.url = app.url(path);
    ASSERT_TRUE(client.call(request, response));
    EXPECT_EQ(response.body, "GET " + path + " ");
  }
  EXPECT_EQ(client.counts().dials, 1u);
  EXPECT_EQ(client.counts().reused, 2u);
  EXPECT_EQ(client.idle_connections(), 1u);
  client.close_idle();
  EXPECT_EQ(client.idle_connections(), 0u);
}

TEST(BlockingClient, TakesTheOptionsOfACall) {
  const Elsewhere app(say_nothing);
  BlockingClient client;
  CallOptions options;
  options.timeout = 20ms;
  const Result<client::Response> page = client.get(app.url("/"), options);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error(), std::errc::timed_out);
}

// More time passes between the two calls than either may take.
TEST(BlockingClient, DoesNotCountTheTimeBetweenCallsNorUseWhatWasClosedInIt) {
  std::promise<void> closed;
  server::ServerOptions serving;
  serving.idle_timeout = 1100ms;
  serving.on_conn_state = [&closed, was_told = false](const server::ConnInfo&, server::ConnState state) mutable {
    if (state == server::ConnState::closed && !std::exchange(was_told, true)) closed.set_value();
  };
  const Elsewhere app(say_it_back, serving);
  ClientOptions options;
  options.timeout = 1s;
  BlockingClient client(options);
  client::Request request;
  client::Response response;
  request.method = http::Method::post;
  request.url = app.url("/");
  ASSERT_TRUE(client.call(request, response));
  closed.get_future().wait();
  EXPECT_EQ(client.idle_connections(), 1u);  // nobody has looked

  const Result<void> done = client.call(request, response);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(client.counts().dials, 2u);
  EXPECT_EQ(client.counts().repeated, 0u);
  EXPECT_EQ(client.idle_connections(), 1u);
}

TEST(BlockingClient, UsesNoConnectionThatHasIdledForTooLong) {
  const Elsewhere app(say_it_back);
  ClientOptions options;
  options.idle_timeout = Duration(1);
  BlockingClient client(options);
  ASSERT_TRUE(client.get(app.url("/")));
  ASSERT_TRUE(client.get(app.url("/")));
  EXPECT_EQ(client.counts().dials, 2u);
}

// ---- https -------------------------------------------------------------------------------------------------

tls::Options of_loopback(tls::Authority& authority) {
  const WallTime now = std::chrono::system_clock::now();
  tls::Options options;
  options.identities = {authority.issue({.names = {"127.0.0.1"}, .from = now - 1h, .until = now + 1h})};
  return options;
}

TEST(FetchHttps, BelievesWhomItIsToldToBelieve) {
  tls::Authority authority;
  tls::Security server_security(of_loopback(authority));
  const Elsewhere elsewhere([](RequestCtx& ctx) { ctx.set_body(ctx.tls()->protocol); }, {}, &server_security);
  tls::Options trusting;
  trusting.trust = authority.trust();
  tls::Security security(std::move(trusting));
  ClientOptions options;
  options.security = &security;
  const Result<client::Response> page = fetch(elsewhere.url("/"), std::move(options));
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_EQ(page->body, "TLSv1.3");
}

TEST(FetchHttps, BelievesNobodyElse) {
  tls::Authority authority;
  tls::Security server_security(of_loopback(authority));
  const Elsewhere elsewhere([](RequestCtx&) {}, {}, &server_security);
  const Result<client::Response> page = fetch(elsewhere.url("/"));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error(), make_error_code(Errc::certificate_untrusted));
}

// The loop stands still between two calls: only the kernel knows.
TEST(FetchHttps, NoticesThatAKeptConnectionWasClosedBetweenTwoCalls) {
  tls::Authority authority;
  tls::Security server_security(of_loopback(authority));
  std::atomic<int> closed = 0;
  server::ServerOptions serving;
  serving.max_requests_per_conn = 1'000;
  serving.idle_timeout = 1ms;
  serving.on_conn_state = [&](const server::ConnInfo&, server::ConnState state) {
    if (state == server::ConnState::closed) {
      ++closed;
      closed.notify_all();
    }
  };
  Elsewhere elsewhere([](RequestCtx& ctx) { ctx.set_body(ctx.body()); }, serving, &server_security);
  tls::Options trusting;
  trusting.trust = authority.trust();
  tls::Security security(std::move(trusting));
  ClientOptions options;
  options.security = &security;
  BlockingClient client(std::move(options));
  for (int i = 0; i < 5; ++i) {
    const Result<client::Response> page = client.post(elsewhere.url("/"), "text/plain", "once");
    ASSERT_TRUE(page) << page.error().message();
    EXPECT_EQ(page->body, "once");
    closed.wait(i);
    elsewhere.wait_for_turn();  // it is told just before it closes
  }
}

}  // namespace
}  // namespace pipette::app
