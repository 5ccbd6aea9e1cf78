// Faults: every operation of a world is a place where something can go wrong, and the oracle decides whether it does.
//
//   read         end of stream · reset · timed out · short then reset · stall · cancel
//   write        reset · timed out · short then reset · stall · cancel
//   close write  reset · timed out · cancel
//   dial         refused · unreachable · timed out · cancel
//   accept       EMFILE · ENFILE · ECONNABORTED
//   resolve      host not found · timed out
//   step         destroyed: the test's body is, as by an exception
//   call         cancel: the call that the test drives is destroyed; one of these at each step of such a call
//
// What each does to a connection, at this end and at the other one:
//
//   end of stream     somebody in the middle hangs up: reads 0 at once, writes reset    the other end: the same
//   reset             every operation fails with connection_reset                       what has arrived, then reset
//   short then reset  one octet, and then that                                          the same
//   timed out         every operation fails with timed_out                              hears nothing any more
//   stall             this direction stands still, and nobody is told
//   cancel            as if abort() had been called                                     what has arrived, then reset
//
// A fault strikes once, which for a connection means that this connection suffers it for the rest of its life; or it is
// sticky: from then on every operation of that kind in the world meets it too. The answer 0 is: nothing happens.
//
// A world offers no faults unless told to (offer()), so that the sweeps and the explorer, which do, cost other tests
// nothing.
//
// Threads  one.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pipette/base/oracle.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/scheduler.h"

namespace pipette::inmem {

enum class Operation : std::uint8_t { read, write, close_write, dial, accept, resolve, step, call };
inline constexpr std::size_t kOperations = 8;

enum class Fault : std::uint8_t {
  none,
  end_of_stream,
  reset,
  timed_out,
  short_then_reset,
  stall,
  cancel,
  refused,
  unreachable,
  too_many_open_files,
  too_many_open_files_in_system,
  connection_aborted,
  host_not_found,
  destroy,
};
inline constexpr std::size_t kFaults = 14;

std::string_view to_string(Operation operation);
std::string_view to_string(Fault fault);
// Those that can strike `operation`, in the order of the answers 1, 2, 3 …; each of them again, sticky, behind them.
std::span<const Fault> faults_of(Operation operation);
// "fault.read": where the decision is asked for.
Site fault_site(Operation operation);

// "conn 3, server: the 2nd read: reset, sticky", for a choice at one of these sites.
std::string describe_fault(std::string_view site, std::uint64_t object, std::uint32_t ordinal, unsigned answer);

class Faults {
 public:
  Faults(Decisions& decisions, EventLog& log, const Scheduler& scheduler)
      : decisions_(decisions), log_(log), scheduler_(scheduler) {}
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // From now on; when chance decides, one operation in `one_in` fails.
  void offer(unsigned one_in = 256) {
    one_in_ = one_in;
    is_offering_ = true;
  }
  // No more: what has not failed yet goes well.
  void stop_offering() {
    is_offering_ = false;
    sticky_ = {};
  }
  bool is_offering() const { return is_offering_; }

  // What happens to this operation. `side` and `connection` where it belongs to one.
  Fault strike(Operation operation, std::uint32_t connection = 0, std::uint8_t side = kNoSide);

  // How often each has struck.
  std::uint64_t struck(Operation operation, Fault fault) const;
  std::uint64_t struck() const { return total_; }
  using Counts = std::array<std::array<std::uint64_t, kFaults>, kOperations>;
  const Counts& counts() const { return counts_; }

 private:
  Decisions& decisions_;
  EventLog& log_;
  const Scheduler& scheduler_;
  bool is_offering_ = false;
  unsigned one_in_ = 1;
  std::array<Fault, kOperations> sticky_{};
  Counts counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace pipette::inmem
