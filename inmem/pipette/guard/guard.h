// The guard: what reaches out of a world is found, and named.
//
//   handler --> std::chrono::system_clock::now() --> clock_gettime --> [guard] --> the C library's clock_gettime
//                                                                        |
//                          inside a world?  leaks(): "… was called inside a world by my_handler(RequestCtx&) at a.cc:7"
//
// A test is deterministic only as long as its handlers ask the world for the time, for chance and for connections.
// Linking pipette::guard into a test program puts the guard's functions before the C library's; each looks whether this
// thread is inside a world (pipette/inmem/inside.h), notes the call if so, and goes on to the real one. Nothing else
// changes, and outside of worlds nothing is noted.
//
//   clocks    clock_gettime gettimeofday time timespec_get clock, and so every std::chrono clock
//   sleeps    nanosleep clock_nanosleep usleep sleep, and so std::this_thread::sleep_for
//   waits     poll ppoll select pselect epoll_wait epoll_pwait, with any timeout: even 0 asks a real descriptor
//   sockets   socket socketpair connect accept accept4 getaddrinfo
//   threads   pthread_create, and so std::thread and std::async
//   chance    getrandom getentropy arc4random… rand random drand48 lrand48 mrand48 std::random_device, and opening
//             /dev/urandom or /dev/random
//
// The caller is the first function on the stack that is not of the C or C++ library, of a sanitizer or of this guard.
// Calls made by OpenSSL are excepted: it seeds itself, and nothing of that can be seen by a test.
// Not seen: system calls made directly, rdtsc, inline copies of these functions in static binaries, a caller that
// ended in a tail call (its own caller is named), and the timed waits of condition variables, which ask a clock first.
//
// With GoogleTest, include "pipette/guard/gtest.h" in one source file: each leak fails its test. Elsewhere ask leaks()
// after each test. PIPETTE_GUARD=abort in the environment says so on the standard error stream and aborts at the first
// leak, for a debugger to show; =record is the default.
//
// Linking   target_link_libraries(my_tests pipette::guard). By hand: -lpipette_guard -Wl,-u,pipette_guard_is_linked,
//           or -Wl,--whole-archive. The place of a call needs -g1; its name needs an unstripped binary.
// Bounds    keeps kMaxLeaks different calls, and counts the others.
// Threads   any. What is noted while leaks() runs may be missing from its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pipette::guard {

enum class Kind : std::uint8_t { clock, sleep, wait, socket, thread, chance };

inline constexpr std::size_t kMaxLeaks = 64;

// One place that reached out of a world.
struct Leak {
  Kind kind = Kind::clock;
  std::string function;  // "clock_gettime"
  std::string through;   // what the caller called to get there: "std::chrono::system_clock::now()"; often empty
  std::string caller;    // "my_handler(RequestCtx&)"; "an unknown function" when the binary is stripped
  std::string file;      // empty when the binary has no line numbers
  int line = 0;
  std::string binary;         // "/home/me/my_tests"
  std::uintptr_t offset = 0;  // of the call in `binary`, as addr2line takes it
  std::size_t times = 0;
};

// What to do about it, in one sentence: who called what, where, and whom to ask instead.
std::string to_string(const Leak& leak);

// The leaks since the last clear(), in the order in which they first happened. Reads the binaries' symbols.
std::vector<Leak> leaks();
// How many calls were not kept because kMaxLeaks others were.
std::size_t dropped();
void clear();

// All such calls of the program, inside a world or not: a suite that claims to stay in memory expects zeros.
struct Counts {
  int sockets = 0;  // socket, socketpair
  int threads = 0;
  int sleeps = 0;

  bool operator==(const Counts&) const = default;
};

Counts counts();
void forget_counts();

}  // namespace pipette::guard
