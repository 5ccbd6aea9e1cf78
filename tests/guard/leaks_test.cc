// Each way out of a world is caught by its name, and its caller is the one who is named.

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <poll.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/guard/guard.h"
#include "pipette/guard/internal/names.h"
#include "pipette/inmem/inside.h"
#include "pipette/lab/lab.h"

namespace pipette::guard {
namespace {

using inmem::InsideWorld;
using inmem::OutsideWorld;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// What is done with a result, so that a call is not the last thing that its caller does.
volatile long sink = 0;
void keep(long value) { sink = sink + value; }

void calls_clock_gettime() {
  timespec now{};
  keep(::clock_gettime(CLOCK_MONOTONIC, &now));
}
void calls_gettimeofday() {
  timeval now{};
  keep(::gettimeofday(&now, nullptr));
}
void calls_time() { keep(::time(nullptr)); }
void calls_timespec_get() {
  timespec now{};
  keep(::timespec_get(&now, TIME_UTC));
}
void calls_clock() { keep(::clock()); }
void calls_system_clock() { keep(std::chrono::system_clock::now().time_since_epoch().count()); }
void calls_steady_clock() { keep(std::chrono::steady_clock::now().time_since_epoch().count()); }

void calls_nanosleep() {
  const timespec wanted{0, 1};
  keep(::nanosleep(&wanted, nullptr));
}
void calls_clock_nanosleep() {
  const timespec wanted{0, 1};
  keep(::clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, nullptr));
}
void calls_usleep() { keep(::usleep(0)); }
void calls_sleep() { keep(::sleep(0)); }
void calls_sleep_for() {
  std::this_thread::sleep_for(std::chrono::nanoseconds(1));
  keep(1);
}

void calls_poll() { keep(::poll(nullptr, 0, 0)); }
void calls_ppoll() {
  const timespec wanted{};
  keep(::ppoll(nullptr, 0, &wanted, nullptr));
}
void calls_select() {
  timeval wanted{};
  keep(::select(0, nullptr, nullptr, nullptr, &wanted));
}
void calls_pselect() {
  const timespec wanted{};
  keep(::pselect(0, nullptr, nullptr, nullptr, &wanted, nullptr));
}
void calls_epoll_wait() {
  epoll_event event{};
  keep(::epoll_wait(-1, &event, 1, 0));
}
void calls_epoll_pwait() {
  epoll_event event{};
  keep(::epoll_pwait(-1, &event, 1, 0, nullptr));
}

void calls_socket() { keep(::close(::socket(AF_UNIX, SOCK_STREAM, 0))); }
void calls_socketpair() {
  int pair[2] = {-1, -1};
  keep(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  for (const int end : pair) ::close(end);
}
void calls_connect() {
  const sockaddr address{};
  keep(::connect(-1, &address, sizeof address));
}
void calls_accept() { keep(::accept(-1, nullptr, nullptr)); }
void calls_accept4() { keep(::accept4(-1, nullptr, nullptr, 0)); }
void calls_getaddrinfo() {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  keep(::getaddrinfo("127.0.0.1", nullptr, &hints, &found));
  ::freeaddrinfo(found);
}

void calls_pthread_create() {
  pthread_t thread{};
  keep(::pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr));
  ::pthread_join(thread, nullptr);
}
void calls_std_thread() {
  std::thread([] {}).join();
}
void calls_std_async() {
  std::async(std::launch::async, [] {}).get();
}

void calls_getrandom() {
  char byte = 0;
  keep(::getrandom(&byte, 1, 0));
}
void calls_getentropy() {
  char byte = 0;
  keep(::getentropy(&byte, 1));
}
void calls_arc4random() { keep(::arc4random()); }
void calls_arc4random_buf() {
  char byte = 0;
  ::arc4random_buf(&byte, 1);
  keep(byte);
}
void calls_arc4random_uniform() { keep(::arc4random_uniform(6)); }
void calls_rand() { keep(::rand()); }
void calls_random() { keep(::random()); }
void calls_drand48() { keep(::drand48() < 0.5); }
void calls_lrand48() { keep(::lrand48()); }
void calls_mrand48() { keep(::mrand48()); }
void calls_open() { keep(::close(::open("/dev/urandom", O_RDONLY))); }
void calls_open64() { keep(::close(::open64("/dev/random", O_RDONLY))); }
void calls_openat() { keep(::close(::openat(AT_FDCWD, "/dev/urandom", O_RDONLY))); }
void calls_openat64() { keep(::close(::openat64(AT_FDCWD, "/dev/urandom", O_RDONLY))); }
void calls_fopen() { keep(std::fclose(std::fopen("/dev/urandom", "r"))); }
void calls_fopen64() { keep(std::fclose(::fopen64("/dev/urandom", "r"))); }
void makes_random_device() {
  const std::random_device device("rdrand");
  keep(1);
}

struct Way {
  std::string_view function;
  std::string_view through;  // as plain text within it; empty: whatever
  std::string_view caller;
  void (*call)();
  Kind kind;
};

constexpr Way kWays[] = {
    {"clock_gettime", "", "calls_clock_gettime", calls_clock_gettime, Kind::clock},
    {"gettimeofday", "", "calls_gettimeofday", calls_gettimeofday, Kind::clock},
    {"time", "", "calls_time", calls_time, Kind::clock},
    {"timespec_get", "", "calls_timespec_get", calls_timespec_get, Kind::clock},
    {"clock", "", "calls_clock", calls_clock, Kind::clock},
    {"clock_gettime", "std::chrono::system_clock::now()", "calls_system_clock", calls_system_clock, Kind::clock},
    {"clock_gettime", "std::chrono::steady_clock::now()", "calls_steady_clock", calls_steady_clock, Kind::clock},
    {"nanosleep", "", "calls_nanosleep", calls_nanosleep, Kind::sleep},
    {"clock_nanosleep", "", "calls_clock_nanosleep", calls_clock_nanosleep, Kind::sleep},
    {"usleep", "", "calls_usleep", calls_usleep, Kind::sleep},
    {"sleep", "", "calls_sleep", calls_sleep, Kind::sleep},
    {"nanosleep", "sleep_for()", "calls_sleep_for", calls_sleep_for, Kind::sleep},
    {"poll", "", "calls_poll", calls_poll, Kind::wait},
    {"ppoll", "", "calls_ppoll", calls_ppoll, Kind::wait},
    {"select", "", "calls_select", calls_select, Kind::wait},
    {"pselect", "", "calls_pselect", calls_pselect, Kind::wait},
    {"epoll_wait", "", "calls_epoll_wait", calls_epoll_wait, Kind::wait},
    {"epoll_pwait", "", "calls_epoll_pwait", calls_epoll_pwait, Kind::wait},
    {"socket", "", "calls_socket", calls_socket, Kind::socket},
    {"socketpair", "", "calls_socketpair", calls_socketpair, Kind::socket},
    {"connect", "", "calls_connect", calls_connect, Kind::socket},
    {"accept", "", "calls_accept", calls_accept, Kind::socket},
    {"accept4", "", "calls_accept4", calls_accept4, Kind::socket},
    {"getaddrinfo", "", "calls_getaddrinfo", calls_getaddrinfo, Kind::socket},
    {"pthread_create", "", "calls_pthread_create", calls_pthread_create, Kind::thread},
    {"pthread_create", "std::thread", "calls_std_thread", calls_std_thread, Kind::thread},
    {"pthread_create", "std::", "calls_std_async", calls_std_async, Kind::thread},
    {"getrandom", "", "calls_getrandom", calls_getrandom, Kind::chance},
    {"getentropy", "", "calls_getentropy", calls_getentropy, Kind::chance},
    {"arc4random", "", "calls_arc4random", calls_arc4random, Kind::chance},
    {"arc4random_buf", "", "calls_arc4random_buf", calls_arc4random_buf, Kind::chance},
    {"arc4random_uniform", "", "calls_arc4random_uniform", calls_arc4random_uniform, Kind::chance},
    {"rand", "", "calls_rand", calls_rand, Kind::chance},
    {"random", "", "calls_random", calls_random, Kind::chance},
    {"drand48", "", "calls_drand48", calls_drand48, Kind::chance},
    {"lrand48", "", "calls_lrand48", calls_lrand48, Kind::chance},
    {"mrand48", "", "calls_mrand48", calls_mrand48, Kind::chance},
    {"open", "", "calls_open", calls_open, Kind::chance},
    {"open64", "", "calls_open64", calls_open64, Kind::chance},
    {"openat", "", "calls_openat", calls_openat, Kind::chance},
    {"openat64", "", "calls_openat64", calls_openat64, Kind::chance},
    {"fopen", "", "calls_fopen", calls_fopen, Kind::chance},
    {"fopen64", "", "calls_fopen64", calls_fopen64, Kind::chance},
    {"std::random_device", "", "makes_random_device", makes_random_device, Kind::chance},
};

// Each test starts and ends with nothing noted: what it leaked on purpose is not to fail it.
class Leaks : public testing::Test {
 protected:
  Leaks() { clear(); }
  ~Leaks() override { clear(); }
};

TEST_F(Leaks, AreCaughtByNameAndCaller) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.caller);
    clear();
    {
      const InsideWorld inside;
      way.call();
    }
    const std::vector<Leak> found = leaks();
    ASSERT_THAT(found, SizeIs(1));
    const Leak& leak = found.front();
    EXPECT_EQ(leak.function, way.function);
    EXPECT_EQ(leak.kind, way.kind);
    EXPECT_EQ(leak.times, 1U);
    EXPECT_THAT(leak.through, HasSubstr(way.through));
    EXPECT_THAT(internal::plain_name(leak.caller), EndsWith(way.caller));
    EXPECT_THAT(leak.file, EndsWith("tests/guard/leaks_test.cc"));
    EXPECT_GT(leak.line, 0);
    EXPECT_GT(leak.offset, 0U);
  }
}

