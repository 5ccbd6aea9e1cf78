// Tally: how often something went right, and how often it did not.
//
// What went wrong in a round counts when the round does, which is known at its end: settle().
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace pipette::soak {

struct Tally {
  std::string name;
  std::uint64_t right = 0;
  std::uint64_t failing = 0;  // in this round
  std::uint64_t failed = 0;   // in those before
  std::string first_failure{};

  void add_failure(std::string why) {
    if (failed + failing++ == 0) first_failure = std::move(why);
  }
  void settle(bool counts) {
    if (counts) failed += failing;
    failing = 0;
  }
};

}  // namespace pipette::soak
