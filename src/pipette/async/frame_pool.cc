#include "pipette/async/frame_pool.h"

#include <array>
#include <new>

#include "pipette/base/poison.h"

namespace pipette::async {
namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 32;
constexpr unsigned kMaxKept = 1024;  // a class and a thread

struct FreeFrame {
  FreeFrame* next;
};

struct FreeList {
  FreeFrame* first = nullptr;
  unsigned count = 0;
};

// Plain data, so that reaching it costs no initialisation check; the sweeper empties it when the thread ends.
constinit thread_local std::array<FreeList, kClasses> free_lists{};
constinit thread_local bool is_swept = false;

struct Sweeper {
  ~Sweeper() {
    is_swept = true;
    for (FreeList& list : free_lists) {
      while (FreeFrame* frame = list.first) {
        list.first = frame->next;
        ::operator delete(frame);
      }
      list.count = 0;
    }
  }
};

void sweep_at_thread_end() { static thread_local Sweeper sweeper; }

constexpr std::size_t class_of(std::size_t size) { return (size - 1) / kClassBytes; }

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = class_of(size);
  if (kPoisons || index >= kClasses) return ::operator new(size);
  FreeList& list = free_lists[index];
  if (FreeFrame* frame = list.first) {
    list.first = frame->next;
    --list.count;
    return frame;
  }
  sweep_at_thread_end();
  return ::operator new((index + 1) * kClassBytes);
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t index = class_of(size);
  if (kPoisons || index >= kClasses || free_lists[index].count == kMaxKept || is_swept) {
    ::operator delete(frame);
    return;
  }
  FreeList& list = free_lists[index];
  if (list.count == 0) sweep_at_thread_end();
  list.first = new (frame) FreeFrame{list.first};
  ++list.count;
}

}  // namespace pipette::async
