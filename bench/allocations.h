// Counts every call of operator new in the program (tests/support/counted_new.h).
#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>

#include "tests/support/counted_new.h"

namespace pipette::bench {

using test::allocations;

// Reports the allocations an iteration since it was made, as the counter "allocations".
class AllocationCounter {
 public:
  explicit AllocationCounter(benchmark::State& state) : state_(state), before_(allocations()) {}
  ~AllocationCounter() {
    const double count = static_cast<double>(allocations() - before_);
    state_.counters["allocations"] = count / static_cast<double>(state_.iterations());
  }

 private:
  benchmark::State& state_;
  std::uint64_t before_;
};

}  // namespace pipette::bench
