// Clients of every kind over TLS: the way there, what is kept, what is repeated, and what a call is told.
#include <array>
#include <gmock/gmock.h>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/client/host_client.h"
#include "pipette/client/lb_client.h"
#include "pipette/client/pipeline_client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/matchers.h"
#include "pipette/net/close.h"
#include "pipette/server/request_ctx.h"
#include "pipette/tls/security.h"

#include "tests/tls/relay.h"
#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using namespace std::chrono_literals;
using client::TraceEvent;
using client::TraceKind;
using lab::BodyIs;
using lab::IsError;
using testing::ElementsAre;
using testing::StartsWith;

// Sends back what it is sent, until the client finishes.
Task<> echo(HijackedConnection connection) {
  std::array<char, 64> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.stream->read_some(room);
    if (!count || *count == 0) break;
    const Bytes piece(room.data(), *count);
    (void)co_await connection.stream->write(std::span(&piece, 1));
  }
  (void)co_await net::close(*connection.stream, after(connection.runtime->loop().now(), 5s));
}

// A response that ends with the connection, and has not ended.
Task<> say_half(HijackedConnection connection) {
  const Bytes half = "HTTP/1.1 200 OK\r\n\r\nhalf of";
  (void)co_await connection.stream->write(std::span(&half, 1));
  std::array<char, 1> room;
  (void)co_await connection.stream->read_some(room);
}

void answer(RequestCtx& ctx) {
  if (ctx.path() == "/echo") return ctx.set_body(ctx.body());
  if (ctx.path() == "/big") return ctx.set_body(std::string(1'000'000, 'b'));
  if (ctx.path() == "/upgrade") return (void)ctx.upgrade("echo", echo);
  if (ctx.path() == "/resumed") {
    const net::SecurityFacts& facts = *ctx.tls();
    return ctx.set_body(facts.protocol + (facts.is_resumed ? " resumed for " : " new for ") + facts.server_name);
  }
  if (ctx.path() == "/down") return (void)ctx.redirect("http://app/");
  ctx.set_body(ctx.is_tls() ? "secured" : "plain");
}

class TlsClient : public testing::Test {
 protected:
  explicit TlsClient(Options client = client_options(), Options server = server_options())
      : server_security_(std::move(server)), client_security_(std::move(client)) {}

  ClientOptions secured(ClientOptions options = {}) {
    options.security = &client_security_;
    return options;
  }
  server::Worker& serve(std::string_view address = "app:443") {
    return lab_.serve(server_, address, &server_security_);
  }
  // Another one, for as long as the test.
  Server& serve(std::string_view address, Handler handler, ServerOptions options = lab::quiet()) {
    lab_.serve(servers_.emplace_back(std::move(handler), std::move(options)), address, &server_security_);
    return servers_.back();
  }
  Result<client::Response> get(client::Caller& client, std::string url = "https://app/") {
    return lab_.run(client.get(std::move(url)));
  }
  Result<client::Response> post(client::Caller& client, std::string body) {
    return lab_.run(client.post("https://app/echo", "text/plain", std::move(body)));
  }

  Security server_security_;
  Security client_security_;
  Server server_{answer, lab::quiet()};
  std::list<Server> servers_;
  Lab lab_;
};

// ---- the way -----------------------------------------------------------------------------------------------

ClientOptions through(const char* proxy, ClientOptions options) {
  options.proxies =
      *client::ProxyRules::from({.http_proxy = proxy, .https_proxy = proxy, .all_proxy = {}, .no_proxy = {}});
  return options;
}

TEST_F(TlsClient, CallsThroughATunnel) {
  serve();
  Relay proxy(lab_, "proxy:3128");
  Client client(lab_.runtime(), through("http://proxy:3128", secured()));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(get(client), BodyIs("secured"));
  EXPECT_THAT(get(client, "https://app/big"), BodyIs(std::string(1'000'000, 'b')));
  EXPECT_EQ(proxy.accepted(), 1U);
  EXPECT_EQ(server_.metrics().tls_handshakes, 1U);
}

TEST_F(TlsClient, CallsThroughATunnelThatIsSecuredItself) {
  Options of_proxy = server_options();
  of_proxy.identities = {issue({"proxy"})};
  Security proxy_security(std::move(of_proxy));
  serve();
  Relay proxy(lab_, "proxy:3128", std::nullopt, &proxy_security);
  Client client(lab_.runtime(), through("https://proxy:3128", secured()));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(get(client), BodyIs("secured"));
  EXPECT_THAT(get(client, "https://app/big"), BodyIs(std::string(1'000'000, 'b')));
  EXPECT_EQ(proxy.accepted(), 1U);
}

