// What one Security keeps over many handshakes: its certificates, until it reads others; tickets; and its chance.
#include "pipette/tls/security.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

// ---- certificates ------------------------------------------------------------------------------------------

std::string shown(inmem::World& world, Security& client, Security& server) {
  const Handshakes shaken = shake(world, client, server);
  return shaken.client ? shaken.client->facts.peer_certificate : shaken.client.error().message();
}

class TlsReload : public testing::Test {
 protected:
  TlsReload() {
    std::string pattern = std::filesystem::temp_directory_path() / "pipette-tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    write(app_identity());
  }
  ~TlsReload() override { std::filesystem::remove_all(folder_); }

  std::string chain_file() const { return folder_ / "chain.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }
  void write(const Identity& identity) {
    std::ofstream(chain_file()) << identity.chain;
    std::ofstream(key_file()) << identity.key;
  }
  Options from_files() const {
    Options options = server_options();
    options.identities = {Identity::from_files(chain_file(), key_file())};
    return options;
  }

  std::filesystem::path folder_;
  inmem::World world_;
  Security client_{client_options()};
};

TEST_F(TlsReload, ShowsTheNewCertificateToWhoComesAfterIt) {
  Security server(from_files());
  Handshakes before = shake(world_, client_, server);
  ASSERT_TRUE(before.client);
  write(issue({"app"}));
  ASSERT_TRUE(server.reload());
  EXPECT_NE(shown(world_, client_, server), before.client->facts.peer_certificate);
  ASSERT_TRUE(write_now(*before.client->connection, "still"));
  EXPECT_EQ(read_now(*before.server->connection), "still") << "who was there goes on";
}

TEST_F(TlsReload, KeepsWhatItHasWhenTheNewIsNoGood) {
  Security server(from_files());
  const std::string before = shown(world_, client_, server);
  std::ofstream(key_file()) << issue({"app"}).key;
  const auto reloaded = server.reload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error(), AllOf(HasSubstr(key_file()), HasSubstr("is not the key of"), HasSubstr(chain_file())));
  EXPECT_EQ(shown(world_, client_, server), before);
}

TEST_F(TlsReload, TakesOtherIdentities) {
  Security server(from_files());
  const std::string before = shown(world_, client_, server);
  ASSERT_TRUE(server.replace({issue({"app"})}));
  EXPECT_NE(shown(world_, client_, server), before);
}

struct BadCase {
  const char* name;
  std::string chain;
  std::string key;
  const char* says;
};

class TlsBadCertificate : public testing::TestWithParam<BadCase> {};

TEST_P(TlsBadCertificate, SaysWhatIsWrong) {
  Options options = server_options();
  options.identities = {Identity::from_memory(GetParam().chain, GetParam().key)};
  try {
    const Security security(std::move(options));
    FAIL() << "it was taken";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), make_error_code(Errc::bad_certificate));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

const std::string kEncryptedKey =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

