// Two connections joined in memory: what one end writes, the other reads. Keeps TCP's observable contract.
//
//   end A ── try_write ──> [ stream: bounded, FIN behind its data ]     ── try_read ──> end B
//         <── try_read ─── [ stream ]                                   <── try_write ──
//
// A stream takes what fits and no more (back-pressure); a full one wakes its writer when the reader has made
// room. A reset ends both streams: what was accepted can still be read, then reads fail.
//
// Lifetime  the ends share the streams; each end may die at any time.   Threads  one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "pipette/async/loop.h"
#include "pipette/inmem/transcript.h"
#include "pipette/net/connection.h"

namespace pipette::inmem {

struct PipeOptions {
  std::size_t capacity_bytes = 64 * 1024;  // of each direction's buffer
  std::size_t max_read_bytes = SIZE_MAX;   // a read gives at most this many octets (segmentation)
  std::size_t max_write_bytes = SIZE_MAX;  // a write takes at most this many
};

// What a pipe is called in the transcript and in reports.
struct PipeNames {
  std::string connection = "pipe";
  std::string first = "first";
  std::string second = "second";
};

class Pipe;

// One end.
class PipeEnd final : public net::Connection, public ListNode {
 public:
  PipeEnd(std::shared_ptr<Pipe> pipe, unsigned side) : pipe_(std::move(pipe)), side_(side) {}
  ~PipeEnd() override;

  Result<std::size_t> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override;
  Result<void> try_close_write() override;
  void wait(net::Direction direction, net::Waiter& waiter) override;
  void set_deadline(net::Direction direction, TimePoint deadline) override;
  void abort() override;

  // How much what this end sends, and reads, is cut from now on.
  void set_options(const PipeOptions& options);
  // "conn 1: server waits to read, until +10.0": who waits for what here; empty when nobody does.
  std::string describe_waits() const;

 private:
  std::shared_ptr<Pipe> pipe_;
  unsigned side_;
};

// `transcript` may be null; otherwise it outlives both ends.
std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(async::Loop& loop, const PipeOptions& options,
                                                                        PipeNames names, Transcript* transcript);
std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(async::Loop& loop);

}  // namespace pipette::inmem
