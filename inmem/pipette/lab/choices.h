// Choices: what a run decided, as a value and as text.
//
//   ready/0/17=1,fault.read/3/2=4
//   ^     ^ ^  ^
//   |     | |  answer, 1 ... 255
//   |     | ordinal: the how-manieth such question
//   |     object: for whom
//   site
//
// Choices holds the answers other than 0, in the order of their keys; a question that is missing is answered with 0, so
// the text of a shrunk failure fits on a command line. Record holds each question of a run as it was asked, the plain
// answers too, for a replay that notices the first difference. Its text is a file, one choice a line:
//
//   pipette record 1
//   ready/0/0=0 of 2
//   read size/1/0=3 of 8
//
// Both are written and parsed as inverses. A site's name may hold anything but commas and line ends.
//
// Errors    parse() throws BadChoices, which quotes the part that is wrong and says what should stand there.
// Threads   plain values.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/oracle.h"

namespace pipette::lab {

// Text that is no choices, or one question with two answers.
class BadChoices : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct ChoiceKey {
  std::string site;
  std::uint64_t object = 0;
  std::uint32_t ordinal = 0;

  auto operator<=>(const ChoiceKey&) const = default;
};

ChoiceKey key_of(const Question& question);
// The question that has this key: valid as long as `key` is.
Question question_of(const ChoiceKey& key);
// "fault.read/3/2"
std::string to_string(const ChoiceKey& key);
// "fault.read/3/2 of 6"
std::string to_string(const ChoiceKey& key, unsigned n);

class Choices {
 public:
  struct Entry {
    ChoiceKey key;
    unsigned answer = 0;

    bool operator==(const Entry&) const = default;
  };

  Choices() = default;
  // In any order; entries that answer 0 are left out. Throws BadChoices when two have the same key.
  explicit Choices(std::vector<Entry> entries);
  // Of what Decisions recorded.
  explicit Choices(const std::vector<Choice>& recorded);
  // The empty text is no choices; spaces around commas are let through.
  static Choices parse(std::string_view text);

  // The answer to `key`: 0 when it is missing.
  unsigned answer(const ChoiceKey& key) const;
  // An answer of 0 takes the choice back.
  void set(const ChoiceKey& key, unsigned answer);

  // In the order of their keys.
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  bool operator==(const Choices&) const = default;
  std::string to_string() const;

 private:
  std::vector<Entry> entries_;
};

class Record {
 public:
  struct Entry {
    ChoiceKey key;
    unsigned n = 2;
    unsigned answer = 0;

    bool operator==(const Entry&) const = default;
  };

  Record() = default;
  explicit Record(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  // Of what Decisions recorded.
  explicit Record(const std::vector<Choice>& recorded);
  static Record parse(std::string_view text);

  // In the order in which they were asked.
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  bool operator==(const Record&) const = default;
  // The answers other than 0.
  Choices choices() const;
  std::string to_string() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace pipette::lab
