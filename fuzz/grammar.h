// What every accepted head must satisfy, whatever the input was (RFC 9110 §5.1, §5.5, RFC 9112 §2.2). Written without
// the tables of the code under test.
#pragma once

#include <cctype>
#include <string_view>

#include "pipette/http/fields.h"

#include "fuzz/require.h"

namespace pipette::fuzz {

inline bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

inline bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

inline void require_token(std::string_view text) {
  require(!text.empty());
  for (const char c : text) require(is_letter_or_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~"));
}

inline void require_text(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    require(octet == '\t' || (octet >= 0x20 && octet != 0x7f));
  }
}

inline void require_fields(const http::Fields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const http::Field field = fields[i];
    require_token(field.name);
    require_text(field.value);
    require(field.value.empty() || !is_one_of(field.value.front(), " \t"));
    require(field.value.empty() || !is_one_of(field.value.back(), " \t"));
    require(fields.get(field.name).has_value());
    const http::FieldName id = http::intern(field.name);
    require(id == http::FieldName::other || fields.get(id) == fields.get(field.name));
  }
}

}  // namespace pipette::fuzz
