#include "pipette/lab/choices.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::lab {
namespace {

constexpr unsigned kMaxAnswers = 256;
constexpr std::string_view kRecordHead = "pipette record 1";

[[noreturn]] void refuse(std::string_view part, std::string_view why) {
  throw BadChoices("bad choice \"" + std::string(part) + "\": " + std::string(why));
}

std::uint64_t parse_number(std::string_view digits, std::uint64_t most, std::string_view part, std::string_view name) {
  const std::optional<std::uint64_t> number = ascii::parse_decimal(digits);
  if (!number || *number > most) {
    refuse(part, std::string(name) + " must be a number up to " + std::to_string(most) + ", not \"" +
                     std::string(digits) + "\"");
  }
  return *number;
}

// Cuts `text` at the last `mark`, and gives what stood after it.
std::string_view cut_last(std::string_view& text, char mark, std::string_view part, std::string_view form) {
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) refuse(part, "write it as " + std::string(form));
  const std::string_view after = text.substr(at + 1);
  text = text.substr(0, at);
  return after;
}

// site/object/ordinal, read from the right: the site may hold anything.
ChoiceKey parse_key(std::string_view text, std::string_view part, std::string_view form) {
  const std::string_view ordinal = cut_last(text, '/', part, form);
  const std::string_view object = cut_last(text, '/', part, form);
  if (text.empty()) refuse(part, "a site's name is missing; write it as " + std::string(form));
  ChoiceKey key;
  key.site = text;
  key.object = parse_number(object, std::numeric_limits<std::uint64_t>::max(), part, "object");
  key.ordinal =
      static_cast<std::uint32_t>(parse_number(ordinal, std::numeric_limits<std::uint32_t>::max(), part, "ordinal"));
  return key;
}

Choices::Entry parse_choice(std::string_view part) {
  constexpr std::string_view kForm = "site/object/ordinal=answer";
  std::string_view text = part;
  const std::string_view answer = cut_last(text, '=', part, kForm);
  Choices::Entry entry;
  entry.key = parse_key(text, part, kForm);
  entry.answer = static_cast<unsigned>(parse_number(answer, kMaxAnswers - 1, part, "answer"));
  return entry;
}

Record::Entry parse_line(std::string_view line) {
  constexpr std::string_view kForm = "site/object/ordinal=answer of n";
  constexpr std::string_view kOf = " of ";
  std::string_view text = line;
  const std::string_view answered = cut_last(text, '=', line, kForm);
  const std::size_t of = answered.find(kOf);
  if (of == std::string_view::npos) refuse(line, "write it as " + std::string(kForm));
  Record::Entry entry;
  entry.key = parse_key(text, line, kForm);
  entry.n = static_cast<unsigned>(parse_number(answered.substr(of + kOf.size()), kMaxAnswers, line, "n"));
  if (entry.n < 2) refuse(line, "n must be at least 2: fewer answers are no question");
  entry.answer = static_cast<unsigned>(parse_number(answered.substr(0, of), entry.n - 1, line, "answer"));
  return entry;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_before(const Choices::Entry& entry, const ChoiceKey& key) { return entry.key < key; }

}  // namespace

ChoiceKey key_of(const Question& question) {
  return {std::string(question.site.name()), question.object, question.ordinal};
}

Question question_of(const ChoiceKey& key) { return {Site(key.site), key.object, key.ordinal}; }

std::string to_string(const ChoiceKey& key) {
  return key.site + "/" + std::to_string(key.object) + "/" + std::to_string(key.ordinal);
}

std::string to_string(const ChoiceKey& key, unsigned n) { return to_string(key) + " of " + std::to_string(n); }

Choices::Choices(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.answer == 0; });
  if (!std::ranges::is_sorted(entries_, {}, &Entry::key)) std::ranges::sort(entries_, {}, &Entry::key);
  const auto twice = std::ranges::adjacent_find(entries_, {}, &Entry::key);
  if (twice != entries_.end()) refuse(lab::to_string(twice->key), "it has two answers; keep one");
}

Choices::Choices(const std::vector<Choice>& recorded) {
  std::vector<Entry> entries;
  for (const Choice& choice : recorded) {
    if (choice.answer != 0) entries.push_back({key_of(choice.question), choice.answer});
  }
  *this = Choices(std::move(entries));
}

Choices Choices::parse(std::string_view text) {
  std::vector<Entry> entries;
  if (trim(text).empty()) return {};
  for (;;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    entries.push_back(parse_choice(trim(text.substr(0, comma))));
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  return Choices(std::move(entries));
}

unsigned Choices::answer(const ChoiceKey& key) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), key, is_before);
  return at != entries_.end() && at->key == key ? at->answer : 0;
}

void Choices::set(const ChoiceKey& key, unsigned answer) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), key, is_before);
  const bool is_there = at != entries_.end() && at->key == key;
  if (answer == 0) {
    if (is_there) entries_.erase(at);
  } else if (is_there) {
    at->answer = answer;
  } else {
    entries_.insert(at, {key, answer});
  }
}

std::string Choices::to_string() const {
  std::string text;
  for (const Entry& entry : entries_) {
    if (!text.empty()) text += ',';
    text += lab::to_string(entry.key) + "=" + std::to_string(entry.answer);
  }
  return text;
}

Record::Record(const std::vector<Choice>& recorded) {
  entries_.reserve(recorded.size());
  for (const Choice& choice : recorded) {
    entries_.push_back({key_of(choice.question), choice.question.n, choice.answer});
  }
}

Record Record::parse(std::string_view text) {
  std::vector<Entry> entries;
  bool is_head = true;
  while (!text.empty() || is_head) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_head) {
      entries.push_back(parse_line(line));
    } else if (line != kRecordHead) {
      refuse(line, "a record begins with the line \"" + std::string(kRecordHead) + "\"");
    }
    is_head = false;
  }
  return Record(std::move(entries));
}

Choices Record::choices() const {
  std::vector<Choices::Entry> entries;
  for (const Entry& entry : entries_) {
    if (entry.answer != 0) entries.push_back({entry.key, entry.answer});
  }
  return Choices(std::move(entries));
}

std::string Record::to_string() const {
  std::string text(kRecordHead);
  text += '\n';
  for (const Entry& entry : entries_) {
    text += lab::to_string(entry.key) + "=" + std::to_string(entry.answer) + " of " + std::to_string(entry.n) + "\n";
  }
  return text;
}

}  // namespace pipette::lab
