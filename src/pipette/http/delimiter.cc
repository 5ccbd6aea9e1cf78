// A candidate has the first, the third and the last octet of a delimiter at their places: lines of text are none, nor
// are floods of CRs or of beginnings of delimiters. Blocks of 16 octets are looked at together where the processor has
// SSE2.

#include "pipette/http/internal/delimiter.h"

#include <algorithm>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pipette::http::internal {
namespace {

constexpr std::size_t kToDash = 2;  // from the CR to the first dash

// The first candidate in [at, end), or where one may be of which not all has arrived.
const char* find_candidate(const char* at, const char* end, Bytes delimiter) {
#if defined(__SSE2__)
  constexpr std::size_t kBlock = 16;
  const std::size_t to_last = delimiter.size() - 1;
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i dash = _mm_set1_epi8('-');
  const __m128i last = _mm_set1_epi8(delimiter.back());
  const auto load = [](const char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));  // NOLINT: the intrinsic's type
  };
  while (static_cast<std::size_t>(end - at) >= kBlock + to_last) {
    const __m128i ends = _mm_and_si128(_mm_cmpeq_epi8(load(at), cr), _mm_cmpeq_epi8(load(at + to_last), last));
    const __m128i all = _mm_and_si128(ends, _mm_cmpeq_epi8(load(at + kToDash), dash));
    if (const int mask = _mm_movemask_epi8(all); mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += kBlock;
  }
#endif
  for (; at != end; ++at) {
    const auto left = static_cast<std::size_t>(end - at);
    if (*at != '\r' || (left > kToDash && at[kToDash] != '-')) continue;
    if (left < delimiter.size() || at[delimiter.size() - 1] == delimiter.back()) return at;
  }
  return end;
}

}  // namespace

DelimiterSearch::Step DelimiterSearch::next(Bytes input) { return matched_ > 0 ? resume(input) : search(input); }

DelimiterSearch::Step DelimiterSearch::resume(Bytes input) {
  const Bytes delimiter = boundary_.delimiter();
  const auto match = std::ranges::mismatch(input, delimiter.substr(matched_));
  const auto more = static_cast<std::size_t>(match.in1 - input.begin());
  matched_ += more;
  if (matched_ == delimiter.size()) {
    matched_ = unsent_ = 0;
    return {more, {}, true};
  }
  if (more == input.size()) return {more, {}, false};
  const std::size_t unsent = std::exchange(unsent_, 0);
  const Bytes data = delimiter.substr(unsent, std::exchange(matched_, 0) - unsent);
  if (data.empty()) return search(input);
  return {more, data, false};
}

DelimiterSearch::Step DelimiterSearch::search(Bytes input) {
  const Bytes delimiter = boundary_.delimiter();
  const char* const end = input.data() + input.size();
  const char* at = find_candidate(input.data(), end, delimiter);
  while (at != end) {
    const Bytes found = Bytes(at, static_cast<std::size_t>(end - at)).substr(0, delimiter.size());
    if (delimiter.starts_with(found)) {
      const auto before = static_cast<std::size_t>(at - input.data());
      if (found == delimiter && before == 0) return {found.size(), {}, true};
      matched_ = found.size();  // what comes of it, the next call says
      return {before + found.size(), input.substr(0, before), false};
    }
    at = find_candidate(at + 1, end, delimiter);
  }
  return {input.size(), input, false};
}

}  // namespace pipette::http::internal
