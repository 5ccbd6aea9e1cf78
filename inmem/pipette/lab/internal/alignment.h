// Lays two sequences side by side, so that as much as possible of them is alike.
//
//   align(a b c d, a c x d)  -->  alike: a   differ: b | -   alike: c   differ: - | x   alike: d
//
// The sequences are keys, hashes for instance, that are equal where the things are. What is alike at both ends costs
// one look each; in between it is Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986), as long as the two
// differ in few places.
//
// Bounds    1000 differences and 16 M steps; what is beyond that is one stretch that differs.   Threads  any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace pipette::lab::internal {

// Part of both sequences. Where they are alike both sizes are the same; of neighbours one is alike and one is not.
struct Stretch {
  bool is_alike = true;
  std::size_t first = 0;  // where it begins in the first sequence
  std::size_t first_size = 0;
  std::size_t second = 0;
  std::size_t second_size = 0;
};

// All of both, in order.
std::vector<Stretch> align(std::span<const std::uint64_t> first, std::span<const std::uint64_t> second);

// FNV-1a, to be continued with what follows.
constexpr std::uint64_t kKeyBegin = 0xcbf29ce484222325;
constexpr std::uint64_t key_of(std::string_view octets, std::uint64_t key = kKeyBegin) {
  for (const char c : octets) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return key;
}

}  // namespace pipette::lab::internal
