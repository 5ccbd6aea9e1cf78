// What a Security may be told: who it is, whom it trusts, and what it does beside that.
//
//   tls::Options options;
//   options.identities.push_back(tls::Identity::from_files("/etc/app/chain.pem", "/etc/app/key.pem"));
//   tls::Security security(std::move(options));
//
// The defaults are those of a careful operator: TLS 1.2 and 1.3 with forward secrecy and AEAD ciphers alone, no
// renegotiation, no compression, no early data; a client verifies chain, dates and host name against the roots of the
// machine.
//
// Units    durations are std::chrono.
// Hooks    must not throw: OpenSSL calls them, and would be left half-way.
// Threads  hooks are called on the loop of the connection they are about; with several loops, on each of theirs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/random.h"
#include "pipette/base/time.h"

namespace pipette::tls {

// A certificate chain, leaf first, and the leaf's private key; both PEM, the key not encrypted.
struct Identity {
  // Files are read when the Security is made, and again by each reload().
  static Identity from_files(std::string chain, std::string key) {
    return {.chain_file = std::move(chain), .key_file = std::move(key), .chain = {}, .key = {}};
  }
  static Identity from_memory(std::string chain, std::string key) {
    return {.chain_file = {}, .key_file = {}, .chain = std::move(chain), .key = std::move(key)};
  }

  std::string chain_file;
  std::string key_file;
  std::string chain;  // where there is no file
  std::string key;
};

// Whose certificates are believed.
struct Trust {
  bool system = true;  // the roots of this machine
  std::string file;    // PEM, any number of certificates; read again by each reload()
  std::string pem;     // the same, from memory
};

enum class Version : std::uint8_t { tls_1_2, tls_1_3 };

// Mutual TLS: what a server wants of its clients.
enum class ClientCertificate : std::uint8_t {
  ignored,
  requested,  // a client may do without; what it shows is verified
  required,
};

struct Options {
  // A server shows the one whose certificate names what the client asks for, wildcards included, and the first one
  // where none does. Several of one name with keys of different kinds: the client's abilities choose. A client shows
  // the first, when it is asked.
  std::vector<Identity> identities;
  Version min_version = Version::tls_1_2;
  Version max_version = Version::tls_1_3;
  // What a server speaks, by preference (RFC 7301). A client that offers ALPN, but none of these, is refused.
  std::vector<std::string> alpn = {"http/1.1"};

  // ---- verification. For clients, and for servers that look at certificates of theirs.
  Trust trust;
  ClientCertificate client_certificate = ClientCertificate::ignored;
  // Whoever answers is believed: for tests, and for nothing else.
  bool skips_verification = false;

  // ---- resumption
  // Whether servers issue tickets and clients keep them. Without a value: yes, but not with `random`, since a ticket
  // tells the real time.
  std::optional<bool> session_tickets;
  // A server issues tickets under a key for so long, and takes them for as long again.
  Duration ticket_key_lifetime = std::chrono::hours(12);
  // What the keys come from: processes with the same secret, 32 octets or more, take each other's tickets. Empty: a
  // secret of this Security's own.
  std::string ticket_secret;
  std::size_t max_client_sessions = 256;  // servers a client remembers

  // ---- hooks
  // The stapled answer about the certificate for a server name: DER (RFC 6066 §8); empty: none. For servers.
  std::function<std::string(std::string_view server_name)> ocsp_response;
  // Called by clients with what the server has stapled, perhaps nothing; false refuses the certificate.
  std::function<bool(std::string_view server_name, std::string_view response)> accepts_ocsp;
  // A line of a key log (SSLKEYLOGFILE), with which Wireshark reads a capture. Whoever has it reads everything.
  std::function<void(std::string_view line)> on_key_log;
  // Why a handshake failed, in the words of the library: more than an Errc says.
  std::function<void(std::string_view why)> on_failure;

  // Where every secret comes from, for a world that is to repeat itself. Never for a network: these numbers can be
  // guessed. Without a value: the system.
  std::optional<Random> random;
};

}  // namespace pipette::tls
