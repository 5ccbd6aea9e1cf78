#include "pipette/lab/explore.h"

#include <cstdlib>
#include <utility>

#include "pipette/inmem/text.h"

namespace pipette::lab {
namespace {

std::uint64_t first_seed(std::uint64_t otherwise) {
  const char* const text = std::getenv("PIPETTE_SEED");
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Exploration replayed(internal::Runner& runner, const Choices& choices, const LabOptions& options) {
  Exploration result;
  result.worlds = 1;
  if (auto found = runner.replay_typed(choices, options, "the world of PIPETTE_REPLAY"))
    result.finding = std::move(*found);
  return result;
}

// What fails here needs no exploration.
std::optional<Finding> failure_of_plain_world(internal::Runner& runner, const LabOptions& options) {
  const std::string world = "the plain world, before any exploration,";
  const internal::Run run = runner.run_with(Choices(), options);
  if (!run.failure) return std::nullopt;
  std::optional<Finding> finding;
  if (runner.run_with(Choices(), options).hash == run.hash) finding = runner.replay(Choices(), options, world);
  return finding ? finding : internal::Runner::not_repeatable(world, *run.failure);
}

void count(Exploration& result, const internal::Run& run) {
  ++result.worlds;
  result.steps += run.steps;
  result.faults += run.struck;
  result.hash = mix64(result.hash ^ run.hash);
}

// What explore() leaves to chance, explore_all() takes whole.
Choices all_liberties() {
  return Choices::parse(
      "explore.order/0/0=1,explore.short reads/0/0=1,explore.short writes/0/0=1,explore.not yet/0/0=1");
}

Exploration told(Exploration result, FailureProbe& probe, std::source_location where) {
  if (result.finding) {
    probe.report(result.finding->report, where);
    return result;
  }
  for (const auto& [what, counts] : result.sometimes) {
    if (counts.held == 0) probe.report("never in " + std::to_string(result.worlds) + " worlds: " + what, where);
  }
  return result;
}

}  // namespace

std::string Exploration::summary() const {
  std::string text = inmem::counted(worlds, "world") + ", " + inmem::counted(steps, "step");
  if (faults > 0) text += ", " + inmem::counted(faults, "fault");
  text += is_complete ? ", every one there is" : "";
  text += finding ? ": a failure" : ": no failure";
  for (const auto& [what, counts] : sometimes) {
    text += "\n  " + what + ": " + std::to_string(counts.held) + " of " + std::to_string(counts.seen) + " times";
  }
  return text;
}

Exploration explore(const ExploreOptions& options, const TestBody& body, FailureProbe& probe) {
  internal::Runner runner(body, probe);
  LabOptions lab;
  lab.freedom = options.faults ? Freedom::both : Freedom::explore;
  lab.faults_one_in = options.faults_one_in;
  if (const auto asked = internal::Runner::asked_for()) return replayed(runner, *asked, lab);

  Exploration result;
  result.finding = failure_of_plain_world(runner, lab);
  if (result.finding) return result;
  lab.sometimes = &result.sometimes;
  const std::uint64_t first = first_seed(options.first_seed);
  while (result.worlds < options.worlds && result.steps < options.max_steps) {
    SeededOracle oracle(first + result.worlds);
    lab.oracle = &oracle;
    const internal::Run run = runner.run(lab);
    count(result, run);
    if (!run.failure) continue;
    // Recording costs; so only the world that is worth it is run again with it.
    lab.records = true;
    lab.sometimes = nullptr;
    const internal::Run again = runner.run(lab);
    const std::string world = "world " + std::to_string(result.worlds) + " of " + std::to_string(options.worlds) +
                              ", seed " + std::to_string(oracle.seed()) + ",";
    result.finding = again.failure && again.hash == run.hash
                         ? runner.find(Choices(again.recorded), *again.failure, lab, world, options.shrinking)
                         : internal::Runner::not_repeatable(world, *run.failure);
    break;
  }
  return result;
}

Exploration explore_all(const ExhaustiveOptions& options, const TestBody& body, FailureProbe& probe) {
  internal::Runner runner(body, probe);
  LabOptions lab;
  lab.freedom = Freedom::explore;
  if (const auto asked = internal::Runner::asked_for()) return replayed(runner, *asked, lab);

  Exploration result;
  ExhaustiveOracle sequences(options);
  OverridingOracle oracle(sequences, all_liberties());
  lab.oracle = &oracle;
  lab.sometimes = &result.sometimes;
  try {
    do {
      const internal::Run run = runner.run(lab);
      count(result, run);
      if (!run.failure) continue;
      lab.sometimes = nullptr;
      Choices failing = all_liberties();
      const Choices sequence = sequences.choices();
      for (const Choices::Entry& choice : sequence.entries()) failing.set(choice.key, choice.answer);
      result.finding = runner.find(failing, *run.failure, lab, "sequence " + std::to_string(result.worlds));
      return result;
    } while (sequences.next());
  } catch (const Diverged& diverged) {  // by next(): the run before asked less than it should have
    const std::string world = "sequence " + std::to_string(result.worlds);
    result.finding = internal::Runner::not_repeatable(world, diverged.what());
    return result;
  }
  result.is_complete = !sequences.was_cut();
  return result;
}

Exploration explore(const ExploreOptions& options, const TestBody& body, std::source_location where) {
  FailureProbe& probe = default_probe();
  return told(explore(options, body, probe), probe, where);
}

Exploration explore(std::uint64_t worlds, const TestBody& body, std::source_location where) {
  ExploreOptions options;
  options.worlds = worlds;
  return explore(options, body, where);
}

Exploration explore_all(const ExhaustiveOptions& options, const TestBody& body, std::source_location where) {
  FailureProbe& probe = default_probe();
  return told(explore_all(options, body, probe), probe, where);
}

void replay(std::string_view choices, const TestBody& body, std::source_location where) {
  FailureProbe& probe = default_probe();
  internal::Runner runner(body, probe);
  LabOptions lab;
  lab.freedom = Freedom::both;
  const std::optional<Finding> finding = runner.replay_typed(Choices::parse(choices), lab, "this world");
  if (finding) probe.report(finding->report, where);
}

}  // namespace pipette::lab
