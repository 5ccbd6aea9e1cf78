#include "bench/load/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace pipette::load {
namespace {

using Seconds = std::chrono::duration<double>;
using Microseconds = std::chrono::duration<double, std::micro>;

struct Quantile {
  const char* text;
  const char* json;
  double fraction;
};

constexpr std::array kQuantiles = {
    Quantile{"p50", "p50", 0.5},
    Quantile{"p90", "p90", 0.9},
    Quantile{"p99", "p99", 0.99},
    Quantile{"p99.9", "p999", 0.999},
};

std::string number(double value, int decimals) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(size, 0, 63))};
}

std::string microseconds(Duration duration) { return number(Microseconds(duration).count(), 1); }

double a_second(double count, Duration took) { return took > Duration::zero() ? count / Seconds(took).count() : 0; }

// With a unit that leaves three or more digits.
std::string readable(Duration duration) {
  const double us = Microseconds(duration).count();
  if (us < 1e4) return number(us, 1) + " us";
  if (us < 1e7) return number(us / 1e3, 1) + " ms";
  return number(us / 1e6, 1) + " s";
}

double processor_us_a_response(const Report& report) {
  if (report.responses == 0) return 0;
  return Microseconds(report.processor_time).count() / static_cast<double>(report.responses);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

Report& Report::operator+=(const Report& other) {
  took = std::max(took, other.took);
  responses += other.responses;
  body_bytes += other.body_bytes;
  latency += other.latency;
  for (const auto& [kind, count] : other.errors) errors[kind] += count;
  unfinished += other.unfinished;
  processor_time += other.processor_time;
  return *this;
}

std::uint64_t Report::error_count() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : errors) sum += count;
  return sum;
}

double Report::responses_a_second() const { return a_second(static_cast<double>(responses), took); }

std::string to_text(const Report& report) {
  std::string text = std::to_string(report.responses) + " responses in " + readable(report.took) + ": " +
                     number(report.responses_a_second(), 0) + " a second, " +
                     number(a_second(static_cast<double>(report.body_bytes), report.took), 0) +
                     " octets of bodies a second\nlatency ";
  for (const Quantile& quantile : kQuantiles) {
    text += std::string(" ") + quantile.text + " " + readable(report.latency.quantile(quantile.fraction)) + ",";
  }
  text += " max " + readable(report.latency.max()) + ", mean " + readable(report.latency.mean()) + "\n";
  for (const auto& [kind, count] : report.errors) text += "error " + std::to_string(count) + " x " + kind + "\n";
  if (report.unfinished > 0) text += std::to_string(report.unfinished) + " had no answer at the end\n";
  if (report.processor_time > Duration::zero() && report.responses > 0) {
    text += "processor " + number(processor_us_a_response(report), 2) + " us a response, of this program\n";
  }
  return text;
}

std::string to_json(const Report& report) {
  std::string json = "{\"seconds\": " + number(Seconds(report.took).count(), 6);
  json += ", \"responses\": " + std::to_string(report.responses);
  json += ", \"responses_a_second\": " + number(report.responses_a_second(), 1);
  json += ", \"body_octets_a_second\": " + number(a_second(static_cast<double>(report.body_bytes), report.took), 1);
  json += ", \"unfinished\": " + std::to_string(report.unfinished);
  json += ", \"errors\": {";
  std::string_view separator;
  for (const auto& [kind, count] : report.errors) {
    json += std::string(std::exchange(separator, ", ")) + quoted(kind) + ": " + std::to_string(count);
  }
  json += "}, \"latency_us\": {\"mean\": " + microseconds(report.latency.mean());
  for (const Quantile& quantile : kQuantiles) {
    json += std::string(", \"") + quantile.json + "\": " + microseconds(report.latency.quantile(quantile.fraction));
  }
  json += ", \"max\": " + microseconds(report.latency.max());
  return json + "}, \"processor_us_a_response\": " + number(processor_us_a_response(report), 3) + "}";
}

}  // namespace pipette::load
