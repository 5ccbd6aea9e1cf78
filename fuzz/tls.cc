// The server behind TLS. An input is, as its choice says, what arrives in place of a handshake; what a client says
// inside, once it has shaken hands; or that, with octets of its ciphertext changed. Any split gives what the whole
// gives; what was changed is never answered; nothing stays open once every deadline has passed.
#include <string>

#include "pipette/inmem/world.h"
#include "pipette/lab/lab.h"

#include "fuzz/input.h"
#include "fuzz/require.h"
#include "tests/tls/foreign_peer.h"
#include "tests/tls/secured.h"

namespace pipette::fuzz {
namespace {

enum Choice : unsigned { kClosesWrite = 1, kIsInside = 2, kIsOld = 4, kChanges = 8 };

void echo(RequestCtx& ctx) {
  ctx.set_body(ctx.target());
  ctx.append_body(ctx.body());
}

// One server for all inputs, and its numbers begin again with each of them.
tls::Security& security() {
  static tls::Security security(tls::server_options());
  security.reseed(Random(2));
  return security;
}

class World {
 public:
  World() : server_(echo, lab::quiet()) {
    lab_.world().log().set_recording(false);
    worker_ = &lab_.serve(server_, "app:443", &security());
  }

  Lab& lab() { return lab_; }
  std::unique_ptr<net::Connection> dial() {
    return std::move(lab_.world().dial_now(*net::Address::parse("app:443"))->connection);
  }
  const Server& server() const { return server_; }
  void require_nothing_left() {
    lab_.advance(std::chrono::minutes(10));
    require(worker_->open_connections() == 0);
  }

 private:
  Server server_;
  Lab lab_;
  server::Worker* worker_;
};

// To octets in place of a handshake.
std::string answer_outside(const test::Pieces& pieces, bool closes_write) {
  World world;
  Peer peer = world.lab().connect("app:443");
  std::string received;
  for (const std::string_view piece : pieces) {
    peer.send(piece);
    received = peer.received();  // what is sent behind an end may destroy what has come
  }
  if (closes_write) peer.close_write();
  received = peer.received();
  world.require_nothing_left();
  require(peer.closed());
  return received;
}

// To octets inside of TLS; where `changes`, every other piece gives its first two octets for a change of its record:
// where, and how.
std::string answer_inside(const test::Pieces& pieces, unsigned choice, bool changes) {
  World world;
  const tls::Version version = (choice & kIsOld) != 0 ? tls::Version::tls_1_2 : tls::Version::tls_1_3;
  tls::ForeignPeer client(world.lab().world(), world.dial(), version);
  require(client.shake());
  std::string received;
  bool is_changed = false;
  std::uint64_t requests_before = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].empty()) continue;
    client.write(pieces[i]);
    std::string& output = client.output();
    if (changes && !is_changed && i % 2 == 1 && pieces[i].size() >= 2 && !output.empty()) {
      is_changed = true;
      requests_before = world.server().metrics().exchanges;
      char& changed = output[static_cast<std::uint8_t>(pieces[i][0]) % output.size()];
      changed = static_cast<char>(changed ^ (pieces[i][1] | 1));
    }
    client.carry();
  }
  if (!is_changed && (choice & kClosesWrite) != 0) client.finish();
  received = client.read();
  world.require_nothing_left();
  received += client.read();
  if (is_changed) require(world.server().metrics().exchanges == requests_before);
  return received;
}

// Whether a client is told to go on depends on how much it has sent already.
std::string without_continue(std::string octets) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (std::size_t at = octets.find(kContinue); at != std::string::npos; at = octets.find(kContinue, at)) {
    octets.erase(at, kContinue.size());
  }
  return octets;
}

void run(const Input& input) {
  if ((input.choice & kIsInside) == 0) {
    const bool closes_write = (input.choice & kClosesWrite) != 0;
    require(answer_outside({input.octets}, closes_write) == answer_outside(input.pieces, closes_write));
  } else if ((input.choice & kChanges) == 0) {
    const std::string whole = without_continue(answer_inside({input.octets}, input.choice, false));
    require(whole == without_continue(answer_inside(input.pieces, input.choice, false)));
    require(whole.empty() || whole.starts_with("HTTP/1.1 "));
  } else {
    answer_inside(input.pieces, input.choice, true);
  }
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
