// Metrics: what a server counts. One set a worker, written by its loop alone; summed when somebody reads.
//
//   MetricsSnapshot seen = server.metrics();            // of all workers, those that are gone included
//   seen.read_header_timeouts, seen.open_connections, seen.latency …
//
// Units    latency is from the end of the head to the end of the response, as octets gathered or written. Bucket i of
//          the histogram counts exchanges that took less than 2^i ticks of 1024 ns, and not less than half of that.
//          Among pipelined requests time is looked at only roughly, to some milliseconds: what that hides of the others
//          counts for the last one.
// Threads  any may read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pipette/base/time.h"

namespace pipette::server {

inline constexpr std::size_t kLatencyBuckets = 32;
inline constexpr std::uint64_t kLatencyTick = 1024;  // nanoseconds

template <class Number>
struct HistogramOf {
  void add(Duration took) {
    const auto nanoseconds = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
    const auto bucket = static_cast<std::size_t>(std::bit_width(nanoseconds / kLatencyTick));
    buckets[std::min(bucket, kLatencyBuckets - 1)].add(1);
    sum.add(nanoseconds);
  }

  std::array<Number, kLatencyBuckets> buckets{};
  Number sum{};  // nanoseconds
};

// What each worker counts, once as a plain number and once as one that another thread may read.
template <class Number>
struct MetricsOf {
  // Connections.
  Number accepted{};
  Number accept_errors{};
  Number connections_shed{};  // dropped unserved, for want of a descriptor
  Number rejected_concurrency{};
  Number rejected_per_ip{};
  Number open_connections{};    // gauge
  Number active_connections{};  // gauge: with a request under way
  Number hijacked{};            // gauge
  Number evicted{};             // closed to make room, or because the user wanted it
  Number cut{};                 // aborted at the deadline of a shutdown

  // Handshakes.
  Number tls_handshakes{};          // that were begun
  Number tls_handshake_failures{};  // those that came too late among them
  Number tls_handshake_timeouts{};

  // Exchanges.
  Number exchanges{};                 // that were served
  std::array<Number, 6> responses{};  // to these and to what was refused, by the first digit of their status
  Number refused{};                   // what could not be served: malformed, too large, too late
  Number rejected_swamped{};          // too many handlers were overdue
  Number handlers_threw{};
  Number handlers_overran{};  // plain functions beyond their time
  Number handlers_overdue{};  // gauge: answered without them, and not returned yet

  // Time-outs, by phase.
  Number idle_timeouts{};
  Number read_header_timeouts{};
  Number read_timeouts{};
  Number read_body_rate_timeouts{};
  Number handler_timeouts{};
  Number write_timeouts{};
  Number write_rate_timeouts{};

  // Octets.
  Number bytes_received{};
  Number bytes_sent{};

  HistogramOf<Number> latency{};
};

// A number that one thread writes and any may read: cheaper than an atomic increment.
class Count {
 public:
  void add(std::uint64_t more) { value_.store(get() + more, std::memory_order_relaxed); }
  void subtract(std::uint64_t less) { value_.store(get() - less, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

using Metrics = MetricsOf<Count>;
using MetricsSnapshot = MetricsOf<std::uint64_t>;

// Gauges say how much there is now: a worker that is gone has none.
void add_to(MetricsSnapshot& sum, const Metrics& metrics, bool with_gauges = true);

// In the text format of Prometheus: "pipette_exchanges_total 12" and so on, a line each, with its type.
std::string to_prometheus(const MetricsSnapshot& metrics);

}  // namespace pipette::server
