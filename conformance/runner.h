// Makes a test of every case in the folders beside this file, and runs them.
//
//   pipette_conformance_tests --gtest_filter='Rfc9112_6_3*'
//
// Errors   a file that cannot be read is reported and ends the run with 1, before any test.
#pragma once

#include <functional>
#include <string>

#include "conformance/case_file.h"

namespace pipette::conformance {

// "" when the case is met; else what differs.
using Check = std::function<std::string(const Case&)>;

// Those of servers, or all the others.
int run_cases(int argc, char** argv, bool of_servers, const Check& check);

}  // namespace pipette::conformance