TEST_F(Leaks, AreNoneOutsideOfAWorld) {
  for (const Way& way : kWays) way.call();
  {
    const InsideWorld inside;
    const OutsideWorld outside;
    for (const Way& way : kWays) way.call();
  }
  EXPECT_THAT(leaks(), IsEmpty());
}

TEST_F(Leaks, NameTheLineOfTheCall) {
  int line = 0;
  {
    const InsideWorld inside;
    keep(::time(nullptr)), line = __LINE__;
  }
  ASSERT_THAT(leaks(), SizeIs(1));
  EXPECT_EQ(leaks().front().line, line);
}

TEST_F(Leaks, CountTheSameCallOnce) {
  const InsideWorld inside;
  for (int i = 0; i < 3; ++i) calls_rand();
  EXPECT_THAT(leaks(), ElementsAre(Field(&Leak::times, 3U)));
}

TEST_F(Leaks, AreBoundedAndTheRestIsCounted) {
  static_assert(2 * std::size(kWays) > kMaxLeaks);
  const InsideWorld inside;
  for (const Way& way : kWays) way.call();
  for (const Way& way : kWays) way.call();  // from another line: other calls
  EXPECT_EQ(dropped(), 2 * std::size(kWays) - kMaxLeaks);
  EXPECT_LE(leaks().size(), kMaxLeaks);
  clear();
  EXPECT_EQ(dropped(), 0U);
  EXPECT_THAT(leaks(), IsEmpty());
}

