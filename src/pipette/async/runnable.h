// Something a Loop can run later: the intrusive node of its run queue.
//
// Enqueuing allocates nothing. A Runnable that dies unlinks itself, so a cancelled operation leaves no
// dangling wake-up behind.
#pragma once

#include <cstdint>

#include "pipette/base/list.h"

namespace pipette::async {

// A line of work that goes on by itself: each child of a TaskGroup begins one, and whatever wakes it goes on in it.
// A real loop runs in order and never looks; a simulated one can give lanes priorities. 0: nobody's in particular.
using Lane = std::uint32_t;

class Runnable : public ListNode {
 public:
  virtual void run() = 0;
  Lane lane() const { return lane_; }

 protected:
  ~Runnable() = default;

 private:
  friend class RunQueue;

  Lane lane_ = 0;
};

}  // namespace pipette::async
