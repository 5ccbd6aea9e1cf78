// Toxics: what afflicts one direction of a connection, in the words of Toxiproxy. By default nothing.
//
//   Toxics().with_latency(50ms, 10ms).with_bandwidth(64'000)
//
//   written ─> limit_data ─> slicer ─> bandwidth ─> latency + jitter ─> hold (stall, timeout) ─> arrived
//   the end ────────── behind all data ──────────> latency ─> slow_close ─> hold ────────────> finished
//
// Each stage works on what the one before lets through, so any of them may be combined:
//
//   latency      How long everything is under way, the end and a reset too. Jitter comes on top of it, drawn for each
//                segment: it never makes anything early, and nothing overtakes.
//   bandwidth    Octets a second. A segment arrives when its last octet has passed and then its latency; it holds no
//                more than passes in a tenth of a second (but one octet at least), so a thin line trickles.
//   slicer       Cuts what is sent into slices of `average_size` octets, give or take `size_variation`, which leave at
//                least `delay` apart. No read joins two slices.
//   slow_close   How much later the end arrives, also one that limit_data makes. Not a reset.
//   limit_data   So many octets arrive, and behind them the end: the connection is closed. The rest is taken and lost.
//   stall        Nothing leaves and nothing arrives until it is cleared; then everything flows on, nothing is lost. A
//                reset by one of the ends does get through.
//   timeout      A black hole: like a stall, but resets vanish in it too,
//                so neither end learns that the other has gone.
//                After this time the connection is closed; 0 means never. Clearing it in time heals the path, and
//                what was sent then arrives as if retransmitted.
//   reset_peer   After this time both ends are reset, whatever else is in the way. 0 means at once.
//   down         The connection is closed at once.
//
// Closed means that somebody in the middle hangs up: what has arrived can be read, then comes the end; writing fails
// with connection_reset; the other direction is closed too. Times and limits count from the moment they are set, and
// go on counting while other toxics change. When several ends are due, the first one wins, and at the same moment the
// data due then still arrive before it.
//
// Toxiproxy differs where it would break a stream of octets (its timeout loses data out of the middle) or the plain
// answer (its jitter goes both ways), and counts kilobytes where we count octets.
//
// Lifetime  a value.   Threads  any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "pipette/base/time.h"

namespace pipette::net {

// How the jitter of a segment is drawn.
enum class JitterShape : std::uint8_t {
  uniform,      // 0 ... jitter, evenly
  exponential,  // jitter on average, most of them less, few up to 3.5 times as much
  spikes,       // jitter for one segment in 16, none for the others
};

struct Slicer {
  std::size_t average_size = 0;  // 0: off
  std::size_t size_variation = 0;
  Duration delay{};

  bool operator==(const Slicer&) const = default;
};

struct Toxics {
  Duration latency{};
  Duration jitter{};
  JitterShape jitter_shape = JitterShape::uniform;
  std::uint64_t bandwidth = 0;  // octets a second; 0: unlimited
  Slicer slicer;
  Duration slow_close{};
  std::optional<std::uint64_t> limit_data;
  std::optional<Duration> timeout;
  std::optional<Duration> reset_peer;
  bool stall = false;
  bool down = false;

  Toxics& with_latency(Duration time, Duration jitter_time = {}, JitterShape shape = JitterShape::uniform) {
    latency = time;
    jitter = jitter_time;
    jitter_shape = shape;
    return *this;
  }
  Toxics& with_bandwidth(std::uint64_t octets_a_second) {
    bandwidth = octets_a_second;
    return *this;
  }
  Toxics& with_slicer(std::size_t average_size, std::size_t size_variation = 0, Duration delay = {}) {
    slicer = {average_size, size_variation, delay};
    return *this;
  }
  Toxics& with_slow_close(Duration delay) {
    slow_close = delay;
    return *this;
  }
  Toxics& with_limit_data(std::uint64_t octets) {
    limit_data = octets;
    return *this;
  }
  Toxics& with_timeout(Duration time) {
    timeout = time;
    return *this;
  }
  Toxics& with_black_hole() { return with_timeout({}); }
  Toxics& with_reset_peer(Duration time = {}) {
    reset_peer = time;
    return *this;
  }
  Toxics& with_stall() {
    stall = true;
    return *this;
  }
  Toxics& with_down() {
    down = true;
    return *this;
  }

  // Whether anything here does anything.
  bool is_none() const { return *this == Toxics(); }
  // Whether data are held back until the toxics are cleared.
  bool is_holding() const { return stall || timeout.has_value(); }

  bool operator==(const Toxics&) const = default;
};

}  // namespace pipette::net
