#include "pipette/lab/oracles.h"

#include <algorithm>
#include <bit>

namespace pipette::lab {
namespace {

constexpr Site kIsOn{"swarm family"};
constexpr Site kStrength{"swarm strength"};
constexpr Site kAtLeast{"swarm at least"};
constexpr std::array<unsigned, 4> kStrengths{1, 4, 16, 64};

std::string ask(const Question& question) { return to_string(key_of(question), question.n); }

}  // namespace

// ---- SitePrefixes ----

int SitePrefixes::find(const Site& site) {
  Known& known = known_[site.hash() % known_.size()];
  if (known.hash != site.hash() || known.index == kUnknown) known = {site.hash(), search(site.name())};
  return known.index;
}

int SitePrefixes::search(std::string_view name) const {
  const auto fits = [name](const std::string& prefix) { return name.starts_with(prefix); };
  const auto found = std::ranges::find_if(prefixes_, fits);
  return found == prefixes_.end() ? kNone : static_cast<int>(found - prefixes_.begin());
}

// ---- ChoiceTable ----

ChoiceTable::ChoiceTable(Choices choices) : choices_(std::move(choices)) {
  if (choices_.empty()) return;
  slots_.resize(std::bit_ceil(choices_.size() * 4));
  for (const Choices::Entry& entry : choices_.entries()) {
    const std::uint64_t key = question_of(entry.key).key();
    slots_[place_of(key)] = {key, entry.answer, false};
  }
}

Choices ChoiceTable::select(bool was_used) const {
  std::vector<Choices::Entry> entries;
  for (const Choices::Entry& entry : choices_.entries()) {
    const Slot& slot = slots_[place_of(question_of(entry.key).key())];
    if (slot.was_used == was_used) entries.push_back(entry);
  }
  return Choices(std::move(entries));
}

// ---- StrictReplay ----

StrictReplay::StrictReplay(Record record) : record_(std::move(record)) {
  keys_.reserve(record_.size());
  for (const Record::Entry& entry : record_.entries()) keys_.push_back(question_of(entry.key).key());
}

unsigned StrictReplay::answer(const Question& question) {
  if (divergence_) throw *divergence_;
  if (position_ == record_.size()) diverge(ask(question));
  const Record::Entry& entry = record_.entries()[position_];
  if (keys_[position_] != question.key() || entry.n != question.n) diverge(ask(question));
  ++position_;
  return entry.answer;
}

void StrictReplay::finish() {
  if (divergence_) throw *divergence_;
  if (position_ < record_.size()) diverge("nothing more");
}

void StrictReplay::diverge(const std::string& asked) {
  const std::string recorded = position_ == record_.size()
                                   ? "nothing more"
                                   : to_string(record_.entries()[position_].key, record_.entries()[position_].n);
  divergence_.emplace(position_, "the run leaves its record at choice " + std::to_string(position_) +
                                     ": the record has " + recorded + ", the program asks " + asked);
  throw *divergence_;
}

// ---- ExhaustiveOracle ----

ExhaustiveOracle::ExhaustiveOracle(ExhaustiveOptions options) : options_(std::move(options)), sites_(options_.sites) {}

unsigned ExhaustiveOracle::answer(const Question& question) {
  if (!sites_.includes(question.site)) return 0;
  if (position_ < wheels_.size()) {
    const Wheel& wheel = wheels_[position_];
    check_same(wheel, question);
    ++position_;
    return wheel.answer;
  }
  if (question.n > options_.max_n || position_ >= options_.depth) was_cut_ = true;
  if (position_ >= options_.depth) return 0;
  wheels_.push_back({question, 0});
  ++position_;
  return 0;
}

void ExhaustiveOracle::check_same(const Wheel& wheel, const Question& question) const {
  const Question& before = wheel.question;
  const bool is_same = before.site == question.site && before.object == question.object &&
                       before.ordinal == question.ordinal && before.n == question.n;
  if (!is_same) diverge(wheel, ask(question));
}

void ExhaustiveOracle::diverge(const Wheel& wheel, const std::string& asked) const {
  throw Diverged(position_, "the program is not deterministic: after the same " + std::to_string(position_) +
                                " answers it asked " + ask(wheel.question) + " in the run before, and " + asked +
                                " now");
}

bool ExhaustiveOracle::next() {
  if (position_ < wheels_.size()) diverge(wheels_[position_], "nothing more");
  ++runs_;
  position_ = 0;
  while (!wheels_.empty() && wheels_.back().answer + 1 >= tried(wheels_.back().question.n)) wheels_.pop_back();
  if (wheels_.empty()) return false;
  ++wheels_.back().answer;
  return true;
}

Choices ExhaustiveOracle::choices() const {
  std::vector<Choices::Entry> entries;
  for (const Wheel& wheel : wheels_) entries.push_back({key_of(wheel.question), wheel.answer});
  return Choices(std::move(entries));
}

// ---- FuzzOracle ----

unsigned FuzzOracle::answer(const Question& question) {
  if (position_ == bytes_.size() || !sites_.includes(question.site)) return 0;
  return static_cast<std::uint8_t>(bytes_[position_++]) % question.n;
}

// ---- SwarmOracle ----

SwarmOracle::SwarmOracle(std::uint64_t seed, std::vector<std::string> families)
    : chance_(seed), families_(std::move(families)) {
  const std::vector<std::string>& names = families_.prefixes();
  for (const std::string& name : names) {
    const std::uint64_t family = Site(name).hash();
    const bool is_on = chance_.answer({kIsOn, family}) != 0;
    const unsigned strength = kStrengths[chance_.answer({kStrength, family, 0, kStrengths.size()})];
    strengths_.push_back(is_on ? strength : 0);
  }
  if (!names.empty() && std::ranges::count(strengths_, 0U) == std::ssize(names)) {
    const auto n = static_cast<unsigned>(std::min<std::size_t>(names.size(), 256));
    strengths_[chance_.answer({kAtLeast, 0, 0, n})] = kStrengths.back();
  }
}

unsigned SwarmOracle::answer(const Question& question) {
  const int family = families_.find(question.site);
  if (family == SitePrefixes::kNone) return 0;
  const unsigned strength = strengths_[static_cast<std::size_t>(family)];
  if (strength == 0) return 0;
  Question stronger = question;
  // Not below 2: a one_in of 1 says that all answers are alike.
  if (question.one_in > 1) stronger.one_in = std::max(question.one_in / strength, 2U);
  return chance_.answer(stronger);
}

bool SwarmOracle::is_on(std::string_view family) const {
  const auto found = std::ranges::find(families_.prefixes(), family);
  return found != families_.prefixes().end() &&
         strengths_[static_cast<std::size_t>(found - families_.prefixes().begin())] != 0;
}

std::string SwarmOracle::description() const {
  std::string on;
  std::string off;
  for (std::size_t i = 0; i < strengths_.size(); ++i) {
    std::string& list = strengths_[i] == 0 ? off : on;
    if (!list.empty()) list += ", ";
    list += families_.prefixes()[i];
    if (strengths_[i] > 1) list += " x" + std::to_string(strengths_[i]);
  }
  return "seed " + std::to_string(seed()) + ": " + (on.empty() ? "nothing" : on) + (off.empty() ? "" : "; off: " + off);
}

}  // namespace pipette::lab
