// Whoever may be at the other end of a handshake, or of what comes behind it: one who leaves or falls silent after any
// octet, who speaks something else, and who speaks TLS and means it harm. Always one error, in time; nobody else waits,
// and nothing is left.
#include <array>
#include <gmock/gmock.h>
#include <list>
#include <numeric>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/yield.h"
#include "pipette/inmem/pipe.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/net/close.h"
#include "pipette/server/request_ctx.h"
#include "pipette/tls/security.h"

#include "tests/tls/foreign_peer.h"
#include "tests/tls/secured.h"

namespace pipette::tls {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::StartsWith;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";

Errc error_of(const Result<net::Secured>& side) { return side ? Errc{} : errc_of(side.error()); }

std::string drain(net::Connection& connection) {
  std::string text;
  std::array<char, 4096> room;
  for (;;) {
    const Result<std::size_t> count = connection.try_read(room);
    if (!count || *count == 0) return text;
    text.append(room.data(), *count);
  }
}

bool is_closed(net::Connection& connection) {
  drain(connection);
  std::array<char, 1> room;
  const Result<std::size_t> count = connection.try_read(room);
  return count || count.error() != make_error_code(Errc::would_block);
}

// ---- cut short ---------------------------------------------------------------------------------------------

enum class Side : unsigned char { client, server };

// Both parties of a handshake, each of which says the same every time.
class Parties {
 public:
  explicit Parties(Version version)
      : client_(only(client_options(), version)), server_(only(server_options(), version)) {}

  Task<> shake(Side side, inmem::World& world, std::unique_ptr<net::Connection> connection, TimePoint deadline,
               Handshakes& outcome) {
    if (side == Side::client) {
      client_.reseed(Random(3));
      return shake_as_client(world.runtime(), client_, std::move(connection), "app", {"http/1.1"}, deadline, outcome);
    }
    server_.reseed(Random(2));
    return shake_as_server(world.runtime(), server_, std::move(connection), deadline, outcome);
  }

  Security& client() { return client_; }
  Security& server() { return server_; }

  // What `side` says in a handshake that succeeds.
  std::string said_by(Side side) {
    inmem::World world;
    auto [here, left] = inmem::make_pipe(world.loop());
    auto [right, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    Task<> one = shake(Side::client, world, std::move(here), kNever, outcome);
    Task<> other = shake(Side::server, world, std::move(there), kNever, outcome);
    one.start();
    other.start();
    std::string said;
    for (int turn = 0; turn < 6; ++turn) {
      world.settle();
      const std::string request = drain(*left);
      const std::string answer = drain(*right);
      said += side == Side::client ? request : answer;
      (void)write_now(*right, request);
      (void)write_now(*left, answer);
    }
    return outcome.client && outcome.server ? said : "";
  }

 private:
  static Options only(Options options, Version version) {
    options.min_version = options.max_version = version;
    return options;
  }

  Security client_;
  Security server_;
};

struct CutCase {
  std::string name;
  Version version;
  Side side;  // who meets it
};

class TlsCut : public testing::TestWithParam<CutCase> {
 protected:
  enum class Then : unsigned char { close, reset, silence };

  static constexpr Duration kLimit = 10s;

  TlsCut() : parties_(GetParam().version), octets_(parties_.said_by(other_side())) {}

  Side other_side() const { return GetParam().side == Side::client ? Side::server : Side::client; }

  // What the handshake ends with when the other one says `size` octets of what it should; none: it succeeds.
  std::optional<Errc> meet(std::size_t size, Then then) {
    inmem::World world;
    auto [here, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    const TimePoint deadline = after(world.now(), kLimit);
    Task<> side = parties_.shake(GetParam().side, world, std::move(here), deadline, outcome);
    side.start();
    EXPECT_TRUE(write_now(*there, Bytes(octets_).substr(0, size)));
    world.settle();
    if (then == Then::close) (void)there->try_close_write();
    if (then == Then::reset) there->abort();
    world.settle();
    if (then == Then::silence && size < octets_.size()) {
      EXPECT_EQ(world.scheduler().next_deadline(), deadline) << size;
      world.advance_to(deadline - 1ns);
      EXPECT_FALSE(side.done()) << size;
      world.advance_to(deadline);
    }
    EXPECT_TRUE(side.done()) << size;
    const Result<net::Secured>& secured = GetParam().side == Side::client ? outcome.client : outcome.server;
    const std::optional<Errc> error = secured ? std::nullopt : std::optional(errc_of(secured.error()));
    EXPECT_TRUE(!error || is_closed(*there)) << size << ": nothing is held";
    outcome = {};
    world.settle();
    EXPECT_EQ(world.scheduler().next_deadline(), kNever) << size << ": a timer is left";
    return error;
  }

  Parties parties_;
  std::string octets_;
};

INSTANTIATE_TEST_SUITE_P(All, TlsCut,
                         testing::Values(CutCase{"Client13", Version::tls_1_3, Side::client},
                                         CutCase{"Server13", Version::tls_1_3, Side::server},
                                         CutCase{"Client12", Version::tls_1_2, Side::client},
                                         CutCase{"Server12", Version::tls_1_2, Side::server}),
                         [](const auto& tested) { return tested.param.name; });

// What is done changes from octet to octet, so that a record of a few octets has met it all.
TEST_P(TlsCut, EndsWithOneErrorAfterEveryOctet) {
  ASSERT_GT(octets_.size(), 100U);
  constexpr std::array kAll = {Then::close, Then::silence, Then::reset};
  for (std::size_t size = 0; size < octets_.size(); ++size) {
    const Then then = kAll.at(size % kAll.size());
    ASSERT_EQ(meet(size, then), then == Then::silence ? Errc::timed_out : Errc::connection_reset) << size;
  }
}

TEST_P(TlsCut, DoesNotMatterWhenAllHasBeenSaid) {
  EXPECT_EQ(meet(octets_.size(), Then::close), std::nullopt);
  EXPECT_EQ(meet(octets_.size(), Then::silence), std::nullopt);
}

// ---- a server among such clients ---------------------------------------------------------------------------

void greet(RequestCtx& ctx) { ctx.set_body(ctx.path() == "/" ? "Hello" : std::string(ctx.path())); }

class HostileTls : public testing::Test {
 protected:
  explicit HostileTls(ServerOptions options = lab::quiet()) : server_(greet, std::move(options)) {
    worker_ = &lab_.serve(server_, "app:443", &server_security_);
  }

