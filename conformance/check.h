// Runs one case and compares what came of it with what it expects.
//
//   run(case, pieces) --> its events
//   check(case) --> "" when they are right in every split, with every fast pass of the parser, and whatever the
//   connection
//                   has carried before; else what differs
#pragma once

#include <string>
#include <vector>

#include "pipette/http/internal/scan.h"

#include "conformance/case_file.h"
#include "conformance/connection.h"
#include "tests/support/splits.h"

namespace pipette::conformance {

std::vector<std::string> run(const Case& one, const test::Pieces& pieces,
                             const http::internal::Scans& scans = http::internal::best_scans(),
                             Past past = Past::nothing);

std::string check(const Case& one);

}  // namespace pipette::conformance
