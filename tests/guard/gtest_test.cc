// The listener of pipette/guard/gtest.h, in a program that has it for all its tests: a leak fails the test it is in.

#include "pipette/guard/gtest.h"

#include <cstdlib>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "pipette/inmem/inside.h"

namespace pipette::guard {
namespace {

volatile int sink = 0;

void throws_dice() {
  const inmem::InsideWorld inside;
  sink = std::rand();
}

// As GoogleTest would call it at the end of this test.
void end_this_test() { FailsOnLeaks().OnTestEnd(*testing::UnitTest::GetInstance()->current_test_info()); }

TEST(FailsOnLeaks, FailsTheTestThatLeaked) {
  throws_dice();
  EXPECT_NONFATAL_FAILURE(end_this_test(), "throws_dice");
  EXPECT_TRUE(leaks().empty()) << "what was reported is not the next test's";
}

TEST(FailsOnLeaks, LetsOtherTestsPass) {
  sink = std::rand();
  end_this_test();
}

TEST(FailsOnLeaks, ForgetsWhatLeakedBeforeTheTest) {
  throws_dice();
  FailsOnLeaks().OnTestStart(*testing::UnitTest::GetInstance()->current_test_info());
  end_this_test();
}

// It fails, and so shows that including the header is enough: tests/CMakeLists.txt runs it and expects that.
TEST(FailsOnLeaks, DISABLED_LeaksOnPurpose) { throws_dice(); }

}  // namespace
}  // namespace pipette::guard
