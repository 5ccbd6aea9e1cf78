// Of what is in the body, delimiters are found by DelimiterSearch and heads parsed by FieldSectionParser; the states
// here are the lines that delimiters stand in. Input beyond max_total_bytes is not looked at, so that which limit is
// met first does not depend on how the octets were cut.

#include "pipette/http/multipart_reader.h"

#include <algorithm>
#include <cassert>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

constexpr std::size_t kMaxPartFields = 64;
constexpr std::size_t kHeadStep = 256;  // of a head in pieces, how much is copied at once at least

HeadLimits head_limits(const MultipartLimits& limits) {
  return {.max_field_bytes = limits.max_part_head_bytes,
          .max_fields = kMaxPartFields,
          .max_head_bytes = limits.max_part_head_bytes};
}

// A part's head is no message's: what is wrong with it is said of the body.
Errc part_error(std::error_code error) {
  switch (errc_of(error)) {
    case Errc::head_too_large:
    case Errc::field_too_large:
    case Errc::too_many_fields:
      return Errc::part_head_too_large;
    default:
      return Errc::bad_multipart;
  }
}

}  // namespace

MultipartReader::MultipartReader(const Boundary& boundary, const MultipartLimits& limits)
    : limits_(limits), search_(boundary), head_parser_(head_limits(limits)) {}

void MultipartReader::reset(const Boundary& boundary) {
  search_ = internal::DelimiterSearch(boundary);
  state_ = State::preamble;
  failure_.clear();
  parts_ = 0;
  total_ = part_bytes_ = discarded_ = 0;
}

Result<void> MultipartReader::finish() const {
  switch (state_) {
    case State::close_padding:
    case State::epilogue:
      return {};
    case State::failed:
      return fail(failure_);
    default:
      return fail(Errc::bad_multipart);
  }
}

Result<MultipartReader::Step> MultipartReader::next(Bytes input) {
  if (state_ == State::failed) return fail(failure_);
  const Bytes allowed = input.substr(0, std::min<std::uint64_t>(input.size(), limits_.max_total_bytes - total_));
  Result<Step> step = take_all(allowed);
  if (step) {
    total_ += step->consumed;
    if (step->event == Event::more && allowed.size() < input.size()) step = fail(Errc::multipart_too_large);
  }
  if (!step) {
    state_ = State::failed;
    failure_ = step.error();
  }
  return step;
}

// Up to the next event, or to the end of the input.
Result<MultipartReader::Step> MultipartReader::take_all(Bytes input) {
  std::size_t consumed = 0;
  for (;;) {
    Result<Step> step = take(input.substr(consumed));
    if (!step) return step;
    consumed += step->consumed;
    step->consumed = consumed;
    if (step->event != Event::more || consumed == input.size()) return step;
  }
}

Result<MultipartReader::Step> MultipartReader::take(Bytes input) {
  switch (state_) {
    case State::preamble:
      return take_preamble(input);
    case State::content:
      return take_content(input);
    case State::epilogue:
      if (const Result<void> kept = discard(input.size()); !kept) return fail(kept.error());
      return Step{.consumed = input.size()};
    case State::head:
      return input.empty() ? Step{} : take_head(input);
    default:
      return input.empty() ? Step{} : take_delimiter_octet(input.front());
  }
}

Result<MultipartReader::Step> MultipartReader::take_preamble(Bytes input) {
  const internal::DelimiterSearch::Step step = search_.next(input);
  if (const Result<void> kept = discard(step.data.size()); !kept) return fail(kept.error());
  if (step.is_found) state_ = State::delimiter_end;
  return Step{.consumed = step.consumed};
}

Result<MultipartReader::Step> MultipartReader::take_content(Bytes input) {
  const internal::DelimiterSearch::Step step = search_.next(input);
  if (step.is_found) {
    state_ = State::delimiter_end;
    return Step{.consumed = step.consumed, .event = Event::part_end};
  }
  if (step.data.empty()) return Step{.consumed = step.consumed};
  if (step.data.size() > limits_.max_part_bytes - part_bytes_) return fail(Errc::part_too_large);
  part_bytes_ += step.data.size();
  return Step{.consumed = step.consumed, .event = Event::data, .data = step.data};
}

// In place when it is whole; otherwise beside, with not much more of the input than belongs to it.
Result<MultipartReader::Step> MultipartReader::take_head(Bytes input) {
  const std::size_t before = head_.size();
  Bytes head = input;
  if (before > 0) {
    head_ += input.substr(0, std::max(kHeadStep, before));
    head = head_;
  }
  const Result<std::size_t> size = head_parser_.parse(head, fields_);
  if (!size) return fail(part_error(size.error()));
  if (*size > 0) return begin_part(*size - before);
  if (before == 0) head_ = input;
  return Step{.consumed = head_.size() - before};
}

Result<MultipartReader::Step> MultipartReader::begin_part(std::size_t consumed) {
  search_.begin_at_line();
  part_bytes_ = 0;
  state_ = State::content;
  return Step{.consumed = consumed, .event = Event::part_begin};
}

// What may stand behind a boundary: "--", then or instead *( SP / HTAB ) CRLF. RFC 2046 §5.1.1.
Result<MultipartReader::Step> MultipartReader::take_delimiter_octet(char c) {
  switch (state_) {
    case State::delimiter_end:
      if (c != '-') return take_padding(c, State::padding, State::line_feed);
      state_ = State::second_dash;
      return Step{.consumed = 1};
    case State::padding:
      return take_padding(c, State::padding, State::line_feed);
    case State::line_feed:
      if (c != '\n') return fail(Errc::bad_multipart);
      return begin_head();
    case State::second_dash:
      if (c != '-') return fail(Errc::bad_multipart);
      state_ = State::close_padding;
      return Step{.consumed = 1, .event = Event::complete};
    case State::close_padding:
      return take_padding(c, State::close_padding, State::close_line_feed);
    case State::close_line_feed:
      if (c != '\n') return fail(Errc::bad_multipart);
      state_ = State::epilogue;
      return Step{.consumed = 1};
    default:
      assert(false);
      return fail(Errc::bad_multipart);
  }
}

Result<MultipartReader::Step> MultipartReader::take_padding(char c, State padding, State line_feed) {
  if (c == '\r') {
    state_ = line_feed;
    return Step{.consumed = 1};
  }
  if (!ascii::is_space_or_tab(c)) return fail(Errc::bad_multipart);
  state_ = padding;
  if (const Result<void> kept = discard(1); !kept) return fail(kept.error());
  return Step{.consumed = 1};
}

Result<MultipartReader::Step> MultipartReader::begin_head() {
  if (parts_ == limits_.max_parts) return fail(Errc::too_many_parts);
  ++parts_;
  head_.clear();
  head_parser_.reset();
  state_ = State::head;
  return Step{.consumed = 1};
}

Result<void> MultipartReader::discard(std::size_t count) {
  if (count > limits_.max_discarded_bytes - discarded_) return fail(Errc::multipart_too_large);
  discarded_ += count;
  return {};
}

}  // namespace pipette::http
