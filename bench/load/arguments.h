// The command line of pipette_load.
//
// Errors    text: which argument is wrong, and why.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "bench/load/load.h"

namespace pipette::load {

extern const std::string_view kUsage;

struct Arguments {
  LoadOptions load;
  std::size_t threads = 1;
  bool is_json = false;
  bool is_insecure = false;  // believes any certificate
};

// Without the name of the program.
std::expected<Arguments, std::string> parse_arguments(std::span<const char* const> arguments);

// What each of `threads` does: connections and rate are divided, none is lost.
LoadOptions share_of(const Arguments& arguments, std::size_t thread);

}  // namespace pipette::load
