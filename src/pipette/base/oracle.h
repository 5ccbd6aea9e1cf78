// Oracle: who decides what the program leaves open, and the account of what was decided.
//
//   decisions.choose(site, object, n)  -->  [0, n)         0 is the plain answer: first in line, whole read, no fault
//
//   site     what is being decided ("ready", "read size", "fault.read"), a name that never changes
//   object   for whom: the number of a connection, a host, a lane
//   ordinal  the how-manieth such question it is, counted here
//
// Every nondeterministic choice of a simulated world is such a question, and so is every fault a decorator injects into
// a real connection. A question is known by (site, object, ordinal) and never by its place in one long stream, so
// taking one decision back leaves the others as they are: failures shrink, and replays stay true.
//
// Units     n is 2 ... 256; quantities come from short tables.
// Lifetime  the oracle outlives its Decisions; the names of sites outlive what is recorded.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace pipette {

// The finaliser of SplitMix64: every input bit moves every output bit.
constexpr std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Where to begin looking for `key` in a table of 2^k places, the last of which is `last`. Cheaper than mix64.
constexpr std::size_t place64(std::uint64_t key, std::size_t last) { return (key * 0xf1357aea2e62a9c5 >> 32) & last; }

// The name of a kind of decision, as a rule a constant. Names are compared by their hash.
class Site {
 public:
  constexpr explicit Site(std::string_view name) : name_(name), hash_(hash_of(name)) {}

  constexpr std::string_view name() const { return name_; }
  constexpr std::uint64_t hash() const { return hash_; }
  constexpr bool operator==(const Site& other) const { return hash_ == other.hash_; }

 private:
  // FNV-1a: the same on every platform.
  static constexpr std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    return hash;
  }

  std::string_view name_;
  std::uint64_t hash_;
};

struct Question {
  Site site;
  std::uint64_t object = 0;
  std::uint32_t ordinal = 0;  // 0, 1, 2 … for each (site, object)
  unsigned n = 2;             // how many answers there are, 2 ... 256
  unsigned one_in = 1;        // when chance decides: one in this many gets an answer other than 0; 1: all n are alike

  // Whose question it is, and which question it is, in 64 bits. Not mixed: near questions have near keys.
  constexpr std::uint64_t lane() const { return site.hash() + 0xd1342543de82ef95 * object; }
  constexpr std::uint64_t key() const { return lane() + 0x9e3779b97f4a7c15 * ordinal; }
};

// An answered question.
struct Choice {
  Question question;
  unsigned answer = 0;
};

class Oracle {
 public:
  Oracle() = default;
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  virtual ~Oracle() = default;

  // Below question.n; the same question gets the same answer as long as the oracle is the same.
  virtual unsigned answer(const Question& question) = 0;
};

// Always the plain answer.
class FixedOracle final : public Oracle {
 public:
  unsigned answer(const Question&) override { return 0; }
};

// Chance, decided by a seed. Stateless: each answer depends on the seed and the question alone, with the same numbers
// on every platform and compiler.
class SeededOracle final : public Oracle {
 public:
  explicit SeededOracle(std::uint64_t seed) : seed_(seed), mixed_seed_(mix64(seed + 0x9e3779b97f4a7c15)) {}
  std::uint64_t seed() const { return seed_; }

  unsigned answer(const Question& question) override;

 private:
  std::uint64_t seed_;
  std::uint64_t mixed_seed_;
};

// Asks an oracle, counts the questions of each (site, object), and keeps an account when told to.
class Decisions {
 public:
  explicit Decisions(Oracle& oracle) : oracle_(&oracle) {}
  Decisions(const Decisions&) = delete;
  Decisions& operator=(const Decisions&) = delete;

  // An answer below n, which is at most 256; 0, and no question, when n is 1.
  unsigned choose(const Site& site, std::uint64_t object, unsigned n, unsigned one_in = 1);

  // Throws what the oracle has thrown: an answer may be asked for in a destructor, so choose() keeps that and answers
  // 0.
  void rethrow() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

  Oracle& oracle() { return *oracle_; }
  // Keeps every answered question from now on.
  void set_recording(bool on) { is_recording_ = on; }
  const std::vector<Choice>& recorded() const { return recorded_; }
  // How many questions were asked, and how many were not given the plain answer.
  std::uint64_t asked() const { return asked_; }
  std::uint64_t deviated() const { return deviated_; }

 private:
  // How many questions one (site, object) has asked. An unused place has a count of 0.
  struct Lane {
    std::uint64_t key = 0;
    std::uint64_t count = 0;
  };

  unsigned ask(const Question& question);
  std::uint32_t next_ordinal(std::uint64_t lane);
  Lane& lane_at(std::uint64_t key);
  void grow();

  Oracle* oracle_;
  std::exception_ptr exception_;
  bool is_recording_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t deviated_ = 0;
  std::vector<Lane> lanes_;  // a hash table with open addressing: a power of two, at most half full
  std::size_t used_lanes_ = 0;
  std::vector<Choice> recorded_;
};

}  // namespace pipette
