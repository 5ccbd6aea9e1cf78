// The two words for raw memory.
//
//   Bytes         octets somebody else owns, to be read     (a std::string_view: HTTP is octets, and most of them are
//   text) MutableBytes  room somebody else owns, to be written
//
// Lifetime  both borrow; who owns the memory, and for how long, is said where they are taken or returned.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace pipette {

using Bytes = std::string_view;
using MutableBytes = std::span<char>;

}  // namespace pipette
