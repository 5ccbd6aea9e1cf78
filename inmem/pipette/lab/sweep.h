// Sweeps: the same test again for every place at which something can go wrong, or be cut.
//
//   for_all_faults([&](Lab& lab) { … });     every operation of a clean run x every fault it can have x once or sticky,
//                                            and every step: the call is canceled there, the test is destroyed there
//   for_each_split([&](Lab& lab) { … });     every octet of what either side sends is once the last one before a pause
//
// Under a fault, a call that fails with an error has done right: CallFailed and other system errors end the body and
// are no failure. What fails is an expectation that does not hold, a hang (Stuck), a livelock, a leak at the end, a
// crash. So write the body as you would write the code: expect what must be true however it ends.
//
//   const Result<Response> page = lab.run(lab.client().get("http://app/"));
//   if (page) EXPECT_EQ(page->body, "Hello");             // an error is fine; half an answer is not
//
// A sweep ends by itself, after as many worlds as the clean run has places. The first failure is shrunk, told in words,
// and fails the test once. The result says how many worlds were tried and how often each fault really struck; one that
// was set and never did is warned of.
//
// Errors    a failure is the framework's (failure.h); where no adapter is included, an exception.
// Env       PIPETTE_REPLAY='fault.read/3/2=1' runs the one world with these choices instead; where a split is a choice
//           too: 'cut.dialing side/17/0=1'.
// Lifetime  the body is called again and again. Its lab ends after it: what the lab uses, a Server above all, stands
//           outside of the body, or belongs to the lab (lab.serve(handler, "app:80")).   Threads  one.
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "pipette/lab/internal/runner.h"

namespace pipette::lab {

struct SweepOptions {
  bool steps = true;  // also cancels the call, and destroys the test, at each step
  std::uint64_t max_worlds = 1'000'000;
  std::uint64_t pairs = 0;  // so many worlds more with two faults each
  ShrinkOptions shrinking;
};

struct FaultSweep {
  struct Row {
    inmem::Operation operation{};
    inmem::Fault fault{};
    std::uint64_t worlds = 0;  // in which it was set
    std::uint64_t struck = 0;  // in how many of them it struck
  };

  std::uint64_t points = 0;  // operations and steps of the clean run
  std::uint64_t worlds = 0;
  bool is_cut = false;    // max_worlds was too few
  std::vector<Row> rows;  // of those that were set
  std::optional<Finding> finding;

  // "312 points, 2808 worlds: no failure", a line a fault, and warnings.
  std::string summary() const;
};

struct SplitSweep {
  std::uint64_t worlds = 0;
  std::uint64_t places = 0;  // at which something was cut
  std::optional<Finding> finding;

  std::string summary() const;
};

// Do not tell the framework.
FaultSweep for_all_faults(const SweepOptions& options, const TestBody& body, FailureProbe& probe);
SplitSweep for_each_split(const TestBody& body, FailureProbe& probe);

// As a test does.
FaultSweep for_all_faults(const TestBody& body, std::source_location where = std::source_location::current());
FaultSweep for_all_faults(const SweepOptions& options, const TestBody& body,
                          std::source_location where = std::source_location::current());
SplitSweep for_each_split(const TestBody& body, std::source_location where = std::source_location::current());

}  // namespace pipette::lab
