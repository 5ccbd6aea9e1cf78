// Takes apart the fields whose value is a list, in place.
//
//   Accept: text/html;level=1;q=0.7, ,  text/plain;a="x,y;\"z"
//           `------- element ------'    `------ element -----'
//           `-value-'`-parameters--'    name a · value x,y;\"z (raw) · x,y;"z (unquoted)
//
//   for_each_element(fields, FieldName::accept, [](std::string_view element) { … })    // all its lines, in order
//   list_contains(fields, FieldName::connection, "upgrade")
//
// Commas and semicolons inside quoted strings separate nothing. Empty elements are passed over, kMaxEmptyElements
// of them in a list. A mistake is found where it is reached: who stops early never learns of one further on.
// Entity tags look like quoted strings and are none: their lists are read in entity_tag.h.
//
// Spec      RFC 9110 §5.6.1, §5.6.4, §5.6.6, §12.4.2.
// Errors    Errc::bad_field_list; bad_field_value for what cannot be quoted.
// Units     weights are thousandths, 0-1000.
// Lifetime  views into the text that was read.   Threads  pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "pipette/base/ascii.h"
#include "pipette/base/result.h"
#include "pipette/http/fields.h"

namespace pipette::http {

// "a reasonable number", RFC 9110 §5.6.1.2. The same bound holds for the empty parameters of an element.
inline constexpr std::size_t kMaxEmptyElements = 64;

inline constexpr unsigned kMaxWeight = 1000;

// ---- elements ----------------------------------------------------------------------------------------------

// Calls f(element) for each element that is not empty, without the white space around it, in order; until f returns
// false, if it returns bool.
template <class F>
Result<void> for_each_element(std::string_view list, F&& f);
// The same over all lines of that name, which must be an interned one.
template <class F>
Result<void> for_each_element(const Fields& fields, FieldName name, F&& f);
// The same for any name, in any case.
template <class F>
Result<void> for_each_element(const Fields& fields, std::string_view name, F&& f);

// Whether one element is `token`, in any case. False when the list is malformed in front of it.
bool list_contains(std::string_view list, std::string_view token);
bool list_contains(const Fields& fields, FieldName name, std::string_view token);
bool list_contains(const Fields& fields, std::string_view name, std::string_view token);

// ---- parameters --------------------------------------------------------------------------------------------

struct Parameter {
  std::string_view name;
  std::string_view value;  // without its quotes; when has_pairs, with backslashes that are not part of it
  bool is_quoted = false;
  bool has_pairs = false;

