#include "pipette/server/ip_limit.h"

#include <algorithm>
#include <array>
#include <span>

namespace pipette::server {

// The first half of an address of IPv6 is a number; that of IPv4 stands in ::ffff:0:0/96, whose first half is 0 and
// nobody's, so that both fit into one map.
IpLimit::Key IpLimit::key_of(const net::Address& address) const {
  if (most_ == 0) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto number = [](std::span<const std::uint8_t> octets) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
  };
  const std::span<const std::uint8_t> ip = address.ip();
  if (address.kind() == net::Address::Kind::ipv4) return number(ip.first(4));
  if (address.kind() != net::Address::Kind::ipv6) return std::nullopt;
  const bool is_mapped = std::equal(kMapped.begin(), kMapped.end(), ip.begin());
  return is_mapped ? number(ip.last(4)) : number(ip.first(8));
}

// Keys of neighbours differ in their last bits; the product spreads them over its first ones.
IpLimit::Shard& IpLimit::shard_of(std::uint64_t key) {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
  static_assert(kShards == 16);
  return shards_[key * kGoldenRatio >> 60];
}

bool IpLimit::enter(Key key) {
  if (!key) return true;
  Shard& shard = shard_of(*key);
  const std::lock_guard lock(shard.mutex);
  std::size_t& count = shard.counts[*key];
  if (count >= most_) return false;
  ++count;
  return true;
}

void IpLimit::leave(Key key) {
  if (!key) return;
  Shard& shard = shard_of(*key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.counts.find(*key);
  if (found != shard.counts.end() && --found->second == 0) shard.counts.erase(found);
}

std::size_t IpLimit::size() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.counts.size();
  }
  return sum;
}

}  // namespace pipette::server
