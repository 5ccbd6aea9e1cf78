#include <algorithm>

#include "pipette/http/internal/scan_kernel.h"

namespace pipette::http::internal {
namespace {

// Any machine's: an octet at a time.
struct Portable {
  static constexpr std::size_t kWidth = 32;

  template <class F>
  static std::uint32_t mask(const char* at, F&& is_marked) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kWidth; ++i) bits |= static_cast<std::uint32_t>(is_marked(at[i])) << i;
    return bits;
  }

  static std::uint32_t unprintables(const char* at) {
    return mask(at, [](char c) { return c < ' ' || c > '~'; });
  }
  static std::uint32_t colons(const char* at) {
    return mask(at, [](char c) { return c == ':'; });
  }
  static std::uint32_t questions(const char* at) {
    return mask(at, [](char c) { return c == '?'; });
  }
  static std::uint32_t no_targets(const char* at) {
    return mask(at, [](char c) { return c == '%' || !ascii::is_target_char(c); });
  }
  static std::uint32_t not_of_names(const char* end, unsigned size) {
    const auto is_plain = [](char c) { return ascii::is_alpha(c) || ascii::is_digit(c) || c == '-' || c == '.'; };
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < size; ++i) bits |= static_cast<std::uint32_t>(!is_plain((end - size)[i])) << i;
    return bits;
  }
};

constexpr Scans kPortable = {&take_request_line<Portable>, &take_lines<Portable>, &take_request<Portable>};

constexpr Scans kNone = {
    [](const char*, const char*, const PlainLimits&, RequestHead&) { return std::size_t{0}; },
    [](const char*, const char* line, const char*, const PlainLimits&, Fields::Table&) { return line; },
    [](const char*, const char*, const PlainLimits&, RequestHead&, Fields::Table&) { return Taken{}; },
};

const Scans& choose() {
#if defined(__x86_64__)
  const bool has_avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (avx2_scans() != nullptr && has_avx2) return *avx2_scans();
  if (sse2_scans() != nullptr) return *sse2_scans();
#endif
  return kPortable;
}

}  // namespace

const Scans& no_scans() { return kNone; }
const Scans& portable_scans() { return kPortable; }

const Scans& best_scans() {
  static const Scans& best = choose();
  return best;
}

}  // namespace pipette::http::internal
