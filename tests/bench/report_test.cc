#include "bench/load/report.h"

#include <gtest/gtest.h>

namespace pipette::load {
namespace {

using namespace std::chrono_literals;

Report some_report() {
  Report report;
  report.took = 2s;
  report.responses = 100;
  report.body_bytes = 1300;
  for (int i = 0; i < 100; ++i) report.latency.add(200ns);
  report.errors["status 503"] = 3;
  report.errors["nobody \"listens\""] = 2;
  report.unfinished = 1;
  report.processor_time = 1ms;
  return report;
}

TEST(Report, IsOneObjectOfJson) {
  EXPECT_EQ(
      to_json(some_report()),
      "{\"seconds\": 2.000000, \"responses\": 100, \"responses_a_second\": 50.0, \"body_octets_a_second\": 650.0, "
      "\"unfinished\": 1, \"errors\": {\"nobody \\\"listens\\\"\": 2, \"status 503\": 3}, \"latency_us\": {\"mean\": "
      "0.2, \"p50\": 0.2, \"p90\": 0.2, \"p99\": 0.2, \"p999\": 0.2, "
      "\"max\": 0.2}, \"processor_us_a_response\": 10.000}");
}

TEST(Report, IsTextForPeople) {
  EXPECT_EQ(to_text(some_report()),
            "100 responses in 2000.0 ms: 50 a second, 650 octets of bodies a second\n"
            "latency  p50 0.2 us, p90 0.2 us, p99 0.2 us, p99.9 0.2 us, max 0.2 us, mean 0.2 us\n"
            "error 2 x nobody \"listens\"\n"
            "error 3 x status 503\n"
            "1 had no answer at the end\n"
            "processor 10.00 us a response, of this program\n");
}

TEST(Report, OfNothingDividesByNothing) {
  EXPECT_TRUE(to_text(Report()).starts_with("0 responses in 0.0 us: 0 a second"));
  EXPECT_TRUE(to_json(Report()).ends_with("\"processor_us_a_response\": 0.000}"));
}

TEST(Report, AddsUpWhatRanBesideEachOther) {
  Report sum = some_report();
  Report other = some_report();
  other.took = 3s;
  sum += other;
  EXPECT_EQ(sum.took, 3s);
  EXPECT_EQ(sum.responses, 200U);
  EXPECT_EQ(sum.body_bytes, 2600U);
  EXPECT_EQ(sum.latency.count(), 200U);
  EXPECT_EQ(sum.error_count(), 10U);
  EXPECT_EQ(sum.unfinished, 2U);
  EXPECT_EQ(sum.processor_time, 2ms);
}

}  // namespace
}  // namespace pipette::load
