// A reader takes one thing after another from the front of the octets; where they are too few it says so, where they
// are wrong it says why.

#include "conformance/answer.h"

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>

#include "conformance/text.h"

namespace pipette::conformance {
namespace {

constexpr std::string_view kMore;  // what a step fails with that wants more octets

using Step = std::expected<void, std::string_view>;
template <class T>
using Read = std::expected<T, std::string_view>;

std::unexpected<std::string_view> wrong(std::string_view why) { return std::unexpected(why); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 0x20);
  }
  return result;
}

std::string_view trim_tabs_too(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c) || kMarks.contains(c); });
}

// Takes a line from the front, without its CRLF.
Read<std::string_view> take_line(std::string_view& octets) {
  const std::size_t end = octets.find('\n');
  if (end == std::string_view::npos) return wrong(kMore);
  const std::string_view line = octets.substr(0, end);
  octets.remove_prefix(end + 1);
  if (!line.ends_with('\r')) return wrong("a line that ends in a bare LF");
  if (line.find('\r') != line.size() - 1) return wrong("a bare CR in a line");
  return line.substr(0, line.size() - 1);
}

Step take_status_line(std::string_view& octets, Answer& answer) {
  constexpr std::size_t kStatusAt = 9;
  const Read<std::string_view> line = take_line(octets);
  if (!line) return wrong(line.error());
  const bool has_version =
      line->size() > 8 && line->starts_with("HTTP/1.") && is_digit((*line)[7]) && (*line)[8] == ' ';
  if (!has_version) return wrong("no status line of HTTP/1");
  const auto status = parse_number(line->substr(kStatusAt, 3));
  const bool is_status = line->size() > kStatusAt + 3 && status && *status >= 100 && (*line)[kStatusAt + 3] == ' ';
  if (!is_status) return wrong("a status line without three digits and a space");
  answer.status = static_cast<int>(*status);
  return {};
}

Step take_fields(std::string_view& octets, Answer& answer) {
  for (;;) {
    const Read<std::string_view> line = take_line(octets);
    if (!line) return wrong(line.error());
    if (line->empty()) return {};
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos || !is_name(line->substr(0, colon))) return wrong("a malformed field line");
    answer.fields.emplace_back(lower(line->substr(0, colon)), trim_tabs_too(line->substr(colon + 1)));
  }
}

Step take_exactly(std::string_view& octets, std::uint64_t size, Answer& answer) {
  if (octets.size() < size) return wrong(kMore);
  answer.content += octets.substr(0, size);
  octets.remove_prefix(size);
  return {};
}

Step take_chunks(std::string_view& octets, Answer& answer) {
  for (;;) {
    const Read<std::string_view> line = take_line(octets);
    if (!line) return wrong(line.error());
    const auto size = parse_number(line->substr(0, line->find_first_of("; \t")), 16);
    if (!size) return wrong("a chunk without a size");
    Answer trailers;
    if (*size == 0) return take_fields(octets, trailers);
    if (const Step taken = take_exactly(octets, *size, answer); !taken) return taken;
    const Read<std::string_view> end = take_line(octets);
    if (!end) return wrong(end.error());
    if (!end->empty()) return wrong("a chunk longer than its size");
  }
}

Step take_until_close(std::string_view& octets, bool has_ended, Answer& answer) {
  if (!has_ended) return wrong(kMore);
  return take_exactly(octets, octets.size(), answer);
}

Step take_content(std::string_view& octets, http::Method method, bool has_ended, Answer& answer) {
  const bool has_length = answer.has("content-length");
  const bool has_coding = answer.has("transfer-encoding");
  if (has_length && has_coding) return wrong("a Content-Length beside a Transfer-Encoding");
  const bool has_none =
      method == http::Method::head || answer.is_interim() || answer.status == 204 || answer.status == 304;
  if (has_none) return {};
  const bool is_tunnel = answer.status == 101 || (method == http::Method::connect && answer.status / 100 == 2);
  if (is_tunnel || (!has_length && !has_coding)) return take_until_close(octets, has_ended, answer);
  if (has_coding) {
    if (lower(answer.value("transfer-encoding")) != "chunked") return wrong("a transfer coding that was not asked for");
    return take_chunks(octets, answer);
  }
  const auto size = parse_number(answer.value("content-length"));
  if (!size) return wrong("a malformed Content-Length");
  return take_exactly(octets, *size, answer);
}

Step take_answer(std::string_view& octets, http::Method method, bool has_ended, Answer& answer) {
  if (const Step taken = take_status_line(octets, answer); !taken) return taken;
  if (const Step taken = take_fields(octets, answer); !taken) return taken;
  return take_content(octets, method, has_ended, answer);
}

}  // namespace

bool Answer::has(std::string_view name) const {
  return std::ranges::any_of(fields, [name = lower(name)](const auto& field) { return field.first == name; });
}

std::string Answer::value(std::string_view name) const {
  std::string all;
  const std::string wanted = lower(name);
  for (const auto& [known, value] : fields) {
    if (known == wanted) all.append(all.empty() ? "" : ", ").append(value);
  }
  return all;
}

bool Answer::lists(std::string_view name, std::string_view option) const {
  const std::string all = lower(value(name));
  const std::string wanted = lower(option);
  const auto options = split(all, ",");
  return std::ranges::any_of(options, [&](std::string_view one) { return trim_tabs_too(one) == wanted; });
}

Answers read_answers(std::string_view octets, const std::vector<http::Method>& methods, bool has_ended) {
  Answers found;
  std::size_t finals = 0;
  while (!octets.empty()) {
    Answer answer;
    const http::Method method = finals < methods.size() ? methods[finals] : http::Method::get;
    const Step taken = take_answer(octets, method, has_ended, answer);
    if (!taken) {
      found.has_rest = true;
      found.wrong = taken.error() == kMore && has_ended ? "an answer that is cut short" : taken.error();
      return found;
    }
    if (!answer.is_interim()) ++finals;
    found.whole.push_back(std::move(answer));
  }
  return found;
}

}  // namespace pipette::conformance
