#include "pipette/tls/internal/library.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

namespace pipette::tls {
namespace {

// ---- a provider of random numbers, as provider-rand(7) wants it ---------------------------------------------

// What the provider is, and each of the generators that it gives out.
struct Numbers {
  Random random{0};
};

constexpr const char* kAlgorithm = "PIPETTE-SEEDED";
constexpr std::size_t kLargestRequest = 1 << 16;
constexpr unsigned kStrength = 256;

void* new_generator(void* provider, void*, const OSSL_DISPATCH*) { return provider; }
void free_generator(void*) {}
int instantiate(void*, unsigned, int, const unsigned char*, std::size_t, const OSSL_PARAM*) { return 1; }
int uninstantiate(void*) { return 1; }
int enable_locking(void*) { return 1; }

int generate(void* generator, unsigned char* out, std::size_t size, unsigned, int, const unsigned char*, std::size_t) {
  Random& random = static_cast<Numbers*>(generator)->random;
  while (size > 0) {
    const std::uint64_t drawn = random.next();
    const std::size_t count = std::min(size, sizeof drawn);
    std::memcpy(out, &drawn, count);
    out += count;
    size -= count;
  }
  return 1;
}

int get_parameters(void*, OSSL_PARAM parameters[]) {
  OSSL_PARAM* asked = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STATE);
  if (asked != nullptr && OSSL_PARAM_set_int(asked, EVP_RAND_STATE_READY) == 0) return 0;
  asked = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_STRENGTH);
  if (asked != nullptr && OSSL_PARAM_set_uint(asked, kStrength) == 0) return 0;
  asked = OSSL_PARAM_locate(parameters, OSSL_RAND_PARAM_MAX_REQUEST);
  return asked == nullptr ? 1 : OSSL_PARAM_set_size_t(asked, kLargestRequest);
}

const OSSL_PARAM* list_parameters(void*, void*) {
  static const OSSL_PARAM kParameters[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr),
                                           OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                           OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr), OSSL_PARAM_END};
  return kParameters;
}

// The library keeps each function without its type, and gives it back by its number.
using Untyped = void (*)();
template <class Function>
Untyped untyped(Function* function) {
  return reinterpret_cast<Untyped>(function);
}

const OSSL_ALGORITHM* list_algorithms(void*, int operation, int* may_change) {
  static const OSSL_DISPATCH kFunctions[] = {{OSSL_FUNC_RAND_NEWCTX, untyped(new_generator)},
                                             {OSSL_FUNC_RAND_FREECTX, untyped(free_generator)},
                                             {OSSL_FUNC_RAND_INSTANTIATE, untyped(instantiate)},
                                             {OSSL_FUNC_RAND_UNINSTANTIATE, untyped(uninstantiate)},
                                             {OSSL_FUNC_RAND_GENERATE, untyped(generate)},
                                             {OSSL_FUNC_RAND_ENABLE_LOCKING, untyped(enable_locking)},
                                             {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, untyped(list_parameters)},
                                             {OSSL_FUNC_RAND_GET_CTX_PARAMS, untyped(get_parameters)},
                                             {0, nullptr}};
  static const OSSL_ALGORITHM kAlgorithms[] = {
      {kAlgorithm, "provider=pipette", kFunctions, "numbers that repeat themselves"},
      {nullptr, nullptr, nullptr, nullptr}};
  *may_change = 0;
  return operation == OSSL_OP_RAND ? kAlgorithms : nullptr;
}

void tear_down(void* provider) { delete static_cast<Numbers*>(provider); }

int set_up(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions, void** provider) {
  static const OSSL_DISPATCH kFunctions[] = {{OSSL_FUNC_PROVIDER_TEARDOWN, untyped(tear_down)},
                                             {OSSL_FUNC_PROVIDER_QUERY_OPERATION, untyped(list_algorithms)},
                                             {0, nullptr}};
  *provider = new Numbers;
  *functions = kFunctions;
  return 1;
}

}  // namespace

// ---- Library -----------------------------------------------------------------------------------------------

Library::Library(const std::optional<Random>& random) {
  if (!random) return;
  context_ = OSSL_LIB_CTX_new();
  if (context_ == nullptr) throw std::bad_alloc();
  OSSL_PROVIDER_add_builtin(context_, "pipette", set_up);
  defaults_ = OSSL_PROVIDER_load(context_, "default");
  numbers_ = OSSL_PROVIDER_load(context_, "pipette");
  if (defaults_ == nullptr || numbers_ == nullptr) throw std::bad_alloc();
  RAND_set_DRBG_type(context_, kAlgorithm, nullptr, nullptr, nullptr);
  reseed(*random);
}

Library::~Library() {
  if (context_ == nullptr) return;
  OSSL_PROVIDER_unload(numbers_);
  OSSL_PROVIDER_unload(defaults_);
  OSSL_LIB_CTX_free(context_);
}

void Library::reseed(const Random& random) {
  assert(is_seeded());
  static_cast<Numbers*>(OSSL_PROVIDER_get0_provider_ctx(numbers_))->random = random;
}

}  // namespace pipette::tls
