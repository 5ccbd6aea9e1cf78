// Oracles: the ways in which a run of the lab can be decided, all behind base/oracle.h.
//
//   StrictReplay      a record, in order; stops at the first difference          to trust a replay
//   LenientReplay     choices by key; whatever is missing is 0                    to shrink, to reproduce
//   OverridingOracle  another oracle, except for some choices                     fault sweeps: one deviation a run
//   ExhaustiveOracle  every sequence of answers, one a run                        small tests, all interleavings
//   FuzzOracle        the next byte                                               libFuzzer
//   SwarmOracle       chance, with a random part of the kinds of decisions on     sweeps over seeds
//
// FixedOracle and SeededOracle stand in base/oracle.h. No oracle compares names while a run asks: sites are compared by
// their hash, and a question by its 64-bit key.
//
// Errors    StrictReplay and ExhaustiveOracle throw Diverged when the program does not ask what it asked before.
// Lifetime  an oracle outlives the Decisions that ask it. Those that answer by key keep nothing of a run but what was
//           used, and may serve run after run.
// Threads   one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/bytes.h"
#include "pipette/base/oracle.h"
#include "pipette/lab/choices.h"

namespace pipette::lab {

// The program asked for something else than what it asked the time before.
class Diverged : public std::runtime_error {
 public:
  Diverged(std::size_t index, const std::string& what) : std::runtime_error(what), index_(index) {}
  // Which question of the run it was, from 0.
  std::size_t index() const { return index_; }

 private:
  std::size_t index_;
};

// Which of some prefixes the name of a site begins with; the first in the list wins. Remembers sites by their hash.
class SitePrefixes {
 public:
  static constexpr int kNone = -1;

  SitePrefixes() = default;
  explicit SitePrefixes(std::vector<std::string> prefixes) : prefixes_(std::move(prefixes)) {}

  // An index into prefixes(), or kNone.
  int find(const Site& site);
  // Whether the site is meant: one of the prefixes fits, or there are none.
  bool includes(const Site& site) { return prefixes_.empty() || find(site) != kNone; }
  const std::vector<std::string>& prefixes() const { return prefixes_; }

 private:
  static constexpr int kUnknown = -2;
  struct Known {
    std::uint64_t hash = 0;
    int index = kUnknown;
  };

  int search(std::string_view name) const;

  std::vector<std::string> prefixes_;
  std::array<Known, 32> known_{};  // by the low bits of the hash; the latest stays
};

// Choices that are found by the key of a question, and which of them were. Answers that a question has no room for are
// taken modulo its n.
class ChoiceTable {
 public:
  explicit ChoiceTable(Choices choices);

  // Nothing when the question is not among the choices.
  std::optional<unsigned> find(const Question& question) {
    if (slots_.empty()) return std::nullopt;
    Slot& slot = slots_[place_of(question.key())];
    if (slot.answer == 0) return std::nullopt;
    slot.was_used = true;
    return slot.answer < question.n ? slot.answer : slot.answer % question.n;
  }

  const Choices& choices() const { return choices_; }
  // The choices that some question was answered with, and those that never came up.
  Choices used() const { return select(true); }
  Choices unused() const { return select(false); }

 private:
  // An unused place has an answer of 0.
  struct Slot {
    std::uint64_t key = 0;
    unsigned answer = 0;
    bool was_used = false;
  };

  // Where `key` is, or would be.
  std::size_t place_of(std::uint64_t key) const {
    const std::size_t last = slots_.size() - 1;
    std::size_t at = place64(key, last);
    while (slots_[at].answer != 0 && slots_[at].key != key) at = (at + 1) & last;
    return at;
  }
  Choices select(bool was_used) const;

  Choices choices_;
  std::vector<Slot> slots_;  // a hash table with open addressing: a power of two, at most a quarter full
};

// Gives the answers of a record in its order, for a program that asks exactly the same again. What a catch-all
// swallowed is not lost: after the first difference, each further question and finish() throw the same Diverged.
class StrictReplay final : public Oracle {
 public:
  explicit StrictReplay(Record record);

  unsigned answer(const Question& question) override;
  // At the end of the run: throws Diverged when the program asked fewer questions than the record has.
  void finish();
  // How many answers were given.
  std::size_t position() const { return position_; }

 private:
  [[noreturn]] void diverge(const std::string& asked);

