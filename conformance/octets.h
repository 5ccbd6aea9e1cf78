// The notation in which conformance cases write octets, so that each of them is visible.
//
//   GET / HTTP/1.1\r\n     as sent; the line break of the file itself is not
//   \r \n \t \0 \\ \" \{   one octet each        \xNN   any octet
//   {a*9000}               that often            {\r\n*3}   more than one octet, too
//
// quote() writes what decode() reads, in one way only, so that transcripts can be compared as text.
//
// Errors   decode() explains in words what is wrong.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace pipette::conformance {

std::expected<std::string, std::string> decode(std::string_view notation);

// Runs of 16 equal octets or more are written as a repeat.
std::string quote(std::string_view octets);

}  // namespace pipette::conformance
