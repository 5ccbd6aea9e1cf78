// The processor cores that this process may use, and threads that stay on one of them.
//
// Threads  any; Pinned its own.
#pragma once

#include <sched.h>
#include <span>
#include <vector>

namespace pipette::app {

// Their numbers; never empty.
std::vector<int> usable_cores();

// The calling thread, and each thread and process that it starts, runs on these cores alone, until the guard dies. A
// system that refuses does without.
class Pinned {
 public:
  explicit Pinned(std::span<const int> cores);
  explicit Pinned(int core) : Pinned(std::span(&core, 1)) {}
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned();

 private:
  cpu_set_t before_;
  bool is_pinned_ = false;
};

}  // namespace pipette::app
