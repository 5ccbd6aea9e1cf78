// Entity tags: opaque names of one state of a representation.
//
//   W/"xyzzy"  -->  weak, opaque xyzzy          an opaque tag may hold commas and backslashes, which mean nothing
//
// Spec      RFC 9110 §8.8.3.
// Errors    Errc::bad_entity_tag; bad_field_list for lists of them.
// Lifetime  views into the text that was parsed.   Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/field_list.h"

namespace pipette::http {

struct EntityTag {
  std::string_view opaque;  // without its quotes
  bool is_weak = false;
};

Result<EntityTag> parse_entity_tag(std::string_view text);
// Nothing is appended when `opaque` holds what an entity tag cannot: quotes, spaces, control characters.
Result<void> write_entity_tag(EntityTag tag, std::string& out);

// RFC 9110 §8.8.3.2. Strong: the same octets, for ranges and changes. Weak: as good, for caches.
inline bool equal_strongly(EntityTag a, EntityTag b) { return !a.is_weak && !b.is_weak && a.opaque == b.opaque; }
inline bool equal_weakly(EntityTag a, EntityTag b) { return a.opaque == b.opaque; }

// Calls f(tag) for each tag of a list, or of all lines of that name, as for_each_element() does.
template <class F>
Result<void> for_each_entity_tag(std::string_view list, F&& f);
template <class F>
Result<void> for_each_entity_tag(const Fields& fields, FieldName name, F&& f);

// ------------------------------------------------------------------------------------------------------------

namespace internal {

// Takes the tag at `at` and moves behind it; false when there is none.
inline bool take_entity_tag(const char*& at, const char* end, EntityTag& tag) {
  tag.is_weak = end - at >= 2 && at[0] == 'W' && at[1] == '/';  // case matters
  if (tag.is_weak) at += 2;
  if (at == end || *at != '"') return false;
  const char* const opaque = at + 1;
  at = skip_class(opaque, end, tag_char);
  if (at == end || *at != '"') return false;
  tag.opaque = between(opaque, at);
  ++at;
  return true;
}

class EntityTagReader : public LineReader {
 public:
  using Thing = EntityTag;

  Step next(EntityTag& tag) {
    if (const Step step = find_element(); step != Step::taken) return step;
    if (!take_entity_tag(at_, end_, tag)) return Step::malformed;
    at_ = skip_space(at_, end_);
    if (at_ == end_) return Step::taken;
    return *at_++ == ',' ? Step::taken : Step::malformed;
  }
};

}  // namespace internal

template <class F>
Result<void> for_each_entity_tag(std::string_view list, F&& f) {
  internal::EntityTagReader reader;
  return internal::result_of(internal::read_line(reader, list, f));
}

template <class F>
Result<void> for_each_entity_tag(const Fields& fields, FieldName name, F&& f) {
  return internal::result_of(internal::read_lines<internal::EntityTagReader>(fields, name, f));
}

}  // namespace pipette::http
