#include "pipette/lab/pattern.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "pipette/lab/expectation.h"

namespace pipette::lab {

const std::string& Holes::operator[](std::string_view name) const {
  for (const auto& [known, octets] : all_) {
    if (known == name) return octets;
  }
  throw std::out_of_range("the pattern has no hole {" + std::string(name) + "}");
}

Pattern::Pattern(std::string_view text) : text_(text), parts_(1) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '*') {
      add_run(Run::any, "");
    } else if (text[at] == '{') {
      const std::size_t end = text.find('}', at);
      if (end == std::string_view::npos || end == at + 1) {
        throw std::invalid_argument("a hole of a pattern is {name}; write \\{ for the octet: " + text_);
      }
      add_run(Run::within_line, std::string(text.substr(at + 1, end - at - 1)));
      at = end;
    } else {
      const bool is_escape =
          text[at] == '\\' && at + 1 < text.size() && std::string_view("*{\\").contains(text[at + 1]);
      if (is_escape) ++at;
      parts_.back().literal += text[at];
    }
  }
}

void Pattern::add_run(Run run, std::string name) {
  if (parts_.back().run != Run::none && parts_.back().literal.empty()) {
    throw std::invalid_argument("two runs of a pattern have nothing between them that tells them apart: " + text_);
  }
  parts_.push_back({run, std::move(name), ""});
}

// Where the literal of `part` stands, behind its run that begins at `from`.
Pattern::Place Pattern::find(const Part& part, Bytes text, std::size_t from) {
  const Bytes rest = text.substr(from);
  const auto begins = [&](std::size_t at) {
    const Bytes there = rest.substr(at, part.literal.size());
    if (there == part.literal) return Outcome::matched;
    return part.literal.starts_with(there) ? Outcome::incomplete : Outcome::different;
  };
  switch (part.run) {
    case Run::none:
      return {begins(0), from};
    case Run::any: {
      const std::size_t at = part.literal.empty() ? rest.size() : rest.find(part.literal);
      if (at == Bytes::npos) return {Outcome::incomplete, from};
      return {Outcome::matched, from + at};
    }
    case Run::within_line:
      break;
  }
  const std::size_t line_end = std::min(rest.find_first_of("\r\n"), rest.size());
  if (part.literal.empty()) return {Outcome::matched, from + line_end};
  const std::size_t at = rest.substr(0, line_end + part.literal.size()).find(part.literal);
  if (at <= line_end) return {Outcome::matched, from + at};
  return {line_end == rest.size() ? Outcome::incomplete : begins(line_end), from + line_end};
}

// The first place that fits is taken for each literal. When the ones behind it do not fit, only the last "*" can take
// more, since all in front of it would find the same places again.
Pattern::Match Pattern::match(Bytes text) const {
  Match match;
  struct Retry {
    std::size_t part;
    std::size_t from;  // where its run may end at the earliest
    Holes holes;
  };
  std::optional<Retry> retry;
  Holes holes;
  std::size_t at = 0;
  for (std::size_t i = 0; i < parts_.size();) {
    const Part& part = parts_[i];
    const Place place = find(part, text, at);
    if (place.outcome == Outcome::matched) {
      if (part.run == Run::any) retry = Retry{i, place.at + 1, holes};
      if (part.run == Run::within_line) holes.add(part.name, std::string(text.substr(at, place.at - at)));
      at = place.at + part.literal.size();
      if (at >= match.size) match.size = at;
      ++i;
      continue;
    }
    const std::size_t begun = common_prefix(part.literal, text.substr(place.at));
    if (place.at + begun >= match.size) {
      match.size = place.at + begun;
      match.wanted = part.literal.substr(begun);
    }
    if (place.outcome == Outcome::different && retry && retry->from <= text.size()) {
      i = retry->part;
      at = retry->from;
      holes = retry->holes;
      continue;
    }
    match.outcome = place.outcome;
    return match;
  }
  match.outcome = Outcome::matched;
  match.size = at;
  match.wanted.clear();
  match.holes = std::move(holes);
  return match;
}

std::string describe_mismatch(const Pattern::Match& match, Bytes text) {
  const std::string fits(text.substr(0, match.size));
  return describe_difference(fits + match.wanted, text, match.size);
}

}  // namespace pipette::lab
