// https between our client and our server, in a lab.
#include <gmock/gmock.h>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/server/request_ctx.h"
#include "pipette/tls/security.h"

#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Https : public testing::Test {
 protected:
  Security server_security_{server_options()};
  Security client_security_{client_options()};
};

void tell(RequestCtx& ctx) {
  const net::SecurityFacts* const tls = ctx.tls();
  ctx.set_body(tls == nullptr ? "plain" : tls->protocol + " " + tls->server_name + " " + tls->alpn);
}

TEST_F(Https, ServesBesideHttp) {
  Server server(tell);
  Lab lab({.security = &client_security_});
  lab.serve(server, "app:443", &server_security_);
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("https://app/").body, "TLSv1.3 app http/1.1");
  EXPECT_EQ(lab.get("http://app/").body, "plain");
  EXPECT_EQ(server.metrics().tls_handshakes, 1U);
}

TEST_F(Https, KeepsAConnection) {
  Server server(tell);
  Lab lab({.security = &client_security_});
  lab.serve(server, "app:443", &server_security_);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(lab.get("https://app/").status, 200);
  EXPECT_EQ(server.metrics().tls_handshakes, 1U);
  EXPECT_EQ(server.metrics().exchanges, 5U);
}

TEST_F(Https, CarriesBodiesThatFillEveryBuffer) {
  Server server([](RequestCtx& ctx) { ctx.set_body(std::string(ctx.body())); });
  Lab lab({.security = &client_security_});
  lab.serve(server, "app:443", &server_security_);
  std::string body;
  for (int i = 0; i < 3'000'000; ++i) body += static_cast<char>('a' + i % 23);
  EXPECT_EQ(lab.post("https://app/", "text/plain", body).body, body);
}

TEST_F(Https, EndsWithTheDayOfItsCertificate) {
  Server server(tell);
  Lab lab({.security = &client_security_});
  lab.serve(server, "app:443", &server_security_);
  lab.advance(kDays90 - 1ns);
  EXPECT_EQ(lab.get("https://app/").status, 200);
  lab.client().close_idle();
  lab.advance(1ns);
  EXPECT_THROW(lab.get("https://app/"), lab::CallFailed);
}

TEST_F(Https, BoundsTheHandshake) {
  ServerOptions options = lab::quiet();
  options.log_all_errors = true;
  Server server(tell, options);
  Lab lab;
  lab.serve(server, "app:443", &server_security_);
  Peer peer = lab.connect("app:443");
  lab.advance(10s - 1ns);
  EXPECT_FALSE(peer.closed());
  lab.advance(1ns);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(server.metrics().tls_handshake_timeouts, 1U);
  EXPECT_EQ(server.metrics().open_connections, 0U);
}

TEST_F(Https, KeepsNobodyWaitingForAHandshakeThatHangs) {
  Server server(tell);
  Lab lab({.security = &client_security_});
  lab.serve(server, "app:443", &server_security_);
  Peer silent = lab.connect("app:443");
  EXPECT_EQ(lab.get("https://app/").status, 200);
  EXPECT_FALSE(silent.closed());
  silent.abort();
}

TEST_F(Https, GivesTheHeadItsTimeFromTheEndOfTheHandshake) {
  ServerOptions options;
  options.read_header_timeout = 500ms;
  Server server(tell, options);
  Lab lab;
  lab.serve(server, "app:443", &server_security_);
  Peer peer = lab.connect("app:443", client_security_);
  lab.advance(500ms - 1ns);
  EXPECT_FALSE(peer.closed());
  lab.advance(1ns);
  EXPECT_TRUE(peer.closed());
}

TEST_F(Https, CutsHandshakesAtTheEndOfAShutdown) {
  Server server(tell);
  Lab lab;
  server::Worker& worker = lab.serve(server, "app:443", &server_security_);
  Peer peer = lab.connect("app:443");
  const server::ShutdownReport report = lab.run(worker.shutdown(after(lab.now(), 5s)));
  EXPECT_EQ(report.cut, 1U);
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_TRUE(peer.closed());
}

TEST_F(Https, AnswersAScriptedPeerInsideTheTunnel) {
  Server server(tell);
  Lab lab;
  lab.serve(server, "app:443", &server_security_);
  Peer peer = lab.connect("app:443", client_security_);
  peer.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
  lab.settle();
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Https, TellsItsFactsToAHandlerThatIsLate) {
  ServerOptions options = lab::quiet();
  options.handler_timeout = 1s;
  std::string told;
  Server server(
      [&](RequestCtx& ctx) -> Task<> {
        co_await ctx.sleep(2s);
        told = ctx.tls()->protocol;
      },
      options);
  Lab lab({.security = &client_security_});
  lab.serve(server, "app:443", &server_security_);
  EXPECT_EQ(lab.get("https://app/").status, 503);
  lab.client().close_idle();
  lab.advance(2s);
  EXPECT_EQ(told, "TLSv1.3");
}

// Stands for a machine without memory.
class Exhausted final : public net::Security {
 public:
  Task<Result<net::Secured>> server(Runtime&, std::unique_ptr<net::Connection>, TimePoint) override {
    throw std::bad_alloc();
  }
  Task<Result<net::Secured>> client(Runtime&, std::unique_ptr<net::Connection>, net::ServerName, net::Alpn,
                                    TimePoint) override {
    throw std::bad_alloc();
  }
};

TEST_F(Https, CountsAConnectionThatNobodyCouldSecureAsGone) {
  Exhausted security;
  ServerOptions options = lab::quiet();
  options.concurrency = 1;
  Server server(tell, options);
  Lab lab;
  lab.serve(server, "app:443", &security);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(lab.connect("app:443").closed());
  EXPECT_EQ(server.metrics().open_connections, 0U);
  EXPECT_EQ(server.metrics().rejected_concurrency, 0U);
}

TEST_F(Https, IsTheSameTwice) {
  const auto hash = [] {
    Security server_security(server_options());
    Security client_security(client_options());
    Server server(tell);
    Lab lab({.security = &client_security});
    lab.serve(server, "app:443", &server_security);
    lab.get("https://app/");
    return lab.log().hash();
  };
  EXPECT_EQ(hash(), hash());
}

}  // namespace
}  // namespace pipette::tls
