// Whole messages in the octets of a test: where they end, what a response holds, and which requests were asked.
//
//   request_size(octets)                  --> of the first request; 0: it is not whole yet; nothing: it is none
//   find_response(octets, method, end)    --> its size, and all of it in memory of its own; size 0: not whole yet
//   SentRequests                          --> the methods of the requests in what was sent, in order
//
// Requests are followed (message_follower.h), since only their places and methods are wanted. A response is read by the
// parsers of http/ themselves: it stands in one piece, and what is wanted is its fields and its body, which a follower
// does not keep.
//
// Nothing is bounded here but heads: who writes a test chooses what it holds.
//
// Errors    those of the parsers; incomplete_message when `is_end` and the response is not whole.
// Lifetime  nothing borrows from the octets.   Threads  one.
#pragma once

#include <cstddef>
#include <optional>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/client/response.h"
#include "pipette/http/method.h"
#include "pipette/lab/message_follower.h"

namespace pipette::lab {

std::optional<std::size_t> request_size(Bytes octets);

struct FoundResponse {
  std::size_t size = 0;
  client::Response response;
};
// `method` is that of the request it answers; `is_end`: nothing more will come. Interim responses are found too.
Result<FoundResponse> find_response(Bytes octets, http::Method method, bool is_end);

// A request counts from the end of its head on: it may be answered before its body is whole.
class SentRequests {
 public:
  SentRequests() = default;
  SentRequests(const SentRequests&) = delete;
  SentRequests& operator=(const SentRequests&) = delete;

  void add(Bytes octets);
  // The method of the next request, which is forgotten; GET when none is known.
  http::Method take();
  // The same, and it stays the next one.
  http::Method next() const;

 private:
  Conversation conversation_;
  MessageFollower follower_{Role::client, conversation_};
};

}  // namespace pipette::lab
