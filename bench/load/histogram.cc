#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace pipette::load {

void Histogram::add(Duration duration) {
  const Duration counted = std::clamp(duration, Duration::zero(), kLongest);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(counted.count()))];
  ++count_;
  sum_ += static_cast<double>(counted.count());
  min_ = std::min(min_, counted);
  max_ = std::max(max_, counted);
}

Histogram& Histogram::operator+=(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  return *this;
}

Duration Histogram::mean() const {
  if (count_ == 0) return Duration::zero();
  return Duration(std::llround(sum_ / static_cast<double>(count_)));
}

Duration Histogram::quantile(double fraction) const {
  if (count_ == 0) return Duration::zero();
  const double wanted = std::ceil(fraction * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(wanted, 1.0)), 1, count_);
  std::uint64_t passed = 0;
  std::size_t bucket = 0;
  while ((passed += buckets_[bucket]) < rank) ++bucket;
  if (rank == count_) return max_;
  return std::clamp(Duration(middle_of(bucket)), min_, max_);
}

// Above the first 2 * kSteps a number is told by its highest kStepBits + 1 bits, the first of which is 1: `shift` says
// how many there are below.
std::size_t Histogram::bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < 2 * kSteps) return nanoseconds;
  const std::size_t shift = static_cast<std::size_t>(std::bit_width(nanoseconds)) - kStepBits - 1;
  const std::size_t bucket = shift * kSteps + (nanoseconds >> shift);
  assert(bucket < kBuckets);
  return bucket;
}

std::uint64_t Histogram::middle_of(std::size_t bucket) {
  if (bucket < 2 * kSteps) return bucket;
  const std::size_t shift = bucket / kSteps - 1;
  const std::uint64_t least = (bucket - shift * kSteps) << shift;
  return least + (std::uint64_t{1} << shift) / 2;
}

}  // namespace pipette::load
