// Names: whose an address is, and what it is called.
//
// Errors    what cannot be found is empty or 0.   Threads  any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipette::guard::internal {

// Whose code a binary holds.
enum class Owner : std::uint8_t {
  program,  // the user's
  library,  // the C and C++ libraries, the loader, sanitizers: never the caller, always on the way
  crypto,   // OpenSSL: excepted
};

Owner owner_of(std::string_view binary);  // by file name; empty: the program itself
Owner owner_at(std::uintptr_t address);

// A function that a return address lies in; several when some were inlined into others.
struct Frame {
  std::string name;  // demangled; may be empty
  std::string file;
  int line = 0;
  Owner owner = Owner::program;
  std::string binary;
  std::uintptr_t offset = 0;  // of the call
};

std::vector<Frame> frames_at(std::uintptr_t return_address);  // innermost first, at least one

// "std::chrono::_V2::system_clock::now()" -> "std::chrono::system_clock::now"; no arguments, no result type.
std::string plain_name(std::string_view demangled);
// Whether a function is the standard library's, or a sanitizer's, though it was compiled into the program.
bool is_library_function(std::string_view demangled);

}  // namespace pipette::guard::internal
