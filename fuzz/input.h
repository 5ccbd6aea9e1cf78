// An input of the fuzzer: first how to cut, then what is cut.
//
//   octet 0      how many cuts, 0-15 (its low half; the high half is left to the target, see Input::choice)
//   one octet a cut: how many octets the next piece has
//   the rest     the octets that are delivered
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/support/splits.h"

namespace pipette::fuzz {

struct Input {
  Input(const std::uint8_t* data, std::size_t size) {
    octets = {reinterpret_cast<const char*>(data), size};  // NOLINT: libFuzzer's signature
    pieces = {octets};
    if (octets.empty()) return;
    const auto first = static_cast<std::uint8_t>(octets.front());
    choice = first >> 4;
    octets.remove_prefix(1);
    const std::size_t cuts = first & 15U;
    pieces = {octets};
    if (cuts > octets.size()) return;
    pieces.clear();
    const std::string_view sizes = octets.substr(0, cuts);
    octets.remove_prefix(cuts);
    std::string_view rest = octets;
    for (const char size_of_piece : sizes) {
      const std::string_view piece = rest.substr(0, static_cast<std::uint8_t>(size_of_piece));
      pieces.push_back(piece);
      rest.remove_prefix(piece.size());
    }
    pieces.push_back(rest);
  }

  unsigned choice = 0;
  std::string_view octets;
  test::Pieces pieces;
};

}  // namespace pipette::fuzz
