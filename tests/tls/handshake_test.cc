// Who shakes hands with whom, what both know then, and why some do not.
#include <gmock/gmock.h>

#include "pipette/tls/security.h"

#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string outcome_of(const Result<net::Secured>& side) { return side ? "secured" : side.error().message(); }

// What either side says.
std::pair<std::string, std::string> outcome_of(const Handshakes& shaken) {
  return {outcome_of(shaken.client), outcome_of(shaken.server)};
}

const std::pair<std::string, std::string> kBothSecured = {"secured", "secured"};

std::string message(Errc code) { return make_error_code(code).message(); }

TEST(TlsHandshake, TellsBothSidesWhatHasBeenAgreedOn) {
  inmem::World world;
  Security server(server_options());
  Security client(client_options());
  const Handshakes shaken = shake(world, client, server);
  ASSERT_EQ(outcome_of(shaken), kBothSecured);
  for (const auto* side : {&shaken.client->facts, &shaken.server->facts}) {
    EXPECT_EQ(side->protocol, "TLSv1.3");
    EXPECT_EQ(side->cipher, "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(side->alpn, "http/1.1");
    EXPECT_EQ(side->server_name, "app");
    EXPECT_FALSE(side->is_resumed);
  }
  EXPECT_THAT(shaken.client->facts.peer_certificate, Not(IsEmpty()));
  EXPECT_THAT(shaken.server->facts.peer_certificate, IsEmpty());
}

TEST(TlsHandshake, SpeaksTheOlderVersionWithWhoKnowsNoOther) {
  inmem::World world;
  Security server(server_options());
  Options old = client_options();
  old.max_version = Version::tls_1_2;
  Security client(std::move(old));
  const Handshakes shaken = shake(world, client, server);
  ASSERT_EQ(outcome_of(shaken), kBothSecured);
  EXPECT_EQ(shaken.client->facts.protocol, "TLSv1.2");
  EXPECT_EQ(shaken.client->facts.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
}

// ---- refusals ----------------------------------------------------------------------------------------------

struct RefusalCase {
  std::string name;
  std::function<void(Options& client, Options& server)> change;
  std::string asked = "app";
  std::vector<std::string> alpn = {"http/1.1"};
  Duration later{};
  Errc client_says;
  Errc server_says = Errc::tls_refused;
};

class TlsRefusal : public testing::TestWithParam<RefusalCase> {};

TEST_P(TlsRefusal, TellsEachSideWhy) {
  Options client = client_options();
  Options server = server_options();
  std::vector<std::string> told;
  client.on_failure = [&](std::string_view why) { told.emplace_back(why); };
  if (GetParam().change) GetParam().change(client, server);
  inmem::World world;
  world.advance_to(after(world.now(), GetParam().later));
  Security as_client(std::move(client));
  Security as_server(std::move(server));
  Handshakes shaken = shake(world, as_client, as_server, GetParam().asked, GetParam().alpn);
  const auto said = [&](Result<net::Secured>& side) {
    if (!side) return side.error().message();
    return read_now(*side->connection);  // in TLS 1.3 a client is done before the server has looked at its certificate
  };
  EXPECT_EQ(said(shaken.client), message(GetParam().client_says));
  EXPECT_EQ(said(shaken.server), message(GetParam().server_says));
  if (GetParam().server_says == Errc::tls_refused) {
    EXPECT_THAT(told, ElementsAre(Not(IsEmpty())));
  }
}

const std::vector<RefusalCase> kRefusals = {
    {.name = "AnotherName", .change = {}, .asked = "shop", .client_says = Errc::certificate_name_mismatch},
    {.name = "AnIpAddress", .change = {}, .asked = "127.0.0.1", .client_says = Errc::certificate_name_mismatch},
    {.name = "Expired", .change = {}, .later = kDays90, .client_says = Errc::certificate_expired},
    {.name = "NotYetValid",
     .change =
         [](Options&, Options& server) {
           CertificateRequest request{
               .names = {"app"}, .from = inmem::kWorldStart + 1h, .until = inmem::kWorldStart + 2h};
           server.identities = {test_authority().issue(request)};
         },
     .client_says = Errc::certificate_not_yet_valid},
    {.name = "Untrusted",
     .change = [](Options& client, Options&) { client.trust = Authority(Random(77)).trust(); },
     .client_says = Errc::certificate_untrusted},
    {.name = "TrustsNobody",
     .change = [](Options& client, Options&) { client.trust = {.system = false, .file = {}, .pem = {}}; },
     .client_says = Errc::certificate_untrusted},
    {.name = "NoVersionInCommon",
     .change =
         [](Options& client, Options& server) {
           client.max_version = Version::tls_1_2;
           server.min_version = Version::tls_1_3;
         },
     .client_says = Errc::tls_refused,
     .server_says = Errc::tls_mismatch},
    {.name = "NoProtocolInCommon",
     .change = {},
     .alpn = {"h2"},
     .client_says = Errc::tls_refused,
     .server_says = Errc::tls_mismatch},
    {.name = "ClientShowsNoCertificate",
     .change =
         [](Options&, Options& server) {
           server.client_certificate = ClientCertificate::required;
           server.trust = test_authority().trust();
         },
     .client_says = Errc::tls_refused,
     .server_says = Errc::certificate_missing},
    {.name = "ClientOfAnotherAuthority",
     .change =
         [](Options& client, Options& server) {
           Authority other{Random(78)};
           client.identities = {other.issue(
               {.names = {"me"}, .from = inmem::kWorldStart, .until = inmem::kWorldStart + 1h, .is_for_client = true})};
           server.client_certificate = ClientCertificate::requested;
           server.trust = test_authority().trust();
         },
     .client_says = Errc::tls_refused,
     .server_says = Errc::certificate_untrusted},
    {.name = "NothingStapled",
     .change = [](Options& client,
                  Options&) { client.accepts_ocsp = [](std::string_view, std::string_view s) { return !s.empty(); }; },
     .client_says = Errc::certificate_untrusted},
};

INSTANTIATE_TEST_SUITE_P(Each, TlsRefusal, testing::ValuesIn(kRefusals),
                         [](const auto& tested) { return tested.param.name; });

TEST(TlsHandshake, HoldsACertificateGoodToTheLastSecond) {
  inmem::World world;
  world.advance_to(after(world.now(), kDays90 - 1ns));
  Security server(server_options());
  Security client(client_options());
  EXPECT_EQ(outcome_of(shake(world, client, server)), kBothSecured);
}

TEST(TlsHandshake, BelievesAnybodyWhereItIsToldTo) {
  inmem::World world;
  Security server(server_options());
  Options careless = client_options();
  careless.trust = {.system = false, .file = {}, .pem = {}};
  careless.skips_verification = true;
  Security client(std::move(careless));
  EXPECT_EQ(outcome_of(shake(world, client, server, "elsewhere")), kBothSecured);
}

TEST(TlsHandshake, ShowsAServerTheCertificateItRequires) {
  inmem::World world;
  Options careful = server_options();
  careful.client_certificate = ClientCertificate::required;
  careful.trust = test_authority().trust();
  Options known = client_options();
  known.identities = {test_authority().issue(
      {.names = {"me"}, .from = inmem::kWorldStart, .until = inmem::kWorldStart + 1h, .is_for_client = true})};
  Security server(std::move(careful));
  Security client(std::move(known));
  const Handshakes shaken = shake(world, client, server);
  ASSERT_EQ(outcome_of(shaken), kBothSecured);
  EXPECT_THAT(shaken.server->facts.peer_certificate, Not(IsEmpty()));
}

TEST(TlsHandshake, VerifiesAnIpAddressThatTheCertificateNames) {
  inmem::World world;
  Options numbered = server_options();
  numbered.identities = {issue({"127.0.0.1", "::1"})};
  Security server(std::move(numbered));
  Security client(client_options());
  for (const char* const address : {"127.0.0.1", "[::1]", "::1"}) {
    EXPECT_EQ(outcome_of(shake(world, client, server, address)), kBothSecured) << address;
  }
}

TEST(TlsHandshake, HasNothingToShowWithoutACertificate) {
  inmem::World world;
  Security server(client_options());
  Security client(client_options());
  EXPECT_EQ(outcome_of(shake(world, client, server)),
            std::pair(message(Errc::connection_reset), message(Errc::bad_certificate)));
}

// ---- which certificate -------------------------------------------------------------------------------------

TEST(TlsNames, ChooseTheCertificate) {
  inmem::World world;
  Options many = server_options();
  many.identities = {issue({"app"}), issue({"shop.example", "shop.test"}), issue({"*.wild.example"}),
                     issue({"exact.wild.example"})};
  Security server(std::move(many));
  Security client(client_options());
  const auto meets = [&](const std::string& name) { return outcome_of(shake(world, client, server, name).client); };
  for (const char* const name :
       {"app", "shop.example", "SHOP.test", "one.wild.example", "exact.wild.example", "app."}) {
    EXPECT_EQ(meets(name), "secured") << name;
  }
  for (const char* const name : {"two.labels.wild.example", "wild.example", "elsewhere", ".wild.example"}) {
    EXPECT_EQ(meets(name), message(Errc::certificate_name_mismatch)) << name;
  }
}

TEST(TlsNames, ShowAKeyOfTheKindThatAClientKnows) {
  inmem::World world;
  Options both = server_options();
  both.identities.push_back(test_authority().issue(
      {.names = {"app"}, .from = inmem::kWorldStart, .until = inmem::kWorldStart + kDays90, .is_rsa = true}));
  Security server(std::move(both));
  Security client(client_options());
  EXPECT_EQ(outcome_of(shake(world, client, server)), kBothSecured);
}

// ---- time --------------------------------------------------------------------------------------------------

TEST(TlsHandshake, EndsAtItsDeadlineOnEitherSide) {
  for (const bool is_client : {true, false}) {
    inmem::World world;
    Security security(is_client ? client_options() : server_options());
    auto [here, silent] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    const TimePoint deadline = after(world.now(), 10s);
    Task<> side = is_client ? shake_as_client(world.runtime(), security, std::move(here), "app", {}, deadline, outcome)
                            : shake_as_server(world.runtime(), security, std::move(here), deadline, outcome);
    side.start();
    world.advance_to(deadline - 1ns);
    EXPECT_FALSE(side.done());
    world.advance_to(deadline);
    ASSERT_TRUE(side.done());
    EXPECT_EQ(outcome_of(is_client ? outcome.client : outcome.server), message(Errc::timed_out));
  }
}

TEST(TlsHandshake, MayBeGivenUpAtAnyTime) {
  for (int steps = 0; steps < 12; ++steps) {
    inmem::World world;
    Security server(server_options());
    Security client(client_options());
    auto [here, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    Task<> one = shake_as_client(world.runtime(), client, std::move(here), "app", {}, kNever, outcome);
    Task<> other = shake_as_server(world.runtime(), server, std::move(there), kNever, outcome);
    one.start();
    other.start();
    for (int i = 0; i < steps; ++i) world.step();
    one = {};
    world.settle();
    EXPECT_TRUE(other.done()) << steps;
  }
}

// ---- what comes from outside -------------------------------------------------------------------------------

TEST(TlsHandshake, TellsWhoSpeaksPlainHttpSo) {
  inmem::World world;
  Security server(server_options());
  auto [here, there] = inmem::make_pipe(world.loop());
  Handshakes outcome;
  Task<> serving = shake_as_server(world.runtime(), server, std::move(there), kNever, outcome);
  serving.start();
  ASSERT_TRUE(write_now(*here, "GET / HTTP/1.1\r\nHost: app\r\n\r\n"));
  world.settle();
  ASSERT_TRUE(write_now(*here, "POST / HTTP/1.1\r\nHost: app\r\n\r\n")) << "which comes later";
  world.settle();
  EXPECT_THAT(read_now(*here), StartsWith("HTTP/1.1 400 "));
  std::array<char, 1> room;
  EXPECT_EQ(here->try_read(room), 0U) << "and it is closed in order";
  EXPECT_FALSE(outcome.is_server_done) << "there may be more on its way";
  world.advance_to(after(world.now(), 1s));
  EXPECT_EQ(outcome_of(outcome.server), message(Errc::bad_tls_record));
}

TEST(TlsHandshake, RefusesWhatIsNoTls) {
  for (const char* const what : {"\x16\x03\x01\xff\xff garbage", "\x80\x2e\x01\x00\x02", "SSH-2.0-OpenSSH_9\r\n",
                                 "\x15\x03\x01\x00\x02\x02\x28"}) {
    inmem::World world;
    Security server(server_options());
    auto [here, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    Task<> serving = shake_as_server(world.runtime(), server, std::move(there), kNever, outcome);
    serving.start();
    ASSERT_TRUE(write_now(*here, std::string(what) + std::string(64, 'x')));
    ASSERT_TRUE(here->try_close_write());
    world.settle();
    EXPECT_TRUE(outcome.is_server_done) << what;
    EXPECT_FALSE(outcome.server) << what;
  }
}

// A client and a server, and a man in the middle who carries what they say.
class ManInTheMiddle : public testing::Test {
 protected:
  void SetUp() override {
    auto [here, left] = inmem::make_pipe(world_.loop());
    auto [right, there] = inmem::make_pipe(world_.loop());
    left_ = std::move(left);
    right_ = std::move(right);
    Task<> one = shake_as_client(world_.runtime(), client_, std::move(here), "app", {}, kNever, outcome_);
    Task<> other = shake_as_server(world_.runtime(), server_, std::move(there), kNever, outcome_);
    one.start();
    other.start();
    for (int i = 0; i < 8; ++i) {
      world_.settle();
      carry(*left_, *right_);
      carry(*right_, *left_);
    }
    ASSERT_EQ(outcome_of(outcome_), kBothSecured);
  }

  void carry(net::Connection& from, net::Connection& to) {
    std::array<char, 4096> room;
    while (const Result<std::size_t> count = from.try_read(room)) {
      if (*count == 0) break;
      if (flips_) room[*count - 1] = static_cast<char>(room[*count - 1] ^ 1);
      ASSERT_TRUE(write_now(to, Bytes(room.data(), *count)));
    }
  }
  // The server says it, and the man carries it.
  void say(Bytes text) {
    ASSERT_TRUE(write_now(*outcome_.server->connection, text));
    carry(*right_, *left_);
  }
  std::string read() { return read_now(*outcome_.client->connection); }

  inmem::World world_;
  Security server_{server_options()};
  Security client_{client_options()};
  Handshakes outcome_;
  std::unique_ptr<net::Connection> left_;
  std::unique_ptr<net::Connection> right_;
  bool flips_ = false;
};

TEST_F(ManInTheMiddle, CannotPassATruncationForAnEnd) {
  say("half of a");
  ASSERT_TRUE(left_->try_close_write());
  EXPECT_EQ(read(), "half of a");
  EXPECT_EQ(read(), message(Errc::connection_reset));
}

TEST_F(ManInTheMiddle, CannotTamperWithWhatIsSaid) {
  flips_ = true;
  say("an answer");
  EXPECT_EQ(read(), message(Errc::bad_tls_record));
}

// ---- hooks -------------------------------------------------------------------------------------------------

TEST(TlsHooks, LogKeysForWireshark) {
  inmem::World world;
  std::vector<std::string> lines;
  Options logging = server_options();
  logging.on_key_log = [&](std::string_view line) { lines.emplace_back(line); };
  Security server(std::move(logging));
  Security client(client_options());
  ASSERT_TRUE(shake(world, client, server).client);
  std::vector<std::string> labels;
  for (const std::string& line : lines) labels.push_back(line.substr(0, line.find(' ')));
  EXPECT_THAT(labels, testing::IsSupersetOf({"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                             "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}));
}

TEST(TlsHooks, StapleAnAnswerAboutTheCertificate) {
  inmem::World world;
  std::vector<std::string> seen;
  Options stapling = server_options();
  stapling.ocsp_response = [&](std::string_view name) { return "good: " + std::string(name); };
  Options looking = client_options();
  looking.accepts_ocsp = [&](std::string_view name, std::string_view response) {
    seen.push_back(std::string(name) + " is " + std::string(response));
    return true;
  };
  Security server(std::move(stapling));
  Security client(std::move(looking));
  ASSERT_TRUE(shake(world, client, server).client);
  EXPECT_THAT(seen, ElementsAre("app is good: app"));
}

}  // namespace
}  // namespace pipette::tls
