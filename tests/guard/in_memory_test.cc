// The proof that the in-memory tests stay in memory, and that nothing leaks into their worlds.

#include <chrono>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "pipette/guard/gtest.h"

namespace pipette::guard {
namespace {

[[maybe_unused]] const testing::Environment* const kStays = testing::AddGlobalTestEnvironment(new StaysInMemory);

TEST(Guard, CountsWhatItForbids) {
  const Counts before = counts();
  forget_counts();
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(counts(), (Counts{1, 0, 0}));
  ::close(descriptor);
  std::thread([] {}).join();
  EXPECT_EQ(counts(), (Counts{1, 1, 0}));
  std::this_thread::sleep_for(std::chrono::nanoseconds(1));
  EXPECT_EQ(counts(), (Counts{1, 1, 1}));
  forget_counts();
  EXPECT_EQ(before, Counts()) << "an earlier test of the in-memory suite reached the outside";
}

}  // namespace
}  // namespace pipette::guard
