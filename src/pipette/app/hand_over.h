// HandOver: the next process takes the place of this one, and no connection is refused or lost.
//
//   this one                                                 the next one
//   at SIGUSR2 starts it, with all descriptors that listen   adopts them, opens what is new
//                                                    <────   is ready
//   go ahead  ───────────────────────────────────────────>   accepts
//   accepts no more; exchanges under way finish, each        …
//   idle connection has one more answer; ends
//
// Both hold the same sockets for a while, so whoever waits to be accepted is accepted by one of them, also where each
// loop has a socket of its own (SO_REUSEPORT), whose queue would die with it. The next process may listen at more
// addresses, or have another number of loops; a socket at an address that it does not ask for is closed, and a Unix
// path removed.
//
// When the next one ends before it is ready, or is not within `ready_timeout`, it is killed, the log says so, and this
// one serves on. When this one is told to stop meanwhile, it is killed too, and nobody serves. A supervisor is told of
// the new main process (supervisor.h).
//
// For programs that call serve_tcp() once, and have started nothing that the next process could not have beside them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipette/base/time.h"

namespace pipette::app {

struct HandOver {
  // What is started, looked for in PATH as a shell does; empty: what this process was started as. A new version should
  // stand there by then.
  std::string program;
  // Behind the name of the program; without: those of this process.
  std::optional<std::vector<std::string>> arguments;
  Duration ready_timeout = std::chrono::seconds(60);
};

// What SIGUSR2 does. From any thread.
void hand_over();

}  // namespace pipette::app

namespace pipette {
using app::HandOver;
}  // namespace pipette
