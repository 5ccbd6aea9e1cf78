// Listening sockets that this process was given when it was started.
//
//   systemd's socket activation   LISTEN_PID=<ours> LISTEN_FDS=2 LISTEN_FDNAMES=http:admin     descriptors 3 and 4
//   a process of ours             PIPETTE_LISTEN_PARENT=<our parent's> PIPETTE_LISTEN_FDS=5,8r
//                                 which hands over (hand_over.h) or has made us its worker (prefork.h)
//
// Each is there until somebody takes it, which serve_tcp() does (ServeOptions::inherit). Behind a number, `r` says that
// the path of a Unix socket is ours to remove in the end. What is not for this process, is no number or listens not is
// passed over.
//
// Threads  one, before others run: it reads the environment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipette/net/address.h"

namespace pipette::app {

struct Inherited {
  enum class From : std::uint8_t { supervisor, parent };

  int descriptor = -1;
  net::Address address{};
  std::string name{};  // as LISTEN_FDNAMES has it
  From from = From::supervisor;
  bool owns_path = false;
};

// Those that nobody has taken, the parent's first. Who takes one sets its close-on-exec flag, as
// tcp::Runtime::adopt_listener() does.
std::vector<Inherited> inherited_listeners();

// Those of `given` that are for who asks for this address, which go from there: one without a port, or with a name,
// matches by the rest.
std::vector<Inherited> take_matching(std::vector<Inherited>& given, const net::Address& asked);

}  // namespace pipette::app
