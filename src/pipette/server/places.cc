#include "pipette/server/places.h"

namespace pipette::server {

// Counting first and looking then would let somebody be refused for the sake of another one who is refused himself.
std::expected<Places::Place, Places::Excess> Places::take(const net::Address& remote) {
  std::size_t taken = taken_.load(std::memory_order_relaxed);
  do {
    if (taken >= most_) return std::unexpected(Excess::of_all);
  } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
  return count_address(remote);
}

std::expected<Places::Place, Places::Excess> Places::take_in_advance(const net::Address& remote) {
  taken_.fetch_add(1, std::memory_order_relaxed);
  return count_address(remote);
}

std::expected<Places::Place, Places::Excess> Places::count_address(const net::Address& remote) {
  const IpLimit::Key address = per_ip_.key_of(remote);
  if (per_ip_.enter(address)) return Place(*this, address);
  taken_.fetch_sub(1, std::memory_order_relaxed);
  return std::unexpected(Excess::of_one_address);
}

void Places::give_back(IpLimit::Key address) {
  per_ip_.leave(address);
  taken_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace pipette::server
