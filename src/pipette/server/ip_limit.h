// IpLimit: how many connections each address has. Internal to server/.
//
// IPv4 counts by address, IPv6 by /64, which is what one customer has; Unix sockets and names are not counted. An
// address that has none costs nothing.
//
// Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "pipette/net/address.h"

namespace pipette::server {

class IpLimit {
 public:
  explicit IpLimit(std::size_t most) : most_(most) {}

  // Counts one more, unless it is one too many.
  bool enter(const net::Address& remote);
  void leave(const net::Address& remote);
  // How many addresses are counted.
  std::size_t size() const { return counts_.size(); }

 private:
  static std::optional<std::uint64_t> key_of(const net::Address& address);

  std::size_t most_;  // 0: no limit, and nothing is counted
  std::unordered_map<std::uint64_t, std::size_t> counts_;
};

}  // namespace pipette::server
