#include "bench/load/histogram.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <utility>

#include "pipette/base/random.h"

namespace pipette::load {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, HasNothingAtFirst) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.min(), Duration::zero());
  EXPECT_EQ(empty.max(), Duration::zero());
  EXPECT_EQ(empty.mean(), Duration::zero());
  EXPECT_EQ(empty.quantile(0.5), Duration::zero());
}

TEST(Histogram, KnowsSmallDurationsExactly) {
  Histogram histogram;
  for (int i = 0; i < 256; ++i) histogram.add(Duration(i));
  for (int i = 1; i <= 256; ++i) EXPECT_EQ(histogram.quantile(i / 256.0), Duration(i - 1));
}

TEST(Histogram, IsWrongByHalfAPercentAtMostEverywhere) {
  for (double exact = 1; exact < 3.6e12; exact *= 1.0137) {
    const Duration duration(std::llround(exact));
    Histogram histogram;
    histogram.add(0ns);  // the smallest and the largest are known exactly, so it must be neither
    histogram.add(duration);
    histogram.add(2 * Histogram::kLongest);
    const double error = std::abs(static_cast<double>((histogram.quantile(0.5) - duration).count()));
    EXPECT_LE(error, 0.005 * static_cast<double>(duration.count())) << duration.count();
  }
}

TEST(Histogram, TellsTheQuantilesOfWhatIsEvenlySpread) {
  Histogram histogram;
  for (int i = 1; i <= 10'000; ++i) histogram.add(i * 1us);
  constexpr std::array kExpected = {std::pair(0.5, 5.0e6), std::pair(0.9, 9.0e6), std::pair(0.99, 9.9e6),
                                    std::pair(0.999, 9.99e6)};
  for (const auto& [fraction, nanoseconds] : kExpected) {
    EXPECT_NEAR(static_cast<double>(histogram.quantile(fraction).count()), nanoseconds, 0.01 * nanoseconds);
  }
  EXPECT_EQ(histogram.min(), 1us);
  EXPECT_EQ(histogram.max(), 10ms);
  EXPECT_EQ(histogram.quantile(1), 10ms);
  EXPECT_EQ(histogram.mean(), 5'000'500ns);
}

TEST(Histogram, CountsWhatIsOutsideAtItsEdges) {
  Histogram histogram;
  histogram.add(-5ns);
  histogram.add(Duration::max());
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), Histogram::kLongest);
}

TEST(Histogram, AddsUpToWhatOneWouldHaveSeen) {
  Random random(7, "durations");
  Histogram one;
  Histogram other;
  Histogram both;
  for (int i = 0; i < 1000; ++i) {
    const Duration duration(static_cast<Duration::rep>(random.below(1'000'000'000)));
    (i % 3 == 0 ? one : other).add(duration);
    both.add(duration);
  }
  one += other;
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.min(), both.min());
  EXPECT_EQ(one.max(), both.max());
  EXPECT_EQ(one.mean(), both.mean());
  for (const double fraction : {0.0, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    EXPECT_EQ(one.quantile(fraction), both.quantile(fraction));
  }
}

}  // namespace
}  // namespace pipette::load
