// Scenarios: tests that pass on the stack as it is, and fail on one that has the bug of the same name.
//
//   NAME.patch         a bug, as a change to a source of the stack; CMakeLists.txt builds planted_NAME with it
//   hunt("NAME")       sweeps, explores, splits or fuzzes the scenario of that name
//
// planted_test.cc says what is found in planted_NAME, sound_test.cc that nothing is found without the patch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipette::planted {

struct Hunt {
  std::uint64_t worlds = 0;  // that it took, or that there were
  bool has_found = false;
  std::size_t choices = 0;  // that the failure needs; of the fuzzer: steps
  std::string report;
};

std::vector<std::string_view> names();
// Throws std::out_of_range when there is no such scenario.
Hunt hunt(std::string_view name);

}  // namespace pipette::planted
