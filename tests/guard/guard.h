// Counts the calls with which a program reaches the outside: sockets, threads, sleeps.
//
// Linking guard.cc into a program puts its definitions before the C library's; each counts and goes on to the real
// one. The in-memory tests are linked with it and fail when anything was counted (guard_test.cc).
#pragma once

namespace pipette::guard {

struct Counts {
  int sockets = 0;
  int threads = 0;
  int sleeps = 0;

  bool operator==(const Counts&) const = default;
};

Counts counts();
void forget_counts();

// From now on threads are counted, and then refused with EAGAIN. Sanitizers know only the threads that went through
// their own pthread_create, so a test of the guard must not really start one.
void refuse_threads();

}  // namespace pipette::guard
