// What operator new has given to this thread. For programs of their own, tests and benchmarks: linking counted_new.cc
// replaces the global operators.
//
//   const std::uint64_t before = test::allocations();   …   EXPECT_EQ(test::allocations() - before, 0U);
//   test::live_bytes()                                   // given and not taken back, as malloc rounds them
//
// Bytes are weighed from the first call of live_bytes() on, so that who only counts does not pay: only differences
// mean something.
//
// Threads  each has counts of its own.
#pragma once

#include <cstdint>

namespace pipette::test {

std::uint64_t allocations();
std::int64_t live_bytes();

}  // namespace pipette::test
