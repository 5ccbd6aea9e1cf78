#include "pipette/tls/internal/tickets.h"

#include <algorithm>
#include <cstring>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <system_error>
#include <utility>

namespace pipette::tls {
namespace {

constexpr std::size_t kSecretBytes = 32;

bool set_key(EVP_MAC_CTX* mac, std::array<unsigned char, 32>& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
                                   OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

TicketKeys::TicketKeys(const Library& library, std::string secret, Duration lifetime)
    : library_(library.context()),
      algorithm_(EVP_CIPHER_fetch(library_, "AES-256-CBC", nullptr)),
      secret_(std::move(secret)),
      lifetime_(std::max<Duration>(lifetime, std::chrono::seconds(1))) {
  if (!secret_.empty() && secret_.size() < kSecretBytes)
    throw std::system_error(make_error_code(Errc::bad_certificate), "ticket_secret: fewer than 32 octets");
  if (!secret_.empty()) return;
  secret_.resize(kSecretBytes);
  if (RAND_priv_bytes_ex(library_, reinterpret_cast<unsigned char*>(secret_.data()), secret_.size(), 0) != 1)
    refuse("no random numbers");
}

int TicketKeys::prepare_to_issue(WallTime now, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                 EVP_MAC_CTX* mac) {
  std::optional<Keys> keys = keys_of(epoch_at(now));
  if (!keys) return -1;
  std::memcpy(name, keys->name.data(), kNameBytes);
  if (RAND_bytes_ex(library_, iv, EVP_MAX_IV_LENGTH, 0) != 1) return -1;
  if (EVP_EncryptInit_ex2(cipher, algorithm_.get(), keys->cipher.data(), iv, nullptr) != 1) return -1;
  return set_key(mac, keys->mac) ? 1 : -1;
}

int TicketKeys::prepare_to_read(WallTime now, const unsigned char* name, const unsigned char* iv,
                                EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  const std::int64_t current = epoch_at(now);
  for (const std::int64_t epoch : {current, current - 1}) {
    std::optional<Keys> keys = keys_of(epoch);
    if (!keys) return -1;
    if (CRYPTO_memcmp(name, keys->name.data(), kNameBytes) != 0) continue;
    if (EVP_DecryptInit_ex2(cipher, algorithm_.get(), keys->cipher.data(), iv, nullptr) != 1) return -1;
    if (!set_key(mac, keys->mac)) return -1;
    return epoch == current ? 1 : 2;
  }
  return 0;
}

std::optional<TicketKeys::Keys> TicketKeys::keys_of(std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch == cached_epoch_) return cached_;
  Keys keys{};
  if (!derive(epoch, 'n', keys.name) || !derive(epoch, 'c', keys.cipher) || !derive(epoch, 'm', keys.mac))
    return std::nullopt;
  if (epoch > cached_epoch_) {
    cached_epoch_ = epoch;
    cached_ = keys;
  }
  return keys;
}

bool TicketKeys::derive(std::int64_t epoch, char purpose, std::array<unsigned char, 32>& key) const {
  std::array<unsigned char, 9> text{static_cast<unsigned char>(purpose)};
  for (std::size_t i = 1; i < text.size(); ++i) {
    text[i] = static_cast<unsigned char>(epoch & 0xff);
    epoch >>= 8;
  }
  std::size_t size = 0;
  const unsigned char* const made = EVP_Q_mac(library_, "HMAC", nullptr, "SHA256", nullptr, secret_.data(),
                                              secret_.size(), text.data(), text.size(), key.data(), key.size(), &size);
  return made != nullptr && size == key.size();
}

}  // namespace pipette::tls
