// https by serve_tcp(), on real sockets and several loops, and what docs/guide-tls.md shows of it.
#include <filesystem>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pipette/app/fetch.h"
#include "pipette/app/serve.h"
#include "pipette/tls/authority.h"
#include "pipette/tls/security.h"

using namespace pipette;
using namespace std::chrono_literals;

namespace {

// ---- what the guide shows ----------------------------------------------------------------------------------

void hello(RequestCtx& ctx) { ctx.set_body("hello"); }

void serve_https() { pipette::listen_and_serve_tls(hello, "0.0.0.0:443", "/etc/app/chain.pem", "/etc/app/key.pem"); }

void serve_both(const Server& server) {
  tls::Options options;
  options.identities = {tls::Identity::from_files("/etc/app/chain.pem", "/etc/app/key.pem"),
                        tls::Identity::from_files("/etc/shop/chain.pem", "/etc/shop/key.pem")};
  tls::Security security(std::move(options));

  ServeOptions serving;
  serving.threads = 0;
  serving.on_reload = [&] {  // at SIGHUP
    if (const auto reloaded = security.reload(); !reloaded) server.log(reloaded.error());
  };
  serve_tcp(server, {{.address = "0.0.0.0:80"}, {.address = "0.0.0.0:443", .security = &security}}, serving);
}

std::string refusal_of(const std::function<void()>& start) {
  try {
    start();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "it was served";
}

TEST(TlsGuide, SaysWhichFileIsMissing) {
  const Server server(hello);
  EXPECT_THAT(refusal_of(serve_https), testing::HasSubstr("/etc/app/chain.pem: cannot be read"));
  EXPECT_THAT(refusal_of([&] { serve_both(server); }), testing::HasSubstr("/etc/app/chain.pem: cannot be read"));
}

// ---- that it does so ---------------------------------------------------------------------------------------

tls::Options for_loopback(tls::Authority& authority) {
  const WallTime now = std::chrono::system_clock::now();
  tls::Options options;
  options.identities = {authority.issue({.names = {"127.0.0.1"}, .from = now - 1h, .until = now + 1h})};
  return options;
}

void tell(RequestCtx& ctx) { ctx.set_body(ctx.tls() == nullptr ? "plain" : ctx.tls()->protocol); }

// http and https of one server, on two loops.
class BothServed {
 public:
  BothServed(net::Security& security, Distribution distribution) {
    ServeOptions options;
    options.threads = 2;
    options.distribution = distribution;
    options.stops_at_signals = false;
    options.stop = stop_.get_token();
    options.on_listening = [this](const net::Address& address) {
      addresses_.push_back(address);
      if (addresses_.size() == 2) listening_.set_value();
    };
    auto listening = listening_.get_future();
    report_ = std::async(std::launch::async, [this, options, &security] {
      return serve_tcp(server_, {{.address = "127.0.0.1:0"}, {.address = "127.0.0.1:0", .security = &security}},
                       options);
    });
    listening.wait();
  }
  ~BothServed() {
    stop_.request_stop();
    report_.wait();
  }
  BothServed(const BothServed&) = delete;
  BothServed& operator=(const BothServed&) = delete;

  std::string url(std::size_t which, const std::string& scheme) const {
    return scheme + "://" + addresses_[which].to_string() + "/";
  }
  const Server& server() const { return server_; }

 private:
  const Server server_{tell};
  std::stop_source stop_;
  std::promise<void> listening_;
  std::vector<net::Address> addresses_;
  std::future<server::ShutdownReport> report_;
};

// With a connection of its own.
std::string answer(const std::string& url, net::Security& security) {
  ClientOptions options;
  options.security = &security;
  const Result<client::Response> page = fetch(url, options);
  return page ? page->body : page.error().message();
}

class ServeTls : public testing::TestWithParam<Distribution> {
 protected:
  tls::Options trusting() {
    tls::Options options;
    options.trust = authority_.trust();
    return options;
  }

  tls::Authority authority_;
  tls::Security security_{for_loopback(authority_)};
  tls::Security client_{trusting()};
};

TEST_P(ServeTls, ServesBothOnEveryLoop) {
  const BothServed served(security_, GetParam());
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(answer(served.url(0, "http"), client_), "plain");
    EXPECT_EQ(answer(served.url(1, "https"), client_), "TLSv1.3");
  }
  EXPECT_EQ(served.server().metrics().tls_handshakes, 8U);
  EXPECT_EQ(served.server().metrics().tls_handshake_failures, 0U);
}

TEST_P(ServeTls, ShowsOtherCertificatesToWhoComesLater) {
  const BothServed served(security_, GetParam());
  EXPECT_EQ(answer(served.url(1, "https"), client_), "TLSv1.3");
  tls::Authority other;
  ASSERT_TRUE(security_.replace(for_loopback(other).identities));
  tls::Options of_other;
  of_other.trust = other.trust();
  tls::Security knows_the_other(std::move(of_other));
  tls::Security knows_the_first(trusting());
  EXPECT_EQ(answer(served.url(1, "https"), knows_the_other), "TLSv1.3");
  EXPECT_EQ(answer(served.url(1, "https"), knows_the_first), make_error_code(Errc::certificate_untrusted).message());
}

INSTANTIATE_TEST_SUITE_P(Each, ServeTls, testing::Values(Distribution::reuse_port, Distribution::single_acceptor),
                         [](const auto& tested) {
                           return tested.param == Distribution::reuse_port ? "ReusePort" : "SingleAcceptor";
                         });

}  // namespace
