// Compiled for AVX2 (CMakeLists.txt), and called only where the processor has it.

#include <array>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "pipette/http/internal/scan_kernel.h"

namespace pipette::http::internal {

#if defined(__AVX2__)

namespace {

using Octets = std::array<std::uint8_t, 32>;

constexpr Octets all(int octet) {
  Octets octets{};
  octets.fill(static_cast<std::uint8_t>(octet));
  return octets;
}

// Which octets may stand in a target, "%" apart, as two tables: bit h of low[l] says that octet 0xhl may, for h < 8.
constexpr Octets make_low() {
  Octets low{};
  for (unsigned octet = 0; octet < 128; ++octet) {
    if (octet == '%' || !ascii::is_target_char(static_cast<char>(octet))) continue;
    for (unsigned lane = 0; lane < 32; lane += 16)
      low[lane + octet % 16] |= static_cast<std::uint8_t>(1U << octet / 16);
  }
  return low;
}

constexpr Octets make_high() {
  Octets high{};
  for (unsigned i = 0; i < 32; ++i) high[i] = static_cast<std::uint8_t>(i % 16 < 8 ? 1U << i % 16 : 0);
  return high;
}

struct Constants {
  alignas(32) Octets low = make_low();
  Octets high = make_high();
  Octets low_bits = all(0x0f);
  Octets zero = all(0);
  Octets one = all(1);
  Octets space = all(' ');
  Octets above_space = all(' ' + 1);
  Octets colon = all(':');
  Octets question = all('?');
  Octets slash = all('/');
  Octets minus_a = all(-'a');
  Octets last_letter = all('z' - 'a');
  Octets minus_dash = all(-'-');
  Octets last_digit = all('9' - '-');
};

constexpr Constants kConstants;

// As operands in memory constants cost nothing; the compilers would rather make each anew with three instructions.
[[gnu::always_inline]] inline const Constants& constants() {
  const Constants* at = &kConstants;
  __asm__("" : "+r"(at));
  return *at;
}

struct Avx2 {
  static constexpr std::size_t kWidth = 32;

  [[gnu::always_inline]] static __m256i load(const void* at) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
  }
  [[gnu::always_inline]] static __m256i constant(const Octets& octets) { return load(&octets); }
  [[gnu::always_inline]] static std::uint32_t mask(__m256i octets) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(octets));
  }

  // As in scan_sse2.cc.
  [[gnu::always_inline]] static std::uint32_t unprintables(const char* at) {
    const Constants& c = constants();
    return mask(_mm256_cmpgt_epi8(constant(c.above_space), _mm256_add_epi8(load(at), constant(c.one))));
  }
  [[gnu::always_inline]] static std::uint32_t colons(const char* at) {
    return mask(_mm256_cmpeq_epi8(load(at), constant(constants().colon)));
  }
  [[gnu::always_inline]] static std::uint32_t questions(const char* at) {
    return mask(_mm256_cmpeq_epi8(load(at), constant(constants().question)));
  }

  [[gnu::always_inline]] static std::uint32_t no_targets(const char* at) {
    const Constants& c = constants();
    const __m256i octets = load(at);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(octets, 4), constant(c.low_bits));
    const __m256i found =
        _mm256_and_si256(_mm256_shuffle_epi8(constant(c.low), octets), _mm256_shuffle_epi8(constant(c.high), high));
    return mask(_mm256_cmpeq_epi8(found, constant(c.zero)));
  }

  [[gnu::always_inline]] static std::uint32_t not_of_names(const char* end, unsigned size) {
    const Constants& c = constants();
    const __m256i octets = load(end - 32);
    const __m256i letters = _mm256_add_epi8(_mm256_or_si256(octets, constant(c.space)), constant(c.minus_a));
    const __m256i digits = _mm256_add_epi8(octets, constant(c.minus_dash));  // and marks, and the slash
    const __m256i is_letter = _mm256_cmpeq_epi8(_mm256_min_epu8(letters, constant(c.last_letter)), letters);
    const __m256i is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digits, constant(c.last_digit)), digits);
    const __m256i is_slash = _mm256_cmpeq_epi8(octets, constant(c.slash));
    const std::uint32_t plain = mask(_mm256_andnot_si256(is_slash, _mm256_or_si256(is_letter, is_digit)));
    return ~plain >> (32 - size);
  }
};

constexpr Scans kScans = {&take_request_line<Avx2>, &take_lines<Avx2>, &take_request<Avx2>};

}  // namespace

const Scans* avx2_scans() { return &kScans; }

#else

const Scans* avx2_scans() { return nullptr; }

#endif

}  // namespace pipette::http::internal
