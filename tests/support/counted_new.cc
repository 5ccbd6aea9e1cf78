#include "tests/support/counted_new.h"

#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

constinit thread_local std::uint64_t count = 0;
constinit thread_local std::int64_t live = 0;
constinit thread_local bool weighs = false;

void* allocate(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++count;
  if (weighs) live += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  if (weighs) live -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

namespace pipette::test {

std::uint64_t allocations() { return count; }
std::int64_t live_bytes() {
  weighs = true;
  return live;
}

}  // namespace pipette::test
