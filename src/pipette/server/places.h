// Places: how many connections a server may have at once, in all and of one address, over all its workers. Internal to
// server/.
//
//   take(remote) ──> a Place, held for as long as the connection is open
//                └─> what there is too much of
//
// Exact over any number of loops: one counter that all of them share, touched when a connection comes and when it goes,
// and the counts of addresses where there is a limit for them (ip_limit.h).
//
// Lifetime  outlives the places taken.   Threads  any; a Place is one thread's at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>

#include "pipette/net/address.h"
#include "pipette/server/ip_limit.h"

namespace pipette::server {

class Places {
 public:
  enum class Excess : std::uint8_t { of_all, of_one_address };

  class Place {
   public:
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)), address_(other.address_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(places_, other.places_);
      std::swap(address_, other.address_);
      return *this;
    }
    ~Place() {
      if (places_ != nullptr) places_->give_back(address_);
    }

   private:
    friend class Places;
    Place(Places& places, IpLimit::Key address) : places_(&places), address_(address) {}

    Places* places_;
    IpLimit::Key address_;
  };

  Places(std::size_t most, std::size_t most_per_ip) : most_(most), per_ip_(most_per_ip) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  std::expected<Place, Excess> take(const net::Address& remote);
  // The same, though all are taken: somebody is about to give one back.
  std::expected<Place, Excess> take_in_advance(const net::Address& remote);

 private:
  std::expected<Place, Excess> count_address(const net::Address& remote);
  void give_back(IpLimit::Key address);

  const std::size_t most_;
  std::atomic<std::size_t> taken_ = 0;
  IpLimit per_ip_;
};

}  // namespace pipette::server
