#include "tests/soak/memory.h"

#include <fstream>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PIPETTE_SANITIZED_HEAP
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PIPETTE_SANITIZED_HEAP
#endif

#ifdef PIPETTE_SANITIZED_HEAP
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // g++ 12 has no header for it
#else
#include <malloc.h>
#endif

namespace pipette::soak {

std::size_t live_heap_bytes() {
#ifdef PIPETTE_SANITIZED_HEAP
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
#endif
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace pipette::soak
