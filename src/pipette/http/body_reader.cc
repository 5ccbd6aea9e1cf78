#include "pipette/http/body_reader.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/word.h"
#include "pipette/http/trailer.h"

namespace pipette::http {
namespace {

constexpr unsigned kMaxSizeDigits = 16;  // of 64 bits; more, leading zeros included, are refused

constexpr std::uint8_t kNoDigit = 255;

consteval std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char c = static_cast<char>(i);
    values[i] = ascii::is_hex_digit(c) ? static_cast<std::uint8_t>(ascii::hex_value(c)) : kNoDigit;
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kHexValues = make_hex_values();

// A size line without extensions; no octets when there is none, or not all of it.
struct SizeLine {
  std::uint64_t size = 0;
  std::size_t octets = 0;
};

inline SizeLine plain_size_line(Bytes input) {
  const std::size_t most = std::min<std::size_t>(input.size(), kMaxSizeDigits);
  SizeLine line;
  std::size_t digits = 0;
  for (; digits < most; ++digits) {
    const std::uint8_t value = kHexValues[static_cast<std::uint8_t>(input[digits])];
    if (value == kNoDigit) break;
    line.size = line.size << 4 | value;
  }
  const bool is_whole =
      digits > 0 && input.size() - digits >= 2 && internal::load_half(input.data() + digits) == internal::kLineEnd;
  if (is_whole) line.octets = digits + 2;
  return line;
}

bool is_quoted_char(char c) { return c != '"' && c != '\\' && ascii::is_value_char(c); }

}  // namespace

BodyReader::BodyReader(BodyLength length, const BodyLimits& limits) : limits_(limits), trailer_parser_(limits.trailer) {
  reset(length);
}

void BodyReader::reset(BodyLength length) {
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
  total_ = overhead_ = 0;
  size_digits_ = 0;
  section_.clear();
  trailers_.clear();
}

Result<void> BodyReader::check_declared_length() const {
  if (state_ == State::exact && left_ > limits_.max_body_bytes) return fail(Errc::body_too_large);
  return {};
}

Result<void> BodyReader::finish() {
  if (state_ == State::failed) return fail(error_);
  if (state_ == State::until_close) state_ = State::complete;
  if (state_ != State::complete) return fail(Errc::incomplete_message);
  return {};
}

Result<BodyReader::Step> BodyReader::next(Bytes input) {
  if (Step step; state_ == State::chunk_size && take_plain_chunk(input, step)) return step;
  if (state_ == State::complete) return Step{0, {}, true};
  if (state_ == State::failed) return fail(error_);
  if (input.empty()) return Step{};
  Result<Step> step = take(input);
  if (!step) {
    state_ = State::failed;
    error_ = step.error();
  }
  return step;
}

Result<BodyReader::Step> BodyReader::take(Bytes input) {
  if (state_ == State::exact) return take_declared(input);
  if (state_ == State::until_close) return take_until_close(input);
  return take_chunks(input);
}

Result<BodyReader::Step> BodyReader::take_declared(Bytes input) {
  const Bytes data = input.substr(0, std::min<std::uint64_t>(input.size(), left_));
  left_ -= data.size();
  if (left_ == 0) state_ = State::complete;
  return Step{data.size(), data, state_ == State::complete};
}

// What fits is given before the rest is refused, as it would be had it come alone.
Result<BodyReader::Step> BodyReader::take_until_close(Bytes input) {
  const Bytes data = input.substr(0, limits_.max_body_bytes - total_);
  if (data.empty()) return fail(Errc::body_too_large);
  total_ += data.size();
  return Step{data.size(), data, false};
}

// A plain size line is the price of a chunk; only what goes well beyond it is held against the sender.
inline void BodyReader::forgive_overhead(std::uint64_t size) {
  const std::uint64_t fair = 16 + 2 * std::min(size, limits_.max_body_bytes);
  overhead_ -= std::min(overhead_, fair);
}

// Most chunks: a plain size line, data and its line end are all there, and within every limit. What the steps below
// would do is done at once; false, and nothing is done, for any other.
inline bool BodyReader::take_plain_chunk(Bytes input, Step& step) {
  const SizeLine line = plain_size_line(input);
  if (size_digits_ != 0 || line.octets == 0 || line.size == 0) return false;
  const std::size_t rest = input.size() - line.octets;
  if (rest < 2 || line.size > rest - 2 || line.size > limits_.max_body_bytes - total_) return false;
  if (overhead_ + line.octets > limits_.max_chunk_overhead_bytes) return false;
  const Bytes data = {input.data() + line.octets, static_cast<std::size_t>(line.size)};
  if (internal::load_half(data.data() + data.size()) != internal::kLineEnd) return false;
  overhead_ += line.octets;
  forgive_overhead(line.size);
  total_ += line.size;
  left_ = 0;
  step = {line.octets + data.size() + 2, data, false};
  return true;
}

// One chunk's data at most, with the framing on both sides of it.
Result<BodyReader::Step> BodyReader::take_chunks(Bytes input) {
  std::size_t at = 0;
  if (const Result<void> taken = take_framing(input, at); !taken) return fail(taken.error());
  if (at == input.size()) return Step{at, {}, false};
  if (state_ == State::trailers) return take_trailers(input, at);
  return take_chunk_data(input, at);
}

// Everything that is neither data nor trailer: up to where one of those begins.
Result<void> BodyReader::take_framing(Bytes input, std::size_t& at) {
  while (at < input.size() && state_ != State::chunk_data && state_ != State::trailers) {
    if (const std::size_t size = take_plain_size(input.substr(at)); size > 0) {
      at += size;
      if (const Result<void> ended = end_size_line(); !ended) return ended;
      continue;
    }
    if (const Result<void> taken = take_framing_octet(input[at]); !taken) return taken;
    ++at;
  }
  return {};
}

// The fast path: a whole size line without extensions; 0: octet by octet.
std::size_t BodyReader::take_plain_size(Bytes input) {
  if (state_ != State::chunk_size || size_digits_ != 0) return 0;
  const SizeLine line = plain_size_line(input);
  if (line.octets == 0 || overhead_ + line.octets > limits_.max_chunk_overhead_bytes) return 0;
  overhead_ += line.octets;
  left_ = line.size;
  return line.octets;
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
    forgive_overhead(left_);
    state_ = State::chunk_data;
  } else {
    trailer_parser_.reset();
    state_ = State::trailers;
  }
  return {};
}

