// Runtime: everything outside the program comes through this one door.
//
// tcp::Runtime is the real world; in inmem::World it is a simulated one. A server or a client is given a
// Runtime& and cannot tell which. Nothing is global.
//
// Lifetime  outlives what was made from it.   Threads  its loop's.
#pragma once

#include <string_view>

#include "pipette/async/blocking.h"
#include "pipette/async/loop.h"
#include "pipette/base/random.h"
#include "pipette/net/network.h"

namespace pipette::net {

class Runtime {
 public:
  Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  virtual ~Runtime() = default;

  virtual async::Loop& loop() = 0;
  virtual Network& network() = 0;
  // Where functions run that may wait without being coroutines.
  virtual async::Blocking& blocking() = 0;
  // A generator of its own for each `stream`: a new user never shifts what an old one draws.
  virtual Random random(std::string_view stream) = 0;
};

}  // namespace pipette::net

namespace pipette {
using net::Runtime;
}  // namespace pipette
