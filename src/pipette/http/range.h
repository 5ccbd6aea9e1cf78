// Byte ranges: what a Range field asks for, and Content-Range.
//
//   Range: bytes=0-499, -500   of 10000 octets  -->  parts 0-499 and 9500-9999     206
//   Range: bytes=10000-                         -->  unsatisfiable                 416, Content-Range: bytes */10000
//   Range: pages=1-2                            -->  whole                         200
//   Range: bytes=5-2                            -->  Errc::bad_range               200, or 400 (RFC 9110 §14.2)
//
// Ranges that overlap or touch are joined, in the place of the first of them, so that no octet is sent twice; where
// more than max_ranges stand apart, as far as it has been read, the field is ignored and the answer is whole. So many
// small ranges and ranges over one another cost a server nothing (RFC 9110 §17.15). A representation of no octets is
// always whole.
//
// Spec      RFC 9110 §14, §15.3.7, §15.5.17.
// Errors    Errc::bad_range.
// Units     octets, counted from 0; both ends of a range are inside it. Numbers too large for 64 bits count as the
//           largest one in Range, and are refused in Content-Range.
// Threads   pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipette/base/result.h"
#include "pipette/http/fields.h"
#include "pipette/http/method.h"

namespace pipette::http {

inline constexpr std::size_t kMaxRanges = 16;

struct ByteRange {
  std::uint64_t first;
  std::uint64_t last;

  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

// What to send of a representation.
class Ranges {
 public:
  enum class Kind : std::uint8_t { whole, parts, unsatisfiable };

  Ranges() {}  // whole; leaves the room for parts as it is

  Kind kind() const { return kind_; }
  // For Kind::parts: one at least, in the order in which they were asked for, none touching another.
  std::span<const ByteRange> parts() const { return {parts_.data(), count_}; }

 private:
  friend Result<Ranges> resolve_ranges(std::string_view value, std::uint64_t length, std::size_t max_ranges);

  bool resolve(std::string_view value, std::uint64_t length, std::size_t max_ranges);
  void add(ByteRange range, std::size_t max_ranges);
  void remove(std::size_t index);

  Kind kind_ = Kind::whole;
  bool is_too_much_ = false;
  std::size_t count_ = 0;
  std::array<ByteRange, kMaxRanges> parts_;
};

// Of a representation of `length` octets. `max_ranges` is kMaxRanges at most; with 1, no multipart answer is needed.
Result<Ranges> resolve_ranges(std::string_view value, std::uint64_t length, std::size_t max_ranges = kMaxRanges);

// The same for a whole request: whole when it has no Range field or is no GET (RFC 9110 §14.2). Conditions come first:
// see evaluate_conditions().
Result<Ranges> requested_ranges(Method method, const Fields& request, std::uint64_t length,
                                std::size_t max_ranges = kMaxRanges);

// ---- Content-Range -----------------------------------------------------------------------------------------

struct ContentRange {
  std::optional<ByteRange> range;       // none in a 416: "bytes */1234"
  std::optional<std::uint64_t> length;  // of the whole; none when it was not known: "bytes 42-1233/*"

  bool operator==(const ContentRange&) const = default;
};

// Other units than bytes are refused too: what they mean nobody here knows.
Result<ContentRange> parse_content_range(std::string_view value);
// Nothing is appended when the range is backwards or not inside the length, or both are missing.
Result<void> write_content_range(const ContentRange& content_range, std::string& out);

}  // namespace pipette::http
