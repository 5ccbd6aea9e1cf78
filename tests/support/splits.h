// Every way in which octets can arrive that matters: whole, one by one, and cut in two at every place.
//
//   for_each_split("GET / HTTP/1.1\r\n\r\n", [&](const Pieces& pieces) { … });
//
// ExactBlock keeps octets in a heap block of exactly their size, so that AddressSanitizer reports a read of
// even one octet too many.
//
// Lifetime  pieces borrow from the octets they were cut from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace pipette::test {

class ExactBlock {
 public:
  ExactBlock() = default;
  explicit ExactBlock(std::string_view octets)
      : memory_(std::make_unique_for_overwrite<char[]>(octets.size())), size_(octets.size()) {
    std::ranges::copy(octets, memory_.get());
  }

  std::string_view octets() const { return {memory_.get(), size_}; }
  std::span<char> writable() { return {memory_.get(), size_}; }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
};

using Pieces = std::vector<std::string_view>;

inline Pieces one_by_one(std::string_view octets) {
  Pieces pieces;
  for (std::size_t i = 0; i < octets.size(); ++i) pieces.push_back(octets.substr(i, 1));
  return pieces;
}

inline Pieces cut_at(std::string_view octets, std::size_t place) {
  return {octets.substr(0, place), octets.substr(place)};
}

template <class F>
void for_each_split(std::string_view octets, F&& f) {
  f(Pieces{octets});
  f(one_by_one(octets));
  for (std::size_t place = 1; place < octets.size(); ++place) f(cut_at(octets, place));
}

}  // namespace pipette::test
