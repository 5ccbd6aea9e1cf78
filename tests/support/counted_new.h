// What operator new has given. For programs of their own: linking counted_new.cc replaces the global operators.
//
//   const std::uint64_t before = test::allocations();   …   EXPECT_EQ(test::allocations() - before, 0U);
//   test::live_bytes()                                   // given and not taken back, as malloc rounds them
//
// Threads  one.
#pragma once

#include <cstdint>

namespace pipette::test {

std::uint64_t allocations();
std::int64_t live_bytes();

}  // namespace pipette::test
