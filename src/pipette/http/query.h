// Percent-decoding, and looking up one value of a query.
//
//   query_value("a=1&b=x%20y", "b") --> "x y"
//
// Spec  RFC 3986 §2.1, and application/x-www-form-urlencoded of the URL standard: "+" is a space in a query.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pipette::http {

// Decodes %XX; nothing when a "%" has not two hex digits behind it. "+" stays.
std::optional<std::string> percent_decode(std::string_view text);

// The decoded value of the first pair of that (decoded) name; "" for a name without "=".
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace pipette::http
