// Shrinks the choices of a failing run to the few that make it fail.
//
//   const Shrunk shrunk = shrink(failing, [&](const Choices& choices) {
//     LenientReplay oracle(choices);
//     return run(oracle).failed;
//   });
//   shrunk.choices.to_string()   -->   "fault.read/3/2=1"
//
//   ten thousand choices --> none at all? --> take away halves, quarters … single ones --> lower the answers --> again
//
// Delta debugging. The result is minimal: without any one of its choices, or with any one answer lowered by one, the
// run does not fail, as long as no other choice is changed along with it. A predicate that is not monotone (fails with
// five choices, passes with four, fails with three) may have smaller sets elsewhere.
//
// A set is never run twice, so a predicate that changes its mind is held to its first word. Same choices, same
// predicate: same result and same runs.
//
// Bounds    options.max_runs; then the best so far is returned.
// Errors    what the predicate throws passes through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "pipette/lab/choices.h"

namespace pipette::lab {

struct ShrinkOptions {
  std::uint64_t max_runs = 2000;
  bool lowers_answers = true;
};

struct Shrunk {
  Choices choices;          // the smallest that was seen to fail
  std::uint64_t runs = 0;   // calls of the predicate
  bool is_minimal = false;  // whether the search came to its end before max_runs
  bool is_failing = true;   // false: the choices as they were given did not fail, and are given back
};

Shrunk shrink(const Choices& failing, const std::function<bool(const Choices&)>& still_fails,
              const ShrinkOptions& options = {});

}  // namespace pipette::lab