  // Somebody who minds his own business.
  void expect_served() { EXPECT_EQ(lab_.get("https://app/").body, "Hello"); }
  std::uint64_t failures() const { return server_.metrics().tls_handshake_failures; }
  std::uint64_t open() const { return server_.metrics().open_connections; }
  ForeignPeer foreign(Version version = Version::tls_1_3) {
    return {lab_.world(), std::move(lab_.world().dial_now(*net::Address::parse("app:443"))->connection), version};
  }

  Security server_security_{server_options()};
  Security client_security_{client_options()};
  Server server_;
  Lab lab_{{.security = &client_security_}};
  server::Worker* worker_ = nullptr;
};

TEST_F(HostileTls, IsServedBesideOthersThatFallSilentAfterEveryOctet) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    const std::uint64_t failures_before = failures();
    const std::string octets = Parties(version).said_by(Side::client);
    expect_served();
    std::vector<Peer> silent;
    for (std::size_t size = 0; size < octets.size(); ++size) {
      silent.push_back(lab_.connect("app:443"));
      silent.back().send(Bytes(octets).substr(0, size));
    }
    expect_served();
    EXPECT_EQ(open(), silent.size() + 1);
    lab_.advance(10s - 1ns);
    for (Peer& peer : silent) ASSERT_FALSE(peer.closed());
    EXPECT_EQ(failures(), failures_before);
    lab_.advance(1ns);
    for (Peer& peer : silent) ASSERT_TRUE(peer.closed());
    EXPECT_EQ(failures() - failures_before, silent.size());
    EXPECT_EQ(server_.metrics().tls_handshake_timeouts, failures());
    lab_.client().close_idle();
    lab_.settle();
    EXPECT_EQ(open(), 0U);
  }
}

TEST_F(HostileTls, GoesOnWhenOthersLeaveAfterEveryOctet) {
  const std::string octets = Parties(Version::tls_1_3).said_by(Side::client);
  for (std::size_t size = 0; size < octets.size(); ++size) {
    Peer peer = lab_.connect("app:443");
    peer.send(Bytes(octets).substr(0, size));
    if (size % 2 == 0) {
      peer.close_write();
    } else {
      peer.abort();
    }
    ASSERT_TRUE(peer.closed()) << size;
  }
  expect_served();
  EXPECT_EQ(failures(), octets.size());
  EXPECT_EQ(server_.metrics().tls_handshake_timeouts, 0U);
  EXPECT_EQ(server_.metrics().tls_handshakes, octets.size() + 1);
  EXPECT_EQ(open(), 1U);
}

TEST_F(HostileTls, TakesAHandshakeThatComesOctetByOctet) {
  lab_.world().network().set_pipe_options({.max_read_bytes = 1, .max_write_bytes = 1});
  expect_served();
  EXPECT_EQ(failures(), 0U);
}

// ---- what is no handshake ----------------------------------------------------------------------------------

std::string record(char kind, std::string_view octets, std::string_view version = "\x03\x01") {
  std::string text(1, kind);
  text += version;
  text += static_cast<char>(octets.size() >> 8);
  text += static_cast<char>(octets.size() & 0xff);
  text += octets;
  return text;
}

constexpr char kAlert = 21;
constexpr char kHandshake = 22;
constexpr char kApplicationData = 23;

struct Said {
  const char* what;
  std::string octets;
};

const std::vector<Said> kNoHandshakes = {
    {"nothing but zeros", std::string(64, '\0')},
    {"another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n"},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    {"the oldest version", "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"s + std::string(64, '\1')},
    {"a record longer than any", "\x16\x03\x01\x48\x01\x01"s},
    {"a handshake message longer than any", record(kHandshake, "\x01\xff\xff\xff"s + std::string(100, 'x'))},
    {"a message of no kind", record(kHandshake, "\xee\x00\x00\x01x"s)},
    {"a ServerHello", record(kHandshake, "\x02\x00\x00\x26\x03\x03"s + std::string(36, 'x'))},
    {"a ClientHello of garbage", record(kHandshake, "\x01\x00\x00\x40\x03\x03"s + std::string(62, '\xff'))},
    {"data before keys", record(kApplicationData, "GET / HTTP/1.1\r\n\r\n")},
    {"a record of no kind", record(99, "what?")},
    {"a change of keys that were not agreed on", record(20, "\1")},
    {"empty records without end",
     [] {
       std::string flood;
       for (int i = 0; i < 1000; ++i) flood += record(kHandshake, "");
       return flood;
     }()},
    {"a fatal alert", record(kAlert, "\x02\x28")},
    {"an alert of no level", record(kAlert, "\x07\x28")},
    {"an alert too short", record(kAlert, "\x02")},
    {"warnings without end",
     [] {
       std::string flood;
       for (int i = 0; i < 1000; ++i) flood += record(kAlert, "\x01\x5a");
       return flood;
     }()},
    {"close_notify before anything", record(kAlert, "\x01\x00"s)},
};

TEST_F(HostileTls, RefusesWhatIsNoHandshakeAtOnce) {
  for (const Said& said : kNoHandshakes) {
    const std::uint64_t failures_before = failures();
    Peer peer = lab_.connect("app:443");
    peer.send(said.octets);
    EXPECT_TRUE(peer.closed()) << said.what;
    peer.close_write();
    lab_.settle();
    EXPECT_EQ(failures() - failures_before, 1U) << said.what;
    EXPECT_EQ(open(), 0U) << said.what;
    // An alert at most, so that nobody is given back what he sent.
    EXPECT_THAT(peer.received().size(), Le(7U)) << said.what;
  }
  expect_served();
  EXPECT_EQ(server_.metrics().tls_handshake_timeouts, 0U);
}

TEST_F(HostileTls, RefusesGarbageBetweenRecords) {
  const std::string octets = Parties(Version::tls_1_2).said_by(Side::client);
  const auto size_of_record = [&](std::size_t at) {
    return 5 + static_cast<std::size_t>(static_cast<unsigned char>(octets[at + 3])) * 256 +
           static_cast<unsigned char>(octets[at + 4]);
  };
  std::size_t records = 0;
  for (std::size_t at = size_of_record(0); at < octets.size(); at += size_of_record(at)) {
    Peer peer = lab_.connect("app:443");
    peer.send(octets.substr(0, at) + "garbage");
    EXPECT_TRUE(peer.closed()) << at;
    peer.close_write();
    lab_.settle();
    ++records;
  }
  EXPECT_EQ(records, 3U);
  EXPECT_EQ(failures(), 3U);
  expect_served();
}

TEST_F(HostileTls, TellsWhoeverSpeaksPlainHttp) {
  const std::string get = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";
  for (const std::string& said :
       {get, get + get + get, "GET /" + std::string(60'000, 'l') + " HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 50000\r\n\r\n" + std::string(50'000, 'b'),
        "HEAD / HTTP/1.1\r\nHost: app\r\n\r\n"s, "PUT / HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n"s}) {
    Peer peer = lab_.connect("app:443");
    peer.send(said);
    EXPECT_THAT(peer.received(),
                AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"), EndsWith("this port speaks https://")));
    EXPECT_TRUE(peer.closed());
    EXPECT_FALSE(peer.was_reset()) << said.substr(0, 20) << ": the answer would be lost";
  }
  expect_served();
  EXPECT_EQ(open(), 1U);
}

// ---- a handshake in other shapes ---------------------------------------------------------------------------

// `hello` with so many octets of padding more (RFC 7685), in records of at most `largest`.
std::string pad(const std::string& hello, std::size_t padding, std::size_t largest) {
  const auto number = [](std::size_t value, int octets) {
    std::string text;
    for (int i = octets - 1; i >= 0; --i) text += static_cast<char>((value >> (8 * i)) & 0xff);
    return text;
  };
  const auto at = [&](std::size_t index) { return static_cast<std::size_t>(static_cast<unsigned char>(hello[index])); };
  std::size_t extensions = 5 + 4 + 2 + 32;
  extensions += 1 + at(extensions);                             // session
  extensions += 2 + at(extensions) * 256 + at(extensions + 1);  // ciphers
  extensions += 1 + at(extensions);                             // compression
  const std::size_t size = at(extensions) * 256 + at(extensions + 1);
  std::string body = hello.substr(9, extensions - 9);
  body += number(size + 4 + padding, 2) + hello.substr(extensions + 2, size);
  body += number(21, 2) + number(padding, 2) + std::string(padding, '\0');
  const std::string message = "\x01" + number(body.size(), 3) + body;
  std::string records;
  for (std::size_t done = 0; done < message.size(); done += largest) {
    records += record(kHandshake, Bytes(message).substr(done, largest));
  }
  return records;
}

std::string client_hello() {
  const std::string octets = Parties(Version::tls_1_3).said_by(Side::client);
  return octets.substr(0, 5 + static_cast<unsigned char>(octets[3]) * 256U + static_cast<unsigned char>(octets[4]));
}

TEST_F(HostileTls, AnswersAClientHelloOfAnyShape) {
  const std::string hello = client_hello();
  for (const auto& [padding, largest] : {std::pair(0, 16384), std::pair(0, 1), std::pair(10'000, 16384),
                                         std::pair(20'000, 16384), std::pair(60'000, 16384), std::pair(10'000, 100)}) {
    Peer peer = lab_.connect("app:443");
    peer.send(pad(hello, static_cast<std::size_t>(padding), static_cast<std::size_t>(largest)));
    EXPECT_THAT(peer.received(), StartsWith("\x16\x03\x03")) << padding << " in " << largest << ": a ServerHello";
    EXPECT_FALSE(peer.closed());
  }
  expect_served();
}

TEST_F(HostileTls, GivesAHelloThatTricklesNoMoreTimeThanAnother) {
  const std::string hello = client_hello();
  Peer peer = lab_.connect("app:443");
  peer.send_slowly(hello, 100ms);
  lab_.advance(10s - 1ns);
  EXPECT_FALSE(peer.closed());
  lab_.advance(1ns);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(server_.metrics().tls_handshake_timeouts, 1U);
}

// A client of TLS 1.3 is done before the server has looked at its certificate, and may have asked for something by
// then.
TEST_F(HostileTls, LetsTheAlertArriveWhateverElseTheClientHasSaid) {
  Options careful = server_options();
  careful.client_certificate = ClientCertificate::required;
  careful.trust = test_authority().trust();
  Security security(std::move(careful));
  inmem::World world;
  auto [here, there] = inmem::make_pipe(world.loop());
  Handshakes outcome;
  Task<> side = shake_as_server(world.runtime(), security, std::move(there), kNever, outcome);
  side.start();
  ForeignPeer client(world, std::move(here), Version::tls_1_3);
  client.take_a_turn();
  client.carry();
  client.take_a_turn();
  for (int i = 0; i < 2; ++i) {
    client.write(std::string(20'000, 'r'));
    client.send();
  }
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(failure_of(client.ssl()), Errc::tls_refused);
  std::array<char, 1> room;
  EXPECT_EQ(client.connection().try_read(room), 0U) << "closed in order";
  EXPECT_FALSE(outcome.is_server_done);
  client.leave();
  world.settle();
  EXPECT_EQ(error_of(outcome.server), Errc::certificate_missing);
}

// ---- behind the handshake ----------------------------------------------------------------------------------

TEST_F(HostileTls, AnswersAHalfClosedClient) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    ForeignPeer client = foreign(version);
    ASSERT_TRUE(client.shake());
    client.write(kRequest);
    client.finish();
    client.carry();
    EXPECT_THAT(client.read(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("Hello")));
    EXPECT_EQ(SSL_get_shutdown(client.ssl()), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) << "both have finished";
  }
  EXPECT_EQ(open(), 0U);
}

TEST_F(HostileTls, ClosesBesideAClientThatClosesAtOnce) {
  ForeignPeer client = foreign();
  ASSERT_TRUE(client.shake());
  client.finish();
  client.carry();
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(SSL_get_shutdown(client.ssl()), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  EXPECT_EQ(open(), 0U);
  EXPECT_EQ(failures(), 0U);
}

TEST_F(HostileTls, HeedsNothingBehindCloseNotify) {
  ForeignPeer client = foreign();
  ASSERT_TRUE(client.shake());
  client.write("GET /one HTTP/1.1\r\nHost: app\r\n\r\n");
  const std::string one = std::exchange(client.output(), "");
  client.finish();
  client.output().insert(0, one);
  client.output() += one + "garbage";
  client.carry();
  EXPECT_THAT(client.read(), EndsWith("/one"));
  EXPECT_EQ(server_.metrics().exchanges, 1U);
  EXPECT_EQ(open(), 0U);
}

TEST_F(HostileTls, TakesATruncationForAnErrorAndNotForAnEnd) {
  ForeignPeer client = foreign();
  ASSERT_TRUE(client.shake());
  client.write("POST /cut HTTP/1.1\r\nHost: app\r\nContent-Length: 9\r\n\r\nhalf");
  client.carry();
  ASSERT_TRUE(client.connection().try_close_write());
  lab_.settle();
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(server_.metrics().exchanges, 0U);
  EXPECT_EQ(open(), 0U);
}

TEST_F(HostileTls, RefusesToBeginAgain) {
  ForeignPeer client = foreign(Version::tls_1_2);
  ASSERT_TRUE(client.shake());
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  client.shake();
  EXPECT_THAT(failure_of(client.ssl()), Errc::tls_refused) << "no_renegotiation";
  EXPECT_EQ(server_.metrics().tls_handshakes, 1U);
  lab_.advance(10s);
  EXPECT_EQ(open(), 0U) << "it is a client that sends no head";
  expect_served();
}

TEST_F(HostileTls, EndsAClientThatAsksForNewKeysWithoutEnd) {
  net::ChannelOptions small;
  lab_.world().network().set_pipe_options(small.with_capacity(8 * 1024));
  ForeignPeer client = foreign();
  ASSERT_TRUE(client.shake());
  for (int i = 0; i < 7'000; ++i) client.ask_for_new_keys();
  client.send();
  for (int i = 0; i < 100 && !client.output().empty(); ++i) client.send();
  expect_served();
  lab_.advance(10s);
  EXPECT_EQ(server_.metrics().read_header_timeouts, 1U);
  lab_.advance(10s);
  client.leave();
  lab_.settle();
  EXPECT_EQ(open(), 0U);
}

TEST_F(HostileTls, ServesAClientThatChangesItsKeysBetweenRequests) {
  ForeignPeer client = foreign();
  ASSERT_TRUE(client.shake());
  for (int i = 0; i < 50; ++i) {
    client.ask_for_new_keys();
    client.write(kRequest);
    client.carry();
    EXPECT_THAT(client.read(), EndsWith("Hello"));
  }
}

TEST_F(HostileTls, LosesNothingInFragmentsThatAreAsSmallAsAClientWants) {
  for (const Version version : {Version::tls_1_2, Version::tls_1_3}) {
    ForeignPeer client = foreign(version);
    ASSERT_EQ(SSL_set_tlsext_max_fragment_length(client.ssl(), TLSEXT_max_fragment_length_512), 1);
    ASSERT_TRUE(client.shake());
    constexpr int kRequests = 20;
    for (int i = 0; i < kRequests; ++i) client.write(kRequest);
    const std::string answers = client.read();
    int count = 0;
    for (std::size_t at = answers.find("Hello"); at != std::string::npos; at = answers.find("Hello", at + 1)) ++count;
    EXPECT_EQ(count, kRequests);
  }
}

// Records of a client as it would make them, from what a key log says (RFC 8446 §5.2, §7.1, §7.3): AES-128-GCM.
class Forger {
 public:
  explicit Forger(std::string_view line) {
    const std::string_view hex = line.substr(line.rfind(' ') + 1);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      secret_ += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
  }

  std::string record(std::string plain, char kind) {
    plain += kind;
    const std::size_t size = plain.size() + 16;
    const std::string head = {0x17, 0x03, 0x03, static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
    std::string nonce = expand("iv", 12);
    nonce[11] = static_cast<char>(nonce[11] ^ sequence_++);
    const std::string key = expand("key", 16);
    std::string sealed(size, '\0');
    EVP_CIPHER_CTX* const cipher = EVP_CIPHER_CTX_new();
    int count = 0;
    EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), nullptr, octets(key), octets(nonce));
    EVP_EncryptUpdate(cipher, nullptr, &count, octets(head), static_cast<int>(head.size()));
    EVP_EncryptUpdate(cipher, octets(sealed), &count, octets(plain), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(cipher, octets(sealed) + count, &count);
    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, octets(sealed) + plain.size());
    EVP_CIPHER_CTX_free(cipher);
    return head + sealed;
  }

 private:
  static unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
  static const unsigned char* octets(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }
  // HKDF-Expand-Label, of less than one block.
  std::string expand(const std::string& label, std::size_t size) const {
    const std::string name = "tls13 " + label;
    const std::string info = "\0"s + static_cast<char>(size) + static_cast<char>(name.size()) + name + "\0\x01"s;
    std::string block(32, '\0');
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), octets(info), info.size(), octets(block),
         nullptr);
    return block.substr(0, size);
  }

  std::string secret_;
  char sequence_ = 0;
};

// OpenSSL then has to read before it can write: who waits to write must wait for input, and not go round and round.
TEST(TlsHalfAMessage, AboutKeysHoldsUpNobodyButItsSender) {
  for (const bool comes_whole : {true, false}) {
    std::string keys;
    Options options = server_options();
    options.on_key_log = [&](std::string_view line) {
      if (line.starts_with("CLIENT_TRAFFIC_SECRET_0")) keys = line;
    };
    Security security(std::move(options));
    Server server(greet, lab::quiet());
    Lab lab;
    lab.serve(server, "app:443", &security);
    ForeignPeer client(lab.world(), std::move(lab.world().dial_now(*net::Address::parse("app:443"))->connection),
                       Version::tls_1_3);
    ASSERT_TRUE(client.shake());
    Forger forger(keys);
    client.output() += forger.record("GET / HT", 0x17);
    client.output() += forger.record("\x18\0\0\x01"s, 0x16);
    client.send();
    lab.advance(10s);  // the head has had its time, and 408 is to be said
    if (comes_whole) {
      client.output() += forger.record("\0"s, 0x16);
      client.send();
      EXPECT_THAT(client.read(), StartsWith("HTTP/1.1 408 "));
    }
    lab.advance(2min);
    client.leave();
    lab.settle();
    EXPECT_EQ(server.metrics().open_connections, 0U) << comes_whole;
    EXPECT_EQ(server.metrics().read_header_timeouts, 1U);
  }
}

TEST_F(HostileTls, TakesRequestsInRecordsOfAnOctet) {
  ForeignPeer client = foreign();
  ASSERT_TRUE(client.shake());
  for (const char octet : kRequest) client.write({&octet, 1});
  client.carry();
  EXPECT_THAT(client.read(), EndsWith("Hello"));
}

TEST_F(HostileTls, RefusesRecordsThatAreTooLongOrNoneOfThePeers) {
  for (const std::string& garbage :
       {"\x17\x03\x03\x48\x01"s + std::string(100, 'x'), record(kApplicationData, std::string(64, 'x'), "\x03\x03"),
        "garbage between records"s, record(kAlert, "\x02\x0a", "\x03\x03"), record(kApplicationData, "", "\x03\x03")}) {
    ForeignPeer client = foreign();
    ASSERT_TRUE(client.shake());
    client.output() = garbage;
    client.carry();
    EXPECT_TRUE(is_closed(client.connection()));
    EXPECT_EQ(open(), 0U);
  }
  expect_served();
}

TEST(TlsDeadline, IsOfTheHandshakeAlone) {
  inmem::World world;
  Security server(server_options());
  Security client(client_options());
  auto [here, there] = inmem::make_pipe(world.loop());
  Handshakes shaken;
  const TimePoint deadline = after(world.now(), 1s);
  Task<> one = shake_as_client(world.runtime(), client, std::move(here), "app", {}, deadline, shaken);
  Task<> other = shake_as_server(world.runtime(), server, std::move(there), deadline, shaken);
  one.start();
  other.start();
  world.settle();
  ASSERT_TRUE(shaken.client && shaken.server);
  world.advance_to(after(deadline, 1h));
  ASSERT_TRUE(write_now(*shaken.client->connection, "a request"));
  EXPECT_EQ(read_now(*shaken.server->connection), "a request");
  ASSERT_TRUE(write_now(*shaken.server->connection, "an answer"));
  EXPECT_EQ(read_now(*shaken.client->connection), "an answer");
}

// What has been decrypted, or waits for it in OpenSSL, is as unread as what the kernel has.
TEST(TlsConnectionThatDies, ResetsWhenSomethingIsUnread) {
  struct Row {
    std::vector<std::string> written;
    bool is_reset;
  };
  for (const Row& row : {Row{{}, false}, Row{{"x"}, false}, Row{{"xy"}, true}, Row{{"x", "y"}, true}}) {
    inmem::World world;
    Security security(server_options());
    auto [here, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    Task<> side = shake_as_server(world.runtime(), security, std::move(there), kNever, outcome);
    side.start();
    ForeignPeer client(world, std::move(here), Version::tls_1_3);
    ASSERT_TRUE(client.shake());
    ASSERT_TRUE(outcome.server);
    for (const std::string& text : row.written) client.write(text);
    client.send();
    std::array<char, 1> room;
    (void)outcome.server->connection->try_read(room);
    ASSERT_TRUE(outcome.server->connection->try_close_write());
    outcome.server->connection.reset();
    drain(client.connection());
    const Result<std::size_t> end = client.connection().try_read(room);
    EXPECT_EQ(end.has_value(), !row.is_reset) << row.written.size();
  }
}

// ---- bounds ------------------------------------------------------------------------------------------------

// A client asks for new keys, has a long breath, and reads nothing.
TEST(TlsBounds, ReadNoMoreFromAPeerThatTakesNoAnswers) {
  constexpr std::size_t kAsked = 9'000;
  inmem::World world;
  Security security(server_options());
  inmem::PipeSetup setup;
  setup.loops = {&world.loop(), &world.loop()};
  setup.wire_loop = &world.loop();
  setup.options[0].with_capacity(8 * 1024 * 1024);  // of what the client sends
  setup.options[1].with_capacity(4 * 1024);
  auto [here, there] = inmem::make_pipe(setup);
  const inmem::PipeEnd& inner = *there;
  Handshakes outcome;
  Task<> side = shake_as_server(world.runtime(), security, std::move(there), kNever, outcome);
  side.start();
  ForeignPeer client(world, std::move(here), Version::tls_1_3);
  ASSERT_TRUE(client.shake());
  ASSERT_TRUE(outcome.server);
  for (std::size_t i = 0; i < kAsked; ++i) client.ask_for_new_keys();
  client.write("behind them");
  const std::size_t sent = client.output().size();
  client.send();
  ASSERT_TRUE(client.output().empty());
  net::Connection& server = *outcome.server->connection;
  std::array<char, 64> room;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(server.try_read(room));
  EXPECT_GT(inner.state().receive_queue, sent - 160'000) << "of " << sent;
  // It goes on when its answers are taken.
  std::string received;
  for (int i = 0; i < 1000 && received.empty(); ++i) {
    client.carry();
    if (const Result<std::size_t> count = server.try_read(room)) received.assign(room.data(), *count);
  }
  EXPECT_EQ(received, "behind them");
}

Identity with_chain_of(std::size_t certificates) {
  Identity identity = app_identity();
  for (std::size_t i = 0; i < certificates; ++i) identity.chain += test_authority().certificate();
  return identity;
}

TEST(TlsBounds, TakeALongChainAndNotAnEndlessOne) {
  for (const auto& [certificates, said] : {std::pair(100, Errc{}), std::pair(400, Errc::bad_tls_record)}) {
    inmem::World world;
    Options long_winded = server_options();
    long_winded.identities = {with_chain_of(static_cast<std::size_t>(certificates))};
    Security server(std::move(long_winded));
    Security client(client_options());
    net::ChannelOptions small;
    auto [here, there] = inmem::make_pipe(world.loop(), small.with_capacity(100));
    Handshakes outcome;
    Task<> one = shake_as_client(world.runtime(), client, std::move(here), "app", {}, kNever, outcome);
    Task<> other = shake_as_server(world.runtime(), server, std::move(there), kNever, outcome);
    one.start();
    other.start();
    world.settle();
    ASSERT_TRUE(one.done() && other.done()) << certificates;
    EXPECT_EQ(error_of(outcome.client), said) << certificates;
  }
}

// ---- the worker's limits -----------------------------------------------------------------------------------

class TlsLimits : public testing::Test {
 protected:
  server::Worker& serve(ServerOptions options) {
    options.log = [](std::string_view) {};
    server_.emplace(greet, std::move(options));
    return lab_.serve(*server_, "app:443", &server_security_);
  }

  Security server_security_{server_options()};
  Security client_security_{client_options()};
  std::optional<Server> server_;
  Lab lab_{{.security = &client_security_}};
};

TEST_F(TlsLimits, CountHandshakesAmongConnections) {
  ServerOptions options;
  options.concurrency = 2;
  options.refusal = server::Refusal::close;
  serve(options);
  Peer one = lab_.connect("app:443");
  Peer two = lab_.connect("app:443");
  EXPECT_TRUE(lab_.connect("app:443").closed());
  EXPECT_EQ(server_->metrics().rejected_concurrency, 1U);
  EXPECT_EQ(server_->metrics().tls_handshakes, 2U) << "who is too many shakes no hands";
  one.abort();
  EXPECT_EQ(lab_.get("https://app/").body, "Hello") << "the place of one who has left is free";
  two.abort();
}

TEST_F(TlsLimits, CountHandshakesOfAnAddress) {
  ServerOptions options;
  options.max_conns_per_ip = 2;
  options.refusal = server::Refusal::close;
  serve(options);
  for (int round = 0; round < 3; ++round) {
    std::vector<Peer> peers;
    for (int i = 0; i < 2; ++i) peers.push_back(lab_.connect("app:443"));
    EXPECT_TRUE(lab_.connect("app:443").closed());
    peers[0].send("no handshake at all");
    EXPECT_TRUE(peers[0].closed());
    peers[0].close_write();
    EXPECT_EQ(lab_.get("https://app/").body, "Hello") << "a handshake that has failed holds no place";
    lab_.client().close_idle();
    lab_.advance(10s);
    EXPECT_TRUE(peers[1].closed());
  }
  EXPECT_EQ(server_->metrics().rejected_per_ip, 3U);
  EXPECT_EQ(server_->metrics().open_connections, 0U);
}

TEST_F(TlsLimits, MakeRoomByEvictingWhoIdlesAndNotWhoShakesHands) {
  ServerOptions options;
  options.concurrency = 2;
  options.evict_idle = true;
  options.refusal = server::Refusal::close;
  serve(options);
  Peer shaking = lab_.connect("app:443");
  Peer idling = lab_.connect("app:443", client_security_);
  idling.send(kRequest);
  idling.expect_response(200);
  Peer third = lab_.connect("app:443", client_security_);
  idling.expect_closed();
  idling.close_write();
  EXPECT_FALSE(shaking.closed());
  EXPECT_EQ(server_->metrics().evicted, 1U);
  third.send(kRequest);
  third.expect_response(200);
  shaking.abort();
}

TEST_F(TlsLimits, TellOfAConnectionWhenItsHandshakeIsDone) {
  std::vector<std::string> states;
  ServerOptions options;
  options.on_conn_state = [&](const server::ConnInfo& info, server::ConnState state) {
    states.push_back(std::to_string(info.id) + " " + std::string(to_string(state)));
  };
  serve(options);
  Peer silent = lab_.connect("app:443");
  Peer failing = lab_.connect("app:443");
  failing.send("no handshake at all");
  EXPECT_TRUE(failing.closed());
  EXPECT_THAT(states, IsEmpty());
  Peer peer = lab_.connect("app:443", client_security_);
  EXPECT_THAT(states, ElementsAre("1 accepted"));
  peer.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
  peer.expect_response(200);
  peer.expect_closed();
  peer.close_write();
  lab_.settle();
  EXPECT_THAT(states, ElementsAre("1 accepted", "1 active", "1 closed"));
  silent.abort();
}

// However many come at once: one is answered, and then it is the others' turn.
TEST_F(TlsLimits, LetOthersRunBetweenHandshakes) {
  constexpr std::size_t kClients = 20;
  serve({});
  std::list<ForeignPeer> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    net::Connected connected = *lab_.world().dial_now(*net::Address::parse("app:443"));
    ForeignPeer& client = clients.emplace_back(lab_.world(), std::move(connected.connection), Version::tls_1_3);
    client.take_a_turn();
    ASSERT_TRUE(write_now(client.connection(), client.output()));
  }
  std::vector<std::ptrdiff_t> answered;  // each time that it is the other's turn
  lab_.spawn([](async::Loop& loop, std::list<ForeignPeer>& of, std::vector<std::ptrdiff_t>& seen) -> Task<> {
    for (std::size_t i = 0; i < 10 * kClients; ++i) {
      co_await async::YieldToLoop(loop);
      std::array<char, 4096> room;
      seen.push_back(std::ranges::count_if(
          of, [&room](ForeignPeer& client) { return client.connection().try_read(room).has_value(); }));
    }
  }(lab_.world().loop(), clients, answered));
  lab_.settle();
  EXPECT_EQ(std::accumulate(answered.begin(), answered.end(), std::ptrdiff_t{0}), std::ptrdiff_t{kClients});
  EXPECT_THAT(answered, testing::Each(Le(1)));
}

TEST_F(TlsLimits, LetHandshakesEndWithinAShutdown) {
  server::Worker& worker = serve({});
  ForeignPeer client(lab_.world(), std::move(lab_.world().dial_now(*net::Address::parse("app:443"))->connection),
                     Version::tls_1_3);
  Peer silent = lab_.connect("app:443");
  std::optional<server::ShutdownReport> report;
  lab_.spawn([](server::Worker& of, TimePoint deadline, std::optional<server::ShutdownReport>& into) -> Task<> {
    into = co_await of.shutdown(deadline);
  }(worker, after(lab_.now(), 5s), report));
  lab_.settle();
  ASSERT_TRUE(client.shake()) << "it had been accepted before";
  client.write(kRequest);
  client.carry();
  EXPECT_THAT(client.read(), testing::AnyOf(IsEmpty(), HasSubstr("Connection: close\r\n")));
  EXPECT_FALSE(report);
  lab_.advance(5s);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->cut, 1U);
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(server_->metrics().open_connections, 0U);
}

// ---- a client among such servers ---------------------------------------------------------------------------

TEST(HostileTlsServer, IsRefusedWithOneError) {
  Security security(client_options());
  for (const Said& said : kNoHandshakes) {
    inmem::World world;
    auto [here, there] = inmem::make_pipe(world.loop());
    Handshakes outcome;
    Task<> side = shake_as_client(world.runtime(), security, std::move(here), "app", {}, kNever, outcome);
    side.start();
    world.settle();
    drain(*there);
    ASSERT_TRUE(write_now(*there, said.octets));
    world.settle();
    EXPECT_TRUE(side.done()) << said.what;
    EXPECT_FALSE(outcome.client) << said.what;
    EXPECT_TRUE(is_closed(*there)) << said.what;
  }
}

// A client of ours that has shaken hands with a server of somebody else.
class ForeignTlsServer : public testing::TestWithParam<Version> {
 protected:
  void meet() {
    auto [here, there] = inmem::make_pipe(world_.loop());
    server_.emplace(world_, std::move(there), GetParam(), ForeignPeer::Side::server);
    client_ = shake_as_client(world_.runtime(), security_, std::move(here), "app", {}, kNever, outcome_);
    client_.start();
    ASSERT_TRUE(server_->shake());
    ASSERT_TRUE(outcome_.client);
  }
  net::Connection& connection() { return *outcome_.client->connection; }
  std::string read_all() {
    std::string text;
    std::array<char, 4096> room;
    for (;;) {
      server_->carry();
      const Result<std::size_t> count = connection().try_read(room);
      if (!count || *count == 0) return text;
      text.append(room.data(), *count);
    }
  }

  inmem::World world_;
  Security security_{client_options()};
  std::optional<ForeignPeer> server_;
  Handshakes outcome_;
  Task<> client_;
};

TEST_P(ForeignTlsServer, MayCutWhatItSaysIntoTheSmallestFragments) {
  meet();
  constexpr long kSmallest = 512;
  ASSERT_EQ(SSL_set_max_send_fragment(server_->ssl(), kSmallest), 1);
  std::string text;
  for (int i = 0; text.size() < 50'000; ++i) text += std::to_string(i) + " ";
  server_->write(text);
  EXPECT_EQ(read_all(), text);
}

INSTANTIATE_TEST_SUITE_P(Each, ForeignTlsServer, testing::Values(Version::tls_1_2, Version::tls_1_3),
                         [](const auto& tested) { return tested.param == Version::tls_1_2 ? "Tls12" : "Tls13"; });

class OldForeignTlsServer : public ForeignTlsServer {};

// RFC 5246 §7.4.1.1: a client may ignore it.
TEST_P(OldForeignTlsServer, AsksInVainForAnotherHandshake) {
  meet();
  server_->begin_again();
  server_->write("an answer");
  EXPECT_EQ(read_all(), "an answer");
  EXPECT_TRUE(write_now(connection(), "and a question")) << "the connection lives on";
  server_->write("another answer");
  EXPECT_EQ(read_all(), "another answer");
}

INSTANTIATE_TEST_SUITE_P(Each, OldForeignTlsServer, testing::Values(Version::tls_1_2),
                         [](const auto&) { return "Tls12"; });

TEST(HostileTlsServer, IsRefusedWhenItSpeaksPlainHttp) {
  inmem::World world;
  Security security(client_options());
  auto [here, there] = inmem::make_pipe(world.loop());
  Handshakes outcome;
  Task<> side = shake_as_client(world.runtime(), security, std::move(here), "app", {}, kNever, outcome);
  side.start();
  world.settle();
  ASSERT_TRUE(write_now(*there, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
  world.settle();
  EXPECT_EQ(error_of(outcome.client), Errc::bad_tls_record);
}

}  // namespace
}  // namespace pipette::tls
