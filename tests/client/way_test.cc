// The way to a server: through proxies, and with TLS, for which a double stands in that only says that it was asked.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/net/security.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Says "hello NAME" where a handshake would be, and leaves the octets as they are.
class Hello final : public net::Security {
 public:
  Task<Result<net::Secured>> server(Runtime&, std::unique_ptr<net::Connection>, TimePoint) override {
    co_return fail(Errc::not_supported);
  }
  Task<Result<net::Secured>> client(Runtime&, std::unique_ptr<net::Connection> connection, net::ServerName name,
                                    net::Alpn alpn, TimePoint deadline) override {
    EXPECT_THAT(alpn.protocols, ElementsAre("http/1.1"));
    if (is_silent) {
      co_await async::sleep_until(*loop, deadline);
      co_return fail(Errc::timed_out);
    }
    const std::string text = "hello " + name.host + "\n";
    const std::array<Bytes, 1> pieces = {text};
    const Result<void> said = co_await connection->write(pieces);
    if (!said) co_return fail(said.error());
    co_return net::Secured{std::move(connection), {}};
  }

  bool is_silent = false;
  async::Loop* loop = nullptr;
};

ClientOptions through(std::string_view proxy, net::Security* security = nullptr) {
  ProxySettings settings;
  settings.all_proxy = proxy;
  ClientOptions options;
  options.proxies = *ProxyRules::from(settings);
  options.security = security;
  return options;
}

TEST(ClientProxy, IsGivenTheWholeUrlOfAPlainRequest) {
  for (const bool has_credentials : {false, true}) {
    Lab lab;
    ScriptedServer proxy(lab, "proxy:3128");
    proxy.answer(lab::respond(200, "one"));
    proxy.answer(lab::respond(200, "two"));
    Client client(lab.runtime(), through(has_credentials ? "http://me:secret@proxy:3128" : "http://proxy:3128"));
    EXPECT_EQ(lab.run(client.get("http://app.example/a?b"))->body, "one");
    EXPECT_EQ(lab.run(client.get("http://app.example?c"))->body, "two");
    ASSERT_EQ(proxy.requests().size(), 2U);
    EXPECT_THAT(proxy.requests()[0], StartsWith("GET http://app.example/a?b HTTP/1.1\r\n"));
    EXPECT_THAT(proxy.requests()[1], StartsWith("GET http://app.example/?c HTTP/1.1\r\n"));
    for (const std::string& request : proxy.requests()) {
      EXPECT_THAT(request, HasSubstr("Host: app.example\r\n"));
      EXPECT_EQ(request.contains("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"), has_credentials);
    }
    EXPECT_EQ(proxy.accepted(), 1U) << "the connection is kept";
  }
}

TEST(ClientProxy, OpensATunnelForASecuredRequest) {
  Lab lab;
  Hello hello;
  ScriptedServer proxy(lab, "proxy:3128");
  proxy.answer("HTTP/1.1 200 Connection established\r\n\r\n");
  proxy.answer(lab::respond(200, "secret"));
  Client client(lab.runtime(), through("http://me:secret@proxy:3128", &hello));
  EXPECT_EQ(lab.run(client.get("https://app.example/a"))->body, "secret");
  ASSERT_EQ(proxy.requests().size(), 2U);
  EXPECT_THAT(proxy.requests()[0], StartsWith("CONNECT app.example:443 HTTP/1.1\r\n"));
  EXPECT_THAT(proxy.requests()[0], HasSubstr("Proxy-Authorization: "));
  EXPECT_THAT(proxy.requests()[1], StartsWith("hello app.example\nGET /a HTTP/1.1\r\n"));
  EXPECT_THAT(proxy.requests()[1], testing::Not(HasSubstr("Proxy-Authorization")))
      << "that is not the server's to know";
}

