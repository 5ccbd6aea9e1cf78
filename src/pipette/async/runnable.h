// Something a Loop can run later: the intrusive node of its run queue.
//
// Enqueuing allocates nothing. A Runnable that dies unlinks itself, so a cancelled operation leaves no
// dangling wake-up behind.
#pragma once

#include "pipette/base/list.h"

namespace pipette::async {

class Runnable : public ListNode {
 public:
  virtual void run() = 0;

 protected:
  ~Runnable() = default;
};

}  // namespace pipette::async
