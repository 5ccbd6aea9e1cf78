// Takes a multipart body apart while it arrives.
//
//   preamble  --x CRLF fields CRLF CRLF content  CRLF--x CRLF …  CRLF--x-- CRLF epilogue
//             next(octets) --> part_begin | data, any number of times | part_end | … | complete | more
//
//   for (;;) {
//     const auto step = reader.next(input);         // an error: refused, for good
//     if (!step) return fail(step.error());
//     input.remove_prefix(step->consumed);
//     if (step->event == MultipartReader::Event::more) break;   // all of the input is consumed
//     …
//   }
//
// Nothing has to be kept for it by the caller: of a delimiter cut in two the octets are known, and the beginning of a
// part's head is copied. Content is given in place and searched once, whatever is sent. Whole input and any split of it
// give the same parts.
//
// Strict: a line ends with CRLF; behind the boundary come spaces and tabs, then the end of the line, and anything else
// is refused. A line of a part that begins with the delimiter of another one is thus refused, not guessed at. A body
// without parts is complete when it is a close delimiter. Preamble and epilogue are dropped; `complete` comes once,
// and what follows is the epilogue.
//
// Spec      RFC 2046 §5.1.1; the fields of a part are those of RFC 9112 §5.
// Errors    Errc::bad_multipart, and one a limit: see MultipartLimits.
// Lifetime  `data` and fields() borrow from the input, or from the reader until its next call.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/fields.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/internal/delimiter.h"
#include "pipette/http/multipart.h"

namespace pipette::http {

struct MultipartLimits {
  std::size_t max_parts = 1000;                      // too_many_parts
  std::size_t max_part_head_bytes = 16 * 1024;       // part_head_too_large
  std::size_t max_name_bytes = 1024;                 // a name or a filename: part_head_too_large
  std::uint64_t max_part_bytes = 32 * 1024 * 1024;   // the content of one: part_too_large
  std::uint64_t max_total_bytes = 64 * 1024 * 1024;  // the body: multipart_too_large
  std::uint64_t max_discarded_bytes = 16 * 1024;     // preamble, epilogue and padding: multipart_too_large
  std::uint64_t max_memory_bytes = 4 * 1024 * 1024;  // what a FormReader keeps: multipart_too_large without a sink
};

class MultipartReader {
 public:
  enum class Event : std::uint8_t { more, part_begin, data, part_end, complete };

  struct Step {
    std::size_t consumed = 0;  // octets of the input that are done with
    Event event = Event::more;
    Bytes data = {};
  };

  explicit MultipartReader(const Boundary& boundary, const MultipartLimits& limits = {});

  // For the next body; memory is kept.
  void reset(const Boundary& boundary);

  Result<Step> next(Bytes input);
  // The body has ended: an error unless it is complete.
  Result<void> finish() const;

  // Of the part that has begun, from part_begin until the next call of next().
  const Fields& fields() const { return fields_; }

 private:
  enum class State : std::uint8_t {
    preamble,
    delimiter_end,
    padding,
    line_feed,
    head,
    content,
    second_dash,
    close_padding,
    close_line_feed,
    epilogue,
    failed,
  };

  Result<Step> take_all(Bytes input);
  Result<Step> take(Bytes input);
  Result<Step> take_preamble(Bytes input);
  Result<Step> take_content(Bytes input);
  Result<Step> take_head(Bytes input);
  Result<Step> begin_part(std::size_t consumed);
  Result<Step> take_delimiter_octet(char c);
  Result<Step> take_padding(char c, State padding, State line_feed);
  Result<Step> begin_head();
  Result<void> discard(std::size_t count);

  MultipartLimits limits_;
  internal::DelimiterSearch search_;
  State state_ = State::preamble;
  std::error_code failure_;
  std::size_t parts_ = 0;
  std::uint64_t total_ = 0;       // octets of the body so far
  std::uint64_t part_bytes_ = 0;  // octets of this part's content
  std::uint64_t discarded_ = 0;   // octets of no part and no delimiter
  std::string head_;              // a head that did not arrive in one piece
  FieldSectionParser head_parser_;
  Fields fields_;
};

}  // namespace pipette::http
