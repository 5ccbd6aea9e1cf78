// Caller: whatever makes HTTP calls. Client, HostClient, PipelineClient and LBClient are Callers, so who needs one
// need not know which it is given.
//
//   Result<client::Response> page = co_await caller.get("http://app/");
//   Result<void> done = co_await caller.call(request, response, options);    // reuses both
//
// Errors    see client.h.
// Lifetime  it outlives its calls. Destroying a call's task cancels it.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <string>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/call_options.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"

namespace pipette::client {

class Caller {
 public:
  Caller() = default;
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  virtual ~Caller() = default;

  // `request` and `response` outlive the call; the options are read before this returns. `response` is complete, or
  // unspecified after an error. timed_out at the deadline of the options, operation_canceled when they say stop.
  virtual Task<Result<void>> call(const Request& request, Response& response, const CallOptions& options) = 0;
  Task<Result<void>> call(const Request& request, Response& response) { return call(request, response, kOrdinaryCall); }
  // Calls under way.
  virtual std::size_t pending() const = 0;

  Task<Result<Response>> get(std::string url, CallOptions options = {});
  Task<Result<Response>> head(std::string url, CallOptions options = {});
  Task<Result<Response>> post(std::string url, std::string content_type, std::string body, CallOptions options = {});
  Task<Result<Response>> put(std::string url, std::string content_type, std::string body, CallOptions options = {});
  Task<Result<Response>> call(Request request, CallOptions options = {});

 private:
  Task<Result<Response>> call_with_body(http::Method method, std::string url, std::string content_type,
                                        std::string body, CallOptions options);
};

}  // namespace pipette::client

namespace pipette {
using client::Caller;
}  // namespace pipette
