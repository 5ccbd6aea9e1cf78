// Takes a body out of the octets that follow a head.
//
//   next(octets so far) --> { consumed, data, is_complete }      call it until consumed is 0 or the body is complete
//
// Each step gives one run of body data, in place; what frames it is checked, bounded and dropped. Nothing is ever
// resynchronised: after an error there is only that error. Whole input and any split of it give the same data.
//
// Trailers can be read once the body is complete, except those that may not be any (trailer.h), which are dropped. They
// are never merged into the head.
//
// Spec      RFC 9112 §6, §7.1; RFC 9110 §6.5.
// Errors    Errc::bad_chunk, chunk_overhead_too_large, body_too_large, incomplete_message, and those of the field
//           section for trailers.
// Lifetime  `data` borrows from `input`, and trailers() from the input of the last step: good while those octets stand
//           still. reset() keeps the memory.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/framing.h"
#include "pipette/http/head_parser.h"

namespace pipette::http {

struct BodyLimits {
  std::uint64_t max_body_bytes = 4 * 1024 * 1024;
  std::uint64_t max_chunk_overhead_bytes = 16 * 1024;  // size lines and extensions beyond what plain chunks need
  HeadLimits trailer = {};
};

class BodyReader {
 public:
  struct Step {
    std::size_t consumed = 0;  // octets of the input that are done with
    Bytes data;                // those of them that belong to the body
    bool is_complete = false;
  };

  BodyReader() : BodyReader(BodyLength(), BodyLimits()) {}
  BodyReader(BodyLength length, const BodyLimits& limits);

  // For the next body, with the same limits.
  void reset(BodyLength length);

  // Fails at once when a declared length is over the limit.
  Result<void> check_declared_length() const;
  Result<Step> next(Bytes input);
  // The peer has finished sending: fine for a body that ends with the connection, an error for any other.
  Result<void> finish();

  bool is_complete() const { return state_ == State::complete; }
  const Fields& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t {
    exact,
    until_close,
    chunk_size,
    extension,
    extension_name,
    extension_value,
    token_value,
    quoted,
    quoted_pair,
    after_quoted,
    size_lf,
    chunk_data,
    data_cr,
    data_lf,
    trailers,
    complete,
    failed,
  };

  Result<Step> take(Bytes input);
  Result<Step> take_declared(Bytes input);
  Result<Step> take_until_close(Bytes input);
  bool take_plain_chunk(Bytes input, Step& step);
  Result<Step> take_chunks(Bytes input);
  Result<void> take_framing(Bytes input, std::size_t& at);
  Result<void> take_framing_octet(char c);
  std::size_t take_plain_size(Bytes input);
  Result<void> take_size_digit(char c);
  void forgive_overhead(std::uint64_t size);
  Result<void> end_size_line();
  Step take_chunk_data(Bytes input, std::size_t at);
  Result<Step> take_trailers(Bytes input, std::size_t at);
  void keep_trailers(Bytes section);

  BodyLimits limits_;
  State state_;
  std::uint64_t left_ = 0;      // octets of the body, or of this chunk, still to come
  std::uint64_t total_ = 0;     // octets of chunks so far
  std::uint64_t overhead_ = 0;  // octets of size lines so far
  unsigned size_digits_ = 0;
  std::error_code error_;  // of State::failed
  FieldSectionParser trailer_parser_;
  Fields section_;   // every trailer that was sent
  Fields trailers_;  // those that may be
};

}  // namespace pipette::http
