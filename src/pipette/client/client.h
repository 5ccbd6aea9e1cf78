// Client: HTTP calls over a runtime, on connections that are kept for the next call.
//
//   Client client(runtime);
//   Result<client::Response> page = co_await client.get("http://app/");
//   Result<void> done = co_await client.call(request, response);      // reuses both; a warm call allocates nothing
//
// A call holds one connection while it runs, and waits for one where max_conns_per_host are at work. A kept connection
// that the server has closed meanwhile is noticed before it is used; when that happens during the call, what may safely
// be repeated is (client/retry.h). Redirects are followed (client/redirect.h).
//
// Errors    bad_uri, unsupported_scheme, bad_field_name …; what dialing says; the phases that took too long
//           (client/options.h), timed_out at the call's deadline; end_of_stream or connection_reset when the server
//           goes away; the message rows of Errc when it sends what is not HTTP. A status such as 404 is a response,
//           not an error.
// Lifetime  the runtime outlives it; it outlives its calls. Destroying a call's task cancels it.
// Threads   the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/async/call_options.h"
#include "pipette/async/task.h"
#include "pipette/base/random.h"
#include "pipette/base/result.h"
#include "pipette/client/options.h"
#include "pipette/client/pool.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/client/retry.h"
#include "pipette/http/uri.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"

namespace pipette::client {

// What a client has done so far.
struct ClientCounts {
  std::uint64_t calls = 0;
  std::uint64_t requests = 0;  // that were begun to be sent, repetitions and redirects included
  std::uint64_t dials = 0;
  std::uint64_t reused = 0;  // requests on a connection that had been used before
  std::uint64_t waited = 0;  // for a connection
  std::uint64_t repeated = 0;
  std::uint64_t redirected = 0;
};

class Client {
 public:
  explicit Client(Runtime& runtime) : Client(runtime, ClientOptions()) {}
  Client(Runtime& runtime, ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  Task<Result<Response>> get(std::string url, CallOptions options = {});
  Task<Result<Response>> head(std::string url, CallOptions options = {});
  Task<Result<Response>> post(std::string url, std::string content_type, std::string body, CallOptions options = {});
  Task<Result<Response>> put(std::string url, std::string content_type, std::string body, CallOptions options = {});
  // `request` and `response` outlive the call. `response` is complete, or unspecified after an error.
  Task<Result<void>> call(const Request& request, Response& response);
  // The same for somebody else's sake: timed_out at his deadline too, operation_canceled when he stops.
  Task<Result<void>> call(const Request& request, Response& response, CallOptions options);

  const ClientCounts& counts() const { return counts_; }
  // Of all hosts: idle ones included.
  std::size_t open_connections() const;
  std::size_t idle_connections() const;
  std::size_t hosts() const { return hosts_.size(); }
  void close_idle();

 private:
  struct Host {
    Host(async::Loop& loop, const ClientOptions& options) : pool(loop, options) {}
    Pool pool;
    std::size_t calls = 0;  // under way
  };
  struct Visit;
  using Origin = std::pair<bool, std::string>;  // whether https; authority
  struct OriginLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      if (a.first != b.first) return a.first < b.first;
      return std::string_view(a.second) < std::string_view(b.second);
    }
  };

  Task<Result<Response>> call_with_body(http::Method method, std::string url, std::string content_type,
                                        std::string body, CallOptions options);
  Task<Result<Response>> call_whole(Request request, CallOptions options);
  Task<Result<void>> call_until(const Request& request, Response& response, TimePoint latest);
  // One request, on one host, with its repetitions.
  Task<Result<void>> exchange(const Request& request, Response& response, TimePoint deadline, bool follows);
  // The same with a jar.
  Task<Result<void>> exchange_cookies(const Request& request, Response& response, TimePoint deadline, bool follows);
  Task<Result<void>> follow_redirects(const Request& request, Response& response, TimePoint deadline);
  Task<Result<Pool::Lease>> wait_for(Pool& pool, Pool::Want want, TimePoint deadline);
  Task<Result<void>> open(http::HttpUrl url, Pool::Lease& lease, TimePoint deadline);
  Task<Result<net::Connected>> dial_tunnel(const Proxy& proxy, net::Address target, TimePoint deadline);
  Task<Result<net::Connected>> dial_proxy(const Proxy& proxy, TimePoint deadline);
  Task<Result<net::Secured>> secure(std::unique_ptr<net::Connection> stream, std::string host, TimePoint deadline);
  bool may_repeat(const Failure& failure, bool is_safe, TimePoint deadline, Duration& pause);

  Result<http::HttpUrl> parse(std::string_view text);
  Host& host_of(const http::HttpUrl& url);

  Runtime& runtime_;
  ClientOptions options_;
  Dialer dialer_;
  RetryBudget budget_;
  Random random_;
  ClientCounts counts_;
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
