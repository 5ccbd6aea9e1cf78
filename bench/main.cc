#include <benchmark/benchmark.h>

#include "bench/benches.h"

int main(int argc, char** argv) {
  pipette::bench::add_server_benches();
  pipette::bench::add_client_benches();
  pipette::bench::add_tcp_benches();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
