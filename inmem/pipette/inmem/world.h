// World: a simulated outside. A loop with a virtual clock, a network in memory, seeded randomness, and the
// transcript of all that happened.
//
//   inmem::World world(/*seed=*/1);
//   auto listener = world.runtime().network().listen(*net::Address::parse("app:80"));
//   world.loop().advance_to(after(world.loop().now(), 1h));        // takes microseconds
//
// A world opens no socket, starts no thread, reads no clock and no random device: the same program and the
// same seed give the same transcript. When the environment variable PIPETTE_TRANSCRIPT names a file, every world
// appends its transcript there when it ends.
//
// Lifetime  outlives everything made from it.   Threads  one a world; worlds are independent.
#pragma once

#include <cstdint>
#include <string_view>

#include "pipette/inmem/loop.h"
#include "pipette/inmem/network.h"
#include "pipette/inmem/transcript.h"
#include "pipette/net/runtime.h"

namespace pipette::inmem {

// Civil time at virtual time 0, unless a world is told otherwise: Thu, 01 Jan 2026 00:00:00 GMT.
inline constexpr WallTime kWorldStart = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

class World {
 public:
  explicit World(std::uint64_t seed = 1, WallTime start = kWorldStart);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  net::Runtime& runtime() { return runtime_; }
  Loop& loop() { return loop_; }
  Network& network() { return network_; }
  Transcript& transcript() { return transcript_; }
  std::uint64_t seed() const { return seed_; }

 private:
  class HostRuntime final : public net::Runtime {
   public:
    explicit HostRuntime(World& world) : world_(world) {}
    async::Loop& loop() override { return world_.loop_; }
    net::Network& network() override { return world_.network_; }
    Random random(std::string_view stream) override { return {world_.seed_, stream}; }

   private:
    World& world_;
  };

  std::uint64_t seed_;
  Transcript transcript_;
  Loop loop_;
  Network network_;
  HostRuntime runtime_;
};

}  // namespace pipette::inmem
