// Parent: the process that has started this one and waits until it is ready (hand_over.h, prefork.h).
//
//   Parent parent;                  PIPETTE_READY_FD, one end of a pair of stream sockets; gone once it is taken
//   parent.wait_for_leave();        says "ready", returns when the other end says anything, or is gone
//   parent.our_number();            PIPETTE_PROCESS: which of its processes we are, from 0
//
// One that is tired of waiting does not just go away, but kills us first: who has been let go may serve.
//
// Threads  one, before others run.
#pragma once

#include <cstddef>

#include "pipette/tcp/descriptor.h"

namespace pipette::app {

class Parent {
 public:
  Parent();

  void wait_for_leave();
  // 0: of others it says nothing.
  std::size_t our_number() const { return our_number_; }

 private:
  tcp::Descriptor waits_;
  std::size_t our_number_ = 0;
};

}  // namespace pipette::app
