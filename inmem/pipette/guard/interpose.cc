// Each function here has the name of one of the C library's, and so comes before it when the program is linked. It says
// that it was called, and calls the next of its name: a sanitizer's, which would otherwise not know its threads and
// buffers, or else the C library's.

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "pipette/guard/internal/notes.h"

namespace pipette::guard::internal {
namespace {

// A sanitizer that is linked statically (clang) has its functions under this prefix; one that is a shared object (g++)
// has them there too, and next in line besides.
void* find_real(const char* name) {
  char intercepted[64];
  std::snprintf(intercepted, sizeof intercepted, "__interceptor_%s", name);
  if (void* const found = dlsym(RTLD_DEFAULT, intercepted)) return found;
  return dlsym(RTLD_NEXT, name);
}

// The real function of the type and name given, looked up at its first use.
template <class Function>
class Real {
 public:
  constexpr explicit Real(const char* name) : name_(name) {}

  template <class... Arguments>
  auto operator()(Arguments... arguments) {
    void* found = __atomic_load_n(&found_, __ATOMIC_ACQUIRE);
    if (found == nullptr) {
      found = find_real(name_);
      if (found == nullptr) std::abort();  // a system without the function has no caller of it either
      __atomic_store_n(&found_, found, __ATOMIC_RELEASE);
    }
    return reinterpret_cast<Function*>(found)(arguments...);  // NOLINT: what dlsym is for
  }

 private:
  const char* name_;
  void* found_ = nullptr;
};

bool is_random_device(const char* path) {
  return path != nullptr && (std::strcmp(path, "/dev/urandom") == 0 || std::strcmp(path, "/dev/random") == 0);
}

// Whether open() has a third argument.
bool makes_file(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

}  // namespace
}  // namespace pipette::guard::internal

using pipette::guard::Kind;
using pipette::guard::internal::Call;
using pipette::guard::internal::is_random_device;
using pipette::guard::internal::makes_file;
using pipette::guard::internal::Real;

// Where the interposed call returns to, which is in its caller.
#define PIPETTE_GUARD_CALLER __builtin_return_address(0)

// The symbol that keeps a linker from dropping this file.
extern "C" {
extern const int pipette_guard_is_linked;
const int pipette_guard_is_linked = 1;
}

// ---- clocks -------------------------------------------------------------------------------------------------------

extern "C" {

[[gnu::noinline]] int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static constinit Real<int(clockid_t, timespec*)> real("clock_gettime");
  const Call call(Kind::clock, "clock_gettime", PIPETTE_GUARD_CALLER);
  return real(clock, now);
}

[[gnu::noinline]] int gettimeofday(timeval* now, void* zone) noexcept {
  static constinit Real<int(timeval*, void*)> real("gettimeofday");
  const Call call(Kind::clock, "gettimeofday", PIPETTE_GUARD_CALLER);
  return real(now, zone);
}

[[gnu::noinline]] time_t time(time_t* now) noexcept {
  static constinit Real<time_t(time_t*)> real("time");
  const Call call(Kind::clock, "time", PIPETTE_GUARD_CALLER);
  return real(now);
}

[[gnu::noinline]] int timespec_get(timespec* now, int base) noexcept {
  static constinit Real<int(timespec*, int)> real("timespec_get");
  const Call call(Kind::clock, "timespec_get", PIPETTE_GUARD_CALLER);
  return real(now, base);
}

[[gnu::noinline]] clock_t clock() noexcept {
  static constinit Real<clock_t()> real("clock");
  const Call call(Kind::clock, "clock", PIPETTE_GUARD_CALLER);
  return real();
}

}  // extern "C"

// ---- sleeps -------------------------------------------------------------------------------------------------------

extern "C" {

[[gnu::noinline]] int nanosleep(const timespec* wanted, timespec* left) {
  static constinit Real<int(const timespec*, timespec*)> real("nanosleep");
  const Call call(Kind::sleep, "nanosleep", PIPETTE_GUARD_CALLER);
  return real(wanted, left);
}

[[gnu::noinline]] int clock_nanosleep(clockid_t clock, int flags, const timespec* wanted, timespec* left) {
  static constinit Real<int(clockid_t, int, const timespec*, timespec*)> real("clock_nanosleep");
  const Call call(Kind::sleep, "clock_nanosleep", PIPETTE_GUARD_CALLER);
  return real(clock, flags, wanted, left);
}

[[gnu::noinline]] int usleep(useconds_t wanted) {
  static constinit Real<int(useconds_t)> real("usleep");
  const Call call(Kind::sleep, "usleep", PIPETTE_GUARD_CALLER);
  return real(wanted);
}

[[gnu::noinline]] unsigned sleep(unsigned wanted) {
  static constinit Real<unsigned(unsigned)> real("sleep");
  const Call call(Kind::sleep, "sleep", PIPETTE_GUARD_CALLER);
  return real(wanted);
}

}  // extern "C"

// ---- waits --------------------------------------------------------------------------------------------------------

