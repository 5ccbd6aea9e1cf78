// A file is read line by line; where one stands is an explicit state: in prose, in what is sent, in events or answers.

#include "conformance/case_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "conformance/octets.h"
#include "conformance/text.h"

namespace pipette::conformance {
namespace {

constexpr std::string_view kLevels[] = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "strict"};
constexpr std::string_view kDot = " \u00b7 ";
constexpr std::string_view kEventWords[] = {"request", "response",   "target",  "field", "body",   "data",
                                            "trailer", "incomplete", "refused", "left",  "octets", "complete"};

using Words = std::vector<std::string_view>;

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string requirement_error(std::string_view line) {
  const Words parts = split(line, kDot);
  if (parts.size() != 3) return "a requirement reads `RFC 9112 \u00a75.1 \u00b7 MUST \u00b7 FLD-01`";
  if (!contains(kLevels, parts[1])) return "no such level: " + std::string(parts[1]);
  const std::string_view id = parts[2];
  const std::size_t dash = id.find('-');
  if (dash == 0 || id.size() != dash + 3 || !parse_number(id.substr(dash + 1))) {
    return "a requirement's id reads `FLD-01`";
  }
  return {};
}

std::string capitalize_words(std::string_view text) {
  std::string name;
  bool is_at_start = true;
  for (const char c : text) {
    const bool is_letter = conformance::is_letter(c);
    if (is_letter || is_digit(c)) {
      name += is_at_start && is_lower_case(c) ? static_cast<char>(c - 0x20) : c;
    }
    is_at_start = !is_letter && c != '\'';
  }
  return name;
}

// ---- settings --------------------------------------------------------------------------------------------

bool set_limit(Settings& settings, std::string_view name, std::uint64_t value) {
  const std::pair<std::string_view, std::size_t*> sizes[] = {
      {"max_target_bytes", &settings.head.max_target_bytes},
      {"max_start_line_bytes", &settings.head.max_start_line_bytes},
      {"max_field_bytes", &settings.head.max_field_bytes},
      {"max_fields", &settings.head.max_fields},
      {"max_head_bytes", &settings.head.max_head_bytes},
      {"max_trailer_field_bytes", &settings.body.trailer.max_field_bytes},
      {"max_trailer_fields", &settings.body.trailer.max_fields},
      {"max_trailer_bytes", &settings.body.trailer.max_head_bytes},
      {"max_body_bytes", &settings.body.max_body_bytes},
      {"max_chunk_overhead_bytes", &settings.body.max_chunk_overhead_bytes},
  };
  for (const auto& [known, size] : sizes) {
    if (known != name) continue;
    *size = value;
    return true;
  }
  return false;
}

std::optional<std::vector<http::Method>> parse_methods(std::string_view text) {
  std::vector<http::Method> methods;
  for (const std::string_view word : split(text, " then ")) {
    methods.push_back(http::method_of(word));
    if (methods.back() == http::Method::other) return std::nullopt;
  }
  return methods;
}

// One of the comma-separated words behind the kind: "max_fields 2", "in answer to HEAD", "then end of stream".
bool take_setting(Settings& settings, std::string_view word) {
  constexpr std::string_view kInAnswerTo = "in answer to ";
  if (word == "then end of stream") return settings.then_end_of_stream = true;
  if (word.starts_with(kInAnswerTo)) {
    auto methods = parse_methods(word.substr(kInAnswerTo.size()));
    if (!methods) return false;
    settings.in_answer_to = std::move(*methods);
    return true;
  }
  const std::size_t space = word.find(' ');
  if (space == std::string_view::npos) return false;
  const auto value = parse_number(word.substr(space + 1));
  return value && set_limit(settings, word.substr(0, space), *value);
}

bool take_kind(Case& into, std::string_view word) {
  constexpr std::string_view kExact = "body of ";
  constexpr std::pair<std::string_view, Sent> kKinds[] = {
      {"to server", Sent::to_server},
      {"request", Sent::request},
      {"response", Sent::response},
      {"chunked body", Sent::chunked_body},
      {"body until close", Sent::until_close_body},
      {"set field", Sent::set_field},
      {"write request", Sent::write_request},
      {"write response", Sent::write_response},
      {"write interim response", Sent::write_interim_response},
  };
  for (const auto& [name, kind] : kKinds) {
    if (name != word) continue;
    into.sent = kind;
    return true;
  }
  if (!word.starts_with(kExact)) return false;
  const auto size = parse_number(word.substr(kExact.size()));
  into.sent = Sent::exact_body;
  into.settings.body_size = size.value_or(0);
  return size.has_value();
}

// ---- the file --------------------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  std::expected<Cases, std::string> read(std::string_view text) {
    for (const std::string_view line : split(text, "\n")) {
      ++line_;
      const std::string wrong = take_line(line);
      if (!wrong.empty()) return explain(wrong);
    }
    const std::string wrong = state_ == State::prose ? end_case() : "a block that is not closed";
    if (!wrong.empty()) return explain(wrong);
    if (cases_.empty()) return explain("no case in this file");
    return std::move(cases_);
  }

 private:
  enum class State { prose, sent, events, answers };

  std::unexpected<std::string> explain(std::string_view what) const {
    return std::unexpected("conformance/" + file_ + ":" + std::to_string(line_) + ": " + std::string(what));
  }

  std::string take_line(std::string_view line) {
    switch (state_) {
      case State::prose:
        return take_prose(line);
      case State::sent:
        return take_sent(line);
      case State::events:
        return take_event(line);
      case State::answers:
        return take_answer(line);
    }
    return {};
  }

  std::string take_prose(std::string_view line) {
    if (line.starts_with("## ")) {
      const std::string wrong = end_case();
      return wrong.empty() ? begin_case(line.substr(3)) : wrong;
    }
    if (line.starts_with("```")) return begin_block(line.substr(3));
    if (cases_.empty()) return {};
    Case& current = cases_.back();
    if (line.starts_with("Not met: ")) current.is_not_met = true;
    if (!line.starts_with("RFC ") || !line.contains(kDot)) return {};
    if (!current.requirement.empty()) return "a second requirement in one case";
    current.requirement = line;
    return requirement_error(line);
  }

  std::string begin_case(std::string_view title) {
    for (const Case& other : cases_) {
      if (test_name(other.title) == test_name(title)) return "a heading that is there already";
    }
    cases_.emplace_back();
    cases_.back().file = file_;
    cases_.back().line = line_;
    cases_.back().title = title;
    has_sent_ = has_events_ = false;
    return test_name(title).empty() ? "a heading without a word" : "";
  }

  std::string end_case() const {
    if (cases_.empty()) return {};
    if (cases_.back().requirement.empty()) return "the case before has no requirement";
    if (!has_sent_ || !has_events_) return "the case before lacks a block: one that is sent, one of what comes of it";
    const std::vector<Turn>& turns = cases_.back().turns;
    if (turns.empty()) return cases_.back().events.empty() ? "the case before expects nothing" : "";
    for (const Turn& turn : turns) {
      const bool is_last = &turn == &turns.back();
      if (is_last != (turn.ending != Ending::untold)) return "the last answers of the case before say how it ends";
    }
    return {};
  }

  std::string begin_block(std::string_view info) {
    if (cases_.empty()) return "a block in front of the first heading";
    Case& current = cases_.back();
    if (info == "events" || info == "answers") {
      if (!has_sent_ || has_events_) return std::string(info) + " belong behind what is sent, once";
      if ((info == "answers") == current.turns.empty()) return std::string(info) + " do not come of what is sent";
      has_events_ = true;
      state_ = info == "events" ? State::events : State::answers;
      return {};
    }
    const bool is_next_turn = has_events_ && !current.turns.empty();
    if (has_sent_ && !is_next_turn) return "a second block that is sent";
    has_sent_ = true;
    has_events_ = false;
    state_ = State::sent;
    const Words words = split(info, ", ");
    if (!take_kind(current, words[0])) return "no such kind of input: " + std::string(words[0]);
    for (const std::string_view word : std::span(words).subspan(1)) {
      if (!take_setting(current.settings, word)) return "no such setting: " + std::string(word);
    }
    if (current.sent != Sent::to_server) return is_next_turn ? "a turn that is not sent to the server" : "";
    current.turns.emplace_back();
    current.turns.back().then_end_of_stream = std::exchange(current.settings.then_end_of_stream, false);
    return {};
  }

  std::string take_sent(std::string_view line) {
    if (line == "```") {
      state_ = State::prose;
      return {};
    }
    Case& current = cases_.back();
    if (line.ends_with(' ')) return "a space at the end of a line cannot be seen: write \\x20";
    if (is_written(current.sent)) return take_order_line(current.order, line);
    const auto octets = decode(line);
    if (!octets) return octets.error();
    (current.turns.empty() ? current.octets : current.turns.back().octets) += *octets;
    return {};
  }

  std::string take_answer(std::string_view line) {
    if (line != "```") return take_expectation(cases_.back().turns.back(), line);
    state_ = State::prose;
    return {};
  }

  std::string take_event(std::string_view line) {
    if (line == "```") {
      state_ = State::prose;
      return {};
    }
    const std::string_view word = line.substr(0, line.find_first_of(" ,"));
    if (!contains(kEventWords, word)) return "no such event: " + std::string(word);
    cases_.back().events.emplace_back(line);
    return {};
  }

  const std::string& file_;
  std::size_t line_ = 0;
  State state_ = State::prose;
  bool has_sent_ = false;
  bool has_events_ = false;
  Cases cases_;
};

}  // namespace

std::expected<Cases, std::string> parse_cases(const std::string& file, std::string_view text) {
  return Reader(file).read(text);
}

std::string suite_name(std::string_view file) {
  if (file.ends_with(".md")) file.remove_suffix(3);
  std::string name;
  std::string words;
  const auto flush = [&] {
    if (!words.empty()) name.append(name.empty() ? "" : "_").append(capitalize_words(words));
    words.clear();
  };
  for (const std::string_view folder : split(file, "/")) {
    flush();
    for (const std::string_view part : split(folder, "_")) {
      const bool is_number = parse_number(part).has_value();
      if (is_number) flush();
      words.append(words.empty() ? "" : " ").append(part);
      if (is_number) flush();
    }
  }
  flush();
  return name;
}

std::string test_name(std::string_view title) { return capitalize_words(title); }

}  // namespace pipette::conformance
