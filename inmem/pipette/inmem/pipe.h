// Two connections joined in memory: what one end writes, the other reads. Keeps TCP's observable contract.
//
//   end A ── try_write ──> [ channel: bounded, FIN behind its data ]     ── try_read ──> end B
//         <── try_read ─── [ channel ]                                   <── try_write ──
//
// A channel (net/channel.h) takes what fits and no more (back-pressure); a full one wakes its writer when the reader
// has made room. A reset ends both channels: what has arrived can still be read, then reads fail.
//
// Lifetime  the ends share the channels; each end may die at any time.   Threads  one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipette/async/loop.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/faults.h"
#include "pipette/inmem/link.h"
#include "pipette/net/channel.h"
#include "pipette/net/connection.h"

namespace pipette::inmem {

class Pipe;

// What the network may do without being at fault, and the oracle therefore decides. A world allows none of it unless
// told to: reads and writes are as large as they can be.
struct Leeway {
  bool short_reads = false;   // a read gives less than has arrived
  bool short_writes = false;  // a write takes less than there is room for
  bool not_yet = false;       // a try says would_block, and wakes who waits at once

  bool operator==(const Leeway&) const = default;
};

// A place in what one side sends, between two octets: reads stop there, and the reader has to wait once before it gets
// the rest.
struct Cut {
  std::uint8_t side = 0;
  std::uint64_t offset = 0;
};

// What a pipe needs of its world. Without a log and faults it is a plain pipe on one loop.
struct PipeSetup {
  std::array<async::Loop*, 2> loops;           // of who dialed, and of who accepted: their clocks and deadlines
  async::Loop* wire_loop = nullptr;            // whose time the network's is
  std::array<net::ChannelOptions, 2> options;  // [side]: of what that side sends
  Decisions* decisions = nullptr;
  EventLog* log = nullptr;
  Faults* faults = nullptr;
  const Leeway* leeway = nullptr;  // null: none
  std::optional<Cut> cut;
  std::uint32_t number = 0;  // of the connection, in the log
};

// One end.
class PipeEnd final : public net::Connection, public ListNode {
 public:
  PipeEnd(std::shared_ptr<Pipe> pipe, std::uint8_t side) : pipe_(std::move(pipe)), side_(side) {}
  ~PipeEnd() override;

  Result<std::size_t> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override;
  Result<void> try_close_write() override;
  void wait(net::Direction direction, net::Waiter& waiter) override;
  void set_deadline(net::Direction direction, TimePoint deadline) override;
  void abort() override;

  // Of what this end sends, from now on.
  void set_options(const net::ChannelOptions& options);
  // What this end sends goes over `link` from now on.
  void go_over(Link& link);
  // No stall and no trigger holds up any more what this end sends.
  void heal();

  // What it shows of itself.
  struct State {
    std::uint32_t connection = 0;
    std::uint8_t side = 0;
    std::string_view name;          // "ESTABLISHED", as netstat says
    std::size_t receive_queue = 0;  // arrived and not read
    std::size_t send_queue = 0;     // accepted and not arrived
    bool reads = false;             // somebody waits to read, until:
    TimePoint read_deadline{};
    bool writes = false;
    TimePoint write_deadline{};
  };
  State state() const;
  std::uint32_t connection() const;  // its number
  // "conn 1: server waits to read, until +10.0": who waits for what here; empty when nobody does.
  std::string describe_waits() const;

 private:
  std::shared_ptr<Pipe> pipe_;
  std::uint8_t side_;
};

using PipeEnds = std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>>;

PipeEnds make_pipe(const PipeSetup& setup);
// A plain pipe: both ends on `loop`, both directions with `options`.
PipeEnds make_pipe(async::Loop& loop, const net::ChannelOptions& options = {});

}  // namespace pipette::inmem
