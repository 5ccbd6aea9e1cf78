#include "pipette/lab/message.h"

#include "pipette/http/body_reader.h"
#include "pipette/http/framing.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/status.h"

namespace pipette::lab {
namespace {

// The octets of a body that begins `octets`, and in `body` what is in it; nothing when it is not whole.
Result<std::optional<std::size_t>> find_body(Bytes octets, http::BodyLength length, bool is_end, std::string* body) {
  http::BodyLimits limits;
  limits.max_body_bytes = UINT64_MAX;
  limits.max_chunk_overhead_bytes = UINT64_MAX;
  http::BodyReader reader(length, limits);
  std::size_t at = 0;
  for (;;) {
    const Result<http::BodyReader::Step> step = reader.next(octets.substr(at));
    if (!step) return fail(step.error());
    at += step->consumed;
    if (body != nullptr) body->append(step->data);
    if (step->is_complete) return at;
    if (step->consumed > 0) continue;
    if (!is_end) return std::nullopt;
    if (const Result<void> finished = reader.finish(); !finished) return fail(finished.error());
    return at;
  }
}

}  // namespace

Result<FoundRequest> find_request(Bytes octets) {
  http::RequestParser parser;
  http::RequestHead head;
  const Result<std::size_t> head_size = parser.parse(octets, head);
  if (!head_size) return fail(head_size.error());
  if (*head_size == 0) return FoundRequest();
  const Result<http::BodyLength> length = http::body_length(head);
  if (!length) return fail(length.error());
  const auto body_size = find_body(octets.substr(*head_size), *length, false, nullptr);
  if (!body_size) return fail(body_size.error());
  if (!*body_size) return FoundRequest();
  return FoundRequest{*head_size + **body_size, head.method};
}

Result<FoundResponse> find_response(Bytes octets, http::Method method, bool is_end) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  std::string front(octets.substr(0, octets.find(kHeadEnd)));
  if (front.size() < octets.size()) front += kHeadEnd;
  http::ResponseParser parser;
  http::ResponseHead head;
  const Result<std::size_t> head_size = parser.parse(front, head);
  if (!head_size) return fail(head_size.error());
  if (*head_size == 0) return is_end ? Result<FoundResponse>(fail(Errc::incomplete_message)) : FoundResponse();
  FoundResponse found;
  found.response.assign(head, front);
  found.size = *head_size;
  if (http::is_interim(head.status)) return found;
  const Result<http::BodyLength> length = http::body_length(head, method);
  if (!length) return fail(length.error());
  const auto body_size = find_body(octets.substr(*head_size), *length, is_end, &found.response.body);
  if (!body_size) return fail(body_size.error());
  if (!*body_size) return FoundResponse();
  found.size += **body_size;
  return found;
}

void SentRequests::add(Bytes octets) {
  if (is_lost_) return;
  rest_ += octets;
  for (;;) {
    const Result<FoundRequest> found = find_request(rest_);
    is_lost_ = !found;
    if (is_lost_) rest_.clear();
    if (is_lost_ || found->size == 0) return;
    methods_.push_back(found->method);
    rest_.erase(0, found->size);
  }
}

http::Method SentRequests::take() {
  const http::Method method = next();
  if (!methods_.empty()) methods_.pop_front();
  return method;
}

}  // namespace pipette::lab