TEST_F(TlsClient, AsksAProxyThatIsSecuredForWhatIsPlain) {
  serve("app:3128");  // it takes any request for its own
  Client client(lab_.runtime(), through("https://app:3128", secured()));
  EXPECT_THAT(get(client, "http://elsewhere/"), BodyIs("secured"));
}

TEST_F(TlsClient, BelievesNoProxyThatIsAnother) {
  serve("proxy:3128");
  Client client(lab_.runtime(), through("https://proxy:3128", secured()));
  EXPECT_THAT(get(client, "http://elsewhere/"), IsError(Errc::certificate_name_mismatch));
  EXPECT_THAT(get(client, "https://elsewhere/"), IsError(Errc::certificate_name_mismatch));
}

TEST_F(TlsClient, FollowsFromHttpToHttpsAndNotBack) {
  serve();
  lab_.serve(server_, "app:80");
  lab_.serve([](RequestCtx& ctx) { (void)ctx.redirect("https://app/", 301); }, "old:80");
  Client client(lab_.runtime(), secured());
  EXPECT_THAT(get(client, "http://old/"), BodyIs("secured"));
  EXPECT_THAT(get(client, "https://app/down"), IsError(Errc::refused_redirect));
}

TEST_F(TlsClient, KnowsNoHttpsWithoutSecurity) {
  serve();
  Client client(lab_.runtime());
  EXPECT_THAT(get(client), IsError(Errc::unsupported_scheme));
}

// ---- clients of every kind ---------------------------------------------------------------------------------

TEST_F(TlsClient, MayBeThatOfOneHost) {
  serve();
  HostClient client(lab_.runtime(), "https://app", secured());
  for (int i = 0; i < 3; ++i) EXPECT_THAT(get(client, "/"), BodyIs("secured"));
  EXPECT_EQ(server_.metrics().tls_handshakes, 1U);
}

TEST_F(TlsClient, VerifiesTheNameOfTheUrlAtWhateverAddress) {
  serve("numbered:8443");
  HostClient client(lab_.runtime(), "https://app", {*net::Address::parse("numbered:8443")}, secured());
  EXPECT_THAT(get(client, "/"), BodyIs("secured"));
  HostClient other(lab_.runtime(), "https://other", {*net::Address::parse("numbered:8443")}, secured());
  EXPECT_THAT(get(other, "/"), IsError(Errc::certificate_name_mismatch));
}

TEST_F(TlsClient, MayBeThatOfManyTargets) {
  serve();
  LBClient client(lab_.runtime());
  client.add("one", std::make_unique<HostClient>(lab_.runtime(), "https://app", secured()));
  client.add("other", std::make_unique<HostClient>(lab_.runtime(), "https://app", secured()));
  for (int i = 0; i < 4; ++i) EXPECT_THAT(get(client, "/"), BodyIs("secured"));
  EXPECT_EQ(server_.metrics().tls_handshakes, 2U);
}

TEST_F(TlsClient, MayPipeline) {
  serve();
  client::PipelineOptions options;
  options.security = &client_security_;
  client::PipelineClient client(lab_.runtime(), "https://app", options);
  std::size_t answered = 0;
  for (int i = 0; i < 100; ++i) {
    lab_.spawn([](client::PipelineClient& of, std::size_t& count) -> Task<> {
      const Result<client::Response> page = co_await of.get("/");
      if (page && page->body == "secured") ++count;
    }(client, answered));
  }
  lab_.settle();
  EXPECT_EQ(answered, 100U);
  EXPECT_EQ(server_.metrics().tls_handshakes, 1U);
  client.close();
}

TEST_F(TlsClient, ReadsABodyPieceByPiece) {
  serve();
  Client client(lab_.runtime(), secured());
  client::Request request;
  request.url = "https://app/big";
  Result<client::ResponseStream> page = lab_.run(client.stream(request));
  ASSERT_TRUE(page);
  EXPECT_EQ(lab_.run(page->read_all(2'000'000)), std::string(1'000'000, 'b'));
  EXPECT_EQ(client.idle_connections(), 1U);
}

