// assign(text, octets): text = octets, for hot paths. Where there is room already nothing is called but memcpy.
//
// Lifetime  the octets are not those of the text.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include "pipette/base/bytes.h"

namespace pipette {

inline void assign(std::string& text, Bytes octets) {
  // Not the size that is passed: libstdc++ 12 passes what it has made room for.
  text.resize_and_overwrite(octets.size(), [octets](char* to, std::size_t /*room*/) {
    if (!octets.empty()) std::memcpy(to, octets.data(), octets.size());
    return octets.size();
  });
}

}  // namespace pipette
