// A small, fast generator whose numbers are the same on every platform and compiler (xoshiro256**).
//
// For jitter, shuffles and simulated chance. Not for secrets.
//
// Threads  one owner; copy it to fork a stream.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pipette {

class Random {
 public:
  explicit Random(std::uint64_t seed);
  // The sub-stream called `name` of `seed`: a new user never shifts the numbers an old one draws.
  Random(std::uint64_t seed, std::string_view name);

  std::uint64_t next();
  // Uniform in [0, n); n must not be 0.
  std::uint64_t below(std::uint64_t n);

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace pipette