TEST_F(TlsClient, GoesOnWithAnotherProtocolInsideTls) {
  serve();
  Client client(lab_.runtime(), secured());
  client::Request request;
  request.url = "https://app/upgrade";
  ASSERT_TRUE(request.fields.set("Upgrade", "echo"));
  Result<client::Upgraded> upgraded = lab_.run(client.upgrade(request));
  ASSERT_TRUE(upgraded && upgraded->connection);
  ASSERT_TRUE(write_now(*upgraded->connection, "hello"));
  lab_.settle();
  EXPECT_EQ(read_now(*upgraded->connection), "hello");
  ASSERT_TRUE(upgraded->connection->try_close_write());
  lab_.settle();
  std::array<char, 1> room;
  EXPECT_EQ(upgraded->connection->try_read(room), 0U) << "each direction has ended in order";
}

// ---- connections that are kept -----------------------------------------------------------------------------

class TlsKept : public TlsClient {
 protected:
  TlsKept() { serve("origin:443"); }

  // Over the relay, which has the name that the certificate is for.
  Relay relay_{lab_, "app:443", "origin:443"};
  Client client_{lab_.runtime(), secured()};
};

TEST_F(TlsKept, AreUsedNoMoreWhenTheServerHasSaidCloseNotify) {
  ServerOptions options = lab::quiet();
  options.idle_timeout = 1s;
  const Server& impatient = serve("app:8443", answer, options);
  for (unsigned i = 1; i <= 3; ++i) {
    const Result<client::Response> page = lab_.run(client_.post("https://app:8443/echo", "text/plain", "once"));
    EXPECT_THAT(page, BodyIs("once"));
    EXPECT_EQ(client_.counts().dials, i);
    lab_.advance(1s);
  }
  EXPECT_EQ(client_.counts().repeated, 0U);
  EXPECT_EQ(impatient.metrics().exchanges, 3U);
}

TEST_F(TlsKept, AreUsedNoMoreWhenTheyWereCut) {
  EXPECT_THAT(post(client_, "one"), BodyIs("one"));
  relay_.cut();
  lab_.settle();
  EXPECT_THAT(post(client_, "two"), BodyIs("two"));
  EXPECT_EQ(client_.counts().dials, 2U);
  EXPECT_EQ(client_.counts().repeated, 0U);
}

TEST_F(TlsKept, MayDieDuringACallWhichIsRepeatedWhenThatIsSafe) {
  EXPECT_THAT(get(client_), BodyIs("secured"));
  relay_.cut_at_next();
  EXPECT_THAT(get(client_), BodyIs("secured"));
  EXPECT_EQ(client_.counts().repeated, 1U);
  EXPECT_EQ(client_.counts().dials, 2U);
  relay_.cut_at_next();
  EXPECT_THAT(post(client_, "once"), IsError(Errc::connection_reset));
  EXPECT_EQ(client_.counts().repeated, 1U) << "of a POST it cannot be known whether it was done";
}

TEST_F(TlsKept, MakeNoTruncatedBodyAWholeOne) {
  serve("slow:443", [](RequestCtx& ctx) { ctx.hijack_silently(say_half); });
  Relay middle(lab_, "app:8443", "slow:443");
  std::optional<Result<client::Response>> page;
  lab_.spawn([](Client& of, std::optional<Result<client::Response>>& into) -> Task<> {
    into = co_await of.get("https://app:8443/");
  }(client_, page));
  lab_.settle();
  middle.cut();
  lab_.settle();
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, IsError(Errc::connection_reset));
}

// ---- what is not repeated ----------------------------------------------------------------------------------

TEST_F(TlsClient, RepeatsNoHandshakeThatHasFailed) {
  ClientOptions eager = secured();
  eager.retries.on_new_connections = true;
  eager.retries.max_attempts = 5;
  Client client(lab_.runtime(), eager);
  serve();
  serve("other:443");
  EXPECT_THAT(get(client, "https://other/"), IsError(Errc::certificate_name_mismatch));
  EXPECT_EQ(client.counts().dials, 1U);
  lab_.advance(kDays90);
  EXPECT_THAT(get(client), IsError(Errc::certificate_expired));
  EXPECT_EQ(client.counts().dials, 2U);
  EXPECT_EQ(client.counts().repeated, 0U);
  EXPECT_EQ(client.open_connections(), 0U);
}

// ---- time --------------------------------------------------------------------------------------------------

TEST_F(TlsKept, BoundsTheHandshake) {
  relay_.hold_after(300);
  std::optional<Result<client::Response>> page;
  lab_.spawn([](Client& of, std::optional<Result<client::Response>>& into) -> Task<> {
    into = co_await of.get("https://app/");
  }(client_, page));
  lab_.advance(10s - 1ns);
  EXPECT_FALSE(page);
  lab_.advance(1ns);
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, IsError(Errc::tls_handshake_timeout));
  EXPECT_EQ(client_.open_connections(), 0U);
}

