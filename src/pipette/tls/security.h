// Security by OpenSSL: TLS 1.2 and 1.3, for servers and clients, over any connection.
//
//   tls::Security security(options);                       // one for all loops of a program
//   worker.serve(std::move(listener), &security);          // https on that listener
//   client_options.security = &security;                   // https:// in every client
//
//   connection ──> handshake ──> Secured ──> records of at most 16 KiB, gathered from what one write is given
//                                            close_notify before FIN; an end without it is connection_reset
//
// Certificates change without a connection noticing:
//
//   if (const auto reloaded = security.reload(); !reloaded) log(reloaded.error());    // the old ones stay
//
// In a world it is as deterministic as everything else: Options::random is where keys come from, and the loop's clock
// says what day it is, so a certificate expires when a test advances it by 90 days (authority.h issues such).
//
// Errors    the constructor throws std::system_error (Errc::bad_certificate) with what is wrong, and where.
// Bounds    ciphertext that the connection below does not take is kept up to 64 KiB, and a record more.
// Lifetime  outlives its connections; hooks outlive it.   Threads  any.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipette/net/security.h"
#include "pipette/tls/options.h"

namespace pipette::tls {

class Generation;

class Security final : public net::Security {
 public:
  explicit Security(Options options);
  ~Security() override;

  Task<Result<net::Secured>> server(Runtime& runtime, std::unique_ptr<net::Connection> connection,
                                    TimePoint deadline) override;
  Task<Result<net::Secured>> client(Runtime& runtime, std::unique_ptr<net::Connection> connection, net::ServerName name,
                                    net::Alpn alpn, TimePoint deadline) override;

  // Reads the files of Options again, for handshakes to come. When one of them is no good nothing changes, and what is
  // wrong is the error.
  std::expected<void, std::string> reload();
  // The same with other identities.
  std::expected<void, std::string> replace(std::vector<Identity> identities);

  // Draws from here on, as with Options::random: for one Security in many worlds, since making one takes a millisecond.
  void reseed(const Random& random);

 private:
  struct Kept;

  std::shared_ptr<Generation> current() const;
  std::expected<void, std::string> adopt(Options options);

  std::unique_ptr<Kept> kept_;
  std::mutex reloading_;  // one at a time; handshakes go on meanwhile
  mutable std::mutex mutex_;
  Options options_;
  std::shared_ptr<Generation> current_;
};

}  // namespace pipette::tls
