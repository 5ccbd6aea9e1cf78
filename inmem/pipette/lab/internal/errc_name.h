// The names of Errc as they stand in a program: for whoever has to write one into a test.
//
//   errc_name(Errc::timed_out)  -->  "timed_out"
//
// The compiler is asked for them, so that no list has to keep up with errc.h.
//
// Threads  constant data, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <source_location>
#include <string_view>
#include <utility>

#include "pipette/base/errc.h"

namespace pipette::lab::internal {

// Of "… [with pipette::Errc kCode = pipette::Errc::timed_out; …]" what stands behind the last "Errc::"; empty for a
// number that is none.
template <Errc kCode>
consteval std::string_view name_by_compiler() {
  constexpr std::string_view kInFront = "kCode = pipette::Errc::";
  const std::string_view function = std::source_location::current().function_name();
  const std::size_t at = function.find(kInFront);
  if (at == std::string_view::npos) return {};
  const std::string_view name = function.substr(at + kInFront.size());
  return name.substr(0, name.find_first_of(";]"));
}

inline constexpr std::size_t kMaxErrc = 128;  // behind the last one, with some room

template <std::size_t... kCodes>
consteval std::array<std::string_view, kMaxErrc> all_names(std::index_sequence<kCodes...>) {
  return {name_by_compiler<static_cast<Errc>(kCodes)>()...};
}

inline constexpr std::array<std::string_view, kMaxErrc> kErrcNames = all_names(std::make_index_sequence<kMaxErrc>());

// Empty for a number that is no Errc.
inline std::string_view errc_name(Errc code) {
  const auto number = static_cast<std::size_t>(code);
  return number < kMaxErrc ? kErrcNames[number] : std::string_view();
}

}  // namespace pipette::lab::internal
