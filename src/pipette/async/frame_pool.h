// Recycles coroutine frames, so that a warm server allocates nothing.
//
// One free list a thread and a size class (64 octets a class, up to 2 KiB; larger frames come from the
// heap). A frame may be freed on another thread than it came from; it then serves that one.
// Under AddressSanitizer recycling is off, so that a dead frame stays dead.
#pragma once

#include <cstddef>

namespace pipette::async {

void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

// What the promises of our coroutines derive from.
struct RecycledFrame {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
};

}  // namespace pipette::async
