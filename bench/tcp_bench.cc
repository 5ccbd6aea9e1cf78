// What does a call cost over loopback TCP, client and server on one loop in one thread?

#include <benchmark/benchmark.h>
#include <string>

#include "pipette/tcp/runtime.h"

#include "bench/allocations.h"
#include "bench/benches.h"
#include "bench/end_to_end.h"

namespace pipette::bench {
namespace {

// A coroutine with parameters, so that it owns what it needs while it runs.
Task<> make_calls(EndToEnd& bench, std::string url, std::size_t calls) {
  bench.start(url, calls);
  co_await bench.callers().join();
}

void get_end_to_end(benchmark::State& state, std::size_t concurrency) {
  tcp::Runtime runtime;
  EndToEnd bench(runtime, "127.0.0.1:0", concurrency);
  const std::string url = "http://" + bench.address().to_string() + "/foo/bar?baz=123";
  runtime.run(make_calls(bench, url, concurrency * 10));  // warm
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(state.max_iterations)) {
      runtime.run(make_calls(bench, url, static_cast<std::size_t>(state.max_iterations)));
    }
  }
  if (!bench.is_complete()) state.SkipWithError("a call failed or did not end");
}

}  // namespace

void add_tcp_benches() {
  for (const std::size_t concurrency : {1, 10, 100}) {
    const std::string name = "ClientGetEndToEnd" + std::to_string(concurrency) + "TCP";
    const auto run = [concurrency](benchmark::State& state) { get_end_to_end(state, concurrency); };
    benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
  }
}

}  // namespace pipette::bench
