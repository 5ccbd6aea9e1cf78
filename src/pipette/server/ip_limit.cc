#include "pipette/server/ip_limit.h"

#include <algorithm>
#include <array>
#include <span>

namespace pipette::server {

// The first half of an address of IPv6 is a number; that of IPv4 stands in ::ffff:0:0/96, whose first half is 0 and
// nobody's, so that both fit into one map.
std::optional<std::uint64_t> IpLimit::key_of(const net::Address& address) {
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

bool IpLimit::enter(const net::Address& remote) {
  const auto key = most_ == 0 ? std::nullopt : key_of(remote);
  if (!key) return true;
  std::size_t& count = counts_[*key];
  if (count >= most_) return false;
  ++count;
  return true;
}

void IpLimit::leave(const net::Address& remote) {
  const auto key = most_ == 0 ? std::nullopt : key_of(remote);
  if (!key) return;
  const auto found = counts_.find(*key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace pipette::server
