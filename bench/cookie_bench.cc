// What do a Set-Cookie, a date and the cookies of a request cost? Rows and inputs are those of fasthttp.

#include <benchmark/benchmark.h>
#include <string>
#include <string_view>

#include "pipette/http/cookie.h"
#include "pipette/http/date.h"
#include "pipette/http/set_cookie.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

constexpr std::string_view kCookieMin = "xxx=yyy";
constexpr std::string_view kCookieNoExpires = "xxx=yyy; domain=foobar.com; path=/a/b";
constexpr std::string_view kCookieFull = "xxx=yyy; expires=Tue, 10 Nov 2009 23:00:00 GMT; domain=foobar.com; path=/a/b";
constexpr std::string_view kCookies = "foo=bar; baz=baraz; aa=aakslsdweriwereowriewroire";
constexpr std::string_view kDate = "Tue, 10 Nov 2009 23:00:00 GMT";
constexpr WallTime kMoment(std::chrono::seconds(1257894000));

// The compiler must not know what is parsed.
std::string_view hidden(std::string_view text) {
  benchmark::DoNotOptimize(text);
  return text;
}

void parse_set_cookie(benchmark::State& state, std::string_view text) {
  bool all_parsed = true;
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const Result<http::SetCookie> cookie = http::parse_set_cookie(hidden(text));
    all_parsed &= cookie && cookie->value == "yyy";
    benchmark::DoNotOptimize(&cookie);
    benchmark::ClobberMemory();
  }
  if (!all_parsed) state.SkipWithError("a cookie was not parsed");
}

void parse_date(benchmark::State& state) {
  bool all_parsed = true;
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const Result<WallTime> date = http::parse_date(hidden(kDate), kMoment);
    all_parsed &= date && *date == kMoment;
  }
  if (!all_parsed) state.SkipWithError("a date was not parsed");
}

void append_date(benchmark::State& state) {
  std::string out = std::string(kDate);
  const AllocationCounter counter(state);
  for (auto _ : state) {
    WallTime moment = kMoment;
    benchmark::DoNotOptimize(moment);
    out.clear();
    http::write_date(moment, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  if (out != kDate) state.SkipWithError("a wrong date was written");
}

// The last of three cookies is looked up.
void find_cookie(benchmark::State& state) {
  http::OwnedFields fields;
  bool all_found = fields.add("Cookie", kCookies).has_value();
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const auto value = http::cookie_value(fields.view(), hidden("aa"));
    all_found &= value && *value == "aakslsdweriwereowriewroire";
  }
  if (!all_found) state.SkipWithError("a cookie was not found");
}

void add_set_cookie_row(const char* name, std::string_view text) {
  benchmark::RegisterBenchmark(name, [text](benchmark::State& state) { parse_set_cookie(state, text); });
}

}  // namespace

void add_cookie_benches() {
  add_set_cookie_row("CookieParseMin", kCookieMin);
  add_set_cookie_row("CookieParseNoExpires", kCookieNoExpires);
  add_set_cookie_row("CookieParseFull", kCookieFull);
  benchmark::RegisterBenchmark("CookiePeek", find_cookie);
  benchmark::RegisterBenchmark("ParseHTTPDate", parse_date);
  benchmark::RegisterBenchmark("AppendHTTPDate", append_date);
}

}  // namespace pipette::bench
