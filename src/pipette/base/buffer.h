// A growable run of contiguous octets, filled at the back and consumed at the front.
//
//   | consumed | readable() | writable() |
//
// Consuming moves nothing, so views into readable() stay good until the next call of writable() or append(),
// which may compact or grow. Under AddressSanitizer consumed octets are poisoned.
//
// Lifetime  owns its memory; release() gives it back when a connection idles.   Threads  one.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>

#include "pipette/base/bytes.h"
#include "pipette/base/poison.h"

namespace pipette {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { grow(capacity); }
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { release(); }

  Bytes readable() const { return {memory_.get() + begin_, end_ - begin_}; }
  // The same, to be changed in place.
  MutableBytes contents() { return {memory_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  // Room for at least `at_least` octets behind the readable ones; all the room there is.
  [[gnu::always_inline]] MutableBytes writable(std::size_t at_least) {
    if (!kPoisons && begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < at_least || (kPoisons && begin_ > 0)) make_room(at_least);
    return {memory_.get() + end_, capacity_ - end_};
  }
  // The first `count` octets of writable() have been filled.
  void commit(std::size_t count) {
    assert(count <= capacity_ - end_);
    end_ += count;
  }
  void append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(writable(bytes.size()).data(), bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  // Forgets the first `count` readable octets. They stay intact (unless poisoned) until writable() is called.
  void consume(std::size_t count) {
    assert(count <= size());
    if (kPoisons && count > 0) poison(memory_.get() + begin_, count);
    begin_ += count;
  }
  void clear() { consume(size()); }
  // Forgets all but the first `count` readable octets.
  void truncate(std::size_t count);
  // Forgets everything and gives the memory back.
  void release();

 private:
  void make_room(std::size_t at_least);
  void grow(std::size_t capacity);

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace pipette
