// For programs with GoogleTest: a test in which something leaks out of its world fails, and names who did it.
//
//   #include "pipette/guard/gtest.h"     in one source file of the program, which links pipette::guard
//
// Including it is enough, with a main() of one's own or with gtest_main. A suite that is meant to stay in memory
// altogether, outside of its worlds too, says so once:
//
//   [[maybe_unused]] const auto* const kStays = testing::AddGlobalTestEnvironment(new pipette::guard::StaysInMemory);
#pragma once

#include <gtest/gtest.h>

#include "pipette/guard/guard.h"

namespace pipette::guard {

class FailsOnLeaks final : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo&) override { clear(); }
  void OnTestEnd(const testing::TestInfo&) override {
    for (const Leak& leak : leaks()) ADD_FAILURE() << to_string(leak);
    if (dropped() > 0) ADD_FAILURE() << "and " << dropped() << " more calls leaked out of a world";
    clear();
  }
};

// Done once for each program that includes this header.
inline testing::TestEventListener* fail_tests_on_leaks() {
  auto* const listener = new FailsOnLeaks;
  testing::UnitTest::GetInstance()->listeners().Append(listener);  // which owns it now
  return listener;
}
inline testing::TestEventListener* const kFailsOnLeaks = fail_tests_on_leaks();

// Fails the program when it opened a socket, started a thread or slept, in a world or not.
class StaysInMemory final : public testing::Environment {
 public:
  void TearDown() override {
    EXPECT_EQ(counts().sockets, 0) << "a test opened a socket";
    EXPECT_EQ(counts().threads, 0) << "a test started a thread";
    EXPECT_EQ(counts().sleeps, 0) << "a test slept";
  }
};

}  // namespace pipette::guard
