// Talks to a server as a case says, and judges what it answers: over any Runtime, in virtual or in real time.
//
//   send ──> read until the answers are there ──> send … ──> open: one request more, which says close
//                                                            closed: read to the end    silent: wait a little
//
// Time passes only where a server is silent, or where octets are delivered in pieces.
//
// Errors    what differs is a complaint: "status 200 where there must be: answer 400". A server that cannot be reached
// is
//           one too, with has_connected = false.
// Lifetime  the runtime and the case outlive the task.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "pipette/async/task.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"

#include "conformance/case_file.h"

namespace pipette::conformance {

// In which pieces a case's octets are sent, of all turns together.
struct Cut {
  enum class Kind { nowhere, everywhere, once };
  Kind kind = Kind::nowhere;
  std::size_t place = 0;  // of `once`
};

struct Patience {
  Duration answer = std::chrono::seconds(2);          // for an answer, or for the end of a connection
  Duration silence = std::chrono::milliseconds(200);  // that counts as silence, where there must be some
};

struct Heard {
  bool has_connected = false;
  std::string octets;     // all that the server has sent
  std::string how_ended;  // "closed", "reset", "silent"
  std::string complaint;  // "" when all is as the case says
};

Task<Heard> talk(Runtime& runtime, net::Address address, const Case& one, Cut cut, Patience patience);

}  // namespace pipette::conformance
