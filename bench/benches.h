// The benchmarks, by what they measure. Rows have the names of the Go peers' rows.
#pragma once

namespace pipette::bench {

void add_server_benches();
void add_client_benches();
void add_tcp_benches();

}  // namespace pipette::bench
