// PipelineClient: calls at one origin, many at a time on few connections.
//
//   PipelineClient app(runtime, "http://app:8080");
//   Result<client::Response> page = co_await app.get("/things");       // and a thousand others beside it
//
//   calls of one turn of the loop ──> one write ──> server ──> one read ──> their responses, in order
//
// For many small calls at a server that is near and does not keep one waiting for another: a response that is slow, or
// large, holds up all those behind it. Everything is sent at once, whatever its method; who must know that one call is
// done before the next begins awaits it. A call goes where the fewest responses are waited for; while that is nowhere
// none, a connection more is opened, up to max_connections.
//
// Where every connection has as many calls as it may have, or as much to send, a call fails at once with
// pipeline_overflow: those before it have been sent already, or are sent sooner than it could be, so that giving one of
// them up would gain nothing.
//
// A call that is late, stopped or destroyed leaves the connection as it is; its response is dropped. One whose request
// has not begun to go out takes it along. When a connection breaks, all its calls fail, but for those of which nothing
// was sent: they go to a new one. When the server says that it closes the connection, so do those with idempotent
// methods, once (RFC 9112 §9.3.2, RFC 9110 §9.2.2). Nothing else is repeated, and neither is a dial: its failure is
// that of all calls that waited for it, and the next call dials again.
//
// A URL is a path, or has the scheme and the authority of the base. A redirect is a response like any other, and there
// are no cookies. The trace of a call is told of its connection, of repetitions and of the end; of dials, that of the
// options.
//
// Errors    as of Client, where response_header_timeout, body_timeout, write_timeout and whatever is wrong with a
//           response end all calls of the connection; pipeline_overflow; not_supported for body sources, upgrades and
//           what waits for 100; managed_field for "Connection: close"; bad_uri for a base that is no origin, and for a
//           URL of another one.
// Bounds    max_connections, each with max_pending_per_connection and max_unsent_bytes; a response as of ClientOptions.
// Lifetime  the runtime outlives it; it outlives its calls.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/caller.h"
#include "pipette/client/origin.h"
#include "pipette/client/pipeline_connection.h"
#include "pipette/client/pipeline_options.h"
#include "pipette/client/pipelined_call.h"
#include "pipette/client/shared.h"
#include "pipette/net/runtime.h"

namespace pipette::client {

class PipelineClient final : public Caller {
 public:
  PipelineClient(Runtime& runtime, std::string base, PipelineOptions options = {});

  using Caller::call;
  Task<Result<void>> call(const Request& request, Response& response, const CallOptions& options) override;
  std::size_t pending() const override { return calls_; }

  const ClientCounts& counts() const { return shared_.counts; }
  std::size_t open_connections() const;
  void close_idle();
  // All connections: calls under way fail with operation_canceled. The next one opens a new connection.
  void close();

 private:
  Task<Result<void>> call_with(const Request& request, Response& response, TimePoint deadline, CallOptions options);
  Task<Result<void>> exchange(const Request& request, Response& response, TimePoint deadline, const Terms& given);
  PipelineConnection* choose();

  Origin origin_;
  const PipelineLimits limits_;
  Shared shared_;
  CallDeadlines deadlines_;
  std::vector<std::unique_ptr<PipelineConnection>> connections_;
  std::size_t calls_ = 0;
};

}  // namespace pipette::client

namespace pipette {
using client::PipelineClient;
using client::PipelineOptions;
}  // namespace pipette
