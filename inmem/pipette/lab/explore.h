// explore(): the same test in many worlds, each with another order of events.
//
//   TEST(Pool, LosesNothing) {
//     Server server(handler);
//     explore(1000, [&](Lab& lab) {
//       lab.serve(server, "app:80");
//       …                                        // any test body; what it expects must hold in every world
//     });
//   }
//
// World n is decided by seed n: which of several ready things runs next (in any order, or by priorities of lanes), how
// much a read or a write moves, which try comes too early; with `faults`, also which operations fail. Each world takes
// a random few of these liberties. The first failure ends it: its choices are shrunk to the few that matter, told in
// words, and the test fails once, with that report and a command that shows the same world again. In front of them
// the plain world runs, which takes no liberty: what fails there needs no exploration, and the report says so.
//
// explore_all() is for small tests: it tries every sequence of decisions there is, up to a depth, with all liberties
// but faults. Name the sites that matter: with .sites = {"ready"} it tries every order, and reads and writes stay
// whole.
//
// Budget    worlds, and steps in all; never wall time, so that two machines explore the same.
// Errors    a failure is the framework's (failure.h); where no adapter is included, an exception.
// Env       PIPETTE_REPLAY='…' runs the one world with these choices instead. PIPETTE_SEED=n begins at seed n.
// Lifetime  the body is called again and again. Its lab ends after it: what the lab uses, a Server above all, stands
//           outside of the body, or belongs to the lab (lab.serve(handler, "app:80")).   Threads  one.
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

#include "pipette/lab/internal/runner.h"
#include "pipette/lab/oracles.h"

namespace pipette::lab {

struct ExploreOptions {
  std::uint64_t worlds = 1000;
  std::uint64_t first_seed = 1;
  std::uint64_t max_steps = UINT64_MAX;  // of all worlds together
  bool faults = false;
  unsigned faults_one_in = 64;  // operations
  ShrinkOptions shrinking;
};

struct Exploration {
  std::uint64_t worlds = 0;  // that were explored; the plain one does not count
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;   // that struck
  std::uint64_t hash = 0;     // of all that happened in all worlds: the same in every process
  bool is_complete = false;   // explore_all(): there is no other sequence of decisions
  SometimesCounts sometimes;  // of Lab::sometimes()
  std::optional<Finding> finding;

  // "1000 worlds, 48210 steps: no failure"; and what was hoped for and never seen.
  std::string summary() const;
};

// Does not tell the framework.
Exploration explore(const ExploreOptions& options, const TestBody& body, FailureProbe& probe);
Exploration explore_all(const ExhaustiveOptions& options, const TestBody& body, FailureProbe& probe);

// As a test does: fails it on a finding, and when something that Lab::sometimes() hopes for never held.
Exploration explore(const ExploreOptions& options, const TestBody& body,
                    std::source_location where = std::source_location::current());
Exploration explore(std::uint64_t worlds, const TestBody& body,
                    std::source_location where = std::source_location::current());
Exploration explore_all(const ExhaustiveOptions& options, const TestBody& body,
                        std::source_location where = std::source_location::current());

// The one world with these choices (choices.h): what a report says reproduces it. Fails the test if it fails there.
void replay(std::string_view choices, const TestBody& body,
            std::source_location where = std::source_location::current());

}  // namespace pipette::lab