INSTANTIATE_TEST_SUITE_P(
    Each, TlsBadCertificate,
    testing::Values(BadCase{"Nothing", "", "", "no certificate in it"},
                    BadCase{"NoPem", "hello", app_identity().key, "no certificate in it"},
                    BadCase{"CutOff", app_identity().chain.substr(0, 300), app_identity().key, "certificate"},
                    BadCase{"NoKey", app_identity().chain, "", "no private key"},
                    BadCase{"EncryptedKey", app_identity().chain, kEncryptedKey, "no private key"},
                    BadCase{"AnothersKey", app_identity().chain, issue({"app"}).key, "is not the key of"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(TlsSecurity, WantsToKnowWhoIssuesClientsTheirCertificates) {
  Options options = server_options();
  options.client_certificate = ClientCertificate::required;
  EXPECT_THROW(const Security security(std::move(options)), std::system_error);
}

// ---- resumption --------------------------------------------------------------------------------------------

Options with_tickets(Options options) {
  options.session_tickets = true;
  return options;
}

// Lets the tickets arrive, which come behind the handshake.
bool is_resumed(inmem::World& world, Security& client, Security& server) {
  Handshakes shaken = shake(world, client, server);
  if (!shaken.client || !shaken.server) return false;
  (void)read_now(*shaken.client->connection);
  EXPECT_EQ(shaken.client->facts.is_resumed, shaken.server->facts.is_resumed);
  return shaken.client->facts.is_resumed;
}

TEST(TlsTickets, ResumeASession) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    inmem::World world;
    Options options = with_tickets(server_options());
    options.max_version = options.min_version = version;
    Security server(std::move(options));
    Security client(with_tickets(client_options()));
    const bool is_new = version == Version::tls_1_3;
    EXPECT_FALSE(is_resumed(world, client, server)) << is_new;
    EXPECT_TRUE(is_resumed(world, client, server)) << is_new;
    EXPECT_TRUE(is_resumed(world, client, server)) << is_new << ": with the ticket of the second one";
  }
}

TEST(TlsTickets, AreOffWhereAWorldIsToRepeatItself) {
  inmem::World world;
  Security server(server_options());
  Security client(client_options());
  EXPECT_FALSE(is_resumed(world, client, server));
  EXPECT_FALSE(is_resumed(world, client, server));
}

TEST(TlsTickets, AreTakenForALifetimeMoreAndNotLonger) {
  inmem::World world;
  Options options = with_tickets(server_options());
  options.ticket_key_lifetime = 1h;
  Security server(std::move(options));
  Security client(with_tickets(client_options()));
  EXPECT_FALSE(is_resumed(world, client, server));
  world.advance_to(after(world.now(), 1h));
  EXPECT_TRUE(is_resumed(world, client, server));
  world.advance_to(after(world.now(), 2h));
  EXPECT_FALSE(is_resumed(world, client, server));
}

TEST(TlsTickets, AreTakenByOtherProcessesWithTheSameSecret) {
  inmem::World world;
  for (const bool is_same : {true, false}) {
    Options one = with_tickets(server_options());
    Options other = with_tickets(server_options());
    other.random = Random(99);
    one.ticket_secret = "thirty-two octets, which is 256 bits";
    other.ticket_secret = is_same ? one.ticket_secret : "another secret that is long enough";
    Security first(std::move(one));
    Security second(std::move(other));
    Security client(with_tickets(client_options()));
    EXPECT_FALSE(is_resumed(world, client, first));
    EXPECT_EQ(is_resumed(world, client, second), is_same);
  }
}

TEST(TlsTickets, OfServersThatAreTrustedNoMoreAreForgotten) {
  inmem::World world;
  Security server(with_tickets(server_options()));
  Security client(with_tickets(client_options()));
  EXPECT_FALSE(is_resumed(world, client, server));
  ASSERT_TRUE(client.reload());
  EXPECT_FALSE(is_resumed(world, client, server));
}

// A resumption verifies nobody: so it may not outlive the trust that there was.
TEST(TlsTickets, OfClientsThatAreTrustedNoMoreAreWorthNothing) {
  inmem::World world;
  Authority first{Random(31)};
  Authority second{Random(32)};
  const CertificateRequest me{
      .names = {"me"}, .from = inmem::kWorldStart, .until = inmem::kWorldStart + 1h, .is_for_client = true};
  Options careful = with_tickets(server_options());
  careful.client_certificate = ClientCertificate::required;
  careful.ticket_secret = "thirty-two octets, which is 256 bits";
  Options other = careful;
  careful.trust = first.trust();
  other.trust = second.trust();
  Options known = with_tickets(client_options());
  known.identities = {first.issue(me)};
  Security trusts_first(careful);
  Security trusts_second(other);
  Security client(std::move(known));
  EXPECT_FALSE(is_resumed(world, client, trusts_first));
  EXPECT_TRUE(is_resumed(world, client, trusts_first));
  const Handshakes shaken = shake(world, client, trusts_second);
  EXPECT_FALSE(shaken.server);
  EXPECT_EQ(shaken.server.error(), make_error_code(Errc::certificate_untrusted));
}

TEST(TlsTickets, TakeASecretThatIsLongEnough) {
  Options options = server_options();
  options.ticket_secret = "31 octets are not enough for it";
  EXPECT_THROW(const Security security(std::move(options)), std::system_error);
}

// ---- chance ------------------------------------------------------------------------------------------------

// All that has crossed the wire.
std::string wire(std::uint64_t seed) {
  inmem::World world;
  Options options = client_options();
  options.random = Random(seed);
  Security client(std::move(options));
  auto [here, there] = inmem::make_pipe(world.loop());
  Handshakes outcome;
  Task<> task = shake_as_client(world.runtime(), client, std::move(here), "app", {}, kNever, outcome);
  task.start();
  world.settle();
  return read_now(*there);
}

TEST(TlsChance, IsThatOfTheSeed) {
  EXPECT_EQ(wire(1), wire(1));
  EXPECT_NE(wire(1), wire(2));
}

TEST(TlsChance, BeginsAgainWhereItIsTold) {
  inmem::World world;
  Security client(client_options());
  const auto hello = [&] {
    client.reseed(Random(5));
    auto [here, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    Task<> task = shake_as_client(world.runtime(), client, std::move(here), "app", {}, kNever, outcome);
    task.start();
    return read_now(*there);
  };
  EXPECT_EQ(hello(), hello());
}

TEST(TlsAuthority, IssuesTheSameTwice) {
  const CertificateRequest request{.names = {"app"}, .from = inmem::kWorldStart, .until = inmem::kWorldStart + 1h};
  EXPECT_EQ(Authority(Random(4)).issue(request).chain, Authority(Random(4)).issue(request).chain);
}

TEST(TlsAuthority, RefusesNamesThatWouldBeMore) {
  EXPECT_THROW(test_authority().issue({.names = {"app,DNS:other"}, .from = {}, .until = {}}), std::system_error);
}

}  // namespace
}  // namespace pipette::tls
