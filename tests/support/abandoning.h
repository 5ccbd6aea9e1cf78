// How a probe abandons a body, checked once for the tests of every adapter, each of which is in a framework of its own.
//
//   EXPECT_EQ(flaw_in_abandoning(probe), "");        CHECK(flaw_in_abandoning(probe) == "");
#pragma once

#include <optional>
#include <source_location>
#include <string>

#include "pipette/lab/failure.h"

namespace pipette::test {

// What is wrong with it, in words; "": nothing.
inline std::string flaw_in_abandoning(lab::FailureProbe& probe) {
  bool went_on = false;
  const std::source_location where = std::source_location::current();
  const std::optional<std::string> why = probe.run([&] {
    probe.abandon("the worst", where);
    went_on = true;
  });
  if (went_on) return "the body went on";
  if (!why) return "the body has not failed";
  const bool tells_where = why->contains("abandoning.h:" + std::to_string(where.line()) + ": ");
  return tells_where && why->ends_with("the worst") ? "" : "it says: " + *why;
}

}  // namespace pipette::test
