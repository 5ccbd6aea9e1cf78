#include "pipette/http/media_type.h"

#include <algorithm>
#include <array>

namespace pipette::http {
namespace {

void append_lower_case(std::string_view text, std::string& out) {
  for (const char c : text) out += ascii::to_lower(c);
}

// No name twice, and not too many.
Result<void> check_parameters(std::string_view parameters) {
  std::array<std::string_view, kMaxMediaTypeParameters> names;
  std::size_t count = 0;
  bool is_good = true;
  const Result<void> read = for_each_parameter(parameters, [&](const Parameter& parameter) {
    const auto is_same = [&](std::string_view name) { return ascii::equal_ignoring_case(name, parameter.name); };
    is_good = count < names.size() && std::none_of(names.begin(), names.begin() + count, is_same);
    if (is_good) names[count++] = parameter.name;
    return is_good;
  });
  if (!read || !is_good) return fail(Errc::bad_media_type);
  return {};
}

std::size_t count_parameters(const MediaType& media_type) {
  std::size_t count = 0;
  (void)for_each_parameter(media_type.parameters, [&](const Parameter&) { ++count; });
  return count;
}

}  // namespace

bool MediaType::is(std::string_view other_type, std::string_view other_subtype) const {
  return ascii::equal_ignoring_case(type, other_type) && ascii::equal_ignoring_case(subtype, other_subtype);
}

std::optional<Parameter> MediaType::parameter(std::string_view name) const {
  std::optional<Parameter> found;
  (void)for_each_parameter(parameters, [&](const Parameter& parameter) {
    if (ascii::equal_ignoring_case(parameter.name, name)) found = parameter;
    return !found.has_value();
  });
  return found;
}

Result<MediaType> parse_media_type(std::string_view text) {
  const Element element = split_parameters(text);
  const std::size_t slash = std::min(element.value.find('/'), element.value.size());
  MediaType media_type{element.value.substr(0, slash), element.value.substr(slash), element.parameters};
  if (!media_type.subtype.empty()) media_type.subtype.remove_prefix(1);
  if (!ascii::is_token(media_type.type) || !ascii::is_token(media_type.subtype)) return fail(Errc::bad_media_type);
  if (media_type.parameters.empty()) return media_type;
  if (const Result<void> checked = check_parameters(media_type.parameters); !checked) return fail(checked.error());
  return media_type;
}

Result<void> write_media_type(const MediaType& media_type, std::string& out) {
  if (!ascii::is_token(media_type.type) || !ascii::is_token(media_type.subtype)) return fail(Errc::bad_media_type);
  if (const Result<void> checked = check_parameters(media_type.parameters); !checked) return checked;
  append_lower_case(media_type.type, out);
  out += '/';
  append_lower_case(media_type.subtype, out);
  std::string unquoted;
  return for_each_parameter(media_type.parameters, [&](const Parameter& parameter) {
    unquoted.clear();
    parameter.append_to(unquoted);
    (void)append_parameter(parameter.name, unquoted, out);  // just read, hence good
  });
}

bool equal_values(const Parameter& a, const Parameter& b) {
  if (a.has_pairs && b.has_pairs) return equal_values({a.name, b.text()}, a);
  if (a.has_pairs) return equal_values(b, a);
  return ascii::equal_ignoring_case(a.name, "charset") ? b.equals_ignoring_case(a.value) : b.equals(a.value);
}

bool equivalent(const MediaType& a, const MediaType& b) {
  if (!a.is(b.type, b.subtype) || count_parameters(a) != count_parameters(b)) return false;
  bool is_same = true;
  (void)for_each_parameter(a.parameters, [&](const Parameter& parameter) {
    const std::optional<Parameter> other = b.parameter(parameter.name);
    is_same = other && equal_values(parameter, *other);
    return is_same;
  });
  return is_same;
}

}  // namespace pipette::http
