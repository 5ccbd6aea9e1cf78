// Parses heads, in place, from octets that may arrive in any pieces.
//
//   parse(octets so far) --> 0: more is needed | the size of the head | an error
//
// Call it again with the same octets and more behind them; they may have moved. Lines that are complete are
// never looked at again, and an incomplete one only from where the search for its end stopped, so the cost is
// linear also when octets arrive one by one. Whole input and any split of it give the same result: a line is
// judged when it is complete, or when it is longer than it may be.
//
// Strict: CRLF ends a line and nothing else does; no folding, no space before a colon, no control octets, no
// empty names; one Host in HTTP/1.1. Empty lines before a request line are skipped (RFC 9112 §2.2).
//
// Spec      RFC 9112 §2-§5, RFC 9110 §5.
// Errors    the message rows of Errc, each with its status. After one, the connection cannot go on.
// Units     octets.   Lifetime  `head` borrows from `input`.   Threads  one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/head.h"

namespace pipette::http {

struct HeadLimits {
  std::size_t max_target_bytes = 8 * 1024;  // 414; RFC 9112 §3 asks for at least 8000 a request line
  std::size_t max_field_bytes = 16 * 1024;  // one field line: 431
  std::size_t max_fields = 100;             // 431; 65535 at most
  std::size_t max_head_bytes = 64 * 1024;   // all of it: 431
};

// The lines from the first field to the empty line. Trailers are such a section too.
class FieldSectionParser {
 public:
  explicit FieldSectionParser(const HeadLimits& limits) : limits_(limits) {
    limits_.max_fields = std::min(limits_.max_fields, kMaxFields);
  }

  // Starts over, with a section whose first line begins at `at`. A section that is the last one's, octet for octet, is
  // not parsed again when it goes into the same `fields`, untouched in between.
  void reset(std::size_t at = 0);
  // Appends fields as their lines become complete; offsets count from input.data().
  Result<std::size_t> parse(Bytes input, Fields& fields);
  // Whether the section just parsed was the last one's.
  bool is_repeated() const { return is_repeated_; }
  // Compare with nothing that was: for another connection.
  void forget();

 private:
  void take_plain_lines(Bytes input, Fields& fields);
  Result<bool> take_line(Bytes input, Fields& fields);
  bool repeats_last(Bytes input, Fields& fields);
  void remember(Bytes section, const Fields& fields);

  HeadLimits limits_;
  std::size_t begin_ = 0;
  std::size_t line_ = 0;     // where the line begins that is not yet complete
  std::size_t scanned_ = 0;  // up to where that line is known not to end
  bool is_begun_ = false;
  bool is_repeated_ = false;

  std::string last_;  // the octets of the last section, while it is worth comparing the next one with them
  std::size_t last_begin_ = 0;
  const Fields* last_fields_ = nullptr;
  std::uint64_t last_revision_ = 0;
  unsigned changes_ = 0;
};

class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits = {}) : limits_(limits), section_(limits) {}

  // For the next head, of the same connection. Give parse() the same `head` each time, untouched in between.
  void reset();
  // For the next connection.
  void forget() { section_.forget(); }
  Result<std::size_t> parse(Bytes input, RequestHead& head);

 private:
  std::size_t take_plain_request_line(Bytes input, RequestHead& head);
  Result<std::size_t> parse_request_line(Bytes input, RequestHead& head);
  Result<std::size_t> finish(Bytes input, RequestHead& head, std::size_t size);

  enum class HostRule : unsigned char { none, http_1_0, http_1_1 };

  struct Span {
    std::size_t at = 0;
    std::size_t size = 0;
    std::string_view in(Bytes input) const { return input.substr(at, size); }
  };

  HeadLimits limits_;
  FieldSectionParser section_;
  bool in_fields_ = false;
  std::size_t line_ = 0;
  std::size_t scanned_ = 0;
  Span method_;
  Span target_;

  HostRule host_passed_ = HostRule::none;  // the rule that the Host of the last section has passed
};

class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits = {}) : limits_(limits), section_(limits) {}

  void reset();
  Result<std::size_t> parse(Bytes input, ResponseHead& head);

 private:
  Result<std::size_t> parse_status_line(Bytes input, ResponseHead& head);

  HeadLimits limits_;
  FieldSectionParser section_;
  bool in_fields_ = false;
  std::size_t scanned_ = 0;
  std::size_t reason_at_ = 0;
  std::size_t reason_size_ = 0;
};

// uri-host [ ":" port ], as in a Host field; not empty (RFC 9110 §7.2, RFC 3986 §3.2.2).
bool is_host(std::string_view text);

}  // namespace pipette::http
