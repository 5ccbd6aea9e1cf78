// Host: a machine in a world. It has a name, an address, a clock and one or more loops, each of them a Runtime.
//
//   Host& app = world.host("app");                     // made on first use; reachable as "app" from every host
//   Worker worker(server, app.runtime());
//   Worker second(server, app.add_runtime());           // a loop more, as a second thread would have
//   world.add_host("late", {.skew = -5min, .drift_per_million = 200});
//
// Lifetime  the world's.   Threads  one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipette/inmem/loop.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"

namespace pipette::inmem {

class Network;

class Host {
 public:
  Host(Network& network, Scheduler& scheduler, std::uint64_t seed, WallTime start, std::string name,
       std::uint16_t number, net::Address address, Clock clock);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  const std::string& name() const { return name_; }
  // In the order the hosts of a world were made, from 0.
  std::uint16_t number() const { return number_; }
  const net::Address& address() const { return address_; }

  Loop& loop();
  net::Runtime& runtime();
  // One loop more, of the same host and with the same clock.
  net::Runtime& add_runtime();
  // Its civil time jumps.
  void set_skew(Duration skew);

 private:
  class HostRuntime;

  Network& network_;
  Scheduler& scheduler_;
  std::uint64_t seed_;
  WallTime start_;
  std::string name_;
  std::uint16_t number_;
  net::Address address_;
  Clock clock_;
  std::vector<std::unique_ptr<HostRuntime>> runtimes_;
};

}  // namespace pipette::inmem
