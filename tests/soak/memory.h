// How much memory this process holds.
//
//   live_heap_bytes()      given by the allocator and not taken back, by all threads: what a leak makes grow
//   resident_bytes()       what the system has given; under AddressSanitizer also what is quarantined, so only told
//
// Threads  any.
#pragma once

#include <cstddef>

namespace pipette::soak {

std::size_t live_heap_bytes();
std::size_t resident_bytes();

}  // namespace pipette::soak