extern "C" {

[[gnu::noinline]] int poll(pollfd* descriptors, nfds_t count, int timeout) {
  static constinit Real<int(pollfd*, nfds_t, int)> real("poll");
  const Call call(Kind::wait, "poll", PIPETTE_GUARD_CALLER);
  return real(descriptors, count, timeout);
}

[[gnu::noinline]] int ppoll(pollfd* descriptors, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  static constinit Real<int(pollfd*, nfds_t, const timespec*, const sigset_t*)> real("ppoll");
  const Call call(Kind::wait, "ppoll", PIPETTE_GUARD_CALLER);
  return real(descriptors, count, timeout, mask);
}

[[gnu::noinline]] int select(int count, fd_set* readable, fd_set* writable, fd_set* broken, timeval* timeout) {
  static constinit Real<int(int, fd_set*, fd_set*, fd_set*, timeval*)> real("select");
  const Call call(Kind::wait, "select", PIPETTE_GUARD_CALLER);
  return real(count, readable, writable, broken, timeout);
}

[[gnu::noinline]] int pselect(int count, fd_set* readable, fd_set* writable, fd_set* broken, const timespec* timeout,
                              const sigset_t* mask) {
  static constinit Real<int(int, fd_set*, fd_set*, fd_set*, const timespec*, const sigset_t*)> real("pselect");
  const Call call(Kind::wait, "pselect", PIPETTE_GUARD_CALLER);
  return real(count, readable, writable, broken, timeout, mask);
}

[[gnu::noinline]] int epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  static constinit Real<int(int, epoll_event*, int, int)> real("epoll_wait");
  const Call call(Kind::wait, "epoll_wait", PIPETTE_GUARD_CALLER);
  return real(epoll, events, count, timeout);
}

[[gnu::noinline]] int epoll_pwait(int epoll, epoll_event* events, int count, int timeout, const sigset_t* mask) {
  static constinit Real<int(int, epoll_event*, int, int, const sigset_t*)> real("epoll_pwait");
  const Call call(Kind::wait, "epoll_pwait", PIPETTE_GUARD_CALLER);
  return real(epoll, events, count, timeout, mask);
}

}  // extern "C"

// ---- sockets ------------------------------------------------------------------------------------------------------

extern "C" {

[[gnu::noinline]] int socket(int domain, int type, int protocol) noexcept {
  static constinit Real<int(int, int, int)> real("socket");
  const Call call(Kind::socket, "socket", PIPETTE_GUARD_CALLER);
  return real(domain, type, protocol);
}

[[gnu::noinline]] int socketpair(int domain, int type, int protocol, int* pair) noexcept {
  static constinit Real<int(int, int, int, int*)> real("socketpair");
  const Call call(Kind::socket, "socketpair", PIPETTE_GUARD_CALLER);
  return real(domain, type, protocol, pair);
}

[[gnu::noinline]] int connect(int descriptor, const sockaddr* address, socklen_t length) {
  static constinit Real<int(int, const sockaddr*, socklen_t)> real("connect");
  const Call call(Kind::socket, "connect", PIPETTE_GUARD_CALLER);
  return real(descriptor, address, length);
}

[[gnu::noinline]] int accept(int descriptor, sockaddr* address, socklen_t* length) {
  static constinit Real<int(int, sockaddr*, socklen_t*)> real("accept");
  const Call call(Kind::socket, "accept", PIPETTE_GUARD_CALLER);
  return real(descriptor, address, length);
}

[[gnu::noinline]] int accept4(int descriptor, sockaddr* address, socklen_t* length, int flags) {
  static constinit Real<int(int, sockaddr*, socklen_t*, int)> real("accept4");
  const Call call(Kind::socket, "accept4", PIPETTE_GUARD_CALLER);
  return real(descriptor, address, length, flags);
}

[[gnu::noinline]] int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  static constinit Real<int(const char*, const char*, const addrinfo*, addrinfo**)> real("getaddrinfo");
  const Call call(Kind::socket, "getaddrinfo", PIPETTE_GUARD_CALLER);
  return real(host, service, hints, found);
}

}  // extern "C"

// ---- threads ------------------------------------------------------------------------------------------------------

extern "C" {

[[gnu::noinline]] int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                                     void* argument) noexcept {
  static constinit Real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)> real("pthread_create");
  const Call call(Kind::thread, "pthread_create", PIPETTE_GUARD_CALLER);
  return real(thread, attributes, start, argument);
}

}  // extern "C"

// ---- chance -------------------------------------------------------------------------------------------------------

