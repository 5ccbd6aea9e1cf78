// Calls by way of proxies of others: microsocks (SOCKS5) and tinyproxy (HTTP).
//
//   client ──> microsocks at 127.0.0.2 ──> net/http, which says at /from who came:  "127.0.0.2, Host …, Via "
//   client ──> tinyproxy ──────────────> net/http                                   "127.0.0.1, Host …, Via … gate …"
//
// The site is called "127.1", a name for 127.0.0.1 that every resolver knows; what is an address of the loopback, or
// called localhost, is always reached directly.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/client/proxy.h"
#include "pipette/lab/matchers.h"
#include "pipette/net/security.h"

#include "tests/interop/reserved_port.h"
#include "tests/interop/visitor.h"

namespace pipette::interop {
namespace {

using client::ProxyRules;
using client::ProxySettings;
using lab::BodyIs;
using lab::HasHeader;
using lab::HasStatus;
using lab::IsError;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kName = "127.1";

// Lets octets pass as they are: what is https then goes through a tunnel, to a site that speaks http.
class NoSecurity final : public net::Security {
 public:
  Task<Result<net::Secured>> server(Runtime&, std::unique_ptr<net::Connection>, TimePoint) override {
    co_return fail(Errc::not_supported);
  }
  Task<Result<net::Secured>> client(Runtime&, std::unique_ptr<net::Connection> connection, net::ServerName, net::Alpn,
                                    TimePoint) override {
    net::Secured secured;
    secured.connection = std::move(connection);
    co_return secured;
  }
};

class ByProxy : public Visitor {
 protected:
  // With `login` before the proxy's address: "", or "user:password@".
  void go_by(std::string_view scheme, std::string_view login = "") {
    ProxySettings settings;
    settings.all_proxy = std::string(scheme) + "://" + std::string(login) + "127.0.0.1:" + std::to_string(port());
    ClientOptions options;
    options.proxies = *ProxyRules::from(settings);
    options.security = &no_security_;
    use(options);
  }

  void start_proxy(const std::vector<std::string>& command, const Child::Prepare& prepare = {}) {
    proxy_.emplace(loopback(), command, prepare);
  }
  std::uint16_t port() const { return proxy_->port(); }
  std::string said() const { return proxy_->said(); }
  void stop_proxy() { proxy_->kill(); }

  std::string there(std::string_view path) { return site().url(path, kName); }
  std::string securely_there(std::string_view path) { return "https" + there(path).substr(4); }
  Result<client::Response> get_from(std::string url) { return loopback().await(client().get(std::move(url))); }
  Result<client::Response> put_to(std::string url, std::string body) {
    return loopback().await(client().put(std::move(url), "text/plain", std::move(body)));
  }
  // Where nobody listens.
  std::string nowhere() const { return "127.1:" + std::to_string(unused_.number()); }