TEST_F(TlsKept, EndsAHandshakeWithTheTimeOfTheCall) {
  relay_.hold_after(300);
  CallOptions options;
  options.timeout = 2s;
  EXPECT_THAT(lab_.run(client_.get("https://app/", options)), IsError(Errc::timed_out));
  EXPECT_EQ(lab_.elapsed(), 2s);
}

TEST_F(TlsKept, MayBeStoppedAtAnyPointOfAHandshake) {
  for (const unsigned octets : {0U, 100U, 500U, 1000U}) {
    relay_.hold_after(octets);
    async::StopSource source(lab_.world().loop());
    CallOptions options;
    options.stop = source.token();
    std::optional<Result<client::Response>> page;
    lab_.spawn([](Client& of, CallOptions with, std::optional<Result<client::Response>>& into) -> Task<> {
      into = co_await of.get("https://app/", with);
    }(client_, options, page));
    lab_.settle();
    EXPECT_FALSE(page) << octets;
    source.request_stop(async::StopReason::canceled);
    lab_.settle();
    ASSERT_TRUE(page) << octets;
    EXPECT_THAT(*page, IsError(Errc::operation_canceled));
    EXPECT_EQ(client_.open_connections(), 0U);
  }
}

// ---- what is told ------------------------------------------------------------------------------------------

TEST_F(TlsClient, TellsATraceOfItsHandshakes) {
  std::vector<std::string> told;
  ClientOptions options = secured();
  options.trace = [&](const TraceEvent& event) {
    const bool is_one = event.kind == TraceKind::handshake_start || event.kind == TraceKind::handshake_done;
    if (!is_one) return;
    told.push_back(std::string(to_string(event.kind)) + " " + std::string(event.host) +
                   (event.error ? ": " + event.error.message() : ""));
  };
  Client client(lab_.runtime(), options);
  serve();
  serve("other:443");
  EXPECT_THAT(get(client), BodyIs("secured"));
  EXPECT_THAT(get(client), BodyIs("secured"));
  EXPECT_THAT(told, ElementsAre("handshake_start app", "handshake_done app"));
  told.clear();
  EXPECT_THAT(get(client, "https://other/"), IsError(Errc::certificate_name_mismatch));
  EXPECT_THAT(told, ElementsAre("handshake_start other",
                                "handshake_done other: " + make_error_code(Errc::certificate_name_mismatch).message()));
}

Options with_tickets(Options options) {
  options.session_tickets = true;
  return options;
}

class TlsResumption : public TlsClient, public testing::WithParamInterface<Version> {
 protected:
  TlsResumption() : TlsClient(with_tickets(client_options()), with_tickets(only(server_options()))) {}

  static Options only(Options options) {
    options.min_version = options.max_version = GetParam();
    return options;
  }
  static std::string version() { return GetParam() == Version::tls_1_2 ? "TLSv1.2" : "TLSv1.3"; }
};

INSTANTIATE_TEST_SUITE_P(Of, TlsResumption, testing::Values(Version::tls_1_2, Version::tls_1_3),
                         [](const auto& tested) { return tested.param == Version::tls_1_2 ? "Tls12" : "Tls13"; });

TEST_P(TlsResumption, GoesFromOneConnectionToTheNextWithTheName) {
  serve();
  Client client(lab_.runtime(), secured());
  for (const std::string says : {" new for app", " resumed for app", " resumed for app"}) {
    EXPECT_THAT(get(client, "https://app/resumed"), BodyIs(version() + says));
    client.close_idle();
    lab_.settle();
  }
}

// Whoever listens must not be able to tell connections by their tickets (RFC 8446 §C.4).
TEST_P(TlsResumption, ShowsATicketOfTheNewVersionOnce) {
  Handshakes first = shake(lab_.world(), client_security_, server_security_);
  ASSERT_TRUE(first.client);
  (void)read_now(*first.client->connection);  // the ticket
  EXPECT_TRUE(shake(lab_.world(), client_security_, server_security_).client->facts.is_resumed);
  EXPECT_EQ(shake(lab_.world(), client_security_, server_security_).client->facts.is_resumed,
            GetParam() == Version::tls_1_2);
}

TEST_P(TlsResumption, DiesWithTheTrustInTheServer) {
  serve();
  Client client(lab_.runtime(), secured());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(get(client, "https://app/resumed"), BodyIs(version() + " new for app"));
    client.close_idle();
    ASSERT_TRUE(client_security_.reload());
  }
}

}  // namespace
}  // namespace pipette::tls
