// The scans that parsing heads spends its time in: with SSE2 on every x86-64, with AVX2 where the processor has it
// (chosen when the program runs), one octet at a time elsewhere. All give the same answers; the tests compare them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "pipette/base/ascii.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pipette::http::internal {

// The first octet in [at, end) that may not stand in a field value: controls but for HTAB, and DEL.
inline const char* skip_value_portable(const char* at, const char* end) {
  while (at != end && ascii::is_value_char(*at)) ++at;
  return at;
}

// The first octet in [at, end) that may not stand in a request target.
inline const char* skip_target_portable(const char* at, const char* end) {
  while (at != end && ascii::is_target_char(*at)) ++at;
  return at;
}

inline const char* skip_token(const char* at, const char* end) {
  while (at != end && ascii::is_token_char(*at)) ++at;
  return at;
}

#if defined(__SSE2__)

inline const char* skip_value(const char* at, const char* end) {
  const __m128i largest_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  while (end - at >= 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT: the intrinsic's type
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(octets, largest_control), octets);
    const __m128i stops =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(octets, tab), controls), _mm_cmpeq_epi8(octets, del));
    if (const int mask = _mm_movemask_epi8(stops); mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
  return skip_value_portable(at, end);
}

// A bit for each of the 16 octets at `at` that may not stand in a request target.
inline int mark_no_target(__m128i octets) {
  const auto all = [](int octet) { return _mm_set1_epi8(static_cast<char>(octet)); };
  const __m128i with_1 = _mm_or_si128(octets, all(1));
  const __m128i with_2 = _mm_or_si128(octets, all(2));
  const __m128i space_or_below = _mm_cmpeq_epi8(_mm_min_epu8(octets, all(' ')), octets);
  const __m128i brace_or_above = _mm_cmpeq_epi8(_mm_max_epu8(octets, all('{')), octets);
  __m128i stops = _mm_or_si128(space_or_below, _mm_andnot_si128(_mm_cmpeq_epi8(octets, all('~')), brace_or_above));
  stops = _mm_or_si128(stops, _mm_cmpeq_epi8(with_1, all('#')));  // " #
  stops = _mm_or_si128(stops, _mm_cmpeq_epi8(with_2, all('>')));  // < >
  stops = _mm_or_si128(stops, _mm_cmpeq_epi8(with_2, all('^')));  // \ ^
  stops = _mm_or_si128(stops, _mm_cmpeq_epi8(octets, all('`')));
  return _mm_movemask_epi8(stops);
}

inline const char* skip_target(const char* at, const char* end) {
  while (end - at >= 16) {
    const int mask = mark_no_target(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));  // NOLINT: as above
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
  return skip_target_portable(at, end);
}

// The same, but stops at a percent sign too.
inline const char* skip_plain_target(const char* at, const char* end) {
  while (end - at >= 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT: as above
    const int percents = _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8('%')));
    const int mask = mark_no_target(octets) | percents;
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
  while (at != end && *at != '%' && ascii::is_target_char(*at)) ++at;
  return at;
}

#else

inline const char* skip_value(const char* at, const char* end) { return skip_value_portable(at, end); }
inline const char* skip_target(const char* at, const char* end) { return skip_target_portable(at, end); }
inline const char* skip_plain_target(const char* at, const char* end) {
  while (at != end && *at != '%' && ascii::is_target_char(*at)) ++at;
  return at;
}

#endif

// Where the octets are that are not printable ASCII (among them the CR that ends each line), and where the colons are,
// in the next kMarkedBytes octets: a bit an octet. One pass marks them all, so that walking from line to line does not
// wait for each scan to end before the next can begin.
inline constexpr std::size_t kMarkedBytes = 256;
inline constexpr std::size_t kMarkWords = kMarkedBytes / 64;

struct Marks {
  std::uint64_t unprintables[kMarkWords];
  std::uint64_t colons[kMarkWords];
};

// Marks [at, at + kMarkedBytes), all of which must be readable. The fastest that the processor has.
void mark(const char* at, Marks& marks);
// The same answers, one octet at a time.
void mark_portable(const char* at, Marks& marks);

// Marks [at, end), and what is behind it as unprintable.
inline void mark_until(const char* at, const char* end, Marks& marks) {
  const auto size = static_cast<std::size_t>(end - at);
  if (size >= kMarkedBytes) return mark(at, marks);
  char padded[kMarkedBytes];
  std::memcpy(padded, at, size);
  std::memset(padded + size, 0, kMarkedBytes - size);
  mark(padded, marks);
}

// The first mark at `at` or behind it; kMarkedBytes when there is none.
inline std::size_t first_mark(const std::uint64_t (&words)[kMarkWords], std::size_t at) {
  std::size_t index = at / 64;
  std::uint64_t word = words[index] & (~std::uint64_t{0} << (at % 64));
  while (word == 0) {
    if (++index == kMarkWords) return kMarkedBytes;
    word = words[index];
  }
  return index * 64 + static_cast<std::size_t>(std::countr_zero(word));
}

}  // namespace pipette::http::internal
