// HostClient: calls at one origin.
//
//   HostClient app(runtime, "http://app:8080");
//   Result<client::Response> page = co_await app.get("/things");
//   HostClient local(runtime, "http://app", {*net::Address::parse("unix:/run/app.sock")});      // reached elsewhere
//
// A URL is a path, or has the scheme and the authority of the base. Connections go where the base says, or to the
// addresses, each dial beginning at the next one and trying all. A redirect is a response like any other, and there are
// no cookies: those are Client's.
//
// Errors    as of Client; bad_uri for a base that is no origin, and for a URL of another one.
// Lifetime  the runtime outlives it; it outlives its calls and streams.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/caller.h"
#include "pipette/client/host.h"
#include "pipette/client/options.h"
#include "pipette/client/origin.h"
#include "pipette/client/response_stream.h"
#include "pipette/client/shared.h"
#include "pipette/net/address.h"
#include "pipette/net/runtime.h"

namespace pipette::client {

class HostClient final : public Caller, private Host::Guide {
 public:
  HostClient(Runtime& runtime, std::string base, ClientOptions options = {})
      : HostClient(runtime, std::move(base), {}, std::move(options)) {}
  HostClient(Runtime& runtime, std::string base, std::vector<net::Address> addresses, ClientOptions options = {});

  using Caller::call;
  Task<Result<void>> call(const Request& request, Response& response, const CallOptions& options) override;
  Task<Result<ResponseStream>> stream(Request request, CallOptions options = {});
  std::size_t pending() const override { return host_.calls(); }

  const ClientCounts& counts() const { return shared_.counts; }
  std::size_t open_connections() const { return host_.pool().open(); }
  std::size_t idle_connections() const { return host_.pool().idle(); }
  void close_idle() { host_.close_idle(); }

 private:
  Task<Result<void>> call_with(const Request& request, Response& response, TimePoint deadline, CallOptions options);
  Host::Target find(const Request& request) override;

  Origin origin_;
  Shared shared_;
  Host host_;
};

}  // namespace pipette::client

namespace pipette {
using client::HostClient;
}  // namespace pipette
