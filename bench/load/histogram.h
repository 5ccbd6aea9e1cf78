// Histogram: how often which duration was seen, in memory that does not grow.
//
//   Histogram latency;
//   latency.add(350us);
//   latency.quantile(0.99)         // at most so long it was in 99 of 100 cases
//
//   0 ns … 255 ns      a bucket each
//   256 ns … 511 ns    128 buckets of 2 ns each
//   512 ns … 1023 ns   128 buckets of 4 ns each, and so on: the next power of two has buckets twice as wide
//
// So a bucket is as wide as 1/128 of what is in it at most, and its middle is wrong by 1/256: below half a percent.
// The smallest and the largest are known exactly.
//
// Units     up to kLongest; what is longer counts as that, what is negative as 0.        Threads  one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pipette/base/time.h"

namespace pipette::load {

class Histogram {
 public:
  static constexpr Duration kLongest = std::chrono::hours(1);

  void add(Duration duration);
  Histogram& operator+=(const Histogram& other);

  std::uint64_t count() const { return count_; }
  // All of these are zero as long as there is nothing.
  Duration min() const { return count_ == 0 ? Duration::zero() : min_; }
  Duration max() const { return max_; }
  Duration mean() const;
  // For a fraction from 0 to 1: the least that is no less than that fraction of all.
  Duration quantile(double fraction) const;

 private:
  static constexpr std::size_t kStepBits = 7;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr std::size_t kBuckets = 36 * kSteps;  // the hour is in the last but a few

  static std::size_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t middle_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;  // of nanoseconds
  Duration min_ = kLongest;
  Duration max_{};
};

}  // namespace pipette::load
