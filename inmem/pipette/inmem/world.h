// World: a simulated outside. Hosts with loops and clocks, a network between them, one virtual time, one oracle behind
// everything that could be otherwise, and the log of all that happened.
//
//   inmem::World world(/*seed=*/1);
//   auto listener = world.host("app").runtime().network().listen(*net::Address::parse("app:80"));
//   world.advance_to(after(world.now(), 1h));                              // takes microseconds
//   auto slow = world.link("client", "app").add(Toxics().with_latency(50ms));
//
// A world opens no socket, starts no thread, reads no clock and no random device: the same program and the same
// decisions give the same log. When the environment variable PIPETTE_TRANSCRIPT names a file, every world appends its
// transcript there when it ends; PIPETTE_HASHES does so with the hash of its log alone.
//
// Lifetime  outlives everything made from it.   Threads  one a world; worlds are independent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/list.h"
#include "pipette/base/oracle.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/faults.h"
#include "pipette/inmem/host.h"
#include "pipette/inmem/loop.h"
#include "pipette/inmem/network.h"
#include "pipette/inmem/scheduler.h"
#include "pipette/net/runtime.h"

namespace pipette::inmem {

// Civil time at virtual time 0, unless a world is told otherwise: Thu, 01 Jan 2026 00:00:00 GMT.
inline constexpr WallTime kWorldStart = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

// Something in a world that is to come to an end: a script, say. Who ends the test asks what has not
// (World::unfinished).
class Undertaking : public ListNode {
 public:
  // What has failed or is left to do, in lines; empty: nothing.
  virtual std::string report() const = 0;

 protected:
  ~Undertaking() = default;
};

class World {
 public:
  // The seed is that of Runtime::random() and of chance, where a link has any: what `oracle` decides, if given, is the
  // rest; null: chance decides that too. It outlives the world.
  explicit World(std::uint64_t seed = 1, WallTime start = kWorldStart);
  explicit World(Oracle* oracle, std::uint64_t seed = 1, WallTime start = kWorldStart);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // The host of that name; made on first use. The first one is "client", and is there from the beginning.
  Host& host(std::string_view name);
  Host& add_host(std::string_view name, Clock clock);
  // The direction from one host to the other.
  Link& link(std::string_view from, std::string_view to) { return network_.link(host(from), host(to)); }

  // A connection from the first host, without waiting.
  Result<net::Connected> dial_now(const net::Address& address) {
    return network_.dial_now(*hosts_.front(), loop(), address);
  }

  // Those of the first host.
  net::Runtime& runtime() { return hosts_.front()->runtime(); }
  Loop& loop() { return hosts_.front()->loop(); }

  TimePoint now() const { return scheduler_.now(); }
  void settle() { scheduler_.settle(); }
  void advance_to(TimePoint target) { scheduler_.advance_to(target); }
  bool step() { return scheduler_.step(); }

  // `undertaking` is to come to an end, as long as it lives; what it has left to say when it dies it adds.
  void watch(Undertaking& undertaking) { undertakings_.push_back(undertaking); }
  void add_unfinished(const std::string& report) { unfinished_ += report; }
  // What has not come to its end: of those that have died, then of those that live.
  std::string unfinished() const;

  Scheduler& scheduler() { return scheduler_; }
  Network& network() { return network_; }
  Faults& faults() { return faults_; }
  Decisions& decisions() { return decisions_; }
  EventLog& log() { return log_; }
  const EventLog& log() const { return log_; }
  std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
  WallTime start_;
  SeededOracle own_oracle_;
  Decisions decisions_;
  EventLog log_;
  Scheduler scheduler_;
  Faults faults_;
  Network network_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::string unfinished_;
  List<Undertaking> undertakings_;
};

}  // namespace pipette::inmem
