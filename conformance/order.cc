// A line is words, then quoted strings. A row of the table below is what a line with those words does.

#include "conformance/order.h"

#include <expected>

#include "conformance/octets.h"
#include "conformance/text.h"

namespace pipette::conformance {
namespace {

using Strings = std::vector<std::string>;

struct Line {
  std::string words;
  Strings strings;
};

// The closing quotation mark of the string at the front of `text`, which escapes may precede.
std::size_t find_quote(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return std::string_view::npos;
}

std::expected<Line, std::string> read_line(std::string_view text) {
  Line line;
  const std::size_t words_end = text.find('"');
  line.words = trim(text.substr(0, words_end));
  if (words_end == std::string_view::npos) return line;
  text.remove_prefix(words_end);
  while (!text.empty()) {
    const std::size_t end = find_quote(text);
    if (text.front() != '"' || end == std::string_view::npos) return std::unexpected("a string reads \"hello\"");
    auto octets = decode(text.substr(1, end - 1));
    if (!octets) return std::unexpected(octets.error());
    line.strings.push_back(std::move(*octets));
    text = trim(text.substr(end + 1));
  }
  return line;
}

// A wish made of words alone; the last of them may be a number or a method.
bool take_words(Order& order, std::string_view words) {
  constexpr std::string_view kInAnswerTo = "in answer to ";
  constexpr std::string_view kStatus = "status ";
  constexpr std::string_view kLength = "length ";
  if (words == "closes") return order.closes = true;
  if (words == "for HTTP/1.0") return order.is_for_http_1_0 = true;
  if (words == "expects continue") return order.expects_continue = true;
  if (words == "length unknown") return order.has_unknown_length = true;
  if (words.starts_with(kInAnswerTo)) {
    order.in_answer_to = http::method_of(words.substr(kInAnswerTo.size()));
    return order.in_answer_to != http::Method::other;
  }
  if (words.starts_with(kStatus)) {
    const auto status = parse_number(words.substr(kStatus.size()));
    if (!status || *status > 99'999) return false;
    order.status = static_cast<int>(*status);
    return true;
  }
  if (!words.starts_with(kLength)) return false;
  order.declared_length = parse_number(words.substr(kLength.size()));
  return order.declared_length.has_value();
}

bool take_target(Order& order, std::string_view form, const Strings& strings) {
  struct Row {
    std::string_view name;
    http::TargetForm form;
    std::size_t parts;
  };
  constexpr Row kRows[] = {
      {"target origin", http::TargetForm::origin, 2},
      {"target absolute", http::TargetForm::absolute, 3},
      {"target authority", http::TargetForm::authority, 1},
      {"target asterisk", http::TargetForm::asterisk, 1},
  };
  for (const Row& row : kRows) {
    if (row.name != form || row.parts != strings.size()) continue;
    order.form = row.form;
    order.target = strings;
    return true;
  }
  return false;
}

bool take_pair(Order& order, std::string_view words, const Strings& strings) {
  if (strings.size() != 2 || (words != "field" && words != "trailer")) return false;
  (words == "field" ? order.fields : order.trailers).emplace_back(strings[0], strings[1]);
  return true;
}

bool take_string(Order& order, std::string_view words, const Strings& strings) {
  if (strings.size() != 1) return false;
  const std::pair<std::string_view, std::string*> kRows[] = {
      {"method", &order.method},
      {"server", &order.server},
      {"date", &order.date},
      {"content type", &order.content_type},
      {"user agent", &order.user_agent},
  };
  for (const auto& [name, text] : kRows) {
    if (name != words) continue;
    *text = strings[0];
    return true;
  }
  if (words == "reason") order.reason = strings[0];
  if (words == "body") order.bodies.push_back(strings[0]);
  return words == "reason" || words == "body";
}

}  // namespace

std::string take_order_line(Order& order, std::string_view text) {
  const auto line = read_line(text);
  if (!line) return line.error();
  const bool is_taken = line->strings.empty() ? take_words(order, line->words)
                                              : take_target(order, line->words, line->strings) ||
                                                    take_pair(order, line->words, line->strings) ||
                                                    take_string(order, line->words, line->strings);
  return is_taken ? "" : "no such wish: " + std::string(text);
}

}  // namespace pipette::conformance