TEST_F(Leaks, LeaveTheCallsThemselvesAlone) {
  const InsideWorld inside;
  errno = 0;
  EXPECT_EQ(::connect(-1, nullptr, 0), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_GT(::time(nullptr), 1'000'000'000);
  int ran = 0;
  std::thread([&] { ran = 1; }).join();
  EXPECT_EQ(ran, 1);
  char bytes[32] = {};
  EXPECT_EQ(::getrandom(bytes, sizeof bytes, 0), 32);
  EXPECT_NE(std::string(bytes, sizeof bytes), std::string(sizeof bytes, '\0'));
}

TEST_F(Leaks, AreNotMadeByOpeningOtherFiles) {
  const InsideWorld inside;
  keep(::close(::open("/dev/null", O_RDONLY)));
  const std::string path = testing::TempDir() + "pipette_guard_makes_a_file";
  const int made = ::open(path.c_str(), O_CREAT | O_WRONLY | O_EXCL, 0600);
  EXPECT_GE(made, 0);
  ::close(made);
  EXPECT_EQ(::access(path.c_str(), R_OK | W_OK), 0) << "the mode of the new file was lost on the way";
  ::unlink(path.c_str());
  EXPECT_THAT(leaks(), IsEmpty());
}

TEST_F(Leaks, BelongToTheThreadThatIsInside) {
  const InsideWorld inside;
  std::thread([] { calls_time(); }).join();
  ASSERT_THAT(leaks(), SizeIs(1));
  EXPECT_EQ(leaks().front().function, "pthread_create");
}

void asks_the_clock(server::RequestCtx& ctx) {
  const InsideWorld inside;
  ctx.set_body(std::to_string(std::chrono::system_clock::now().time_since_epoch().count()));
}

TEST_F(Leaks, OfAHandlerInALabSayWhatToDo) {
  const Server server(asks_the_clock);
  Lab lab;
  lab.serve(server, "app:80");
  lab.get("http://app/");
  ASSERT_THAT(leaks(), SizeIs(1));
  EXPECT_THAT(to_string(leaks().front()),
              AllOf(HasSubstr("std::chrono::system_clock::now() (clock_gettime) was called inside a world by "),
                    HasSubstr("asks_the_clock"), HasSubstr(" at "), HasSubstr("leaks_test.cc:"),
                    EndsWith("; ask ctx.now() or loop.now()")));
}

Task<> draws_later(server::RequestCtx& ctx) {
  async::Loop& loop = ctx.runtime().loop();
  co_await async::sleep_until(loop, after(loop.now(), std::chrono::seconds(1)));
  const InsideWorld inside;
  std::random_device device;
  ctx.set_body(std::to_string(device()));
}

TEST_F(Leaks, OfACoroutineNameIt) {
  const Server server(draws_later);
  Lab lab;
  lab.serve(server, "app:80");
  lab.get("http://app/");
  const std::vector<Leak> found = leaks();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].function, "std::random_device");
  EXPECT_EQ(found[1].function, "std::random_device::operator()");
  for (const Leak& leak : found) EXPECT_THAT(leak.caller, HasSubstr("draws_later"));
}