TEST(ClientProxy, ThatRefusesATunnelIsAnErrorOfItsOwn) {
  Lab lab;
  Hello hello;
  ScriptedServer proxy(lab, "proxy:3128");
  proxy.answer_and_close(lab::respond(407, "who are you?"));
  Client client(lab.runtime(), through("http://proxy:3128", &hello));
  EXPECT_EQ(lab.run(client.get("https://app.example/")), fail(Errc::proxy_unauthorized));
  EXPECT_EQ(client.open_connections(), 0U);
}

TEST(ClientProxy, IsReachedOverTlsItself) {
  Lab lab;
  Hello hello;
  ScriptedServer proxy(lab, "proxy:3129");
  Client client(lab.runtime(), through("https://proxy:3129", &hello));
  proxy.answer(lab::respond(200, "forwarded"));
  EXPECT_EQ(lab.run(client.get("http://app.example/a"))->body, "forwarded");
  proxy.answer("HTTP/1.1 200 Connection established\r\n\r\n");
  proxy.answer(lab::respond(200, "tunnelled"));
  EXPECT_EQ(lab.run(client.get("https://app.example/a"))->body, "tunnelled");
  EXPECT_THAT(proxy.requests(), ElementsAre(StartsWith("hello proxy\nGET http://app.example/a HTTP/1.1\r\n"),
                                            StartsWith("hello proxy\nCONNECT app.example:443 HTTP/1.1\r\n"),
                                            StartsWith("hello app.example\nGET /a HTTP/1.1\r\n")));
  Client without(lab.runtime(), through("https://proxy:3129"));
  EXPECT_EQ(lab.run(without.get("http://app.example/")), fail(Errc::unsupported_scheme));
}

// To a hair, as every phase.
TEST(ClientProxy, HasATimeForItsAnswer) {
  for (const Duration timeout : {Duration(7s - 1ns), Duration(1h)}) {
    Lab lab;
    lab.allow_leaks();
    Hello hello;
    ScriptedServer silent(lab, "proxy:3128");
    ClientOptions options = through("http://proxy:3128", &hello);
    options.proxy_timeout = 7s;
    options.timeout = timeout;
    Client client(lab.runtime(), options);
    std::optional<Result<Response>> page;
    lab.spawn([](Client& caller, std::optional<Result<Response>>& result) -> Task<> {
      result = co_await caller.get("https://app.example/");
    }(client, page));
    lab.advance(7s - 2ns);
    EXPECT_FALSE(page);
    lab.advance(1ns);
    EXPECT_EQ(page.has_value(), timeout < 7s);
    lab.advance(1ns);
    ASSERT_TRUE(page);
    EXPECT_EQ(*page, fail(timeout < 7s ? Errc::timed_out : Errc::proxy_timeout));
    EXPECT_EQ(client.open_connections(), 0U);
    EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever) << "no timer is left";
  }
}

TEST(ClientTls, IsGivenTheNameOfTheHost) {
  Lab lab;
  Hello hello;
  ScriptedServer app(lab, "app.example:8443");
  app.answer(lab::respond(200, "secret"));
  ClientOptions options;
  options.security = &hello;
  Client client(lab.runtime(), options);
  EXPECT_EQ(lab.run(client.get("https://app.example:8443/"))->body, "secret");
  EXPECT_THAT(app.requests(), ElementsAre(StartsWith("hello app.example\nGET / HTTP/1.1\r\n")));
}

TEST(ClientTls, HasATimeForItsHandshake) {
  Lab lab;
  lab.allow_leaks();
  Hello silent;
  silent.is_silent = true;
  silent.loop = &lab.world().loop();
  ScriptedServer app(lab, "app.example:443");
  ClientOptions options;
  options.security = &silent;
  options.tls_handshake_timeout = 7s;
  Client client(lab.runtime(), options);
  EXPECT_EQ(lab.run(client.get("https://app.example/")), fail(Errc::tls_handshake_timeout));
  EXPECT_EQ(lab.elapsed(), 7s);
  EXPECT_EQ(client.open_connections(), 0U);
}

}  // namespace
}  // namespace pipette::client
