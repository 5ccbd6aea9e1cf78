#include <benchmark/benchmark.h>

#include "bench/benches.h"

int main(int argc, char** argv) {
  pipette::bench::add_server_benches();
  pipette::bench::add_client_benches();
  pipette::bench::add_upload_benches();
  pipette::bench::add_head_benches();
  pipette::bench::add_tcp_benches();
#ifdef PIPETTE_BENCH_PICO
  pipette::bench::add_raw_tcp_benches();
#endif
  pipette::bench::add_text_benches();
  pipette::bench::add_args_benches();
  pipette::bench::add_uri_benches();
  pipette::bench::add_write_benches();
  pipette::bench::add_multipart_benches();
  pipette::bench::add_cookie_benches();
  pipette::bench::add_field_benches();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
