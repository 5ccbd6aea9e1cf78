// The proof that the in-memory tests stay in memory.

#include "tests/guard/guard.h"

#include <chrono>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace pipette::guard {
namespace {

class NothingLeavesTheWorld : public testing::Environment {
 public:
  void TearDown() override {
    EXPECT_EQ(counts().sockets, 0) << "a test of the in-memory suite opened a socket";
    EXPECT_EQ(counts().threads, 0) << "a test of the in-memory suite started a thread";
    EXPECT_EQ(counts().sleeps, 0) << "a test of the in-memory suite slept";
  }
};

[[maybe_unused]] const testing::Environment* const kRegistered =
    testing::AddGlobalTestEnvironment(new NothingLeavesTheWorld);

TEST(Guard, CountsWhatItForbids) {
  const Counts before = counts();
  forget_counts();
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(counts(), (Counts{1, 0, 0}));
  ::close(descriptor);
  refuse_threads();
  EXPECT_THROW(std::thread([] {}), std::system_error);
  EXPECT_EQ(counts(), (Counts{1, 1, 0}));
  std::this_thread::sleep_for(std::chrono::nanoseconds(1));
  EXPECT_EQ(counts(), (Counts{1, 1, 1}));
  forget_counts();
  EXPECT_EQ(before, Counts()) << "an earlier test of the in-memory suite reached the outside";
}

}  // namespace
}  // namespace pipette::guard
