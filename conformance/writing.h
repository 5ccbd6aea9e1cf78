// The cases of the writing side: what goes out for an Order, or why it is refused.
//
//   octets "HTTP/1.1 200 OK\r\n"      a line of the head, or a piece of the body
//   field "X" "1"                     what was set
//   refused bad_reason                what is refused adds nothing to the octets that went out before
//   complete | complete, closes       whether the connection goes on
#pragma once

#include <string>
#include <vector>

#include "conformance/case_file.h"

namespace pipette::conformance {

std::vector<std::string> run_writing(const Case& one);

}  // namespace pipette::conformance
