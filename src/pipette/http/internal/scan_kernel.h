// The fast passes over an instruction set, for the sources that are compiled for one. An Isa has
//
//   kWidth                                                       octets a vector, at most 32
//   unprintables(at), colons(at), no_targets(at), questions(at)  a mask with a bit for each of the kWidth octets there
//   not_of_names(end, size)                                      the same for `size` octets in front of `end`
//
// In front of `end` 32 octets can be read, and `size` is no more.
//
// Everything here has internal linkage or is always inlined: the linker must never take a function that was compiled
// for one instruction set where another was meant.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pipette/http/internal/intern.h"
#include "pipette/http/internal/scan.h"

namespace pipette::http::internal {
namespace {

constexpr std::uint64_t kGet = word_of("GET ");
constexpr std::uint64_t kVersion = word_of("HTTP/1.1");
constexpr std::uint64_t kHost = word_of("Host: ");

inline bool is_a(char c, ascii::internal::CharClass wanted) {
  return (ascii::internal::kClasses.data()[static_cast<std::uint8_t>(c)] & wanted) != 0;
}

// ---- the request line ------------------------------------------------------------------------------------

// Methods of at most seven octets, as words.
inline Method plain_method(std::uint64_t word) {
  switch (word) {
    case word_of("GET"):
      return Method::get;
    case word_of("POST"):
      return Method::post;
    case word_of("HEAD"):
      return Method::head;
    case word_of("PUT"):
      return Method::put;
    case word_of("DELETE"):
      return Method::delete_;
    case word_of("OPTIONS"):
      return Method::options;
    case word_of("PATCH"):
      return Method::patch;
    case word_of("TRACE"):
      return Method::trace;
    default:
      return Method::other;
  }
}

// How many octets of `word` stand in front of the first space; 8 when there is none.
inline std::size_t octets_before_space(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t off_space = word ^ kOnes * ' ';
  const std::uint64_t zeros = (off_space - kOnes) & ~off_space & kOnes * 0x80;  // right up to the first
  return zeros == 0 ? 8 : static_cast<std::size_t>(__builtin_ctzll(zeros)) / 8;
}

// The first octet from `at` on that may not stand in the path or the query of a target, "%" being one.
template <class Isa>
inline const char* skip_target_run(const char* at, const char* end, const char*& question) {
  while (end - at >= static_cast<std::ptrdiff_t>(Isa::kWidth)) {
    const std::uint32_t stops = Isa::no_targets(at);
    const std::uint32_t questions = Isa::questions(at) & (stops ^ (stops - 1));  // up to the first stop
    if (questions != 0 && question == nullptr) question = at + __builtin_ctz(questions);
    if (stops != 0) return at + __builtin_ctz(stops);
    at += Isa::kWidth;
  }
  for (; at != end && *at != '%' && is_a(*at, ascii::internal::target_char); ++at) {
    if (*at == '?' && question == nullptr) question = at;
  }
  return at;
}

// From a "%" on; where one is not followed by two hex digits, or by those of NUL, it stays.
template <class Isa>
[[gnu::noinline]] const char* skip_percents(const char* stop, const char* end, const char*& question) {
  while (end - stop >= 3 && *stop == '%') {
    if (!is_a(stop[1], ascii::internal::hex_char) || !is_a(stop[2], ascii::internal::hex_char)) break;
    if (stop[1] == '0' && stop[2] == '0') break;
    stop = skip_target_run<Isa>(stop + 3, end, question);
  }
  return stop;
}

template <class Isa>
[[gnu::always_inline]] inline std::size_t take_line(const char* begin, const char* end, const PlainLimits& limits,
                                                    RequestHead& head) {
  constexpr std::ptrdiff_t kShortest = 16;  // "GET / HTTP/1.1" CRLF
  constexpr std::ptrdiff_t kBehindTarget = 11;
  if (end - begin < kShortest) return 0;
  const std::uint64_t word = load_word(begin);
  std::size_t method_size = 3;
  Method method = Method::get;
  if ((word & 0xffffffff) != kGet) {
    method_size = octets_before_space(word);
    if (method_size == 8) return 0;
    method = plain_method(word & ~(~std::uint64_t{0} << method_size * 8));
    // As words a name and the same with NULs behind it are one.
    if (method_size == 0 || begin[method_size - 1] == '\0') return 0;
  }
  const char* const target = begin + method_size + 1;
  if (method == Method::other || *target != '/') return 0;

  const char* question = nullptr;
  const char* stop = skip_target_run<Isa>(target, end, question);
  if (stop != end && *stop == '%') stop = skip_percents<Isa>(stop, end, question);
  if (end - stop < kBehindTarget || *stop != ' ') return 0;
  if (load_word(stop + 1) != kVersion || load_half(stop + 9) != kLineEnd) return 0;
  const auto target_size = static_cast<std::size_t>(stop - target);
  const auto line_size = static_cast<std::size_t>(stop + kBehindTarget - begin);
  if (target_size > limits.max_target || line_size > limits.max_request_line) return 0;

  head.method = method;
  head.form = TargetForm::origin;
  head.is_http_1_0 = false;
  head.method_text = {begin, method_size};
  head.target = {target, target_size};
  if (question == nullptr) {
    head.path = {target, target_size};
    head.query = {};
  } else {
    head.path = {target, static_cast<std::size_t>(question - target)};
    head.query = {question + 1, static_cast<std::size_t>(stop - question - 1)};
  }
  return line_size;
}

template <class Isa>
std::size_t take_request_line(const char* begin, const char* end, const PlainLimits& limits, RequestHead& head) {
  return take_line<Isa>(begin, end, limits, head);
}

// ---- field lines -----------------------------------------------------------------------------------------

constexpr std::ptrdiff_t kReadInFront = 8;  // of a name, by intern_before()

// The bits of 64 octets, or of as many as there are.
struct Block {
  const char* base;
  std::uint64_t unprintables;
  std::uint64_t colons;
};

template <class Isa>
[[gnu::always_inline]] inline void mark_half(const char* at, std::uint64_t& unprintables, std::uint64_t& colons) {
  unprintables = colons = 0;
  for (unsigned part = 0; part < 32; part += Isa::kWidth) {
    unprintables |= static_cast<std::uint64_t>(Isa::unprintables(at + part)) << part;
    colons |= static_cast<std::uint64_t>(Isa::colons(at + part)) << part;
  }
}

// Marks the block at `base`; false behind the end. There are 32 octets at least in [begin, end).
template <class Isa>
[[gnu::always_inline]] inline bool mark(const char* base, const char* end, Block& block) {
  const std::ptrdiff_t left = end - base;
  if (left <= 0) return false;
  block.base = base;
  if (left <= 32) {  // the 32 octets that end where the input ends, shifted
    mark_half<Isa>(end - 32, block.unprintables, block.colons);
    block.unprintables >>= 32 - left;
    block.colons >>= 32 - left;
    return true;
  }
  std::uint64_t unprintables;
  std::uint64_t colons;
  const std::ptrdiff_t second = left < 64 ? left - 32 : 32;
  mark_half<Isa>(base + second, unprintables, colons);
  mark_half<Isa>(base, block.unprintables, block.colons);
  block.unprintables |= unprintables << second;
  block.colons |= colons << second;
  return true;
}

// Past the CRLF at `stop_at`; false when there is nothing behind it.
template <class Isa>
[[gnu::always_inline]] inline bool skip_line_end(unsigned stop_at, const char* end, Block& block) {
  if (stop_at == 63) {  // the LF stands in the next block
    if (!mark<Isa>(block.base + 64, end, block)) return false;
    block.unprintables &= ~std::uint64_t{1};
    return true;
  }
  const std::uint64_t ahead = ~std::uint64_t{3} << stop_at;
  block.unprintables &= ahead;
  block.colons &= ahead;
  return true;
}

inline bool is_token(const char* at, const char* end) {
  if (at == end) return false;
  while (at != end && is_a(*at, ascii::internal::token_char)) ++at;
  return at == end;
}

template <class Isa>
[[gnu::always_inline]] inline const char* take_marked_lines(const char* begin, const char* line, const char* end,
                                                            const PlainLimits& limits, Block block,
                                                            Fields::Table& table) {
  std::size_t size = table.size;
  for (; size != table.room; ++size) {
    if (end - line < 4 || load_half(line) == kLineEnd) break;
    while (block.colons == 0) {
      if (block.unprintables != 0 || !mark<Isa>(block.base + 64, end, block)) goto done;
    }
    const char* const colon = block.base + __builtin_ctzll(block.colons);
    while (block.unprintables == 0) {
      if (!mark<Isa>(block.base + 64, end, block)) goto done;
    }
    const auto stop_at = static_cast<unsigned>(__builtin_ctzll(block.unprintables));
    const char* const stop = block.base + stop_at;
    const auto name_size = static_cast<std::size_t>(colon - line);
    // A colon behind the stop gives a name with the stop in it, which is no token.
    if (end - stop < 2 || load_half(stop) != kLineEnd ||
        static_cast<std::size_t>(stop + 2 - line) > limits.max_field_line)
      break;
    const FieldName name = intern_before(colon, name_size);
    if (name == FieldName::other && !is_token(line, colon)) break;
    const char* const value = colon + (colon[1] == ' ' ? 2 : 1);
    if (*value <= ' ' || stop[-1] <= ' ') break;

    table.entries[size] = {static_cast<std::uint32_t>(line - begin), static_cast<std::uint32_t>(value - begin),
                           static_cast<std::uint32_t>(stop - value), static_cast<std::uint16_t>(name_size), name};
    std::uint16_t& first = table.first[static_cast<unsigned>(name)];
    if (first == 0) {
      first = static_cast<std::uint16_t>(size + 1);
    } else {
      table.repeated |= std::uint64_t{1} << static_cast<unsigned>(name);
    }
    line = stop + 2;
    if (!skip_line_end<Isa>(stop_at, end, block)) {
      ++size;
      break;
    }
  }
done:
  table.size = size;
  return line;
}

// The same out of line, so that take_request() has its registers for itself.
template <class Isa>
[[gnu::noinline]] const char* take_other_lines(const char* begin, const char* line, const char* end,
                                               const PlainLimits& limits, const Block& block, Fields::Table& table) {
  return take_marked_lines<Isa>(begin, line, end, limits, block, table);
}

template <class Isa>
const char* take_lines(const char* begin, const char* line, const char* end, const PlainLimits& limits,
                       Fields::Table& table) {
  Block block;
  if (end - begin < 32 || line - begin < kReadInFront || !mark<Isa>(line, end, block)) return line;
  return take_marked_lines<Isa>(begin, line, end, limits, block, table);
}

// ---- both ------------------------------------------------------------------------------------------------

// ":" and one to five digits.
inline bool is_plain_port(const char* at, const char* end) {
  if (end - at < 2 || end - at > 6) return false;
  std::uint32_t port = 0;
  while (++at != end) {
    const auto digit = static_cast<std::uint32_t>(static_cast<unsigned char>(*at) - '0');
    if (digit > 9) return false;
    port = 10 * port + digit;
  }
  return port <= 65535;
}

template <class Isa>
Taken take_request(const char* begin, const char* end, const PlainLimits& limits, RequestHead& head,
                   Fields::Table& table) {
  const std::size_t line_size = take_line<Isa>(begin, end, limits, head);
  if (line_size == 0) return {};
  head.authority = {};
  const char* line = begin + line_size;
  Block block;
  if (end - begin < 32 || !mark<Isa>(line, end, block)) return {line_size, line};
  constexpr std::size_t kValueAt = 6;
  if (end - line >= 8 && (load_word(line) & 0xffffffffffff) == kHost && block.unprintables != 0 && table.room != 0) {
    const auto stop_at = static_cast<unsigned>(__builtin_ctzll(block.unprintables));
    const char* const stop = line + stop_at;
    const std::size_t size = stop_at - kValueAt;  // wraps when there is nothing, and is too large then
    const std::uint64_t colons = block.colons >> kValueAt << kValueAt;
    const auto colon_at = colons == 0 ? stop_at : static_cast<unsigned>(__builtin_ctzll(colons));
    const bool has_port = colon_at > kValueAt && colon_at < stop_at && is_plain_port(line + colon_at, stop);
    const std::uint32_t port_colon = has_port ? std::uint32_t{1} << (colon_at - kValueAt) % 32 : 0;
    const bool is_whole = end - stop >= 2 && load_half(stop) == kLineEnd && stop_at + 2 <= limits.max_field_line;
    if (is_whole && size - 1 < 32 && stop - begin >= 32 &&
        Isa::not_of_names(stop, static_cast<unsigned>(size)) == port_colon) {
      head.authority = {line + kValueAt, size};
      table.entries[0] = {static_cast<std::uint32_t>(line - begin), static_cast<std::uint32_t>(line + kValueAt - begin),
                          static_cast<std::uint32_t>(size), 4, FieldName::host};
      table.first[static_cast<unsigned>(FieldName::host)] = 1;
      table.size = 1;
      line = stop + 2;
      if (end - line >= 2 && load_half(line) == kLineEnd) return {line_size, line};
      if (!skip_line_end<Isa>(stop_at, end, block)) return {line_size, line};
    }
  }
  return {line_size, take_other_lines<Isa>(begin, line, end, limits, block, table)};
}

}  // namespace
}  // namespace pipette::http::internal
