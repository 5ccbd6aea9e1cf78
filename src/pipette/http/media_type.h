// Media types, as in Content-Type: parsed, compared and written.
//
//   Text/HTML; Charset="utf-8"  -->  type Text · subtype HTML · parameter Charset is utf-8
//                               -->  text/html;Charset=utf-8     (written)
//
// Strict: a parameter that stands there twice is refused, since two readers could then see two boundaries or two
// charsets; so are more than kMaxMediaTypeParameters. Empty ones ("text/html;") are passed over.
//
// Spec      RFC 9110 §8.3.1, §8.3.2, §5.6.6.
// Errors    Errc::bad_media_type.
// Lifetime  views into the text that was parsed.   Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/field_list.h"

namespace pipette::http {

inline constexpr std::size_t kMaxMediaTypeParameters = 16;

struct MediaType {
  std::string_view type;  // as written; "*" is a token too
  std::string_view subtype;
  std::string_view parameters;  // from the first ";" on

  // Whether it is that type, parameters apart, in any case: is("text", "html").
  bool is(std::string_view other_type, std::string_view other_subtype) const;
  // The parameter of that name, in any case.
  std::optional<Parameter> parameter(std::string_view name) const;
  std::optional<Parameter> charset() const { return parameter("charset"); }
  std::optional<Parameter> boundary() const { return parameter("boundary"); }
};

Result<MediaType> parse_media_type(std::string_view text);

// Appends it with type and subtype in lower case, and quotes and white space only where they are needed. Checks it as
// parse_media_type() does; nothing is appended on an error.
Result<void> write_media_type(const MediaType& media_type, std::string& out);

// The same type with the same parameters, in any order. Case matters in values, except that of charset.
bool equivalent(const MediaType& a, const MediaType& b);

// Whether two parameters of one name have the same value.
bool equal_values(const Parameter& a, const Parameter& b);

}  // namespace pipette::http
