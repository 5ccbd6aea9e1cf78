// How two event logs differ: of a test that should do the same twice, or of the same test before and after a change.
//
//   diff(first, second)  -->  nothing, or:
//
//     12 events are the same; then (- first, + second):
//         +0.000000000  conn 1  client -> app  GET /a HTTP/1.1 (1 field, no body)
//       - +0.100000000  conn 1  app -> client  200 OK (2 fields, 5 body bytes)
//       + +0.100000000  conn 1  app -> client  200 OK (2 fields, 5 body bytes)
//           octet 41 differs: "lo" and "p!"
//     1 event differs, 0 at other times, 0 only in the first, 0 only in the second
//
// Events are compared by what they are, and never by their text: two that look alike and are not are told apart. They
// are aligned whatever their times, so that a pause which got longer is one difference, and not one in all that follow.
//
// Bounds    the same beginning costs one comparison each; the rest is aligned as in internal/alignment.h. At most 20
//           differences are shown.
// Lifetime  reads both during the call only.   Threads  the logs'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pipette/inmem/event_log.h"

namespace pipette::lab {

struct Divergence {
  std::uint64_t event = 0;  // its number in both logs, from 0 and with what they dropped
  bool is_dropped = false;  // they differ somewhere before it, in what is kept no more
};

// The first event that is not the same, its time included; where one log ends and the other goes on, that place.
std::optional<Divergence> first_divergence(const inmem::EventLog& first, const inmem::EventLog& second);

// Empty when all events are the same.
std::string diff(const inmem::EventLog& first, const inmem::EventLog& second);

}  // namespace pipette::lab
