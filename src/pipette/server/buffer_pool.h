// BufferPool: the memory of connections that idle, for those that do not. Internal to server/.
//
// Threads  one.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "pipette/base/buffer.h"
#include "pipette/base/poison.h"

namespace pipette::server {

class BufferPool {
 public:
  static constexpr std::size_t kMaxKeptBytes = 64 * 1024;  // by one buffer

  // Empty, with room for `at_least` octets.
  Buffer take(std::size_t at_least) {
    if (free_.empty()) return Buffer(at_least);
    Buffer buffer = std::move(free_.back());
    free_.pop_back();
    if (buffer.capacity() < at_least) (void)buffer.writable(at_least);
    return buffer;
  }
  void give_back(Buffer buffer) {
    const bool is_worth_keeping = buffer.capacity() > 0 && buffer.capacity() <= kMaxKeptBytes;
    if (kPoisons || !is_worth_keeping || free_.size() == kMaxKept) return;
    buffer.clear();
    free_.push_back(std::move(buffer));
  }

 private:
  static constexpr std::size_t kMaxKept = 1024;

  std::vector<Buffer> free_;
};

}  // namespace pipette::server
