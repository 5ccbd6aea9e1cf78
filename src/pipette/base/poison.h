// Marks memory that is ours but must not be touched: consumed octets, recycled objects.
//
// Under AddressSanitizer a read of poisoned memory is reported like a read of freed memory, so a view that
// outlives its request is found by the first test that uses it. In other builds these are no-ops.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define PIPETTE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PIPETTE_ASAN 1
#endif
#endif

#if defined(PIPETTE_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace pipette {

#if defined(PIPETTE_ASAN)
inline constexpr bool kPoisons = true;
inline void poison(const void* memory, std::size_t size) { __asan_poison_memory_region(memory, size); }
inline void unpoison(const void* memory, std::size_t size) { __asan_unpoison_memory_region(memory, size); }
#else
inline constexpr bool kPoisons = false;
inline void poison(const void*, std::size_t) {}
inline void unpoison(const void*, std::size_t) {}
#endif

}  // namespace pipette