  Record record_;
  std::vector<std::uint64_t> keys_;
  std::size_t position_ = 0;
  std::optional<Diverged> divergence_;
};

// Answers by key; 0 for a choice that is missing. So a choice can be taken away, and the others still mean the same.
class LenientReplay final : public Oracle {
 public:
  explicit LenientReplay(Choices choices) : table_(std::move(choices)) {}

  unsigned answer(const Question& question) override { return table_.find(question).value_or(0); }
  Choices used() const { return table_.used(); }
  // Set but never fired: the program did not ask.
  Choices unused() const { return table_.unused(); }

 private:
  ChoiceTable table_;
};

// What `base` says, except for some choices.
class OverridingOracle final : public Oracle {
 public:
  OverridingOracle(Oracle& base, Choices choices) : base_(&base), table_(std::move(choices)) {}

  unsigned answer(const Question& question) override {
    const std::optional<unsigned> found = table_.find(question);
    return found ? *found : base_->answer(question);
  }
  Choices used() const { return table_.used(); }
  Choices unused() const { return table_.unused(); }

 private:
  Oracle* base_;
  ChoiceTable table_;
};

struct ExhaustiveOptions {
  std::size_t depth = 24;          // questions later than this are answered with 0
  unsigned max_n = 256;            // answers from this on are not tried
  std::vector<std::string> sites;  // beginnings of names: other sites are answered with 0; empty: all sites count
};

// Every sequence of answers, one a run, like the wheels of an odometer: the last answer that can be raised is raised,
// and whatever follows it starts again at 0. Later questions may depend on earlier answers.
//
//   ExhaustiveOracle oracle;
//   do { run the test with oracle } while (oracle.next());
class ExhaustiveOracle final : public Oracle {
 public:
  explicit ExhaustiveOracle(ExhaustiveOptions options = {});

  unsigned answer(const Question& question) override;
  // Ends a run, and prepares the next one; false when all have been made.
  bool next();

  // Runs that were ended by next().
  std::uint64_t runs() const { return runs_; }
  // Whether depth or max_n left anything untried: if not, and next() was false, there is no other run.
  bool was_cut() const { return was_cut_; }
  // What deviates in the run that is under way, or was just made.
  Choices choices() const;

 private:
  struct Wheel {
    Question question;
    unsigned answer = 0;
  };

  void check_same(const Wheel& wheel, const Question& question) const;
  [[noreturn]] void diverge(const Wheel& wheel, const std::string& asked) const;
  unsigned tried(unsigned n) const { return n < options_.max_n ? n : options_.max_n; }

  ExhaustiveOptions options_;
  SitePrefixes sites_;
  std::vector<Wheel> wheels_;
  std::size_t position_ = 0;
  std::uint64_t runs_ = 0;
  bool was_cut_ = false;
};

// The next byte, modulo n; 0 when there are no more. A fuzzer that changes, adds or removes bytes changes decisions.
// Lifetime: `bytes` outlives the oracle.
class FuzzOracle final : public Oracle {
 public:
  // Sites whose names begin with none of `sites` take no byte and are answered with 0; empty: all take one.
  explicit FuzzOracle(Bytes bytes, std::vector<std::string> sites = {}) : bytes_(bytes), sites_(std::move(sites)) {}

  unsigned answer(const Question& question) override;
  // Bytes that were taken.
  std::size_t consumed() const { return position_; }

 private:
  Bytes bytes_;
  SitePrefixes sites_;
  std::size_t position_ = 0;
};

// Chance with a swarm of settings. A family is the beginning of the names of sites ("fault."; the first that fits
// counts). Each seed turns a random half or so of the families on, at least one, and makes each 1, 4, 16 or 64 times as
// frequent as its questions ask for; all else is answered with 0. Faults that are always on hide one another: with some
// of them off, and the others strong, runs reach further apart.
class SwarmOracle final : public Oracle {
 public:
  SwarmOracle(std::uint64_t seed, std::vector<std::string> families);

  unsigned answer(const Question& question) override;
  std::uint64_t seed() const { return chance_.seed(); }
  bool is_on(std::string_view family) const;
  // "seed 7: ready, fault. x16; off: latency, read size"
  std::string description() const;

 private:
  SeededOracle chance_;
  SitePrefixes families_;
  std::vector<unsigned> strengths_;  // of each family; 0: off
};

}  // namespace pipette::lab
