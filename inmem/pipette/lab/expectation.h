// How a test learns that a scripted peer or server has got something else than the script says.
//
//   fail_expectation(text, where) ──> the framework's failure at that line, and the end of the body    (failure.h)
//                                └──> ExpectationFailed, where no adapter of a framework is included
//
//   peer_test.cc:42: expected 14 octets, but another one came at octet 9
//     expected  "HTTP/1.1 200 O"
//     received  "HTTP/1.1 404 Not Found\r\nServer: pipette\r\n"
//                         ^
//     and the connection is open
//
// The text is the same on every machine: of a place in a test it has the file's name, and not where that file lies.
//
// Threads  that of the test; all but fail_expectation() are pure functions.
#pragma once

#include <cstddef>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pipette/base/bytes.h"

namespace pipette::lab {

class ExpectationFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where in a test something was asked for.
using Where = std::source_location;

[[noreturn]] void fail_expectation(const std::string& text, const Where& where);

// "peer_test.cc:42".
std::string describe(const Where& where);

// How many octets the two have in common at their beginning.
std::size_t common_prefix(Bytes first, Bytes second);

// Both, cut around octet `at`, up to which they are the same, and a mark under it.
std::string describe_difference(Bytes expected, Bytes received, std::size_t at);

}  // namespace pipette::lab