 private:
  NoSecurity no_security_;
  ReservedPort unused_;
  std::optional<Child> proxy_;
};

// ---- SOCKS5 --------------------------------------------------------------------------------------------------------

class Microsocks : public ByProxy {
 protected:
  void SetUp() override {
    start([&] {
      visit(start_nethttp);
      start_socks();
    });
  }
  void start_socks(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {"microsocks", "-i", "127.0.0.1", "-p", "{port}", "-b", "127.0.0.2"};
    command.insert(command.end(), more.begin(), more.end());
    start_proxy(command);
  }
};

TEST_F(Microsocks, ConnectsToNamesAndAddresses) {
  struct Case {
    std::string_view scheme;
    std::string_view asked_for;
  };
  for (const Case& each : {Case{"socks5h", "connected to 127.1:"}, Case{"socks5", "connected to 127.0.0.1:"}}) {
    go_by(each.scheme);
    EXPECT_THAT(get_from(there("/from")), BodyIs(StartsWith("127.0.0.2, Host 127.1:"))) << each.scheme;
    EXPECT_THAT(get_from(securely_there("/from")), BodyIs(StartsWith("127.0.0.2, Host 127.1:"))) << each.scheme;
    EXPECT_THAT(said(), HasSubstr(each.asked_for));
  }
}

TEST_F(Microsocks, IsLeftOutForTheLoopback) {
  go_by("socks5h");
  EXPECT_THAT(get("/from"), BodyIs(StartsWith("127.0.0.1, ")));
}

TEST_F(Microsocks, WantsAPassword) {
  start_socks({"-u", "me", "-P", "s:cret"});
  for (const std::string_view scheme : {"socks5", "socks5h"}) {
    go_by(scheme, "me:s%3Acret@");
    EXPECT_THAT(get_from(there("/from")), BodyIs(StartsWith("127.0.0.2, "))) << scheme;
    go_by(scheme, "me:secret@");
    EXPECT_THAT(get_from(there("/from")), IsError(Errc::proxy_unauthorized)) << scheme;
    go_by(scheme);
    EXPECT_THAT(get_from(there("/from")), IsError(Errc::proxy_unauthorized)) << scheme;
  }
}

TEST_F(Microsocks, KeepsTunnelsAndCarriesLargeBodies) {
  go_by("socks5h");
  EXPECT_THAT(put_to(there("/store/big"), big_body()), HasStatus(201));
  EXPECT_TRUE(has_big_body(get_from(there("/store/big"))));
  EXPECT_TRUE(has_big_body(get_from(there("/big"))));
  EXPECT_THAT(get_from(there("/chunked")), BodyIs("one two three"));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_F(Microsocks, TellsThatNobodyListens) {
  for (const std::string_view scheme : {"socks5", "socks5h"}) {
    go_by(scheme);
    EXPECT_THAT(get_from("http://" + nowhere()), IsError(Errc::connection_refused)) << scheme;
    EXPECT_THAT(get_from(there("/hello")), BodyIs("Hello")) << scheme;
  }
}

TEST_F(Microsocks, IsMissedWhenItHasStopped) {
  go_by("socks5h");
  EXPECT_THAT(get_from(there("/hello")), BodyIs("Hello"));
  stop_proxy();
  EXPECT_THAT(get_from(there("/hello")), IsError(Errc::connection_refused));
}

// ---- HTTP ----------------------------------------------------------------------------------------------------------

class Tinyproxy : public ByProxy {
 protected:
  void SetUp() override {
    start([&] {
      visit(start_nethttp);
      start_gate();
    });
  }
  void start_gate(std::string_view more = "") {
    const auto prepare = [more](const std::filesystem::path& folder, std::uint16_t port) {
      std::string settings = "Port " + std::to_string(port);
      settings.append("\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nViaProxyName \"gate\"\n").append(more);
      write_file(folder / "conf", settings);
    };
    start_proxy({"tinyproxy", "-d", "-c", "{folder}/conf"}, prepare);
  }
};

TEST_F(Tinyproxy, ForwardsWhatIsNotSecured) {
  go_by("http");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(get_from(there("/from")), AllOf(HasStatus(200), HasHeader("Via", HasSubstr("gate")),
                                                BodyIs(AllOf(HasSubstr("Host 127.1:"), HasSubstr(" gate ")))));
  }
  EXPECT_THAT(said(), HasSubstr("GET http://127.1:"));
  EXPECT_THAT(get_from(there("/chunked")), BodyIs("one two three"));
  EXPECT_THAT(get_from(there("/moved/302")), BodyIs("GET "));
  EXPECT_THAT(get_from(there("/no-such-page")), HasStatus(404));
  EXPECT_THAT(loopback().await(client().head(there("/hello"))), AllOf(HasStatus(200), BodyIs("")));
}

TEST_F(Tinyproxy, TunnelsWhatIsSecured) {
  go_by("http");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(get_from(securely_there("/from")), BodyIs(Not(HasSubstr("gate"))));
  EXPECT_THAT(put_to(securely_there("/store/big"), big_body()), HasStatus(201));
  EXPECT_TRUE(has_big_body(get_from(securely_there("/store/big"))));
  EXPECT_EQ(client().counts().dials, 1U);
  EXPECT_THAT(said(), HasSubstr("CONNECT 127.1:"));
}

TEST_F(Tinyproxy, CarriesLargeBodies) {
  go_by("http");
  EXPECT_THAT(put_to(there("/store/big"), big_body()), HasStatus(201));
  EXPECT_TRUE(has_big_body(get_from(there("/store/big"))));
}

TEST_F(Tinyproxy, WantsAPassword) {
  start_gate("BasicAuth me s3cret\n");
  go_by("http", "me:s3cret@");
  EXPECT_THAT(get_from(there("/from")), BodyIs(HasSubstr(" gate ")));
  EXPECT_THAT(get_from(securely_there("/hello")), BodyIs("Hello"));
  go_by("http");
  EXPECT_THAT(get_from(there("/hello")), HasStatus(407));
  EXPECT_THAT(get_from(securely_there("/hello")), IsError(Errc::proxy_unauthorized));
  go_by("http", "me:secret@");
  EXPECT_THAT(get_from(there("/hello")), HasStatus(401)) << "as tinyproxy says it, where it should be 407";
  EXPECT_THAT(get_from(securely_there("/hello")), IsError(Errc::proxy_refused));
}

TEST_F(Tinyproxy, TellsThatNobodyListens) {
  go_by("http");
  EXPECT_THAT(get_from("http://" + nowhere()), HasStatus(testing::Ge(500)));
  EXPECT_THAT(get_from("https://" + nowhere()), IsError(Errc::proxy_refused));
}

TEST_F(Tinyproxy, MayForbidPorts) {
  start_gate("ConnectPort 443\n");
  go_by("http");
  EXPECT_THAT(get_from(securely_there("/hello")), IsError(Errc::proxy_refused));
  EXPECT_THAT(get_from(there("/hello")), BodyIs("Hello"));
}

}  // namespace
}  // namespace pipette::interop