  // Of the value, unquoted.
  bool equals(std::string_view text) const;
  bool equals_ignoring_case(std::string_view text) const;
  void append_to(std::string& out) const;
  std::string text() const;
};

struct Element {
  std::string_view value;       // "text/html"
  std::string_view parameters;  // ";level=1;q=0.7", or nothing; not yet checked
};

// Cuts in front of the first ";" outside a quoted string.
Element split_parameters(std::string_view element);

// Calls f(parameter) for each parameter, in order; until f returns false, if it returns bool.
template <class F>
Result<void> for_each_parameter(std::string_view parameters, F&& f);

// Appends the octets that the inside of a quoted-string stands for.
void unquote(std::string_view inside, std::string& out);
// Appends `text` as a quoted-string. Nothing is appended when it holds a control character.
Result<void> append_quoted(std::string_view text, std::string& out);
// Appends ";name=value", with quotes only where they are needed. Nothing is appended on an error.
Result<void> append_parameter(std::string_view name, std::string_view value, std::string& out);

// ---- weights -----------------------------------------------------------------------------------------------

struct Weighted {
  std::string_view value;  // a token
  unsigned weight = kMaxWeight;
};

// "0.7" --> 700: at most three digits, nothing above 1.
Result<unsigned> parse_weight(std::string_view qvalue);
// An element of Accept-Encoding, Accept-Language or TE: a token, and no parameter but perhaps q.
Result<Weighted> parse_weighted(std::string_view element);

// ------------------------------------------------------------------------------------------------------------

namespace internal {

enum ListClass : std::uint8_t { element_char = 1, quoted_char = 2, tag_char = 4 };

consteval std::array<std::uint8_t, 256> make_list_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const char c = static_cast<char>(i);
    if (!ascii::is_value_char(c) || c == '"') continue;
    if (c != ',') classes[i] |= element_char;
    if (c != '\\') classes[i] |= quoted_char;                // qdtext
    if (!ascii::is_space_or_tab(c)) classes[i] |= tag_char;  // etagc
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kListClasses = make_list_classes();

inline bool has_list_class(char c, ListClass wanted) {
  return (kListClasses[static_cast<std::uint8_t>(c)] & wanted) != 0;
}

inline const char* skip_space(const char* at, const char* end) {
  while (at != end && ascii::is_space_or_tab(*at)) ++at;
  return at;
}

inline const char* skip_class(const char* at, const char* end, ListClass wanted) {
  while (at != end && has_list_class(*at, wanted)) ++at;
  return at;
}

inline const char* skip_tchars(const char* at, const char* end) {
  while (at != end && ascii::is_token_char(*at)) ++at;
  return at;
}

inline std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Behind the quote that closes the quoted-string whose inside begins at `at`; null when none does.
inline const char* skip_quoted(const char* at, const char* end, bool& has_pairs) {
  for (;; ++at) {
    at = skip_class(at, end, quoted_char);
    if (at == end) return nullptr;
    if (*at == '"') return at + 1;
    if (*at != '\\' || ++at == end || !ascii::is_value_char(*at)) return nullptr;
    has_pairs = true;
  }
}

enum class Step : std::uint8_t { taken, end, malformed };

// The lines of one list, one after the other.
class LineReader {
 public:
  void begin_line(std::string_view line) {
    at_ = line.data();
    end_ = at_ + line.size();
  }

 protected:
  // To the first octet of the next element: Step::taken when there is one.
  Step find_element() {
    for (;;) {
      at_ = skip_space(at_, end_);
      if (at_ == end_) return Step::end;
      if (*at_ != ',') return Step::taken;
      ++at_;
      if (++empty_ > kMaxEmptyElements) return Step::malformed;
    }
  }

  const char* at_ = nullptr;
  const char* end_ = nullptr;

 private:
  std::size_t empty_ = 0;
};

class ElementReader : public LineReader {
 public:
  using Thing = std::string_view;

  Step next(std::string_view& element) {
    if (const Step step = find_element(); step != Step::taken) return step;
    const char* const begin = at_;
    if (!skip_element()) return Step::malformed;
    const char* last = at_;
    while (ascii::is_space_or_tab(last[-1])) --last;
    element = between(begin, last);
    if (at_ != end_) ++at_;
    return Step::taken;
  }

 private:
  // To the comma or the end behind it.
  bool skip_element() {
    for (;;) {
      at_ = skip_class(at_, end_, element_char);
      if (at_ == end_ || *at_ == ',') return true;
      if (*at_ != '"') return false;
      bool has_pairs = false;
      at_ = skip_quoted(at_ + 1, end_, has_pairs);
      if (at_ == nullptr) return false;
    }
  }
};

// Elements as parse_weighted() takes them.
class WeightedReader : private ElementReader {
 public:
  using Thing = Weighted;
  using LineReader::begin_line;

  Step next(Weighted& weighted) {
    if (const Step step = find_element(); step != Step::taken) return step;
    const char* const begin = at_;
    at_ = skip_tchars(begin, end_);
    if (at_ == begin || (at_ != end_ && *at_ != ',')) {
      at_ = begin;
      return next_with_parameters(weighted);
    }
    weighted = {between(begin, at_), kMaxWeight};
    if (at_ != end_) ++at_;
    return Step::taken;
  }

