#include "pipette/lab/message.h"

#include <string>

#include "pipette/http/body_reader.h"
#include "pipette/http/framing.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/status.h"

namespace pipette::lab {
namespace {

// The octets of a body that begins `octets`, and in `body` what is in it; nothing when it is not whole.
Result<std::optional<std::size_t>> find_body(Bytes octets, http::BodyLength length, bool is_end, std::string& body) {
  http::BodyLimits limits;
  limits.max_body_bytes = UINT64_MAX;
  limits.max_chunk_overhead_bytes = UINT64_MAX;
  http::BodyReader reader(length, limits);
  std::size_t at = 0;
  for (;;) {
    const Result<http::BodyReader::Step> step = reader.next(octets.substr(at));
    if (!step) return fail(step.error());
    at += step->consumed;
    body += step->data;
    if (step->is_complete) return at;
    if (step->consumed > 0) continue;
    if (!is_end) return std::nullopt;
    if (const Result<void> finished = reader.finish(); !finished) return fail(finished.error());
    return at;
  }
}

}  // namespace

std::optional<std::size_t> request_size(Bytes octets) {
  Conversation conversation;
  MessageFollower follower(Role::client, conversation);
  for (Bytes left = octets; !left.empty();) {
    const MessageFollower::Run run = follower.follow(left);
    left.remove_prefix(run.size);
    if (run.phase == MessageFollower::Phase::lost) return std::nullopt;
    if (run.ends) return octets.size() - left.size();
  }
  return 0;
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
  const auto body_size = find_body(octets.substr(*head_size), *length, is_end, found.response.body);
  if (!body_size) return fail(body_size.error());
  if (!*body_size) return FoundResponse();
  found.size += **body_size;
  return found;
}

void SentRequests::add(Bytes octets) {
  while (!octets.empty()) octets.remove_prefix(follower_.follow(octets).size);
}

http::Method SentRequests::take() {
  const http::Method method = next();
  if (!conversation_.unanswered.empty()) conversation_.unanswered.pop_front();
  return method;
}

http::Method SentRequests::next() const {
  return conversation_.unanswered.empty() ? http::Method::get : conversation_.unanswered.front().method;
}

}  // namespace pipette::lab
