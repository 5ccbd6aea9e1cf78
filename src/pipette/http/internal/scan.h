// The fast passes over heads, once an instruction set:
//
//   Scans { take_request_line, take_lines, take_request }
//
//   none: leave everything to the careful pass · portable: an octet at a time · SSE2: every x86-64 · AVX2: chosen when
//   the program runs
//
// All give the same heads; the tests and the fuzz targets compare them.
//
// The octets are looked at 64 at a time and become bits: where those are that are not printable ASCII (among them the
// CR that ends each line), and where the colons are. Walking from line to line is then counting zeros. What is not
// plain (a target in another form, another version, a tab, an octet above 127, an empty value, a line that is not yet
// there) is left where it stands.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pipette/base/ascii.h"
#include "pipette/http/head.h"
#include "pipette/http/internal/word.h"

namespace pipette::http::internal {

struct PlainLimits {
  std::size_t max_target = 0;
  std::size_t max_request_line = 0;  // with its CRLF, as all lines
  std::size_t max_field_line = 0;
};

// What has been taken of a request: the size of its first line, and where the first line begins that is left.
struct Taken {
  std::size_t line_size = 0;  // 0: nothing
  const char* next = nullptr;
};

struct Scans {
  // Takes a whole line "METHOD /target HTTP/1.1" CRLF: fills everything of `head` but its fields and the authority,
  // and returns the size of the line, or 0. Reads nothing outside [begin, end); nor do the others.
  std::size_t (*take_request_line)(const char* begin, const char* end, const PlainLimits& limits, RequestHead& head);
  // Appends fields from `line` on to the table while there is room, and returns where the first line begins that is
  // left.
  const char* (*take_lines)(const char* begin, const char* line, const char* end, const PlainLimits& limits,
                            Fields::Table& table);
  // Both in one go, into an empty table. When a Host field comes first (where a client should have it, RFC 9112 §3.2)
  // and has nothing but letters, digits, "-" and "." in it, that is the authority; else the authority is empty.
  Taken (*take_request)(const char* begin, const char* end, const PlainLimits& limits, RequestHead& head,
                        Fields::Table& table);
};

const Scans& no_scans();
const Scans& portable_scans();
// What this build has for an instruction set; nothing when it has none.
const Scans* sse2_scans();
const Scans* avx2_scans();
// The best for the processor that we run on.
const Scans& best_scans();

inline const char* skip_token(const char* at, const char* end) {
  while (at != end && ascii::is_token_char(*at)) ++at;
  return at;
}

// The first octet in [at, end) that may not stand in a field value: controls but for HTAB, and DEL.
inline const char* skip_value(const char* at, const char* end) {
  while (end - at >= 8 && ascii::internal::has_no_control({at, 8})) at += 8;
  while (at != end && ascii::is_value_char(*at)) ++at;
  return at;
}

// The first octet in [at, end) that may not stand in a request target; brackets may, around an IPv6 host.
inline const char* skip_target(const char* at, const char* end) {
  while (at != end && (ascii::is_target_char(*at) || *at == '[' || *at == ']')) ++at;
  return at;
}

}  // namespace pipette::http::internal
