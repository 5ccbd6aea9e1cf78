// A certificate authority of one's own: for tests, and for programs that trust one another.
//
//   tls::Authority authority(Random(1));                                     // a root that has just been made
//   options.identities.push_back(authority.issue({.names = {"app", "*.app"}, .from = now, .until = now + days(90)}));
//   client_options.trust = authority.trust();                                // and nobody else
//
// Keys are ECDSA P-256 (RSA where asked for), signatures SHA-256. The same Random gives the same octets.
//
// Errors    std::system_error (Errc::bad_certificate) for names that cannot stand in a certificate.   Threads  one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipette/base/random.h"
#include "pipette/base/time.h"
#include "pipette/tls/options.h"

namespace pipette::tls {

class Library;

struct CertificateRequest {
  std::vector<std::string> names;  // host names, also wildcards, and IP addresses; the first is the subject too
  WallTime from{};
  WallTime until{};
  bool is_rsa = false;  // 2048 bits: slow to make
  bool is_for_client = false;
};

class Authority {
 public:
  // Valid from 1970 to 2249. Without `random` the system's.
  Authority();
  explicit Authority(const Random& random);
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  ~Authority();

  Identity issue(const CertificateRequest& request);
  // Its own certificate, and nobody else's.
  Trust trust() const;
  const std::string& certificate() const { return certificate_; }  // PEM

 private:
  struct Keys;

  explicit Authority(std::unique_ptr<Library> library);

  std::unique_ptr<Library> library_;
  std::unique_ptr<Keys> keys_;
  std::string certificate_;
  long serial_ = 1;
};

}  // namespace pipette::tls
