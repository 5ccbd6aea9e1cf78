#include "pipette/http/internal/scan.h"

#include <atomic>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pipette::http::internal {

void mark_portable(const char* at, Marks& marks) {
  for (std::size_t word = 0; word < kMarkWords; ++word) {
    marks.ends[word] = marks.colons[word] = 0;
    for (std::size_t bit = 0; bit < 64; ++bit) {
      const char c = at[word * 64 + bit];
      marks.ends[word] |= static_cast<std::uint64_t>(!ascii::is_value_char(c)) << bit;
      marks.colons[word] |= static_cast<std::uint64_t>(c == ':') << bit;
    }
  }
}

#if defined(__x86_64__)

namespace {

void mark_sse2(const char* at, Marks& marks) {
  const __m128i largest_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i colon = _mm_set1_epi8(':');
  for (std::size_t word = 0; word < kMarkWords; ++word) {
    std::uint64_t ends = 0;
    std::uint64_t colons = 0;
    for (unsigned part = 0; part < 4; ++part) {
      const char* from = at + word * 64 + part * 16;
      const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));  // NOLINT: the intrinsic's type
      const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(octets, largest_control), octets);
      const __m128i stops =
          _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(octets, tab), controls), _mm_cmpeq_epi8(octets, del));
      const auto stop_bits = static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(stops)));
      const auto colon_bits =
          static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(octets, colon))));
      ends |= stop_bits << (part * 16);
      colons |= colon_bits << (part * 16);
    }
    marks.ends[word] = ends;
    marks.colons[word] = colons;
  }
}

[[gnu::target("avx2")]] void mark_avx2(const char* at, Marks& marks) {
  const __m256i largest_control = _mm256_set1_epi8(0x1f);
  const __m256i tab = _mm256_set1_epi8('\t');
  const __m256i del = _mm256_set1_epi8(0x7f);
  const __m256i colon = _mm256_set1_epi8(':');
  for (std::size_t word = 0; word < kMarkWords; ++word) {
    std::uint64_t ends = 0;
    std::uint64_t colons = 0;
    for (unsigned part = 0; part < 2; ++part) {
      const char* from = at + word * 64 + part * 32;
      const __m256i octets = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));  // NOLINT: as above
      const __m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(octets, largest_control), octets);
      const __m256i stops = _mm256_or_si256(_mm256_andnot_si256(_mm256_cmpeq_epi8(octets, tab), controls),
                                            _mm256_cmpeq_epi8(octets, del));
      const auto stop_bits = static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_epi8(stops)));
      const auto colon_bits =
          static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(octets, colon))));
      ends |= stop_bits << (part * 32);
      colons |= colon_bits << (part * 32);
    }
    marks.ends[word] = ends;
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
