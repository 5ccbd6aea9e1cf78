// Reads every case file in the folders of a folder.
//
// Errors   a line for each file that cannot be read, and each that is none.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "conformance/case_file.h"

namespace pipette::conformance {

// In the order of the files' names, and never none.
std::expected<Cases, std::string> load_cases(const std::filesystem::path& root);

}  // namespace pipette::conformance
