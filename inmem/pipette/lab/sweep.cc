#include "pipette/lab/sweep.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipette/base/random.h"

namespace pipette::lab {
namespace {

using inmem::Fault;
using inmem::Operation;

constexpr std::array kAllOperations = {Operation::read,   Operation::write,   Operation::close_write, Operation::dial,
                                       Operation::accept, Operation::resolve, Operation::step,        Operation::call};

// A step can be ended once only.
bool strikes_once(Operation operation) { return operation == Operation::step || operation == Operation::call; }

// A question of the clean run, and the operation it is about.
struct Point {
  ChoiceKey key;
  Operation operation;
};

std::vector<Point> points_of(const std::vector<Choice>& recorded, bool with_steps) {
  std::vector<Point> points;
  for (const Choice& choice : recorded) {
    for (const Operation operation : kAllOperations) {
      if (choice.question.site != inmem::fault_site(operation)) continue;
      if (!with_steps && strikes_once(operation)) continue;
      points.push_back({key_of(choice.question), operation});
    }
  }
  return points;
}

// The answers that are worth a world.
unsigned answers_of(Operation operation) {
  const auto kinds = static_cast<unsigned>(inmem::faults_of(operation).size());
  return strikes_once(operation) ? kinds : 2 * kinds;
}

class Sweep {
 public:
  Sweep(const SweepOptions& options, const TestBody& body, FailureProbe& probe)
      : options_(options), runner_(body, probe) {
    lab_.freedom = Freedom::faults;
  }

  FaultSweep run() {
    if (const auto asked = internal::Runner::asked_for()) {
      result_.worlds = 1;
      result_.finding = runner_.replay_typed(*asked, lab_, "the world of PIPETTE_REPLAY");
      return std::move(result_);
    }
    const internal::Run clean = run_with(Choices(), true);
    if (clean.failure) {
      found(Choices(), clean, "the clean run, with no fault,");
      return std::move(result_);
    }
    const std::vector<Point> points = points_of(clean.recorded, options_.steps);
    result_.points = points.size();
    sweep_singles(points);
    if (!result_.finding) sweep_pairs(points);
    return std::move(result_);
  }

 private:
  internal::Run run_with(const Choices& choices, bool records = false) {
    LabOptions options = lab_;
    options.records = records;
    ++result_.worlds;
    return runner_.run_with(choices, options);
  }

  bool is_spent() {
    if (result_.worlds < options_.max_worlds) return false;
    result_.is_cut = true;
    return true;
  }

  void found(const Choices& choices, const internal::Run& run, const std::string& world) {
    result_.finding = runner_.find(choices, *run.failure, lab_, world, options_.shrinking);
  }

  FaultSweep::Row& row_of(Operation operation, Fault fault) {
    const auto known = std::ranges::find_if(
        result_.rows, [&](const FaultSweep::Row& row) { return row.operation == operation && row.fault == fault; });
    if (known != result_.rows.end()) return *known;
    return result_.rows.emplace_back(FaultSweep::Row{operation, fault, 0, 0});
  }

  void sweep_singles(const std::vector<Point>& points) {
    for (const Point& point : points) {
      const auto kinds = inmem::faults_of(point.operation);
      for (unsigned answer = 1; answer <= answers_of(point.operation); ++answer) {
        if (is_spent()) return;
        Choices choices;
        choices.set(point.key, answer);
        const internal::Run run = run_with(choices);
        FaultSweep::Row& row = row_of(point.operation, kinds[(answer - 1) % kinds.size()]);
        ++row.worlds;
        if (run.struck > 0) ++row.struck;
        if (run.failure) return found(choices, run, "world " + std::to_string(result_.worlds) + " of the sweep");
      }
    }
  }

  // A fault, and another one at a place that the run with the first one really comes to.
  void sweep_pairs(const std::vector<Point>& points) {
    if (points.empty()) return;
    Random random(1, "pairs of faults");
    for (std::uint64_t pair = 0; pair < options_.pairs && !is_spent(); ++pair) {
      const Point& first = points[random.below(points.size())];
      Choices choices;
      choices.set(first.key, 1 + static_cast<unsigned>(random.below(answers_of(first.operation))));
      std::vector<Point> others = points_of(run_with(choices, true).recorded, options_.steps);
      std::erase_if(others, [&first](const Point& other) { return other.key == first.key; });
      if (others.empty()) continue;
      const Point& second = others[random.below(others.size())];
      choices.set(second.key, 1 + static_cast<unsigned>(random.below(answers_of(second.operation))));
      const internal::Run run = run_with(choices);
      if (run.failure) return found(choices, run, "pair " + std::to_string(pair + 1) + " of the sweep");
    }
  }