 private:
  Step next_with_parameters(Weighted& weighted);
};

class ParameterReader {
 public:
  explicit ParameterReader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  Step next(Parameter& parameter) {
    for (;;) {
      at_ = skip_space(at_, end_);
      if (at_ == end_) return Step::end;
      if (*at_ != ';') return Step::malformed;
      at_ = skip_space(at_ + 1, end_);
      if (at_ != end_ && *at_ != ';') break;
      if (++empty_ > kMaxEmptyElements) return Step::malformed;
    }
    const char* const name = at_;
    at_ = skip_tchars(name, end_);
    parameter.name = between(name, at_);
    if (parameter.name.empty() || end_ - at_ < 2 || *at_ != '=') return Step::malformed;
    ++at_;
    return *at_ == '"' ? take_quoted(parameter) : take_token(parameter);
  }

 private:
  Step take_token(Parameter& parameter) {
    const char* const value = at_;
    at_ = skip_tchars(value, end_);
    parameter.value = between(value, at_);
    parameter.is_quoted = parameter.has_pairs = false;
    return parameter.value.empty() ? Step::malformed : Step::taken;
  }
  Step take_quoted(Parameter& parameter) {
    const char* const value = at_ + 1;
    parameter.is_quoted = true;
    parameter.has_pairs = false;
    at_ = skip_quoted(value, end_, parameter.has_pairs);
    if (at_ == nullptr) return Step::malformed;
    parameter.value = between(value, at_ - 1);
    return Step::taken;
  }

  const char* at_;
  const char* end_;
  std::size_t empty_ = 0;
};

// Calls f(thing); whether to go on.
template <class F, class Thing>
bool visit(F& f, const Thing& thing) {
  if constexpr (std::is_same_v<std::invoke_result_t<F&, const Thing&>, bool>) {
    return f(thing);
  } else {
    f(thing);
    return true;
  }
}

// Reads on until the line ends, or f wants no more (Step::taken), or there is a mistake.
template <class Reader, class F>
Step read_line(Reader& reader, std::string_view line, F& f) {
  reader.begin_line(line);
  typename Reader::Thing thing;
  for (;;) {
    const Step step = reader.next(thing);
    if (step != Step::taken || !visit(f, thing)) return step;
  }
}

// All lines of that name, which must be an interned one.
template <class Reader, class F>
Step read_lines(const Fields& fields, FieldName name, F& f) {
  Reader reader;
  if (!fields.is_repeated(name)) {
    const auto line = fields.get(name);
    return line ? read_line(reader, *line, f) : Step::end;
  }
  Step step = Step::end;
  fields.for_each(name, [&](std::string_view line) {
    if (step == Step::end) step = read_line(reader, line, f);
  });
  return step;
}

inline Result<void> result_of(Step step) {
  if (step == Step::malformed) return fail(Errc::bad_field_list);
  return {};
}

}  // namespace internal

template <class F>
Result<void> for_each_element(std::string_view list, F&& f) {
  internal::ElementReader reader;
  return internal::result_of(internal::read_line(reader, list, f));
}

template <class F>
Result<void> for_each_element(const Fields& fields, FieldName name, F&& f) {
  return internal::result_of(internal::read_lines<internal::ElementReader>(fields, name, f));
}

template <class F>
Result<void> for_each_element(const Fields& fields, std::string_view name, F&& f) {
  internal::ElementReader reader;
  internal::Step step = internal::Step::end;
  http::for_each(fields, name, [&](std::string_view line) {
    if (step == internal::Step::end) step = internal::read_line(reader, line, f);
  });
  return internal::result_of(step);
}

template <class F>
Result<void> for_each_parameter(std::string_view parameters, F&& f) {
  internal::ParameterReader reader(parameters);
  Parameter parameter;
  for (;;) {
    const internal::Step step = reader.next(parameter);
    if (step != internal::Step::taken || !internal::visit(f, parameter)) return internal::result_of(step);
  }
}

}  // namespace pipette::http
