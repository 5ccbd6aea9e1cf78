#include "pipette/http/internal/scan.h"

#include <atomic>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pipette::http::internal {

void mark_portable(const char* at, Marks& marks) {
  for (std::size_t word = 0; word < kMarkWords; ++word) {
    marks.unprintables[word] = marks.colons[word] = 0;
    for (std::size_t bit = 0; bit < 64; ++bit) {
      const char c = at[word * 64 + bit];
      marks.unprintables[word] |= static_cast<std::uint64_t>(c < ' ' || c > '~') << bit;
      marks.colons[word] |= static_cast<std::uint64_t>(c == ':') << bit;
    }
  }
}

#if defined(__x86_64__)

namespace {

// Signed and one up, printable ASCII is all that is greater than a space: DEL and everything above it turn negative.
void mark_sse2(const char* at, Marks& marks) {
  const __m128i one = _mm_set1_epi8(1);
  const __m128i above_space = _mm_set1_epi8(' ' + 1);
  const __m128i colon = _mm_set1_epi8(':');
  for (std::size_t word = 0; word < kMarkWords; ++word) {
    std::uint64_t unprintables = 0;
    std::uint64_t colons = 0;
    for (unsigned part = 0; part < 4; ++part) {
      const char* from = at + word * 64 + part * 16;
      const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));  // NOLINT: the intrinsic's type
      const int outside = _mm_movemask_epi8(_mm_cmpgt_epi8(above_space, _mm_add_epi8(octets, one)));
      const int equal = _mm_movemask_epi8(_mm_cmpeq_epi8(octets, colon));
      unprintables |= std::uint64_t{static_cast<unsigned>(outside)} << (part * 16);
      colons |= std::uint64_t{static_cast<unsigned>(equal)} << (part * 16);
    }
    marks.unprintables[word] = unprintables;
    marks.colons[word] = colons;
  }
}

[[gnu::target("avx2")]] void mark_avx2(const char* at, Marks& marks) {
  const __m256i one = _mm256_set1_epi8(1);
  const __m256i above_space = _mm256_set1_epi8(' ' + 1);
  const __m256i colon = _mm256_set1_epi8(':');
  for (std::size_t word = 0; word < kMarkWords; ++word) {
    std::uint64_t unprintables = 0;
    std::uint64_t colons = 0;
    for (unsigned part = 0; part < 2; ++part) {
      const char* from = at + word * 64 + part * 32;
      const __m256i octets = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));  // NOLINT: as above
      const int outside = _mm256_movemask_epi8(_mm256_cmpgt_epi8(above_space, _mm256_add_epi8(octets, one)));
      const int equal = _mm256_movemask_epi8(_mm256_cmpeq_epi8(octets, colon));
      unprintables |= std::uint64_t{static_cast<unsigned>(outside)} << (part * 32);
      colons |= std::uint64_t{static_cast<unsigned>(equal)} << (part * 32);
    }
    marks.unprintables[word] = unprintables;
    marks.colons[word] = colons;
  }
}

using MarkFunction = void (*)(const char*, Marks&);

void choose_and_mark(const char* at, Marks& marks);

constinit std::atomic<MarkFunction> chosen = &choose_and_mark;

void choose_and_mark(const char* at, Marks& marks) {
  const MarkFunction best = __builtin_cpu_supports("avx2") ? &mark_avx2 : &mark_sse2;
  chosen.store(best, std::memory_order_relaxed);
  best(at, marks);
}

}  // namespace

void mark(const char* at, Marks& marks) { chosen.load(std::memory_order_relaxed)(at, marks); }

#else

void mark(const char* at, Marks& marks) { mark_portable(at, marks); }

#endif

}  // namespace pipette::http::internal
