#include "pipette/server/metrics.h"

#include <string_view>

namespace pipette::server {
namespace {

enum class Kind : std::uint8_t { counter, gauge };

struct Row {
  std::string_view name;
  Kind kind;
  Count Metrics::* counted;
  std::uint64_t MetricsSnapshot::* shown;
};

#define PIPETTE_ROW(name, kind) \
  Row { #name, Kind::kind, &Metrics::name, &MetricsSnapshot::name }
constexpr std::array kRows = {
    PIPETTE_ROW(accepted, counter),
    PIPETTE_ROW(accept_errors, counter),
    PIPETTE_ROW(connections_shed, counter),
    PIPETTE_ROW(rejected_concurrency, counter),
    PIPETTE_ROW(rejected_per_ip, counter),
    PIPETTE_ROW(open_connections, gauge),
    PIPETTE_ROW(active_connections, gauge),
    PIPETTE_ROW(hijacked, gauge),
    PIPETTE_ROW(evicted, counter),
    PIPETTE_ROW(cut, counter),
    PIPETTE_ROW(tls_handshakes, counter),
    PIPETTE_ROW(tls_handshake_failures, counter),
    PIPETTE_ROW(tls_handshake_timeouts, counter),
    PIPETTE_ROW(exchanges, counter),
    PIPETTE_ROW(refused, counter),
    PIPETTE_ROW(rejected_swamped, counter),
    PIPETTE_ROW(handlers_threw, counter),
    PIPETTE_ROW(handlers_overran, counter),
    PIPETTE_ROW(handlers_overdue, gauge),
    PIPETTE_ROW(idle_timeouts, counter),
    PIPETTE_ROW(read_header_timeouts, counter),
    PIPETTE_ROW(read_timeouts, counter),
    PIPETTE_ROW(read_body_rate_timeouts, counter),
    PIPETTE_ROW(handler_timeouts, counter),
    PIPETTE_ROW(write_timeouts, counter),
    PIPETTE_ROW(write_rate_timeouts, counter),
    PIPETTE_ROW(bytes_received, counter),
    PIPETTE_ROW(bytes_sent, counter),
};
#undef PIPETTE_ROW

std::string in_seconds(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::string fraction = std::to_string(nanoseconds % kSecond);
  return std::to_string(nanoseconds / kSecond) + "." + std::string(9 - fraction.size(), '0') + fraction;
}

}  // namespace

void add_to(MetricsSnapshot& sum, const Metrics& metrics, bool with_gauges) {
  for (const Row& row : kRows) {
    if (with_gauges || row.kind == Kind::counter) sum.*row.shown += (metrics.*row.counted).get();
  }
  for (std::size_t i = 0; i < sum.responses.size(); ++i) sum.responses[i] += metrics.responses[i].get();
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) sum.latency.buckets[i] += metrics.latency.buckets[i].get();
  sum.latency.sum += metrics.latency.sum.get();
}

std::string to_prometheus(const MetricsSnapshot& metrics) {
  std::string text;
  const auto line = [&text](const std::string& name, const std::string& value) { text += name + " " + value + "\n"; };
  for (const Row& row : kRows) {
    const bool is_counter = row.kind == Kind::counter;
    const std::string name = "pipette_" + std::string(row.name) + (is_counter ? "_total" : "");
    text += "# TYPE " + name + (is_counter ? " counter\n" : " gauge\n");
    line(name, std::to_string(metrics.*row.shown));
  }
  text += "# TYPE pipette_responses_total counter\n";
  for (std::size_t i = 1; i < metrics.responses.size(); ++i) {
    line("pipette_responses_total{class=\"" + std::to_string(i) + "xx\"}", std::to_string(metrics.responses[i]));
  }
  text += "# TYPE pipette_latency_seconds histogram\n";
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    so_far += metrics.latency.buckets[i];
    line("pipette_latency_seconds_bucket{le=\"" + in_seconds(kLatencyTick << i) + "\"}", std::to_string(so_far));
  }
  line("pipette_latency_seconds_bucket{le=\"+Inf\"}", std::to_string(so_far));
  line("pipette_latency_seconds_sum", in_seconds(metrics.latency.sum));
  line("pipette_latency_seconds_count", std::to_string(so_far));
  return text;
}

}  // namespace pipette::server
