// Runs the body of a test in a world of its own, and sees what becomes of it. Shared by the explorer and the sweeps.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipette/lab/artefacts.h"
#include "pipette/lab/choices.h"
#include "pipette/lab/failure.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/shrink.h"

namespace pipette::lab {

using TestBody = std::function<void(Lab&)>;

// A failure, shrunk to what it needs.
struct Finding {
  std::string world;       // "world 17 of 1000"
  Choices choices;         // that make it fail
  std::uint64_t runs = 0;  // that shrinking took
  std::string failure;     // what the test said
  std::string report;      // all of it, in words, with the last events and how to see it again
};

}  // namespace pipette::lab

namespace pipette::lab::internal {

// What there is to know of a run.
struct Run {
  std::optional<std::string> failure;
  std::vector<Choice> recorded;  // when the options say so
  std::uint64_t steps = 0;
  std::uint64_t struck = 0;  // faults
  Choices unused;            // that were given, and that nobody asked for
  std::uint64_t hash = 0;    // of its log
};

// The choices that no oracle is asked for, since they are made before the world begins to run.
//
//   cut.dialing side/17/0=1     what that side of each connection sends is cut behind octet 17
//   cut.accepting side/17/0=1
//   cut.every octet/0/0=1       reads of one octet each
Choices cut_behind(std::uint8_t side, std::uint64_t offset);
Choices cut_everywhere();

class Runner {
 public:
  Runner(const TestBody& body, FailureProbe& probe) : body_(body), probe_(probe) {}

  // One world, as options.oracle decides, or with just these choices. `inspect` is called with the lab behind the body.
  Run run(const LabOptions& options) { return run(options, Choices()); }
  Run run_with(const Choices& choices, LabOptions options);
  void set_inspect(std::function<void(Lab&)> inspect) { inspect_ = std::move(inspect); }

  // Of a run that failed with these choices, and said `failure`: the fewest that fail, and the report.
  Finding find(const Choices& failing, const std::string& failure, const LabOptions& options, const std::string& world,
               const ShrinkOptions& shrinking = {});
  // Of a run that cannot be repeated.
  static Finding not_repeatable(const std::string& world, const std::string& failure);
  // The world that the environment variable PIPETTE_REPLAY asks for; nothing when it asks for none.
  static std::optional<Choices> asked_for();
  // The finding of a run with just these choices; nothing when it passes.
  std::optional<Finding> replay(const Choices& choices, const LabOptions& options, const std::string& world);
  // The same for choices that somebody has typed: it is also a finding when nobody asks for one of them.
  std::optional<Finding> replay_typed(const Choices& choices, const LabOptions& options, const std::string& world);

 private:
  Run run(const LabOptions& options, const Choices& cuts);
  std::string report(const Finding& finding, const std::string& events) const;

  const TestBody& body_;
  FailureProbe& probe_;
  std::function<void(Lab&)> inspect_;
  Artefacts* artefacts_ = nullptr;  // of the run that is reported
};

// "ready/0/5=1" in words.
std::string describe_choice(const Choices::Entry& choice);

}  // namespace pipette::lab::internal
