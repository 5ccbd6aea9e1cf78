// Client: HTTP calls over a runtime, on connections that are kept for the next call.
//
//   Client client(runtime);
//   Result<client::Response> page = co_await client.get("http://app/");
//   Result<void> done = co_await client.call(request, response);      // reuses both; a warm call allocates nothing
//   Result<client::ResponseStream> big = co_await client.stream(request);
//
// A call holds one connection while it runs, and waits for one where max_conns_per_host are at work. A kept connection
// that the server has closed meanwhile is noticed before it is used; when that happens during the call, what may safely
// be repeated is (client/retry.h). Redirects are followed (client/redirect.h).
//
// Errors    bad_uri, unsupported_scheme, bad_field_name …; what dialing says; the phases that took too long
//           (client/options.h), timed_out at the call's deadline, operation_canceled at its stop; end_of_stream or
//           connection_reset when the server goes away; the message rows of Errc when it sends what is not HTTP; what a
//           body source returns. A status such as 404 is a response, not an error.
// Lifetime  the runtime outlives it; it outlives its calls and streams. Destroying a call's task cancels it.
// Threads   the loop's.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/caller.h"
#include "pipette/client/host.h"
#include "pipette/client/options.h"
#include "pipette/client/response_stream.h"
#include "pipette/client/shared.h"
#include "pipette/client/upgrade.h"
#include "pipette/http/uri.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"

namespace pipette::client {

class Client final : public Caller, private Host::Guide {
 public:
  explicit Client(Runtime& runtime) : Client(runtime, ClientOptions()) {}
  Client(Runtime& runtime, ClientOptions options) : shared_(runtime, std::move(options)) {}

  using Caller::call;
  Task<Result<void>> call(const Request& request, Response& response, const CallOptions& options) override;
  // The response as soon as its head is there.
  Task<Result<ResponseStream>> stream(Request request, CallOptions options = {});
  // Asks to go on with one of the protocols of the request's Upgrade field; bad_field_value without one.
  Task<Result<Upgraded>> upgrade(Request request, CallOptions options = {});

  const ClientCounts& counts() const { return shared_.counts; }
  std::size_t pending() const override;
  // Of all hosts: idle ones included.
  std::size_t open_connections() const;
  std::size_t idle_connections() const;
  std::size_t hosts() const { return hosts_.size(); }
  void close_idle();

 private:
  using Origin = std::pair<bool, std::string>;  // whether https; authority
  struct OriginLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      if (a.first != b.first) return a.first < b.first;
      return std::string_view(a.second) < std::string_view(b.second);
    }
  };

  class Hop;

  Task<Result<void>> call_with(const Request& request, Response& response, TimePoint deadline, CallOptions options);
  Task<Result<void>> hop(const Request& request, Response& response, const Terms& given, Host::Kept* kept);
  Task<Result<void>> hop_and_follow(const Request& request, Response& response, const Terms& terms);
  Host::Target find(const Request& request) override;
  Task<Result<void>> follow(const Request& request, Response& response, const Terms& terms) override;
  Task<Result<void>> follow_with(Request& next, Response& response, const Terms& terms, Host::Kept* kept);
  Task<Result<void>> open_stream(ResponseStream::State& state);
  Task<Result<void>> switch_protocol(Request& request, Upgraded& upgraded, const Terms& terms);

  Result<http::HttpUrl> parse(std::string_view text);
  Host& host_of(const http::HttpUrl& url);

  Shared shared_;
  std::map<Origin, Host, OriginLess> hosts_;
  std::string last_url_text_;
  http::HttpUrl last_url_;     // views into last_url_text_
  Host* last_host_ = nullptr;  // its host
};

}  // namespace pipette::client

namespace pipette {
using client::Client;
using client::ClientOptions;
}  // namespace pipette
