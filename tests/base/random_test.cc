#include "pipette/base/random.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace pipette {
namespace {

std::vector<std::uint64_t> draw(Random random, int count) {
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(random.next());
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;

// Worked out with a second implementation of SplitMix64 and xoshiro256**, after their authors' description.
TEST(Random, DrawsTheSameNumbersOnEveryPlatform) {
  EXPECT_EQ(draw(Random(0), 4),
            (Numbers{0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0, 0x6aa594f1262d2d2c}));
  EXPECT_EQ(draw(Random(1), 4),
            (Numbers{0xb3f2af6d0fc710c5, 0x853b559647364cea, 0x92f89756082a4514, 0x642e1c7bc266a3a7}));
  EXPECT_EQ(draw(Random(1, "jitter"), 3), (Numbers{0x9c9a0b25f3e1b642, 0x3359b0500493f253, 0xa3305af11d332533}));
}

TEST(Random, SubStreamsDifferByNameAndBySeed) {
  const Numbers jitter = draw(Random(1, "jitter"), 100);
  const Numbers shuffle = draw(Random(1, "shuffle"), 100);
  const Numbers other_seed = draw(Random(2, "jitter"), 100);
  for (const std::uint64_t number : jitter) {
    EXPECT_EQ(std::ranges::count(shuffle, number), 0);
    EXPECT_EQ(std::ranges::count(other_seed, number), 0);
  }
}

TEST(Random, DrawingFromOneSubStreamDoesNotShiftAnother) {
  Random first(7, "first");
  Random second(7, "second");
  const Numbers expected = draw(second, 10);
  for (int i = 0; i < 1000; ++i) first.next();
  EXPECT_EQ(draw(second, 10), expected);
}

TEST(Random, ACopyForksTheStream) {
  Random original(3);
  original.next();
  Random copy = original;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(copy.next(), original.next());
}

TEST(Random, BelowStaysInRangeAndReachesEveryNumber) {
  Random random(1);
  for (const std::uint64_t n : {1U, 2U, 3U, 10U}) {
    std::vector<int> seen(n);
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t number = random.below(n);
      ASSERT_LT(number, n);
      ++seen[number];
    }
    EXPECT_EQ(std::ranges::count(seen, 0), 0) << "below " << n;
  }
}

TEST(Random, BelowTakesTheLargestBound) {
  Random random(1);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

// A plain modulo of 2^64 numbers by 3 * 2^62 would draw half of them, not a third, from the lowest third.
TEST(Random, BelowHasNoModuloBias) {
  Random random(1);
  constexpr std::uint64_t kThird = std::uint64_t{1} << 62;
  constexpr int kDraws = 30'000;
  int lowest = 0;
  for (int i = 0; i < kDraws; ++i) lowest += random.below(3 * kThird) < kThird ? 1 : 0;
  EXPECT_NEAR(lowest, kDraws / 3, kDraws / 50);
}

}  // namespace
}  // namespace pipette