  SweepOptions options_;
  internal::Runner runner_;
  LabOptions lab_;
  FaultSweep result_;
};

// The most that each side sends on any one connection.
std::array<std::uint64_t, 2> most_sent(const inmem::EventLog& log) {
  std::vector<std::array<std::uint64_t, 2>> sent(log.connections() + 1);
  std::array<std::uint64_t, 2> most{};
  for (std::size_t i = 0; i < log.size(); ++i) {
    const inmem::Event event = log[i];
    if (event.kind != inmem::EventKind::sent) continue;
    std::uint64_t& count = sent[event.connection][event.side];
    count += event.count;
    most[event.side] = std::max(most[event.side], count);
  }
  return most;
}

}  // namespace

std::string FaultSweep::summary() const {
  std::string text = std::to_string(points) + " points, " + std::to_string(worlds) + " worlds: ";
  text += finding ? "a failure\n" : "no failure\n";
  for (const Row& row : rows) {
    text += "  " + std::string(inmem::to_string(row.operation)) + ", " + std::string(inmem::to_string(row.fault)) +
            ": struck in " + std::to_string(row.struck) + " of " + std::to_string(row.worlds) + " worlds\n";
    if (row.struck == 0) text += "  warning: it was set and never struck\n";
  }
  if (is_cut) text += "warning: max_worlds was not enough for all of them\n";
  return text;
}

std::string SplitSweep::summary() const {
  return std::to_string(places) + " places, " + std::to_string(worlds) +
         " worlds: " + (finding ? "a failure" : "no failure");
}

FaultSweep for_all_faults(const SweepOptions& options, const TestBody& body, FailureProbe& probe) {
  return Sweep(options, body, probe).run();
}

SplitSweep for_each_split(const TestBody& body, FailureProbe& probe) {
  internal::Runner runner(body, probe);
  SplitSweep result;
  if (const auto asked = internal::Runner::asked_for()) {
    result.worlds = 1;
    result.finding = runner.replay_typed(*asked, {}, "the world of PIPETTE_REPLAY");
    return result;
  }
  const auto fails = [&](const Choices& choices, const std::string& world) -> bool {
    ++result.worlds;
    const internal::Run run = runner.run_with(choices, {});
    if (!run.failure) return false;
    result.finding = runner.find(choices, *run.failure, {}, world);
    return true;
  };

  std::array<std::uint64_t, 2> most{};
  runner.set_inspect([&most](Lab& lab) { most = most_sent(lab.log()); });
  if (fails(Choices(), "the run that cuts nothing")) return result;
  runner.set_inspect({});

  for (std::uint8_t side = 0; side < 2; ++side) {
    for (std::uint64_t offset = 1; offset < most.at(side); ++offset) {
      ++result.places;
      const std::string world = "world " + std::to_string(result.worlds + 1) + " of the sweep";
      if (fails(internal::cut_behind(side, offset), world)) return result;
    }
  }
  fails(internal::cut_everywhere(), "the run with reads of one octet each");
  return result;
}

FaultSweep for_all_faults(const TestBody& body, std::source_location where) {
  return for_all_faults(SweepOptions(), body, where);
}

FaultSweep for_all_faults(const SweepOptions& options, const TestBody& body, std::source_location where) {
  FailureProbe& probe = default_probe();
  FaultSweep sweep = for_all_faults(options, body, probe);
  if (sweep.finding) probe.report(sweep.finding->report, where);
  return sweep;
}

SplitSweep for_each_split(const TestBody& body, std::source_location where) {
  FailureProbe& probe = default_probe();
  SplitSweep sweep = for_each_split(body, probe);
  if (sweep.finding) probe.report(sweep.finding->report, where);
  return sweep;
}

}  // namespace pipette::lab
