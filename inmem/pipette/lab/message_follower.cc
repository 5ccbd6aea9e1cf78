// Heads and trailers are kept until they are whole, and grow line by line, so that nothing behind them is copied and
// their end is known to the octet. Bodies are read where they stand.

#include "pipette/lab/message_follower.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/base/errc.h"
#include "pipette/http/framing.h"
#include "pipette/http/status.h"

namespace pipette::lab {
namespace {

// What a test sends on purpose is often too much for a server, and should be told all the same.
constexpr std::size_t kMaxLineBytes = 1024 * 1024;
constexpr http::HeadLimits kHeadLimits{.max_target_bytes = kMaxLineBytes,
                                       .max_start_line_bytes = kMaxLineBytes + 64,
                                       .max_field_bytes = kMaxLineBytes,
                                       .max_fields = http::kMaxFields,
                                       .max_head_bytes = 16 * kMaxLineBytes};
constexpr http::BodyLimits kBodyLimits{
    .max_body_bytes = UINT64_MAX / 4, .max_chunk_overhead_bytes = UINT64_MAX / 4, .trailer = kHeadLimits};

constexpr std::string_view kResponseBegin = "HTTP/1.";

// Up to the end of the first line, or all of it.
Bytes first_line(Bytes octets) {
  const std::size_t line_end = octets.find('\n');
  return octets.substr(0, line_end == Bytes::npos ? line_end : line_end + 1);
}

// Whether `begin` may become a head: the parsers judge whole lines only, and garbage may never end one.
bool may_be_request(Bytes begin) {
  const std::size_t method_at = std::min(begin.find_first_not_of("\r\n"), begin.size());
  const Bytes method = begin.substr(method_at, begin.substr(method_at).find(' '));
  return method.size() <= http::kMaxMethodBytes && std::ranges::all_of(method, ascii::is_token_char);
}

bool may_be_response(Bytes begin) {
  const std::size_t size = std::min(begin.size(), kResponseBegin.size());
  return begin.substr(0, size) == kResponseBegin.substr(0, size);
}

}  // namespace

bool Message::is_interim() const { return http::is_interim(status) && status != 101; }

std::uint64_t Message::missing_bytes() const {
  return length.kind == http::BodyLength::Kind::exact ? length.size - body_bytes : 0;
}

MessageFollower::MessageFollower(Role role, Conversation& conversation)
    : role_(role),
      conversation_(&conversation),
      request_parser_(kHeadLimits),
      response_parser_(kHeadLimits),
      body_(http::BodyLength(), kBodyLimits) {}

MessageFollower::Run MessageFollower::follow(Bytes next) {
  assert(!next.empty());
  if (phase() == Phase::lost) return give_up(next, why_lost_);
  if (phase() == Phase::tunnel) {
    message_.octets += next.size();
    return {.size = next.size(), .phase = Phase::tunnel};
  }
  const bool begins = phase_ == Phase::idle;
  if (begins) {
    message_ = Message();
    message_.number = whole_ + 1;
    phase_ = Phase::head;
  }
  Run run = phase_ == Phase::head ? follow_head(next) : follow_body(next);
  run.begins = begins;
  return run;
}

void MessageFollower::finish() {
  if (phase_ != Phase::body || !body_.finish()) return;
  end_message();
}

void MessageFollower::lose(std::string_view why) {
  phase_ = Phase::lost;
  why_lost_ = std::string(why);
  pending_.clear();
}

// What cannot be understood belongs to the message it was found in.
MessageFollower::Run MessageFollower::give_up(Bytes next, std::string_view why) {
  lose(why);
  message_.octets += next.size();
  return {.size = next.size(), .phase = Phase::lost};
}

MessageFollower::Run MessageFollower::follow_head(Bytes next) {
  Run run{.phase = Phase::head};
  while (run.size < next.size()) {
    const Bytes line = first_line(next.substr(run.size));
    pending_ += line;
    run.size += line.size();
    if (const bool may_be = role_ == Role::client ? may_be_request(pending_) : may_be_response(pending_); !may_be) {
      return give_up(next, role_ == Role::client ? "no request begins so" : "no response begins so");
    }
    const Result<std::size_t> head_bytes = parse_pending();
    if (!head_bytes) return give_up(next, errc_row(errc_of(head_bytes.error())).message);
    if (*head_bytes == 0) continue;
    if (const Result<void> taken = take_head(); !taken) return give_up(next, errc_row(errc_of(taken.error())).message);
    message_.octets = message_.head_bytes = *head_bytes;
    run.ends_head = true;
    run.ends = phase_ == Phase::idle;
    return run;
  }
  message_.octets = pending_.size();
  return run;
}

Result<std::size_t> MessageFollower::parse_pending() {
  if (role_ == Role::client) return request_parser_.parse(pending_, request_);
  return response_parser_.parse(pending_, response_);
}

Result<void> MessageFollower::take_head() {
  const Result<void> taken = role_ == Role::client ? take_request() : take_response();
  pending_.clear();
  request_parser_.reset();
  response_parser_.reset();
  if (!taken) return taken;
  body_.reset(message_.length);
  phase_ = Phase::body;
  if (body_.is_complete()) end_message();
  return {};
}

Result<void> MessageFollower::take_request() {
  const Result<http::BodyLength> length = http::body_length(request_);
  if (!length) return fail(length.error());
  message_.length = *length;
  message_.fields = request_.fields.size();
  message_.request.append(request_.method_text).append(" ").append(request_.target);
  message_.start_line = message_.request + (request_.is_http_1_0 ? " HTTP/1.0" : " HTTP/1.1");
  const bool is_answered = ++conversation_->asked <= conversation_->answered;
  if (!is_answered) conversation_->unanswered.push_back({request_.method, message_.request});
  return {};
}

Result<void> MessageFollower::take_response() {
  message_.status = response_.status;
  const bool is_final = !message_.is_interim();
  Asked asked;
  if (!conversation_->unanswered.empty()) asked = conversation_->unanswered.front();
  const Result<http::BodyLength> length = http::body_length(response_, asked.method);
  if (!length) return fail(length.error());
  message_.length = *length;
  message_.fields = response_.fields.size();
  message_.start_line = std::to_string(response_.status);
  if (!response_.reason.empty()) message_.start_line.append(" ").append(response_.reason);
  message_.request = asked.name;
  if (!is_final) return {};
  ++conversation_->answered;
  if (!conversation_->unanswered.empty()) conversation_->unanswered.pop_front();
  const bool is_connected = asked.method == http::Method::connect && response_.status / 100 == 2;
  if (response_.status == 101 || is_connected) conversation_->is_tunnel = true;
  return {};
}

MessageFollower::Run MessageFollower::follow_body(Bytes next) {
  if (!pending_.empty()) return follow_trailers(next);
  const Result<http::BodyReader::Step> step = body_.next(next);
  if (!step) return give_up(next, errc_row(errc_of(step.error())).message);
  if (step->consumed == 0) {
    pending_ = next;  // trailers that are not whole: the reader has seen these octets, and wants to see them all again
    message_.octets += next.size();
    return {.size = next.size(), .phase = Phase::body};
  }
  message_.octets += step->consumed;
  message_.body_bytes += step->data.size();
  if (step->is_complete) end_message();
  return {.size = step->consumed, .phase = Phase::body, .body_bytes = step->data.size(), .ends = step->is_complete};
}

MessageFollower::Run MessageFollower::follow_trailers(Bytes next) {
  Run run{.phase = Phase::body};
  while (run.size < next.size() && !run.ends) {
    const Bytes line = first_line(next.substr(run.size));
    pending_ += line;
    run.size += line.size();
    const Result<http::BodyReader::Step> step = body_.next(pending_);
    if (!step) return give_up(next, errc_row(errc_of(step.error())).message);
    run.ends = step->is_complete;
  }
  message_.octets += run.size;
  if (run.ends) end_message();
  return run;
}

void MessageFollower::end_message() {
  pending_.clear();
  phase_ = Phase::idle;
  ++whole_;
}

}  // namespace pipette::lab
