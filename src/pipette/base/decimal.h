// Decimal fractions, as they stand in queries and quality values.
//
//   parse_unsigned_float("1.25") --> 1.25    "3e2" --> 300    not: "", "+1", "-1", "1.", ".5", "1e", "0x1", "inf",
//   "1e999"
//
// The nearest double, whatever the length. ascii.h has whole numbers.
//
// Spec  1*DIGIT [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ], within the range of a double.
#pragma once

#include <optional>
#include <string_view>

namespace pipette {

std::optional<double> parse_unsigned_float(std::string_view text);

}  // namespace pipette
