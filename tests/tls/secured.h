// What tests of TLS need: an authority, what it has issued, and two ends that have shaken hands.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/inmem/pipe.h"
#include "pipette/inmem/world.h"
#include "pipette/net/security.h"
#include "pipette/tls/authority.h"
#include "pipette/tls/security.h"

namespace pipette::tls {

inline constexpr Duration kDays90 = std::chrono::days(90);

inline Authority& test_authority() {
  static Authority authority{Random(1)};
  return authority;
}

// For the 90 days from the beginning of a world.
inline Identity issue(std::vector<std::string> names) {
  CertificateRequest request;
  request.names = std::move(names);
  request.from = inmem::kWorldStart;
  request.until = inmem::kWorldStart + kDays90;
  return test_authority().issue(request);
}

// For as long as a real clock may ask.
inline Identity issue_for_good(std::vector<std::string> names) {
  CertificateRequest request;
  request.names = std::move(names);
  request.until = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);
  return test_authority().issue(request);
}

// "app", for a server.
inline const Identity& app_identity() {
  static const Identity identity = issue({"app"});
  return identity;
}

inline Options server_options() {
  Options options;
  options.identities = {app_identity()};
  options.random = Random(2);
  return options;
}

inline Options client_options() {
  Options options;
  options.trust = test_authority().trust();
  options.random = Random(3);
  return options;
}

// Both sides of a handshake, as their tasks left them.
struct Handshakes {
  Result<net::Secured> client = fail(Errc::would_block);
  Result<net::Secured> server = fail(Errc::would_block);
  bool is_client_done = false;
  bool is_server_done = false;
};

inline Task<> shake_as_client(Runtime& runtime, net::Security& security, std::unique_ptr<net::Connection> connection,
                              std::string name, std::vector<std::string> alpn, TimePoint deadline,
                              Handshakes& outcome) {
  net::ServerName server_name{std::move(name)};
  net::Alpn protocols{std::move(alpn)};
  Task<Result<net::Secured>> handshake =
      security.client(runtime, std::move(connection), std::move(server_name), std::move(protocols), deadline);
  outcome.client = co_await handshake;
  outcome.is_client_done = true;
}

inline Task<> shake_as_server(Runtime& runtime, net::Security& security, std::unique_ptr<net::Connection> connection,
                              TimePoint deadline, Handshakes& outcome) {
  Task<Result<net::Secured>> handshake = security.server(runtime, std::move(connection), deadline);
  outcome.server = co_await handshake;
  outcome.is_server_done = true;
}

// A handshake over a pipe, driven until both sides are done, or neither goes on.
inline Handshakes shake(inmem::World& world, net::Security& client, net::Security& server,
                        const std::string& name = "app", std::vector<std::string> alpn = {"http/1.1"}) {
  auto [here, there] = inmem::make_pipe(world.loop());
  Handshakes outcome;
  Task<> one = shake_as_client(world.runtime(), client, std::move(here), name, std::move(alpn), kNever, outcome);
  Task<> other = shake_as_server(world.runtime(), server, std::move(there), kNever, outcome);
  one.start();
  other.start();
  world.settle();
  // A server that has refused a client stays for a moment.
  if (!outcome.is_server_done) world.advance_to(after(world.now(), std::chrono::seconds(1)));
  return outcome;
}

// Octets in and out, where nothing has to be waited for.
inline Result<std::size_t> write_now(net::Connection& connection, Bytes text) {
  return connection.try_write(std::span(&text, 1));
}
inline std::string read_now(net::Connection& connection) {
  std::array<char, 4096> room;
  const Result<std::size_t> count = connection.try_read(room);
  return count ? std::string(room.data(), *count) : count.error().message();
}

}  // namespace pipette::tls
