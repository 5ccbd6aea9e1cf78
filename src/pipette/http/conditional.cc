#include "pipette/http/conditional.h"

#include "pipette/http/date.h"

namespace pipette::http {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

enum class Tags : std::uint8_t { match, differ, malformed };

// What a field that is "*" or a list of entity tags says of `current`.
template <class Equal>
Tags compare_tags(const Fields& request, FieldName name, const Representation& current, Equal equal) {
  if (*request.get(name) == "*" && !request.is_repeated(name)) return current.exists ? Tags::match : Tags::differ;
  bool is_match = false;
  const Result<void> read = for_each_entity_tag(request, name, [&](EntityTag tag) {
    is_match = is_match || (current.exists && current.etag && equal(tag, *current.etag));
  });
  if (!read) return Tags::malformed;
  return is_match ? Tags::match : Tags::differ;
}

enum class Changed : std::uint8_t { no, yes, unknown };

// Whether `current` was modified after the date in that field.
Changed modified_since(const Fields& request, FieldName name, const Representation& current, WallTime now) {
  if (!current.last_modified || request.is_repeated(name)) return Changed::unknown;
  const Result<WallTime> date = parse_date(*request.get(name), now);
  if (!date) return Changed::unknown;
  return floor<seconds>(*current.last_modified) > *date ? Changed::yes : Changed::no;
}

// RFC 9110 §13.1.5: the very same validator, and a strong one.
bool if_range_holds(const Fields& request, const Representation& current, WallTime now) {
  if (request.is_repeated(FieldName::if_range)) return false;
  const std::string_view value = *request.get(FieldName::if_range);
  if (value.substr(0, 3).contains('"')) {
    const Result<EntityTag> tag = parse_entity_tag(value);
    return tag && current.etag && equal_strongly(*tag, *current.etag);
  }
  if (!current.last_modified || !current.is_date_strong) return false;
  const WallTime modified = floor<seconds>(*current.last_modified);
  return parse_date(value, now) == modified && modified + seconds(1) <= now;
}

bool has_condition(const Fields& request) {
  return request.contains(FieldName::if_match) || request.contains(FieldName::if_none_match) ||
         request.contains(FieldName::if_modified_since) || request.contains(FieldName::if_unmodified_since) ||
         request.contains(FieldName::if_range);
}

}  // namespace

Verdict evaluate_conditions(Method method, const Fields& request, const Representation& current, WallTime now) {
  // §13.2.1: these methods neither select nor change a representation.
  const bool has_no_conditions = method == Method::connect || method == Method::options || method == Method::trace;
  if (has_no_conditions || !has_condition(request)) return Verdict::proceed;
  const bool is_read = method == Method::get || method == Method::head;

  if (request.contains(FieldName::if_match)) {
    // Step 1.
    if (compare_tags(request, FieldName::if_match, current, equal_strongly) != Tags::match) {
      return Verdict::precondition_failed;
    }
  } else if (request.contains(FieldName::if_unmodified_since)) {
    // Step 2.
    if (modified_since(request, FieldName::if_unmodified_since, current, now) == Changed::yes) {
      return Verdict::precondition_failed;
    }
  }

  if (request.contains(FieldName::if_none_match)) {
    // Step 3.
    const Tags tags = compare_tags(request, FieldName::if_none_match, current, equal_weakly);
    if (is_read && tags == Tags::match) return Verdict::not_modified;
    if (!is_read && tags != Tags::differ) return Verdict::precondition_failed;
  } else if (is_read && request.contains(FieldName::if_modified_since)) {
    // Step 4.
    if (modified_since(request, FieldName::if_modified_since, current, now) == Changed::no) {
      return Verdict::not_modified;
    }
  }

  // Step 5.
  const bool has_if_range = request.contains(FieldName::range) && request.contains(FieldName::if_range);
  if (method == Method::get && has_if_range && !if_range_holds(request, current, now)) {
    return Verdict::proceed_without_range;
  }
  // Step 6.
  return Verdict::proceed;
}

}  // namespace pipette::http
