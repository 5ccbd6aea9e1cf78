#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "pipette/http/internal/scan_kernel.h"

namespace pipette::http::internal {

#if defined(__SSE2__)

namespace {

struct Sse2 {
  static constexpr std::size_t kWidth = 16;

  static __m128i load(const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT: the intrinsic's type
  }
  static __m128i all(int octet) { return _mm_set1_epi8(static_cast<char>(octet)); }
  static std::uint32_t mask(__m128i octets) { return static_cast<std::uint32_t>(_mm_movemask_epi8(octets)); }

  // Signed and one up, printable ASCII is all that is greater than a space: DEL and all above it turn negative.
  static std::uint32_t unprintables(const char* at) {
    return mask(_mm_cmpgt_epi8(all(' ' + 1), _mm_add_epi8(load(at), all(1))));
  }
  static std::uint32_t colons(const char* at) { return mask(_mm_cmpeq_epi8(load(at), all(':'))); }
  static std::uint32_t questions(const char* at) { return mask(_mm_cmpeq_epi8(load(at), all('?'))); }

  static std::uint32_t no_targets(const char* at) {
    const __m128i octets = load(at);
    const __m128i with_1 = _mm_or_si128(octets, all(1));
    const __m128i with_2 = _mm_or_si128(octets, all(2));
    const __m128i space_or_below = _mm_cmpeq_epi8(_mm_min_epu8(octets, all(' ')), octets);
    const __m128i brace_or_above = _mm_cmpeq_epi8(_mm_max_epu8(octets, all('{')), octets);
    __m128i stops = _mm_or_si128(space_or_below, _mm_andnot_si128(_mm_cmpeq_epi8(octets, all('~')), brace_or_above));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(with_1, all('#')));  // " #
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(with_2, all('>')));  // < >
    const __m128i from_bracket = _mm_sub_epi8(octets, all('['));    // [ \ ] ^
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(from_bracket, all('^' - '[')), from_bracket));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(octets, all('`')));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(octets, all('%')));
    return mask(stops);
  }

  static std::uint32_t plains(const char* at) {
    const __m128i octets = load(at);
    const __m128i letters = _mm_sub_epi8(_mm_or_si128(octets, all(0x20)), all('a'));
    const __m128i digits = _mm_sub_epi8(octets, all('-'));  // and marks, and the slash
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letters, all('z' - 'a')), letters);
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, all('9' - '-')), digits);
    return mask(_mm_andnot_si128(_mm_cmpeq_epi8(octets, all('/')), _mm_or_si128(is_letter, is_digit)));
  }
  static std::uint32_t not_of_names(const char* end, unsigned size) {
    const std::uint32_t plain = plains(end - 16) << 16 | plains(end - 32);
    return ~plain >> (32 - size);
  }
};

constexpr Scans kScans = {&take_request_line<Sse2>, &take_lines<Sse2>, &take_request<Sse2>};

}  // namespace

const Scans* sse2_scans() { return &kScans; }

#else

const Scans* sse2_scans() { return nullptr; }

#endif

}  // namespace pipette::http::internal
