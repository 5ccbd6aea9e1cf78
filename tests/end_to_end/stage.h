// Stage: where the end-to-end tests play, one body for every transport. The server and its client share a loop.
//
//   memory   a Lab, in virtual time       tcp   loopback, in real time       either of them with TLS
//
//   start(handler);                             // a server at an address of its own
//   Response response = get("/");               // runs the loop until the answer is there
//
// What is said here holds on every transport: a test says nothing of how long things took, but that they took at least
// so long, and its waits are of a few milliseconds.
//
// Threads  one.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "pipette/async/task.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"

namespace pipette::test {

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  virtual Runtime& runtime() = 0;
  // Runs `task` to its end, and rethrows what it throws.
  virtual void run(Task<> task) = 0;
  // Where a server may listen; a port is chosen.
  virtual net::Address any_address() { return net::Address::ipv4({127, 0, 0, 1}, 0); }
  // With which servers serve and clients call; null: nothing is secured here.
  virtual net::Security* server_security() { return nullptr; }
  virtual net::Security* client_security() { return nullptr; }
};

struct StageCase {
  std::string name;
  std::function<std::unique_ptr<Stage>()> make;
};
// Named as GoogleTest wants it.
inline void PrintTo(const StageCase& stage, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << stage.name;
}

}  // namespace pipette::test
