#include "pipette/http/vary.h"

#include <string>

#include "pipette/http/field_list.h"

namespace pipette::http {
namespace {

using internal::Step;

// The lines of one name.
class Lines {
 public:
  Lines(const Fields& fields, std::string_view name) : fields_(fields), name_(name) {}

  bool next(std::string_view& line) {
    while (index_ < fields_.size()) {
      const Field field = fields_[index_++];
      if (!ascii::equal_ignoring_case(field.name, name_)) continue;
      line = field.value;
      return true;
    }
    return false;
  }

 private:
  const Fields& fields_;
  std::string_view name_;
  std::size_t index_ = 0;
};

// Their elements.
class Elements {
 public:
  Elements(const Fields& fields, std::string_view name) : lines_(fields, name) {}

  Step next(std::string_view& element) {
    for (;;) {
      const Step step = elements_.next(element);
      std::string_view line;
      if (step != Step::end || !lines_.next(line)) return step;
      elements_.begin_line(line);
    }
  }

 private:
  Lines lines_;
  internal::ElementReader elements_;
};

bool have_equal_lines(std::string_view name, const Fields& a, const Fields& b) {
  Lines lines_a(a, name);
  Lines lines_b(b, name);
  std::string_view line_a;
  std::string_view line_b;
  while (lines_a.next(line_a)) {
    if (!lines_b.next(line_b) || line_a != line_b) return false;
  }
  return !lines_b.next(line_b);
}

bool have_equal_elements(std::string_view name, const Fields& a, const Fields& b) {
  Elements list_a(a, name);
  Elements list_b(b, name);
  for (;;) {
    std::string_view element_a;
    std::string_view element_b;
    const Step step = list_a.next(element_a);
    if (step == Step::malformed || list_b.next(element_b) != step) return false;
    if (step == Step::end) return true;
    if (element_a != element_b) return false;
  }
}

bool is_list(FieldName name) {
  return name == FieldName::accept || name == FieldName::accept_charset || name == FieldName::accept_encoding ||
         name == FieldName::accept_language;
}

bool have_equal(std::string_view name, const Fields& a, const Fields& b) {
  if (have_equal_lines(name, a, b)) return true;
  // Absent matches absent only: an empty Accept-Encoding says something else.
  return is_list(intern(name)) && a.get(name).has_value() == b.get(name).has_value() && have_equal_elements(name, a, b);
}

}  // namespace

Result<void> add_vary(OwnedFields& response, std::string_view name) {
  if (!ascii::is_token(name)) return fail(Errc::bad_field_name);
  std::string names;
  bool is_there = false;
  const Result<void> read = for_each_element(response.view(), FieldName::vary, [&](std::string_view listed) {
    is_there = listed == "*" || ascii::equal_ignoring_case(listed, name);
    if (!names.empty()) names += ", ";
    names += listed;
    return !is_there;
  });
  if (!read) return read;
  if (is_there) return {};
  if (names.empty() || name == "*") return response.set("Vary", name);
  return response.set("Vary", names.append(", ").append(name));
}

bool vary_matches(const Fields& response, const Fields& original, const Fields& request) {
  bool is_match = true;
  const Result<void> read = for_each_element(response, FieldName::vary, [&](std::string_view name) {
    is_match = name != "*" && ascii::is_token(name) && have_equal(name, original, request);
    return is_match;
  });
  return read && is_match;
}

}  // namespace pipette::http
