#include "pipette/lab/internal/runner.h"

#include <array>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "pipette/inmem/text.h"
#include "pipette/lab/oracles.h"
#include "pipette/lab/story.h"

namespace pipette::lab::internal {
namespace {

constexpr std::size_t kShownEvents = 24;

// What a body threw because of a fault is the end of its story, and no failure; anything else is.
void run_body(const TestBody& body, Lab& lab) {
  try {
    body(lab);
  } catch (const Destroyed&) {
  } catch (const std::system_error&) {
    if (lab.world().faults().struck() == 0) throw;
  }
}

std::string shell_word(const std::string& text) {
  std::string shown = "'";
  for (const char c : text) shown += c == '\'' ? "'\\''" : std::string(1, c);
  return shown + "'";
}

std::string cpp_literal(const std::string& text) {
  std::string shown = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') shown += '\\';
    shown += c;
  }
  return shown + "\"";
}

std::string as_test(const std::string& choices) {
  return "as a test:\n  TEST(Replay, Fails) {\n    pipette::lab::replay(" + cpp_literal(choices) +
         ", [](pipette::Lab& lab) {\n      // the body of the test that failed\n    });\n  }\n";
}

constexpr std::array<std::string_view, 2> kCuts = {"cut.dialing side", "cut.accepting side"};
constexpr std::string_view kCutEverywhere = "cut.every octet";

void make_cuts(const Choices& choices, inmem::Network& network) {
  for (const Choices::Entry& choice : choices.entries()) {
    for (std::uint8_t side = 0; side < kCuts.size(); ++side) {
      if (choice.key.site == kCuts.at(side)) network.set_cut(inmem::Cut{side, choice.key.object});
    }
    if (choice.key.site != kCutEverywhere) continue;
    net::ChannelOptions trickle = network.pipe_options();
    trickle.max_read_bytes = 1;
    network.set_pipe_options(trickle);
  }
}

// Those that were asked for, of a run whose failure the framework does not hear of.
class WantedArtefacts final : public Artefacts {
 public:
  explicit WantedArtefacts(Artefacts& wanted) : wanted_(wanted) {}
  bool is_wanted() const override { return true; }
  void add(const Artefact& artefact) override { wanted_.add(artefact); }

 private:
  Artefacts& wanted_;
};

}  // namespace

Choices cut_behind(std::uint8_t side, std::uint64_t offset) {
  return Choices({{{std::string(kCuts.at(side)), offset, 0}, 1}});
}

Choices cut_everywhere() { return Choices({{{std::string(kCutEverywhere), 0, 0}, 1}}); }

std::string describe_choice(const Choices::Entry& choice) {
  const ChoiceKey& key = choice.key;
  const std::string fault = inmem::describe_fault(key.site, key.object, key.ordinal, choice.answer);
  if (!fault.empty()) return fault;
  for (const std::string_view cut : kCuts) {
    if (key.site != cut) continue;
    return "what the " + key.site.substr(4) + " sends is cut behind octet " + std::to_string(key.object);
  }
  if (key.site == kCutEverywhere) return "reads of one octet each";
  const std::string number = std::to_string(choice.answer + 1);
  const std::string ordinal = std::to_string(std::uint64_t{key.ordinal} + 1);
  const std::string connection =
      "conn " + std::to_string(key.object / 2) + (key.object % 2 == 0 ? ", dialing side: " : ", accepting side: ");
  if (key.site == "ready") return "pick " + ordinal + " of what runs next: number " + number + " of those ready";
  if (key.site == "lane priority")
    return "lane " + std::to_string(key.object) + " has priority " + std::to_string(choice.answer);
  if (key.site == "lane demotion") return "at step " + ordinal + " the lane that runs falls behind all others";
  if (key.site == "read size") return connection + "read " + ordinal + " is short";
  if (key.site == "write size") return connection + "write " + ordinal + " is short";
  if (key.site == "not yet") return connection + "try " + ordinal + " comes too early";
  if (key.site == "explore.order")
    return choice.answer == 1 ? "what is ready runs in any order" : "lanes have priorities";
  if (key.site.starts_with("explore.")) return "with " + key.site.substr(8);
  return "decision " + ordinal + " at " + key.site + " for " + std::to_string(key.object) + ": " +
         std::to_string(choice.answer);
}

Run Runner::run_with(const Choices& choices, LabOptions options) {
  LenientReplay oracle(choices);
  options.oracle = &oracle;
  Run result = run(options, choices);
  const Choices unused = oracle.unused();
  for (const Choices::Entry& entry : unused.entries()) {
    if (!entry.key.site.starts_with("cut.")) result.unused.set(entry.key, entry.answer);
  }
  return result;
}

