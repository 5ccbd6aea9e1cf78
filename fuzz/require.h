// What a fuzz target demands of the code it drives: a `require` that fails ends the process, so that the fuzzer keeps
// the input.
#pragma once

namespace pipette::fuzz {

inline void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

}  // namespace pipette::fuzz
