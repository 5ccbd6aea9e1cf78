#include "pipette/client/trace.h"

#include <array>
#include <cstddef>

namespace pipette::client {

std::string_view to_string(TraceKind kind) {
  constexpr std::array<std::string_view, 16> kNames = {
      "get_connection", "resolve_start",  "resolve_done", "connect_start", "connect_done", "handshake_start",
      "handshake_done", "got_connection", "wrote_head",   "wrote_request", "interim",      "first_byte",
      "got_head",       "repeat",         "redirect",     "done",
  };
  static_assert(kNames.size() == static_cast<std::size_t>(TraceKind::done) + 1);
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace pipette::client
