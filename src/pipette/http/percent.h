// Percent-encoding: octets that may not stand in a part of a URI, written as %XX.
//
//   append_percent_encoded("a b/c", PercentSet::segment, out)  -->  a%20b%2Fc
//   append_percent_decoded("a%20b%2Fc", out)                   -->  a b/c
//
// A set names the octets that stay as they are; every other octet, "%" among them, becomes "%" and two upper-case
// digits, so that decoding gives back what was encoded, whatever it was. Decoding decodes once.
//
// A form (the pairs of a query, application/x-www-form-urlencoded) writes a space as "+". There, and only there, a "%"
// without two hex digits behind it is taken as it stands, as browsers do.
//
// Spec      RFC 3986 §2.1-§2.3, §3.3, §3.4; for forms the URL standard, §5.
// Errors    Errc::bad_uri, and `out` as it was.
// Lifetime  reads `text` during the call only; `text` is no part of `out`.        Threads  pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipette/base/result.h"

namespace pipette::http {

enum class PercentSet : std::uint8_t {
  unreserved,  // letters, digits, "-", ".", "_", "~": safe in every part
  segment,     // one segment of a path: "/" does not stay
  path,        // a path: "/" stays
  query,       // a query, also a fragment: its "&", "=" and "+" stay
  form,        // a name or a value of a form: unreserved, and "+" for a space
};

void append_percent_encoded(std::string_view text, PercentSet set, std::string& out);
std::string percent_encode(std::string_view text, PercentSet set);

// Strict: each "%" has two hex digits behind it. "+" stays.
Result<void> append_percent_decoded(std::string_view text, std::string& out);
Result<std::string> percent_decode(std::string_view text);

// A name or a value of a form; there is no text that is none.
void append_form_decoded(std::string_view text, std::string& out);
// The same in place, for text that may be written to. Returns the size it has now.
std::size_t form_decode_in_place(char* text, std::size_t size);

}  // namespace pipette::http
