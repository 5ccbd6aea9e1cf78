#include "pipette/app/internal/cores.h"

#include <cstddef>
#include <pthread.h>

namespace pipette::app {

std::vector<int> usable_cores() {
  std::vector<int> cores;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &allowed)) cores.push_back(static_cast<int>(core));
    }
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

Pinned::Pinned(std::span<const int> cores) {
  CPU_ZERO(&before_);
  if (::pthread_getaffinity_np(::pthread_self(), sizeof before_, &before_) != 0) return;
  cpu_set_t these;
  CPU_ZERO(&these);
  for (const int core : cores) CPU_SET(static_cast<std::size_t>(core), &these);
  is_pinned_ = ::pthread_setaffinity_np(::pthread_self(), sizeof these, &these) == 0;
}

Pinned::~Pinned() {
  if (is_pinned_) ::pthread_setaffinity_np(::pthread_self(), sizeof before_, &before_);
}

}  // namespace pipette::app
