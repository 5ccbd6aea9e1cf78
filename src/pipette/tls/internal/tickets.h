// The keys under which a server issues session tickets. They come from one secret and the hour:
//
//   epoch = civil time / lifetime      keys(epoch) = HMAC-SHA-256(secret, epoch, purpose)
//
// so nothing has to be stored or passed around: processes that have the secret in common take each other's tickets,
// and a ticket is worth nothing two epochs later. Who has the secret has the keys of all epochs: it is to be kept as
// well as a private key, and changed as often. Tickets of the epoch before are taken too, and renewed.
//
// Spec     RFC 5077 §4; RFC 8446 §4.6.1 leaves the ticket to the server.   Threads  any.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <openssl/evp.h>
#include <optional>
#include <string>

#include "pipette/base/time.h"
#include "pipette/tls/internal/library.h"
#include "pipette/tls/internal/openssl.h"

namespace pipette::tls {

class TicketKeys {
 public:
  static constexpr std::size_t kNameBytes = 16;

  // An empty `secret`: one is drawn. Throws std::system_error (Errc::bad_certificate) for a short one.
  TicketKeys(const Library& library, std::string secret, Duration lifetime);

  // As OpenSSL asks (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)): prepares cipher and MAC, for issuing a ticket or for
  // reading one. 1: done; 2: done, but issue another; 0: not a ticket of ours; -1: failed.
  int prepare_to_issue(WallTime now, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  int prepare_to_read(WallTime now, const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac);

 private:
  struct Keys {
    std::array<unsigned char, 32> name;  // the first kNameBytes of them
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };

  std::int64_t epoch_at(WallTime now) const { return now.time_since_epoch() / lifetime_; }
  // Nothing when the library fails.
  std::optional<Keys> keys_of(std::int64_t epoch);
  bool derive(std::int64_t epoch, char purpose, std::array<unsigned char, 32>& key) const;

  OSSL_LIB_CTX* library_;
  std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>> algorithm_;
  std::string secret_;
  Duration lifetime_;
  std::mutex mutex_;
  std::int64_t cached_epoch_ = -1;
  Keys cached_{};
};

}  // namespace pipette::tls
