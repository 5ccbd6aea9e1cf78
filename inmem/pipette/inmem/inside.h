// InsideWorld: marks the time during which a world runs the program's code on this thread.
//
//   { InsideWorld inside;  node.run(); }        the scheduler, around each thing it runs
//   { OutsideWorld outside;  log << stamp(); }  code that may look at the real world, and be forgotten by it
//
// The guard (pipette/guard/guard.h) reports real clocks, sleeps, sockets, threads and randomness that are used while
// the mark is up; a test that does the same before or after its world ran is left alone. Both nest, in any order.
//
// Cost      one counter of the thread: an increment and a decrement.
// Threads   each thread has its own mark. A fiber must run to its next switch inside one mark.
#pragma once

#include <utility>

namespace pipette::inmem {

namespace internal {
// How many marks are up: the one piece of state of a thread's own, since a call of the C library has no argument that
// could carry it.
inline constinit thread_local int inside_depth = 0;
}  // namespace internal

inline bool is_inside_world() { return internal::inside_depth > 0; }

class InsideWorld {
 public:
  InsideWorld() { ++internal::inside_depth; }
  InsideWorld(const InsideWorld&) = delete;
  InsideWorld& operator=(const InsideWorld&) = delete;
  ~InsideWorld() { --internal::inside_depth; }
};

class OutsideWorld {
 public:
  OutsideWorld() : depth_(std::exchange(internal::inside_depth, 0)) {}
  OutsideWorld(const OutsideWorld&) = delete;
  OutsideWorld& operator=(const OutsideWorld&) = delete;
  ~OutsideWorld() { internal::inside_depth = depth_; }

 private:
  int depth_;
};

}  // namespace pipette::inmem
