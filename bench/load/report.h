// What a load has come to, as text and as JSON.
//
// Lifetime  a value.   Threads  one.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "pipette/base/time.h"

#include "bench/load/histogram.h"

namespace pipette::load {

struct Report {
  Duration took{};
  std::uint64_t responses = 0;   // whatever their status
  std::uint64_t body_bytes = 0;  // of the responses
  Histogram latency;
  // By kind: "status 503" for responses of 400 and above, else what was wrong with a call that got none.
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t unfinished = 0;  // that were due, and had no answer at the end
  Duration processor_time{};     // of the generator; zero: nobody has looked

  // Of two loads that ran beside each other.
  Report& operator+=(const Report& other);
  std::uint64_t error_count() const;
  double responses_a_second() const;
};

// Some lines; durations are rounded.
std::string to_text(const Report& report);
// One object: {"seconds", "responses", "responses_a_second", "body_octets_a_second", "unfinished", "errors": {kind: n},
// "latency_us": {"mean", "p50", "p90", "p99", "p999", "max"}, "processor_us_a_response"}.
std::string to_json(const Report& report);

}  // namespace pipette::load