BodyReader::Step BodyReader::take_chunk_data(Bytes input, std::size_t at) {
  const Bytes data = input.substr(at, left_);
  left_ -= data.size();
  at += data.size();
  if (left_ > 0) return Step{at, data, false};
  const bool is_whole = input.size() - at >= 2 && input[at] == '\r' && input[at + 1] == '\n';
  state_ = is_whole ? State::chunk_size : State::data_cr;
  return Step{is_whole ? at + 2 : at, data, false};
}

// The trailer section is taken whole, when it is whole: it is short, and bounded.
Result<BodyReader::Step> BodyReader::take_trailers(Bytes input, std::size_t at) {
  const Bytes rest = input.substr(at);
  if (rest.starts_with("\r\n") && limits_.trailer.max_head_bytes >= 2) {
    state_ = State::complete;
    return Step{at + 2, {}, true};
  }
  const Result<std::size_t> size = trailer_parser_.parse(rest, section_);
  if (!size) return fail(size.error());
  if (*size == 0) return Step{at, {}, false};
  keep_trailers(rest);
  state_ = State::complete;
  return Step{at + *size, {}, true};
}

void BodyReader::keep_trailers(Bytes section) {
  const char* const base = section.data();
  for (std::size_t i = 0; i < section_.size(); ++i) {
    const auto [name, value] = section_[i];
    if (!may_be_trailer(name)) continue;
    trailers_.append(intern(name), static_cast<std::size_t>(name.data() - base), name.size(),
                     static_cast<std::size_t>(value.data() - base), value.size());
  }
  trailers_.rebase(base);
}

}  // namespace pipette::http
