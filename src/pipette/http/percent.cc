// Most texts have nothing to encode or to decode: what needs no work is copied in blocks, up to the first octet that
// does; from there on a table has an answer for each octet.

#include "pipette/http/percent.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/word.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pipette::http {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr std::size_t kBlockBytes = 16;

// ---- which octets stay -----------------------------------------------------------------------------------

consteval std::array<std::uint8_t, 256> make_sets() {
  std::array<std::uint8_t, 256> sets{};
  const auto add = [&](std::string_view octets, PercentSet set) {
    for (const char c : octets) sets[static_cast<std::uint8_t>(c)] |= static_cast<std::uint8_t>(1U << unsigned(set));
  };
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kSegment = "!$&'()*+,;=:@";  // pchar: sub-delims, ":" and "@"
  using enum PercentSet;
  for (const PercentSet set : {unreserved, segment, path, query, form}) add(kUnreserved, set);
  for (const PercentSet set : {segment, path, query}) add(kSegment, set);
  add("/", path);
  add("/?", query);
  return sets;
}

constexpr std::array<std::uint8_t, 256> kSets = make_sets();

bool stays(char c, PercentSet set) { return (kSets[static_cast<std::uint8_t>(c)] >> unsigned(set) & 1) != 0; }

char* encode(std::string_view text, PercentSet set, char* to) {
  for (const char c : text) {
    if (stays(c, set)) {
      *to++ = c;
    } else if (c == ' ' && set == PercentSet::form) {
      *to++ = '+';
    } else {
      const auto octet = static_cast<std::uint8_t>(c);
      *to++ = '%';
      *to++ = kHexDigits[octet >> 4U];
      *to++ = kHexDigits[octet & 15U];
    }
  }
  return to;
}

// ---- decoding --------------------------------------------------------------------------------------------

// What a hex digit stands for when it is the first of two, and when it is the second; negative for no digit.
struct HexValues {
  std::array<std::int16_t, 256> first{};
  std::array<std::int16_t, 256> second{};
};

consteval HexValues make_hex_values() {
  HexValues values;
  for (std::size_t i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const int value = ascii::is_hex_digit(c) ? static_cast<int>(ascii::hex_value(c)) : -1;
    values.first[i] = static_cast<std::int16_t>(value * 16);
    values.second[i] = static_cast<std::int16_t>(value);
  }
  return values;
}

constexpr HexValues kHexValues = make_hex_values();

// The octet that two hex digits stand for; negative when they are none.
int hex_pair(std::uint8_t first, std::uint8_t second) { return kHexValues.first[first] | kHexValues.second[second]; }

int hex_pair(const char* digits) {
  return hex_pair(static_cast<std::uint8_t>(digits[0]), static_cast<std::uint8_t>(digits[1]));
}

// Decodes triplets as long as two are in a row, as they are in text outside ASCII.
void decode_in_pairs(const char*& at, const char* last, char*& end) {
  constexpr std::uint64_t kMask = 0xff0000ff;
  constexpr std::uint64_t kTwoPercents = 0x25000025;
  while (last - at >= 8) {
    const std::uint64_t word = internal::load_word(at);
    if ((word & kMask) != kTwoPercents) return;
    const auto octet = [&](unsigned index) { return static_cast<std::uint8_t>(word >> 8 * index); };
    const int first = hex_pair(octet(1), octet(2));
    const int second = hex_pair(octet(4), octet(5));
    if ((first | second) < 0) return;
    end[0] = static_cast<char>(first);
    end[1] = static_cast<char>(second);
    end += 2;
    at += 6;
  }
}

// Copies octets up to the first "%" or "+", and returns how many. There is room for `size` of them; `to` may be `from`.
std::size_t copy_plain(const char* from, std::size_t size, char* to) {
  std::size_t at = 0;
#if defined(__SSE2__)
  const auto copy_block = [&](std::size_t block) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + block));  // NOLINT: its type
    const __m128i stops =
        _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('%')), _mm_cmpeq_epi8(octets, _mm_set1_epi8('+')));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stops));
    if (mask == 0) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + block), octets);  // NOLINT: its type
    return mask;
  };
  for (; size - at >= kBlockBytes; at += kBlockBytes) {
    if (copy_block(at) != 0) break;
  }
  if (at < size && size - at < kBlockBytes && size >= kBlockBytes && copy_block(size - kBlockBytes) == 0) return size;
#endif
  for (; at < size && from[at] != '%' && from[at] != '+'; ++at) to[at] = from[at];
  return at;
}

std::size_t decode_form(const char* text, std::size_t size, char* to) {
  const std::size_t plain = copy_plain(text, size, to);
  const char* at = text + plain;
  const char* const last = text + size;
  char* end = to + plain;
  while (at != last) {
    if (*at == '%') {
      decode_in_pairs(at, last, end);
      if (at == last) break;
      if (const int octet = *at == '%' && last - at > 2 ? hex_pair(at + 1) : -1; octet >= 0) {
        *end++ = static_cast<char>(octet);
        at += 3;
        continue;
      }
    }
    *end++ = *at == '+' ? ' ' : *at;
    ++at;
  }
  return static_cast<std::size_t>(end - to);
}

// False when a percent sign is malformed. `end` is where the decoded text goes, and ends.
bool decode_strictly(std::string_view text, char*& end) {
  const char* at = text.data();
  const char* const last = at + text.size();
  while (at != last) {
    if (*at != '%') {
      *end++ = *at++;
      continue;
    }
    const int octet = last - at > 2 ? hex_pair(at + 1) : -1;
    if (octet < 0) return false;
    *end++ = static_cast<char>(octet);
    at += 3;
  }
  return true;
}

}  // namespace

void append_percent_encoded(std::string_view text, PercentSet set, std::string& out) {
  std::size_t plain = 0;
  while (plain < text.size() && stays(text[plain], set)) ++plain;
  out.append(text.substr(0, plain));
  if (plain == text.size()) return;
  const std::string_view rest = text.substr(plain);
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + 3 * rest.size(), [&](char* begin, std::size_t) {
    return static_cast<std::size_t>(encode(rest, set, begin + before) - begin);
  });
}

std::string percent_encode(std::string_view text, PercentSet set) {
  std::string encoded;
  append_percent_encoded(text, set, encoded);
  return encoded;
}

Result<void> append_percent_decoded(std::string_view text, std::string& out) {
  const std::size_t plain = std::min(text.find('%'), text.size());
  if (plain == text.size()) {
    out.append(text);
    return {};
  }
  bool is_valid = false;
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + text.size(), [&](char* begin, std::size_t) {
    std::memcpy(begin + before, text.data(), plain);
    char* end = begin + before + plain;
    is_valid = decode_strictly(text.substr(plain), end);
    return is_valid ? static_cast<std::size_t>(end - begin) : before;
  });
  return is_valid ? Result<void>() : fail(Errc::bad_uri);
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  const Result<void> done = append_percent_decoded(text, decoded);
  if (!done) return fail(done.error());
  return decoded;
}

void append_form_decoded(std::string_view text, std::string& out) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + text.size(), [&](char* begin, std::size_t) {
    return before + decode_form(text.data(), text.size(), begin + before);
  });
}

std::size_t form_decode_in_place(char* text, std::size_t size) { return decode_form(text, size, text); }

}  // namespace pipette::http
