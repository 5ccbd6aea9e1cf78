#include "pipette/http/body_reader.h"

#include <algorithm>
#include <cassert>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

constexpr unsigned kMaxSizeDigits = 16;  // of 64 bits; more, leading zeros included, are refused

bool is_quoted_char(char c) { return c != '"' && c != '\\' && ascii::is_value_char(c); }

}  // namespace

BodyReader::BodyReader(BodyLength length, const BodyLimits& limits) : limits_(limits), trailer_parser_(limits.trailer) {
  switch (length.kind) {
    case BodyLength::Kind::none:
      state_ = State::complete;
      break;
    case BodyLength::Kind::exact:
      state_ = length.size == 0 ? State::complete : State::exact;
      break;
    case BodyLength::Kind::chunked:
      state_ = State::chunk_size;
      break;
    case BodyLength::Kind::until_close:
      state_ = State::until_close;
      break;
  }
  left_ = length.size;
}

Result<void> BodyReader::check_declared_length() const {
  if (state_ == State::exact && left_ > limits_.max_body_bytes) return fail(Errc::body_too_large);
  return {};
}

Result<void> BodyReader::finish() {
  if (state_ == State::until_close) state_ = State::complete;
  if (state_ != State::complete) return fail(Errc::incomplete_message);
  return {};
}

Result<BodyReader::Step> BodyReader::next(Bytes input) {
  if (state_ == State::complete) return Step{0, {}, true};
  if (input.empty()) return Step{};
  switch (state_) {
    case State::exact:
      return take_data(input, State::complete);
    case State::chunk_data:
      return take_data(input, State::data_cr);
    case State::until_close:
      total_ += input.size();
      if (total_ > limits_.max_body_bytes) return fail(Errc::body_too_large);
      return Step{input.size(), input, false};
    case State::trailers:
      return take_trailers(input);
    default:
      return take_chunk_framing(input);
  }
}

Result<BodyReader::Step> BodyReader::take_data(Bytes input, State then) {
  const Bytes data = input.substr(0, std::min<std::uint64_t>(input.size(), left_));
  left_ -= data.size();
  if (left_ == 0) state_ = then;
  return Step{data.size(), data, state_ == State::complete};
}

// Everything of the chunked coding that is neither data nor trailer: up to where one of those begins.
Result<BodyReader::Step> BodyReader::take_chunk_framing(Bytes input) {
  std::size_t consumed = 0;
  while (consumed < input.size() && state_ != State::chunk_data && state_ != State::trailers) {
    if (const Result<void> taken = take_framing_octet(input[consumed]); !taken) return fail(taken.error());
    ++consumed;
  }
  return Step{consumed, {}, false};
}

// chunk = 1*HEXDIG *( ";" name [ "=" ( token / quoted-string ) ] ) CRLF data CRLF, RFC 9112 §7.1. No white space
// anywhere: the "bad white space" of §7.1.1 hides attacks and nobody sends it.
Result<void> BodyReader::take_framing_octet(char c) {
  const bool is_in_data_end = state_ == State::data_cr || state_ == State::data_lf;
  if (!is_in_data_end && ++overhead_ > limits_.max_chunk_overhead_bytes) return fail(Errc::chunk_overhead_too_large);
  switch (state_) {
    case State::chunk_size:
      if (ascii::is_hex_digit(c)) return take_size_digit(c);
      if (size_digits_ == 0) return fail(Errc::bad_chunk);
      if (c == ';') {
        state_ = State::extension;
      } else if (c == '\r') {
        state_ = State::size_lf;
      } else {
        return fail(Errc::bad_chunk);
      }
      return {};
    case State::extension:
      if (!ascii::is_token_char(c)) return fail(Errc::bad_chunk);
      state_ = State::extension_name;
      return {};
    case State::extension_name:
      if (ascii::is_token_char(c)) return {};
      if (c == '=') {
        state_ = State::extension_value;
        return {};
      }
      break;
    case State::extension_value:
      if (c == '"') {
        state_ = State::quoted;
        return {};
      }
      if (!ascii::is_token_char(c)) return fail(Errc::bad_chunk);
      state_ = State::token_value;
      return {};
    case State::token_value:
      if (ascii::is_token_char(c)) return {};
      break;
    case State::quoted:
      if (c == '\\') {
        state_ = State::quoted_pair;
      } else if (c == '"') {
        state_ = State::after_quoted;
      } else if (!is_quoted_char(c)) {
        return fail(Errc::bad_chunk);
      }
      return {};
    case State::quoted_pair:
      if (!ascii::is_value_char(c)) return fail(Errc::bad_chunk);
      state_ = State::quoted;
      return {};
    case State::after_quoted:
      break;
    case State::size_lf:
      if (c != '\n') return fail(Errc::bad_chunk);
      return end_size_line();
    case State::data_cr:
      if (c != '\r') return fail(Errc::bad_chunk);
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return fail(Errc::bad_chunk);
      state_ = State::chunk_size;
      return {};
    default:
      assert(false);
      return fail(Errc::bad_chunk);
  }
  // Behind an extension's name or value: another one, or the end of the line.
  if (c == ';') {
    state_ = State::extension;
  } else if (c == '\r') {
    state_ = State::size_lf;
  } else {
    return fail(Errc::bad_chunk);
  }
  return {};
}

Result<void> BodyReader::take_size_digit(char c) {
  if (++size_digits_ > kMaxSizeDigits) return fail(Errc::bad_chunk);
  left_ = (size_digits_ == 1 ? 0 : left_ << 4) | ascii::hex_value(c);
  return {};
}

Result<void> BodyReader::end_size_line() {
  size_digits_ = 0;
  if (left_ > limits_.max_body_bytes - std::min(total_, limits_.max_body_bytes)) return fail(Errc::body_too_large);
  total_ += left_;
  if (left_ > 0) {
    // A plain size line is the price of a chunk; only what goes well beyond it is held against the sender.
    const std::uint64_t fair = 16 + 2 * std::min(left_, limits_.max_body_bytes);
    overhead_ -= std::min(overhead_, fair);
    state_ = State::chunk_data;
  } else {
    trailer_parser_.reset();
    trailers_.clear();
    state_ = State::trailers;
  }
  return {};
}

// The trailer section is taken whole, when it is whole: it is short, and bounded.
Result<BodyReader::Step> BodyReader::take_trailers(Bytes input) {
  const Result<std::size_t> size = trailer_parser_.parse(input, trailers_);
  if (!size) return fail(size.error());
  if (*size == 0) return Step{};
  state_ = State::complete;
  return Step{*size, {}, true};
}

}  // namespace pipette::http
