#include "pipette/base/buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "pipette/base/poison.h"

namespace pipette {

Buffer::Buffer(Buffer&& other) noexcept
    : memory_(std::move(other.memory_)),
      capacity_(std::exchange(other.capacity_, 0)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  memory_ = std::move(other.memory_);
  capacity_ = std::exchange(other.capacity_, 0);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  return *this;
}

void Buffer::truncate(std::size_t count) {
  assert(count <= size());
  end_ = begin_ + count;
}

void Buffer::release() {
  unpoison(memory_.get(), capacity_);
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

void Buffer::make_room(std::size_t at_least) {
  const std::size_t live = size();
  if (kPoisons) unpoison(memory_.get(), begin_);
  // Compact when that frees enough and at least half of the memory: then each octet is moved at most once on average.
  if (capacity_ - live >= at_least && live <= capacity_ / 2) {
    if (live > 0) std::memmove(memory_.get(), memory_.get() + begin_, live);
    begin_ = 0;
    end_ = live;
    return;
  }
  grow(std::max({live + at_least, capacity_ * 2, std::size_t{256}}));
}

void Buffer::grow(std::size_t capacity) {
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  const std::size_t live = size();
  if (live > 0) std::memcpy(larger.get(), memory_.get() + begin_, live);
  memory_ = std::move(larger);
  capacity_ = capacity;
  begin_ = 0;
  end_ = live;
}

}  // namespace pipette
