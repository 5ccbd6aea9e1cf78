// The scans that parsing heads spends its time in: sixteen octets at a time where the processor has SSE2
// (every x86-64), one at a time elsewhere. Both give the same answers; the tests compare them octet by octet.
#pragma once

#include <cstddef>

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

// The first octet in [at, end) that may not stand in a request target; `saw_percent` when one was skipped.
inline const char* skip_target(const char* at, const char* end, bool& saw_percent) {
  while (at != end && ascii::is_target_char(*at)) saw_percent |= *at++ == '%';
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

// The first colon in [at, at + 16), or null when there is none or fewer than 16 octets are left.
inline const char* find_near_colon(const char* at, const char* end) {
  if (end - at < 16) return nullptr;
  const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT: the intrinsic's type
  const int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(':')));
  return mask == 0 ? nullptr : at + __builtin_ctz(static_cast<unsigned>(mask));
}

#else

inline const char* skip_value(const char* at, const char* end) { return skip_value_portable(at, end); }
inline const char* find_near_colon(const char*, const char*) { return nullptr; }

#endif

}  // namespace pipette::http::internal
