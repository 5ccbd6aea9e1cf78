// assign(text, octets): text = octets, for hot paths. Where there is room already nothing is called but memcpy.
//
// Lifetime  the octets are not those of the text.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include "pipette/base/bytes.h"

namespace pipette {

[[gnu::always_inline]] inline void assign(std::string& text, Bytes octets) {
  if (text.size() != octets.size()) {
    // Not the size that is passed: libstdc++ 12 passes what it has made room for.
    text.resize_and_overwrite(octets.size(), [size = octets.size()](char*, std::size_t) { return size; });
  }
  if (!octets.empty()) std::memcpy(text.data(), octets.data(), octets.size());
}

}  // namespace pipette
