#include "pipette/client/response_reader.h"

#include <algorithm>
#include <cstring>

#include "pipette/base/assign.h"
#include "pipette/http/status.h"

namespace pipette::client {
namespace {

using Kind = http::BodyLength::Kind;

constexpr int kMaxInterimResponses = 100;
constexpr std::size_t kLeastRoomBytes = 64 * 1024;

}  // namespace

void ResponseReader::begin(http::Method method, std::uint64_t max_body_bytes, bool wants_upgrade) {
  method_ = method;
  max_body_bytes_ = max_body_bytes;
  wants_upgrade_ = wants_upgrade;
  interim_count_ = 0;
  keeps_alive_ = true;
  has_head_ = false;
  parser_.reset();
}

Result<ResponseReader::Took> ResponseReader::take_head(Buffer& in, Response& response) {
  if (in.empty()) return Took::nothing;
  const Result<std::size_t> size = parser_.parse(in.contents(), head_);
  if (!size) return fail(size.error());
  if (*size == 0) return Took::nothing;
  const bool is_switch = head_.status == 101;
  if (is_switch && !wants_upgrade_) return fail(Errc::unexpected_response);
  if (http::is_interim(head_.status) && !is_switch) {
    if (++interim_count_ > kMaxInterimResponses) return fail(Errc::too_many_interim_responses);
    in.consume(*size);
    parser_.reset();
    return Took::interim;
  }
  if (!is_switch) {
    const Result<http::BodyLength> length = http::body_length(head_, method_);
    if (!length) return fail(length.error());
    length_ = *length;
  } else {
    length_ = {};
  }
  keeps_alive_ = http::persists(head_.is_http_1_0, head_.fields) && length_.kind != Kind::until_close && !is_switch;
  response.assign(head_, Bytes(in.readable().data(), *size));
  in.consume(*size);
  is_in_body_ = false;
  has_head_ = true;
  return Took::head;
}

Result<bool> ResponseReader::take_body(Buffer& in, Response& response) {
  if (!is_in_body_) {
    if (length_.kind == Kind::none) return true;
    const bool is_whole = length_.kind == Kind::exact && length_.size <= in.size() && length_.size <= max_body_bytes_;
    if (is_whole) {
      assign(response.body, Bytes(in.readable().data(), length_.size));
      in.consume(length_.size);
      return true;
    }
    if (const Result<void> begun = begin_body(); !begun) return fail(begun.error());
  }
  for (;;) {
    const Bytes input = in.readable();
    const Result<http::BodyReader::Step> step = body_.next(input);
    if (!step) return fail(step.error());
    response.body.append(step->data);
    left_ -= std::min<std::uint64_t>(left_, step->data.size());
    keep_trailers(input, *step, response);
    in.consume(step->consumed);
    if (step->is_complete) return true;
    if (step->consumed == 0) return false;
  }
}

Result<ResponseReader::Some> ResponseReader::take_some(Buffer& in, MutableBytes into, Response& response) {
  Some some;
  if (!is_in_body_) {
    if (const Result<void> begun = begin_body(); !begun) return fail(begun.error());
  }
  bool is_stuck = false;
  while (!some.is_complete && some.size < into.size()) {
    // As much as is sure to fit. Only trailers are taken as a whole, and they have no data.
    const Bytes input = is_stuck ? in.readable() : in.readable().substr(0, into.size() - some.size);
    const Result<http::BodyReader::Step> step = body_.next(input);
    if (!step) return fail(step.error());
    if (!step->data.empty()) std::memcpy(into.data() + some.size, step->data.data(), step->data.size());
    some.size += step->data.size();
    keep_trailers(input, *step, response);
    in.consume(step->consumed);
    some.is_complete = step->is_complete;
    if (step->consumed > 0) continue;
    if (is_stuck || input.size() == in.size()) break;
    is_stuck = true;
  }
  return some;
}

Result<void> ResponseReader::begin_body() {
  http::BodyLimits limits;
  limits.max_body_bytes = max_body_bytes_;
  limits.trailer = limits_;
  body_ = http::BodyReader(length_, limits);
  left_ = length_.size;
  is_in_body_ = true;
  return body_.check_declared_length();
}

// They stand behind the data of the step that completes the body.
void ResponseReader::keep_trailers(Bytes input, const http::BodyReader::Step& step, Response& response) {
  if (!step.is_complete || body_.trailers().empty()) return;
  const std::size_t at = step.data.empty() ? 0 : static_cast<std::size_t>(step.data.data() - input.data());
  response.trailers.assign(body_.trailers(), input.substr(at, step.consumed - at));
}

MutableBytes ResponseReader::room_in(std::string& body) const {
  if (length_.kind != Kind::exact && length_.kind != Kind::until_close) return {};
  const std::size_t size = body.size();
  std::size_t room = std::max({kLeastRoomBytes, size, body.capacity() - size});  // as it grows, not as it was declared
  if (length_.kind == Kind::exact) room = static_cast<std::size_t>(std::min<std::uint64_t>(room, left_));
  // Not the size that is passed: libstdc++ 12 passes what it has made room for, which may be more than is declared.
  body.resize_and_overwrite(size + room, [all = size + room](char*, std::size_t) { return all; });
  return MutableBytes(body).subspan(size);
}

Result<bool> ResponseReader::commit(std::string& body, std::size_t size_before, std::size_t count) {
  body.resize(size_before + count);
  const Result<http::BodyReader::Step> step = body_.next(Bytes(body).substr(size_before));
  if (!step) return fail(step.error());
  left_ -= std::min<std::uint64_t>(left_, count);
  return step->is_complete;
}

Result<void> ResponseReader::end() { return body_.finish(); }

}  // namespace pipette::client
