#include "tests/guard/guard.h"

#include <atomic>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

namespace {

std::atomic<int> sockets = 0;
std::atomic<int> threads = 0;
std::atomic<int> sleeps = 0;
std::atomic<bool> refuses_threads = false;

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));  // NOLINT: what dlsym is for
}

}  // namespace

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  ++sockets;
  return real<int(int, int, int)>("socket")(domain, type, protocol);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  ++threads;
  if (refuses_threads) return EAGAIN;
  return real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create")(thread, attributes,
                                                                                                 start, argument);
}

int nanosleep(const timespec* wanted, timespec* left) {
  ++sleeps;
  return real<int(const timespec*, timespec*)>("nanosleep")(wanted, left);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* wanted, timespec* left) {
  ++sleeps;
  return real<int(clockid_t, int, const timespec*, timespec*)>("clock_nanosleep")(clock, flags, wanted, left);
}

}  // extern "C"

namespace pipette::guard {

Counts counts() { return {sockets, threads, sleeps}; }
void refuse_threads() { refuses_threads = true; }
void forget_counts() { sockets = threads = sleeps = 0; }

}  // namespace pipette::guard
