// OpenSSL as one Security sees it: the process's own, or one whose every secret comes from a Random.
//
// The seeded one is an OSSL_LIB_CTX with a provider of random numbers beside the default provider. All generators that
// OpenSSL makes for itself in there draw from the same Random, so what they give depends on nothing but the order of
// the draws.
//
// Lifetime  outlives what was made in it.   Threads  any; a seeded one is used by one thread.
#pragma once

#include <memory>
#include <openssl/types.h>
#include <optional>

#include "pipette/base/random.h"

namespace pipette::tls {

class Library {
 public:
  explicit Library(const std::optional<Random>& random);
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library();

  // Null is the process's own.
  OSSL_LIB_CTX* context() const { return context_; }
  bool is_seeded() const { return context_ != nullptr; }
  void reseed(const Random& random);

 private:
  OSSL_LIB_CTX* context_ = nullptr;
  OSSL_PROVIDER* defaults_ = nullptr;
  OSSL_PROVIDER* numbers_ = nullptr;
};

}  // namespace pipette::tls
