// OpenSSL's objects with owners, and its queue of errors in our words.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <system_error>

#include "pipette/base/errc.h"

namespace pipette::tls {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using OwnedBio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using OwnedCertificate = std::unique_ptr<X509, Freed<X509_free>>;
using OwnedContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using OwnedSession = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;
using OwnedSsl = std::unique_ptr<SSL, Freed<SSL_free>>;

// A BIO that reads `text`, which outlives it.
inline OwnedBio read_only(std::string_view text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The oldest error in the queue, as the library says it; empties the queue.
std::string take_error();
// Throws std::system_error: Errc::bad_certificate, `what` and the oldest error.
[[noreturn]] void refuse(const std::string& what);
// What a failed operation of `ssl` comes down to. Looks at the queue, and leaves it.
Errc failure_of(const SSL* ssl);

}  // namespace pipette::tls
