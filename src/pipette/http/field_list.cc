#include "pipette/http/field_list.h"

namespace pipette::http {
namespace {

template <class Equal>
bool equal_unquoted(std::string_view inside, std::string_view text, Equal equal) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size()) ++i;
    if (taken == text.size() || !equal(inside[i], text[taken])) return false;
    ++taken;
  }
  return taken == text.size();
}

template <class List>
bool contains(const List& for_each, std::string_view token) {
  bool is_found = false;
  (void)for_each([&](std::string_view element) {
    is_found = ascii::equal_ignoring_case(element, token);
    return !is_found;
  });
  return is_found;
}

}  // namespace

bool list_contains(std::string_view list, std::string_view token) {
  return contains([&](auto f) { return for_each_element(list, f); }, token);
}

bool list_contains(const Fields& fields, FieldName name, std::string_view token) {
  return contains([&](auto f) { return for_each_element(fields, name, f); }, token);
}

bool list_contains(const Fields& fields, std::string_view name, std::string_view token) {
  return contains([&](auto f) { return for_each_element(fields, name, f); }, token);
}

bool Parameter::equals(std::string_view text) const {
  if (!has_pairs) return value == text;
  return equal_unquoted(value, text, [](char a, char b) { return a == b; });
}

bool Parameter::equals_ignoring_case(std::string_view text) const {
  if (!has_pairs) return ascii::equal_ignoring_case(value, text);
  return equal_unquoted(value, text, [](char a, char b) { return ascii::to_lower(a) == ascii::to_lower(b); });
}

void Parameter::append_to(std::string& out) const {
  if (has_pairs) {
    unquote(value, out);
  } else {
    out.append(value);
  }
}

std::string Parameter::text() const {
  std::string unquoted;
  append_to(unquoted);
  return unquoted;
}

Element split_parameters(std::string_view element) {
  const char* const begin = element.data();
  const char* const end = begin + element.size();
  const char* at = begin;
  while (at != end && *at != ';') {
    bool has_pairs = false;
    at = *at == '"' ? internal::skip_quoted(at + 1, end, has_pairs) : at + 1;
    if (at == nullptr) return {ascii::trim(element), {}};  // an unclosed quote hides all that is behind it
  }
  return {ascii::trim(internal::between(begin, at)), internal::between(at, end)};
}

void unquote(std::string_view inside, std::string& out) {
  while (!inside.empty()) {
    const std::size_t backslash = inside.find('\\');
    out.append(inside.substr(0, backslash));
    if (backslash == std::string_view::npos) return;
    inside.remove_prefix(backslash + 1);
    if (inside.empty()) return;
    out += inside.front();
    inside.remove_prefix(1);
  }
}

Result<void> append_quoted(std::string_view text, std::string& out) {
  if (!ascii::is_value(text)) return fail(Errc::bad_field_value);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return {};
}

Result<void> append_parameter(std::string_view name, std::string_view value, std::string& out) {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_list);
  if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
  out.append(";").append(name).append("=");
  if (!ascii::is_token(value)) return append_quoted(value, out);
  out.append(value);
  return {};
}

Result<unsigned> parse_weight(std::string_view qvalue) {
  if (qvalue.empty() || qvalue.size() > 5 || (qvalue[0] != '0' && qvalue[0] != '1')) return fail(Errc::bad_field_list);
  if (qvalue.size() > 1 && qvalue[1] != '.') return fail(Errc::bad_field_list);
  unsigned weight = qvalue[0] == '1' ? kMaxWeight : 0;
  unsigned unit = 100;
  for (std::size_t i = 2; i < qvalue.size(); ++i, unit /= 10) {
    if (!ascii::is_digit(qvalue[i])) return fail(Errc::bad_field_list);
    weight += static_cast<unsigned>(qvalue[i] - '0') * unit;
  }
  if (weight > kMaxWeight) return fail(Errc::bad_field_list);
  return weight;
}

Result<Weighted> parse_weighted(std::string_view element) {
  const char* const begin = element.data();
  const char* const end = begin + element.size();
  const char* at = begin;
  while (at != end && ascii::is_token_char(*at)) ++at;
  Weighted weighted{internal::between(begin, at)};
  if (at == begin) return fail(Errc::bad_field_list);

  bool has_weight = false;
  bool is_good = true;
  const Result<void> read = for_each_parameter(internal::between(at, end), [&](const Parameter& parameter) {
    const bool is_weight = ascii::equal_ignoring_case(parameter.name, "q") && !parameter.is_quoted;
    const Result<unsigned> weight = parse_weight(parameter.value);
    is_good = is_weight && weight && !has_weight;
    weighted.weight = weight.value_or(0);
    has_weight = true;
    return is_good;
  });
  if (!read || !is_good) return fail(Errc::bad_field_list);
  return weighted;
}

internal::Step internal::WeightedReader::next_with_parameters(Weighted& weighted) {
  std::string_view element;
  if (const Step step = ElementReader::next(element); step != Step::taken) return step;
  const Result<Weighted> parsed = parse_weighted(element);
  if (!parsed) return Step::malformed;
  weighted = *parsed;
  return Step::taken;
}

}  // namespace pipette::http
