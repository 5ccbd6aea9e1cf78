// Generation: what a Security is between two reloads. Certificates that have been read, and OpenSSL's contexts.
//
// A connection holds the generation it was made by, so that a reload changes nothing for it.
//
// Errors    the constructor throws std::system_error with what is wrong.
// Threads   any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/net/security.h"
#include "pipette/tls/internal/library.h"
#include "pipette/tls/internal/openssl.h"
#include "pipette/tls/internal/session_store.h"
#include "pipette/tls/internal/tickets.h"
#include "pipette/tls/options.h"

namespace pipette::tls {

class Connection;

class Generation {
 public:
  // `epoch` is that of the sessions it keeps.
  Generation(const Library& library, Options options, TicketKeys& tickets, SessionStore& sessions, std::uint64_t epoch);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // Null: there is no certificate to show.
  OwnedSsl make_server() const;
  OwnedSsl make_client(const net::ServerName& name, const net::Alpn& alpn);
  const Options& options() const { return options_; }

 private:
  struct LoadedIdentity {
    std::vector<OwnedCertificate> chain;  // the leaf first
    OwnedKey key;
    std::vector<std::string> names;  // in lower case
  };
  using Suite = std::vector<const LoadedIdentity*>;  // what is shown to one name: a key of each kind at most

  LoadedIdentity load(const Identity& identity) const;
  std::vector<OwnedCertificate> parse_certificates(std::string_view pem) const;
  OwnedContext make_context(const SSL_METHOD* method) const;
  void make_server_context();
  SSL_CTX* client_context();
  void make_client_context();
  void issue_tickets(SSL_CTX* context, bool is_server) const;
  void trust_given(SSL_CTX* context) const;
  void limit_sessions(SSL_CTX* context) const;
  const Suite& suite_for(std::string name) const;
  static void add_to(Suite& suite, const LoadedIdentity& identity);

  // ---- what OpenSSL calls
  static int choose_certificate(SSL* ssl, void* generation);
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                             unsigned offered_size, void* generation);
  static int prepare_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                            int is_new);
  static int staple(SSL* ssl, void* generation);
  static int judge_staple(SSL* ssl, void* generation);
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  static void log_keys(const SSL* ssl, const char* line);

  const Library& library_;
  const Options options_;
  TicketKeys& tickets_;
  SessionStore& sessions_;
  const std::uint64_t epoch_;
  std::string alpn_;  // as on the wire
  std::vector<LoadedIdentity> identities_;
  std::vector<OwnedCertificate> trusted_;
  Suite default_suite_;
  std::map<std::string, Suite, std::less<>> suites_;  // "app.example", and ".example" for "*.example"
  OwnedContext server_;
  std::once_flag client_once_;  // the roots of a machine take a while to read
  OwnedContext client_;
};

}  // namespace pipette::tls
