// Octets as numbers and as toxics, for the targets of net/channel.h and net/toxic_connection.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipette/base/bytes.h"
#include "pipette/net/toxics.h"

namespace pipette::fuzz {

class Numbers {
 public:
  explicit Numbers(Bytes octets) : left_(octets) {}

  bool empty() const { return left_.empty(); }
  // 0 when there are no more octets.
  unsigned next() {
    if (left_.empty()) return 0;
    const auto octet = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return octet;
  }
  unsigned below(unsigned n) { return next() % n; }
  // 0 ns ... 100 s or so: small ones in small steps.
  Duration time() {
    const unsigned octet = next();
    return std::chrono::nanoseconds(octet % 8) * (std::int64_t{1} << (octet / 8));
  }

 private:
  Bytes left_;
};

inline net::Toxics read_toxics(Numbers& numbers) {
  net::Toxics toxics;
  const unsigned which = numbers.next();
  if ((which & 1U) != 0) {
    const Duration latency = numbers.time();
    const Duration jitter = numbers.time();
    toxics.with_latency(latency, jitter, static_cast<net::JitterShape>(numbers.below(3)));
  }
  if ((which & 2U) != 0) toxics.with_bandwidth(1 + 10 * numbers.next());
  if ((which & 4U) != 0) {
    const unsigned size = 1 + numbers.below(20);
    const unsigned variation = numbers.below(size);
    toxics.with_slicer(size, variation, numbers.time());
  }
  if ((which & 8U) != 0) toxics.with_slow_close(numbers.time());
  if ((which & 0x30U) == 0x10) toxics.with_limit_data(numbers.next());
  if ((which & 0x30U) == 0x20) toxics.with_timeout(numbers.time());
  if ((which & 0xc0U) == 0x40) toxics.with_stall();
  if ((which & 0xc0U) == 0x80) toxics.with_reset_peer(numbers.time());
  if ((which & 0xf0U) == 0xf0) toxics.with_down();
  return toxics;
}

// Whether a connection lives through it.
inline bool is_survivable(const net::Toxics& toxics) {
  return !toxics.limit_data && !toxics.timeout && !toxics.reset_peer && !toxics.down;
}

// The octet at `position` of a stream in which each is told from its neighbours.
inline char octet_at(std::uint64_t position) { return static_cast<char>(position % 251); }

}  // namespace pipette::fuzz
