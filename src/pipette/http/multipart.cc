#include "pipette/http/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/field_list.h"
#include "pipette/http/media_type.h"

namespace pipette::http {
namespace {

constexpr std::size_t kMinRandomBytes = 16;
constexpr std::string_view kQuote = "%22";

constexpr bool is_boundary_char(char c) {
  return ascii::is_digit(c) || ascii::is_alpha(c) || std::string_view("'()+_,-./:=? ").contains(c);
}

// Appends what the inside of a quoted name stands for; see multipart.h.
void unquote_name(std::string_view text, std::string& out) {
  for (;;) {
    const std::size_t plain = std::min(text.find_first_of("\\%"), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    if (text.starts_with("\\\"") || text.starts_with("\\\\")) {
      out += text[1];
      text.remove_prefix(2);
    } else if (text.starts_with(kQuote)) {
      out += '"';
      text.remove_prefix(kQuote.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
}

// Sets `name` to the value of a parameter that may stand there once.
Result<void> take_name(const Parameter& parameter, std::size_t max_bytes, bool& has_name, std::string& name) {
  if (std::exchange(has_name, true)) return fail(Errc::bad_multipart);
  name.clear();
  if (parameter.is_quoted) {
    unquote_name(parameter.value, name);
  } else {
    name = parameter.value;
  }
  if (name.size() > max_bytes) return fail(Errc::part_head_too_large);
  return {};
}

}  // namespace

Boundary::Boundary(std::string_view text) : size_(kPrefix.size() + text.size()) {
  const auto behind = std::ranges::copy(kPrefix, octets_.begin()).out;
  std::ranges::copy(text, behind);
}

Result<Boundary> Boundary::from(std::string_view text) {
  if (text.empty() || text.size() > kMaxBoundaryBytes || text.back() == ' ') return fail(Errc::bad_multipart);
  if (!std::ranges::all_of(text, is_boundary_char)) return fail(Errc::bad_multipart);
  return Boundary(text);
}

Result<Boundary> Boundary::from_random(Bytes octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (octets.size() < kMinRandomBytes || octets.size() > kMaxBoundaryBytes / 2) return fail(Errc::bad_multipart);
  std::string text;
  text.reserve(2 * octets.size());
  for (const char octet : octets) {
    const auto value = static_cast<unsigned char>(octet);
    text += kDigits[value >> 4];
    text += kDigits[value & 15U];
  }
  return Boundary(text);
}

Result<Boundary> boundary_of(std::string_view content_type, std::string_view subtype) {
  const Result<MediaType> type = parse_media_type(content_type);
  if (!type) return fail(type.error());
  if (!type->is("multipart", subtype.empty() ? type->subtype : subtype)) return fail(Errc::bad_media_type);
  const std::optional<Parameter> boundary = type->boundary();
  if (!boundary) return fail(Errc::bad_multipart);
  return boundary->has_pairs ? Boundary::from(boundary->text()) : Boundary::from(boundary->value);
}

Result<void> parse_form_part(std::string_view content_disposition, std::size_t max_name_bytes, FormPart& part) {
  const Element element = split_parameters(content_disposition);
  if (!ascii::equal_ignoring_case(element.value, "form-data")) return fail(Errc::bad_multipart);
  bool has_name = false;
  bool has_filename = false;
  part.filename.clear();
  part.is_file = false;
  Result<void> taken;
  const Result<void> parsed = for_each_parameter(element.parameters, [&](const Parameter& parameter) {
    if (ascii::equal_ignoring_case(parameter.name, "name")) {
      taken = take_name(parameter, max_name_bytes, has_name, part.name);
    } else if (ascii::equal_ignoring_case(parameter.name, "filename")) {
      taken = take_name(parameter, max_name_bytes, has_filename, part.filename);
      part.is_file = true;
    } else if (ascii::equal_ignoring_case(parameter.name, "filename*")) {
      part.is_file = true;
    }
    return taken.has_value();
  });
  if (!taken) return taken;
  if (!parsed || !has_name) return fail(Errc::bad_multipart);
  return {};
}

std::string_view safe_file_name(std::string_view filename) {
  if (const std::size_t separator = filename.find_last_of("/\\"); separator != std::string_view::npos) {
    filename.remove_prefix(separator + 1);
  }
  while (filename.size() >= 2 && ascii::is_alpha(filename[0]) && filename[1] == ':') filename.remove_prefix(2);
  if (filename == "." || filename == ".." || !ascii::is_value(filename) || filename.contains('\t')) return {};
  return filename;
}

}  // namespace pipette::http