TEST_F(Leaks, AreNoneOfOpenSsl) {
  // Loaded by hand: only tls/ knows its headers.
  void* const crypto = ::dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (crypto == nullptr) GTEST_SKIP() << "no libcrypto.so.3 here; OwnerOf tests the rule";
  const auto seed = reinterpret_cast<int (*)()>(::dlsym(crypto, "RAND_poll"));  // NOLINT: what dlsym is for
  ASSERT_NE(seed, nullptr);
  {
    const InsideWorld inside;
    EXPECT_EQ(seed(), 1);
  }
  EXPECT_THAT(leaks(), IsEmpty());
}

struct NameCase {
  std::string_view demangled;
  std::string_view plain;
  bool is_library;
};

TEST(PlainName, LeavesOutWhatDoesNotNameTheFunction) {
  constexpr NameCase kCases[] = {
      {"std::chrono::_V2::system_clock::now()", "std::chrono::system_clock::now", true},
      {"void std::this_thread::sleep_for<long, std::ratio<1l, 1l> >(std::chrono::duration<long> const&)",
       "std::this_thread::sleep_for", true},
      {"std::random_device::operator()()", "std::random_device::operator()", true},
      {"app::Handler::operator()(std::string) const", "app::Handler::operator()", false},
      {"bool app::operator< <int>(app::A<int> const&)", "app::operator< <int>", false},
      {"(anonymous namespace)::f(int)", "(anonymous namespace)::f", false},
      {"std::vector<int> app::numbers(int)", "app::numbers", false},
      {"main", "main", false},
      {"__interceptor_sleep", "__interceptor_sleep", true},
      {"std_like::f()", "std_like::f", false},
      {"", "", false},
  };
  for (const NameCase& c : kCases) {
    EXPECT_EQ(internal::plain_name(c.demangled), c.plain);
    EXPECT_EQ(internal::is_library_function(c.demangled), c.is_library) << c.demangled;
  }
}

TEST(OwnerOf, KnowsLibrariesByTheirFileNames) {
  using internal::Owner;
  constexpr std::pair<std::string_view, Owner> kCases[] = {
      {"", Owner::program},
      {"/home/me/my_tests", Owner::program},
      {"/lib/x86_64-linux-gnu/libc.so.6", Owner::library},
      {"/usr/lib/x86_64-linux-gnu/libstdc++.so.6", Owner::library},
      {"linux-vdso.so.1", Owner::library},
      {"libasan.so.8", Owner::library},
      {"/opt/libcomics.so", Owner::program},
      {"/home/libc.so.6/my_tests", Owner::program},
      {"/usr/lib/x86_64-linux-gnu/libcrypto.so.3", Owner::crypto},
      {"/usr/lib/x86_64-linux-gnu/libssl.so.3", Owner::crypto},
      {"/home/me/libcryptogram.so", Owner::program},
  };
  for (const auto& [binary, owner] : kCases) EXPECT_EQ(internal::owner_of(binary), owner) << binary;
}

using LeaksDeathTest = Leaks;

TEST_F(LeaksDeathTest, AbortAtOnceWhenAskedTo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ::setenv("PIPETTE_GUARD", "abort", 1);
        const InsideWorld inside;
        calls_time();
      },
      "time\\(\\) was called inside a world by .*calls_time.* at .*leaks_test.cc:.*; ask ctx.now");
  EXPECT_DEATH(
      {
        ::setenv("PIPETTE_GUARD", "panic", 1);
        const InsideWorld inside;
        calls_time();
      },
      "PIPETTE_GUARD=panic is neither \"record\" nor \"abort\"");
}

}  // namespace
}  // namespace pipette::guard