Run Runner::run(const LabOptions& options, const Choices& cuts) {
  const ArtefactScope scope(artefacts_);
  Run run;
  run.failure = probe_.run([&] {
    Lab lab(options);
    struct Harvest {
      ~Harvest() {
        inmem::World& world = lab.world();
        run.recorded = world.decisions().recorded();
        run.steps = world.scheduler().steps();
        run.struck = world.faults().struck();
        run.hash = world.log().short_hash();
      }
      Lab& lab;
      Run& run;
    } const harvest{lab, run};
    struct Inspection {
      ~Inspection() {
        if (inspect) inspect(lab);
      }
      Lab& lab;
      const std::function<void(Lab&)>& inspect;
    } const inspection{lab, inspect_};
    make_cuts(cuts, lab.world().network());
    run_body(body_, lab);
    lab.finish();
  });
  return run;
}

Finding Runner::find(const Choices& failing, const std::string& failure, const LabOptions& options,
                     const std::string& world, const ShrinkOptions& shrinking) {
  LabOptions replaying = options;
  replaying.records = false;
  const auto still_fails = [&](const Choices& choices) { return run_with(choices, replaying).failure.has_value(); };
  const Shrunk shrunk = shrink(failing, still_fails, shrinking);
  std::optional<Finding> finding = replay(shrunk.choices, replaying, world);
  if (!finding) finding = not_repeatable(world, failure);
  finding->runs = shrunk.runs;
  return *std::move(finding);
}

Finding Runner::not_repeatable(const std::string& world, const std::string& failure) {
  Finding finding;
  finding.world = world;
  finding.failure = failure;
  finding.report = world +
                   " fails, and not when it is run again with the same decisions: something in the test is not decided "
                   "by the lab.\nLook for what outlives a run (a static variable, a server with a state), for a real "
                   "clock, for a random device, for an order of addresses.\n";
  if (!failure.empty()) finding.report += "what the test said:\n" + inmem::indented(failure);
  return finding;
}

std::optional<Choices> Runner::asked_for() {
  const char* const text = std::getenv("PIPETTE_REPLAY");
  if (text == nullptr) return std::nullopt;
  return Choices::parse(text);
}

std::optional<Finding> Runner::replay(const Choices& choices, const LabOptions& options, const std::string& world) {
  std::string events;
  const std::function<void(Lab&)> outer =
      std::exchange(inspect_, [&events](Lab& lab) { events = last_first(lab.log(), kShownEvents); });
  std::optional<WantedArtefacts> wanted;
  if (Artefacts* const asked = Artefacts::current()) artefacts_ = &wanted.emplace(*asked);
  const Run again = run_with(choices, options);
  artefacts_ = nullptr;
  inspect_ = outer;
  if (!again.failure) return std::nullopt;
  Finding finding;
  finding.world = world;
  finding.choices = choices;
  finding.failure = *again.failure;
  finding.report = report(finding, events);
  return finding;
}

std::optional<Finding> Runner::replay_typed(const Choices& choices, const LabOptions& options,
                                            const std::string& world) {
  if (std::optional<Finding> finding = replay(choices, options, world)) return finding;
  const Choices unused = run_with(choices, options).unused;
  if (unused.empty()) return std::nullopt;
  Finding finding;
  finding.world = world;
  finding.choices = choices;
  finding.failure = "nobody asked for " + unused.to_string();
  finding.report = world + " passes, but " + finding.failure + ": is it misspelt, or of another test?\n";
  return finding;
}

std::string Runner::report(const Finding& finding, const std::string& events) const {
  const std::size_t count = finding.choices.size();
  std::string text = finding.world + " fails, and needs ";
  text += count == 0 ? "nothing out of the ordinary" : inmem::counted(count, "choice") + ":";
  text += "\n";
  for (const Choices::Entry& choice : finding.choices.entries()) text += "  " + describe_choice(choice) + "\n";
  text += "what the test said:\n" + inmem::indented(finding.failure);
  if (!events.empty()) text += "what happened, the last first:\n" + events;
  const std::string command = probe_.rerun_command();
  const std::string choices = finding.choices.to_string();
  text += "reproduce: PIPETTE_REPLAY=" + shell_word(choices) + (command.empty() ? "" : " " + command) + "\n";
  if (std::getenv("PIPETTE_WRITE_TEST") != nullptr) text += as_test(choices);
  return text;
}

}  // namespace pipette::lab::internal
