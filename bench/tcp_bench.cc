#include "bench/benches.h"
namespace pipette::bench {
void add_tcp_benches() {}
}  // namespace pipette::bench
