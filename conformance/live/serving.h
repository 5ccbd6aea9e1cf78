// Holds the cases of a server against our own, in memory.
//
//   check_serving(case) --> "" when the answers are right for octets that come whole, one by one, and cut in two at
//   every
//                           place; else what differs
//
// The handler is what docs/conformance.md asks of any server: `/` can be read and posted to, and nothing else is there.
#pragma once

#include <string>

#include "pipette/server/request_ctx.h"

#include "conformance/case_file.h"

namespace pipette::conformance {

void serve_for_cases(RequestCtx& ctx);

std::string check_serving(const Case& one);

}  // namespace pipette::conformance
