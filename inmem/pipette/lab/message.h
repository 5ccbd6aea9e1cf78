// Where HTTP messages end in the octets of a test, and which requests were asked in them.
//
//   find_request(octets)                  --> its size and method; size 0: it is not whole yet
//   find_response(octets, method, end)    --> its size, and all of it in memory of its own; size 0 likewise
//   SentRequests                          --> the methods of the requests in what was sent, in order
//
// Nothing is bounded here but heads: who writes a test chooses what it holds.
//
// Errors    those of the parsers; incomplete_message when `is_end` and the message is not whole.
// Lifetime  nothing borrows from the octets.   Threads  one.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/client/response.h"
#include "pipette/http/method.h"

namespace pipette::lab {

struct FoundRequest {
  std::size_t size = 0;
  http::Method method = http::Method::get;
};
Result<FoundRequest> find_request(Bytes octets);

struct FoundResponse {
  std::size_t size = 0;
  client::Response response;
};
// `method` is that of the request it answers; `is_end`: nothing more will come. Interim responses are found too.
Result<FoundResponse> find_response(Bytes octets, http::Method method, bool is_end);

class SentRequests {
 public:
  void add(Bytes octets);
  // The method of the next request, which is forgotten; GET when none is known.
  http::Method take();
  // The same, and it stays the next one.
  http::Method next() const { return methods_.empty() ? http::Method::get : methods_.front(); }

 private:
  std::string rest_;  // of a request that is not whole
  std::deque<http::Method> methods_;
  bool is_lost_ = false;  // behind something that is no request
};

}  // namespace pipette::lab
