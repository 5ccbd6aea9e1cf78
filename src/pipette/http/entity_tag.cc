#include "pipette/http/entity_tag.h"

namespace pipette::http {

Result<EntityTag> parse_entity_tag(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  EntityTag tag;
  if (!internal::take_entity_tag(at, end, tag) || at != end) return fail(Errc::bad_entity_tag);
  return tag;
}

Result<void> write_entity_tag(EntityTag tag, std::string& out) {
  for (const char c : tag.opaque) {
    if (!internal::has_list_class(c, internal::tag_char)) return fail(Errc::bad_entity_tag);
  }
  out.append(tag.is_weak ? "W/\"" : "\"").append(tag.opaque).append("\"");
  return {};
}

}  // namespace pipette::http
