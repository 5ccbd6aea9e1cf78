// IpLimit: how many connections each address has, over all workers of a server. Internal to server/.
//
// IPv4 counts by address, IPv6 by /64, which is what one customer has; Unix sockets and names are not counted. An
// address that has none costs nothing.
//
// The counts lie in shards, each behind a mutex of its own, so that loops seldom meet; they are touched when a
// connection comes and when it goes, and not at all where there is no limit.
//
// Threads  any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "pipette/net/address.h"

namespace pipette::server {

class IpLimit {
 public:
  // For whom a connection counts; nullopt: it is not counted.
  using Key = std::optional<std::uint64_t>;

  explicit IpLimit(std::size_t most) : most_(most), shards_(most == 0 ? 0 : kShards) {}

  Key key_of(const net::Address& remote) const;
  // Counts one more, unless it is one too many.
  bool enter(Key key);
  void leave(Key key);
  // How many addresses are counted.
  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;

  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, std::size_t> counts;
  };

  Shard& shard_of(std::uint64_t key);

  std::size_t most_;           // 0: no limit, and nothing is counted
  std::vector<Shard> shards_;  // never grows
};

}  // namespace pipette::server
