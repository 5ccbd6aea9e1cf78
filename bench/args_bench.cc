// What does it cost to parse a query into reused Args, and to look up one of them?
//
// Rows and inputs are those of fasthttp's benchmarks.

#include <benchmark/benchmark.h>

#include "pipette/http/args.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

void parse(benchmark::State& state) {
  std::string_view text = "foo=bar&baz=qqq&aaaaa=bbbb";
  http::Args args;
  bool all_parsed = args.parse(text).has_value();
  {
    const AllocationCounter counter(state);
    for (auto _ : state) {
      benchmark::DoNotOptimize(text);
      all_parsed = args.parse(text).has_value() && all_parsed;
      benchmark::DoNotOptimize(&args);
      benchmark::ClobberMemory();
    }
  }
  if (!all_parsed || args.size() != 3) state.SkipWithError("not parsed");
}

void peek(benchmark::State& state) {
  constexpr std::string_view kValue = "foobarbaz1234";
  std::string_view name = "foobarbaz";
  http::Args args;
  args.set(name, kValue);
  bool all_found = true;
  {
    const AllocationCounter counter(state);
    for (auto _ : state) {
      benchmark::DoNotOptimize(name);
      benchmark::DoNotOptimize(&args);
      benchmark::ClobberMemory();
      all_found = args.get(name) == kValue && all_found;
    }
  }
  if (!all_found) state.SkipWithError("not found");
}

}  // namespace

void add_args_benches() {
  benchmark::RegisterBenchmark("ArgsParse", parse);
  benchmark::RegisterBenchmark("ArgsPeek", peek);
}

}  // namespace pipette::bench
