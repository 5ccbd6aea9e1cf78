#include "conformance/expectation.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "conformance/text.h"

namespace pipette::conformance {
namespace {

constexpr std::pair<std::string_view, Ending> kEndings[] = {
    {"open", Ending::open}, {"closed", Ending::closed}, {"either", Ending::either}, {"silent", Ending::silent}};

using Kind = Wish::Kind;
constexpr std::pair<std::string_view, Kind> kWishes[] = {{"with", Kind::with},     {"without", Kind::without},
                                                         {"same", Kind::same},     {"empty", Kind::empty},
                                                         {"filled", Kind::filled}, {"no", Kind::no_interim}};

constexpr std::pair<int, int> kServed[] = {{200, 399}, {401, 401}, {403, 405}};

bool is_within(std::span<const std::pair<int, int>> ranges, int status) {
  return std::ranges::any_of(ranges,
                             [&](const auto& range) { return range.first <= status && status <= range.second; });
}

bool take_status(Expected& expected, std::string_view word) {
  if (word == "none") return expected.may_be_none = true;
  if (word == "any") {
    expected.statuses.emplace_back(200, 599);
    return true;
  }
  if (word == "served") {
    expected.statuses.insert(expected.statuses.end(), std::begin(kServed), std::end(kServed));
    return true;
  }
  const auto number = parse_number(word.substr(0, word.find('x')));
  if (word.size() != 3 || !number) return false;
  if (word.ends_with("xx") && *number < 10) {
    expected.statuses.emplace_back(*number * 100, *number * 100 + 99);
  } else {
    expected.statuses.emplace_back(*number, *number);
  }
  return *number > 0;
}

std::string take_answer(Turn& turn, std::string_view line, std::string_view statuses) {
  constexpr std::string_view kUnless = " unless answered";
  Expected expected;
  expected.text = line;
  expected.unless_answered = statuses.ends_with(kUnless);
  if (expected.unless_answered) statuses.remove_suffix(kUnless.size());
  for (const std::string_view word : split(statuses, " or ")) {
    if (!take_status(expected, word)) return "no such status: " + std::string(word);
  }
  turn.expected.push_back(std::move(expected));
  return {};
}

bool has_name(Kind kind) { return kind == Kind::with || kind == Kind::without || kind == Kind::same; }

std::optional<Wish> read_wish(std::string_view line) {
  constexpr std::string_view kIf = "if ";
  constexpr std::size_t kWishAt = 7;
  if (line.starts_with(kIf)) {
    const auto status = parse_number(line.substr(kIf.size(), 3));
    std::optional<Wish> wish = line.size() > kWishAt ? read_wish(line.substr(kWishAt)) : std::nullopt;
    if (!status || !wish) return std::nullopt;
    wish->only_status = static_cast<int>(*status);
    return wish;
  }
  const std::string_view word = line.substr(0, line.find(' '));
  const auto row = std::ranges::find(kWishes, word, &std::pair<std::string_view, Kind>::first);
  if (row == std::end(kWishes)) return std::nullopt;
  Wish wish;
  wish.kind = row->second;
  const std::string_view rest = trim(line.substr(word.size()));
  if (wish.kind == Kind::no_interim) return rest == "interim" ? std::optional(wish) : std::nullopt;
  if (!has_name(wish.kind)) return rest.empty() ? std::optional(wish) : std::nullopt;
  wish.name = rest.substr(0, rest.find(' '));
  std::string_view option = trim(rest.substr(wish.name.size()));
  if (wish.name.empty()) return std::nullopt;
  if (option.empty()) return wish;
  const bool is_quoted = option.size() > 2 && option.starts_with('"') && option.ends_with('"');
  if (wish.kind != Kind::with || !is_quoted) return std::nullopt;
  wish.option = option.substr(1, option.size() - 2);
  return wish;
}

bool is_granted(const Wish& wish, const Answers& so_far, const Answer& answer) {
  if (wish.only_status != 0 && wish.only_status != answer.status) return true;
  switch (wish.kind) {
    case Kind::with:
      return wish.option.empty() ? answer.has(wish.name) : answer.lists(wish.name, wish.option);
    case Kind::without:
      return !answer.has(wish.name);
    case Kind::same: {
      const Answer& first = so_far.whole.front();
      return !answer.has(wish.name) || !first.has(wish.name) || answer.value(wish.name) == first.value(wish.name);
    }
    case Kind::empty:
      return answer.content.empty();
    case Kind::filled:
      return !answer.content.empty();
    case Kind::no_interim:
      return std::ranges::none_of(so_far.whole, &Answer::is_interim);
  }
  return false;
}

std::string describe(const Wish& wish) {
  const auto row = std::ranges::find(kWishes, wish.kind, &std::pair<std::string_view, Kind>::second);
  std::string text(row->first);
  if (wish.kind == Kind::no_interim) text += " interim";
  if (!wish.name.empty()) text += " " + wish.name;
  if (!wish.option.empty()) text += " \"" + wish.option + "\"";
  return text;
}

}  // namespace

bool Expected::takes(int status) const { return is_within(statuses, status); }

bool is_served(int status) { return is_within(kServed, status); }

std::string take_expectation(Turn& turn, std::string_view line) {
  constexpr std::string_view kAnswer = "answer ";
  if (turn.ending != Ending::untold) return "a line behind the end";
  for (const auto& [word, ending] : kEndings) {
    if (line != word) continue;
    turn.ending = ending;
    return {};
  }
  if (line.starts_with(kAnswer)) return take_answer(turn, line, line.substr(kAnswer.size()));
  std::optional<Wish> wish = read_wish(line);
  if (!wish) return "no such expectation: " + std::string(line);
  if (turn.expected.empty()) return "a wish without an answer: " + std::string(line);
  turn.expected.back().wishes.push_back(std::move(*wish));
  return {};
}

void Judge::expect(const Turn& turn) {
  turn_ = &turn;
  next_expected_ = 0;
}

bool Judge::is_content(const Answers& so_far, bool is_over) {
  while (complaint_.empty() && next_expected_ < turn_->expected.size()) {
    const Expected& expected = turn_->expected[next_expected_];
    if (expected.unless_answered && was_final_) {
      ++next_expected_;
      continue;
    }
    while (next_answer_ < so_far.whole.size() && so_far.whole[next_answer_].is_interim() && !expected.takes_interim()) {
      ++next_answer_;
    }
    if (next_answer_ < so_far.whole.size()) {
      judge(expected, so_far, so_far.whole[next_answer_++]);
      ++next_expected_;
      continue;
    }
    if (!so_far.wrong.empty()) complaint_ = so_far.wrong;
    if (!is_over) return !complaint_.empty();
    if (!expected.may_be_none) complaint_ = "no answer where there must be one: " + expected.text;
    ++next_expected_;
  }
  return true;
}

void Judge::judge(const Expected& expected, const Answers& so_far, const Answer& answer) {
  was_final_ = !answer.is_interim();
  const std::string status = std::to_string(answer.status);
  if (!expected.takes(answer.status)) {
    complaint_ = "status " + status + " where there must be: " + expected.text;
    return;
  }
  for (const Wish& wish : expected.wishes) {
    if (is_granted(wish, so_far, answer)) continue;
    complaint_ = "the answer " + status + " is not as it must be: " + describe(wish);
    return;
  }
}

bool Judge::may_be_none() const {
  return next_expected_ < turn_->expected.size() && turn_->expected[next_expected_].may_be_none;
}

std::vector<int> Judge::extra(const Answers& so_far) const {
  std::vector<int> statuses;
  for (std::size_t i = next_answer_; i < so_far.whole.size(); ++i) {
    if (!so_far.whole[i].is_interim()) statuses.push_back(so_far.whole[i].status);
  }
  return statuses;
}

}  // namespace pipette::conformance
