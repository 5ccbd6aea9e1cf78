// Parses heads, in place, from octets that may arrive in any pieces.
//
//   parse(octets so far) --> 0: more is needed | the size of the head | an error
//
// Call it again with the same octets and more behind them; they may have moved. Lines that are complete are
// never looked at again, and an incomplete one only from where the search for its end stopped, so the cost is
// linear also when octets arrive one by one. Whole input and any split of it give the same result: a line is
// judged when it is complete, or when it is longer than it may be.
//
// Strict: CRLF ends a line and nothing else does; no space before a colon, no control octets, no empty names; one
// Host in HTTP/1.1. A folded line is refused in a request; in a response each fold becomes one space, in place
// (RFC 9112 §5.2). Empty lines before a request line are skipped (RFC 9112 §2.2).
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
#include "pipette/http/host.h"
#include "pipette/http/internal/scan.h"

namespace pipette::http {

struct HeadLimits {
  std::size_t max_target_bytes = 8 * 1024;           // Errc::target_too_long, 414; RFC 9112 §3 asks for 8000 a line
  std::size_t max_start_line_bytes = 8 * 1024 + 64;  // with its CRLF, so above that: Errc::start_line_too_long, 414
  std::size_t max_field_bytes = 16 * 1024;           // one field, with its CRLF: Errc::field_too_large, 431
  std::size_t max_fields = 100;                      // Errc::too_many_fields, 431; 65535 at most
  std::size_t max_head_bytes = 64 * 1024;            // all of it: Errc::head_too_large, 431; below 4 GiB

  // As far as offsets and indices reach.
  HeadLimits within_reach() const;
};

// What becomes of a line that begins with white space and so continues the one before (RFC 9112 §5.2).
enum class Folding : unsigned char { refuse, accept };

// The lines from the first field to the empty line. Trailers are such a section too.
class FieldSectionParser {
 public:
  explicit FieldSectionParser(const HeadLimits& limits, Folding folding = Folding::refuse,
                              const internal::Scans& scans = internal::best_scans())
      : limits_(limits.within_reach()), folding_(folding), scans_(&scans) {
    plain_limits_.max_field_line = std::min<std::size_t>(limits.max_field_bytes, UINT16_MAX);
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
  // Whether a value of the section holds folds, which unfold() makes spaces of.
  bool has_folds() const { return has_folds_; }

 private:
  friend class RequestParser;

  static constexpr unsigned kMaxChanges = 8;  // of remembered sections; then no other is remembered

  // Whether no more than a few octets have come to a line that is neither whole nor too long, nor is it now.
  bool is_waiting(Bytes input) {
    if (scanned_ <= line_ || input.size() > line_ + line_room_ || input.size() > scanned_ + 8) return false;
    for (std::size_t at = scanned_; at < input.size(); ++at) {
      if (input[at] == '\n') return false;
    }
    scanned_ = input.size();
    return true;
  }

  // For the fast pass over a whole head.
  bool remembers() const { return !last_.empty(); }
  Fields::Table open(Fields& fields) const {
    Fields::Table table = fields.open();
    table.room = std::min(table.room, limits_.max_fields);
    return table;
  }
  // Goes on at `line`, with a section that begins at `at` and the lines in front of which have been taken.
  void resume(std::size_t at, std::size_t line) {
    begin_ = at;
    line_ = scanned_ = line;
    is_begun_ = true;
    is_repeated_ = has_folds_ = false;
  }

  bool has_stopped_remembering() const { return changes_ == kMaxChanges && last_.empty(); }

  bool take_plain_lines(Bytes input, Fields& fields);
  Result<bool> take_line(Bytes input, Fields& fields);
  Result<bool> take_fold(Bytes input, Fields& fields);
  Result<bool> wait_or_fail(Bytes input, const Fields& fields, Errc error);
  bool repeats_last(Bytes input, Fields& fields);
  void remember(Bytes section, const Fields& fields);

  HeadLimits limits_;
  Folding folding_;
  const internal::Scans* scans_;
  internal::PlainLimits plain_limits_;
  std::size_t begin_ = 0;
  std::size_t line_ = 0;       // where the line begins that is not yet complete
  std::size_t scanned_ = 0;    // up to where that line is known not to end
  std::size_t line_room_ = 0;  // how many octets it may have
  bool is_begun_ = false;
  bool is_repeated_ = false;
  bool has_folds_ = false;

  std::string last_;  // the octets of the last section, while it is worth comparing the next one with them
  std::size_t last_begin_ = 0;
  const Fields* last_fields_ = nullptr;
  std::uint64_t last_revision_ = 0;
  unsigned changes_ = 0;
};

// Makes one space of each fold in the values of `fields`, whose octets are in `section`, in place.
void unfold(MutableBytes section, Fields& fields);

class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits = {}, const internal::Scans& scans = internal::best_scans())
      : limits_(limits.within_reach()),
        scans_(&scans),
        plain_limits_{limits.max_target_bytes, limits.max_start_line_bytes,
                      std::min<std::size_t>(limits.max_field_bytes, UINT16_MAX)},
        section_(limits, Folding::refuse, scans) {}

  // For the next head, of the same connection. Give parse() the same `head` each time, untouched in between.
  void reset();
  // For the next connection.
  void forget() { section_.forget(); }
  Result<std::size_t> parse(Bytes input, RequestHead& head);

 private:
  std::size_t take_plain(Bytes input, RequestHead& head);
  void take_plain_line(const char* begin, const char* end, RequestHead& head);
  static bool has_plain_host(const RequestHead& head);
  Result<std::size_t> parse_on(Bytes input, RequestHead& head);
  static void move_plain_line(Bytes input, RequestHead& head);
  Result<std::size_t> parse_request_line(Bytes input, RequestHead& head);
  Result<std::size_t> finish(Bytes input, RequestHead& head, std::size_t size);

  enum class HostRule : unsigned char { none, http_1_0, http_1_1 };

  HeadLimits limits_;
  const internal::Scans* scans_;
  internal::PlainLimits plain_limits_;
  FieldSectionParser section_;
  bool in_fields_ = false;
  std::size_t line_ = 0;
  std::size_t scanned_ = 0;
  bool is_plain_ = false;        // the fast pass has taken the request line
  std::size_t method_size_ = 0;  // of a request line that it has not taken
  std::size_t target_size_ = 0;

  HostRule host_passed_ = HostRule::none;  // the rule that the Host of the last section has passed
};

class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits = {}, const internal::Scans& scans = internal::best_scans())
      : limits_(limits.within_reach()), section_(limits, Folding::accept, scans) {}

  void reset();
  // For the next connection.
  void forget() { section_.forget(); }
  // Changes the input only when the head is complete, and only where a value is folded.
  Result<std::size_t> parse(MutableBytes input, ResponseHead& head);

 private:
  bool take_plain_status_line(Bytes input, ResponseHead& head);
  Result<std::size_t> parse_status_line(Bytes input, ResponseHead& head);

  HeadLimits limits_;
  FieldSectionParser section_;
  bool in_fields_ = false;
  std::size_t scanned_ = 0;
  std::size_t reason_at_ = 0;
  std::size_t reason_size_ = 0;
};

}  // namespace pipette::http