extern "C" {

[[gnu::noinline]] ssize_t getrandom(void* into, size_t size, unsigned flags) {
  static constinit Real<ssize_t(void*, size_t, unsigned)> real("getrandom");
  const Call call(Kind::chance, "getrandom", PIPETTE_GUARD_CALLER);
  return real(into, size, flags);
}

[[gnu::noinline]] int getentropy(void* into, size_t size) {
  static constinit Real<int(void*, size_t)> real("getentropy");
  const Call call(Kind::chance, "getentropy", PIPETTE_GUARD_CALLER);
  return real(into, size);
}

[[gnu::noinline]] std::uint32_t arc4random() noexcept {
  static constinit Real<std::uint32_t()> real("arc4random");
  const Call call(Kind::chance, "arc4random", PIPETTE_GUARD_CALLER);
  return real();
}

[[gnu::noinline]] void arc4random_buf(void* into, size_t size) noexcept {
  static constinit Real<void(void*, size_t)> real("arc4random_buf");
  const Call call(Kind::chance, "arc4random_buf", PIPETTE_GUARD_CALLER);
  return real(into, size);
}

[[gnu::noinline]] std::uint32_t arc4random_uniform(std::uint32_t bound) noexcept {
  static constinit Real<std::uint32_t(std::uint32_t)> real("arc4random_uniform");
  const Call call(Kind::chance, "arc4random_uniform", PIPETTE_GUARD_CALLER);
  return real(bound);
}

[[gnu::noinline]] int rand() noexcept {
  static constinit Real<int()> real("rand");
  const Call call(Kind::chance, "rand", PIPETTE_GUARD_CALLER);
  return real();
}

[[gnu::noinline]] long random() noexcept {
  static constinit Real<long()> real("random");
  const Call call(Kind::chance, "random", PIPETTE_GUARD_CALLER);
  return real();
}

[[gnu::noinline]] double drand48() noexcept {
  static constinit Real<double()> real("drand48");
  const Call call(Kind::chance, "drand48", PIPETTE_GUARD_CALLER);
  return real();
}

[[gnu::noinline]] long lrand48() noexcept {
  static constinit Real<long()> real("lrand48");
  const Call call(Kind::chance, "lrand48", PIPETTE_GUARD_CALLER);
  return real();
}

[[gnu::noinline]] long mrand48() noexcept {
  static constinit Real<long()> real("mrand48");
  const Call call(Kind::chance, "mrand48", PIPETTE_GUARD_CALLER);
  return real();
}

}  // extern "C"

// Opening a file is a leak when it is the system's source of chance.

extern "C" {

[[gnu::noinline]] int open(const char* path, int flags, ...) {
  static constinit Real<int(const char*, int, mode_t)> real("open");
  const Call call(is_random_device(path), Kind::chance, "open", PIPETTE_GUARD_CALLER);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = makes_file(flags) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return real(path, flags, mode);
}

[[gnu::noinline]] int open64(const char* path, int flags, ...) {
  static constinit Real<int(const char*, int, mode_t)> real("open64");
  const Call call(is_random_device(path), Kind::chance, "open64", PIPETTE_GUARD_CALLER);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = makes_file(flags) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return real(path, flags, mode);
}

[[gnu::noinline]] int openat(int folder, const char* path, int flags, ...) {
  static constinit Real<int(int, const char*, int, mode_t)> real("openat");
  const Call call(is_random_device(path), Kind::chance, "openat", PIPETTE_GUARD_CALLER);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = makes_file(flags) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return real(folder, path, flags, mode);
}

[[gnu::noinline]] int openat64(int folder, const char* path, int flags, ...) {
  static constinit Real<int(int, const char*, int, mode_t)> real("openat64");
  const Call call(is_random_device(path), Kind::chance, "openat64", PIPETTE_GUARD_CALLER);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = makes_file(flags) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return real(folder, path, flags, mode);
}

[[gnu::noinline]] FILE* fopen(const char* path, const char* mode) {
  static constinit Real<FILE*(const char*, const char*)> real("fopen");
  const Call call(is_random_device(path), Kind::chance, "fopen", PIPETTE_GUARD_CALLER);
  return real(path, mode);
}

[[gnu::noinline]] FILE* fopen64(const char* path, const char* mode) {
  static constinit Real<FILE*(const char*, const char*)> real("fopen64");
  const Call call(is_random_device(path), Kind::chance, "fopen64", PIPETTE_GUARD_CALLER);
  return real(path, mode);
}

}  // extern "C"

// std::random_device takes its numbers from the processor, past the C library: its own members, by their symbols.

extern "C" {

void pipette_guard_random_device_init(std::random_device* self, const std::string& token) asm(
    "_ZNSt13random_device7_M_initERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
[[gnu::noinline]] void pipette_guard_random_device_init(std::random_device* self, const std::string& token) {
  static constinit Real<void(std::random_device*, const std::string*)> real(
      "_ZNSt13random_device7_M_initERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
  const Call call(Kind::chance, "std::random_device", PIPETTE_GUARD_CALLER);
  real(self, &token);
}

unsigned pipette_guard_random_device_value(std::random_device* self) asm("_ZNSt13random_device9_M_getvalEv");
[[gnu::noinline]] unsigned pipette_guard_random_device_value(std::random_device* self) {
  static constinit Real<unsigned(std::random_device*)> real("_ZNSt13random_device9_M_getvalEv");
  const Call call(Kind::chance, "std::random_device::operator()", PIPETTE_GUARD_CALLER);
  return real(self);
}

}  // extern "C"
