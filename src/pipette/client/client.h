// Client: HTTP calls over a runtime, on connections that are kept for the next call.
//
//   Client client(runtime);
//   Result<client::Response> page = co_await client.get("http://app/");
//   Result<void> done = co_await client.call(request, response);      // reuses both; a warm call allocates nothing
//
// A call holds one connection while it runs. A kept connection that the server has closed meanwhile is noticed
// before it is used; when that happens during the call, an idempotent request is sent once more on a new one.
//
// Errors    bad_uri, unsupported_scheme, bad_field_name …; what dialing says; timed_out at the call's deadline;
//           end_of_stream or connection_reset when the server goes away; the message rows of Errc when it sends
//           what is not HTTP. A status such as 404 is a response, not an error.
// Lifetime  the runtime outlives it; it outlives its calls. Destroying a call's task cancels it.
// Threads   the loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/call_options.h"
#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/options.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/http/framing.h"
#include "pipette/http/uri.h"
#include "pipette/net/runtime.h"

namespace pipette::client {

struct KeptConnection;

class Client {
 public:
  explicit Client(Runtime& runtime) : Client(runtime, ClientOptions()) {}
  Client(Runtime& runtime, ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  Task<Result<Response>> get(std::string url);
  Task<Result<Response>> post(std::string url, std::string content_type, std::string body);
  // `request` and `response` outlive the call. `response` is complete, or unspecified after an error.
  Task<Result<void>> call(const Request& request, Response& response) { return call_until(request, response, kNever); }

  // The same for somebody else's sake: timed_out at his deadline too, operation_canceled when he stops.
  Task<Result<Response>> get(std::string url, CallOptions options);
  Task<Result<void>> call(const Request& request, Response& response, CallOptions options);

  std::size_t idle_connections() const;
  void close_idle();

 private:
  struct Host;

  Task<Result<void>> call_until(const Request& request, Response& response, TimePoint latest);
  Result<http::HttpUrl> parse(std::string_view text);
  Host& host_of(const http::HttpUrl& url);
  std::unique_ptr<KeptConnection> take_idle(Host& host, TimePoint deadline);
  void give_back(Host& host, std::unique_ptr<KeptConnection> connection);
  Task<Result<std::unique_ptr<KeptConnection>>> connect(http::HttpUrl url, TimePoint deadline);

  Result<void> write_request(const http::HttpUrl& url, const Request& request, KeptConnection& connection) const;
  async::Soon<Result<void>> send(KeptConnection& connection, const Request& request);
  Task<Result<void>> send_slowly(KeptConnection& connection, const Request& request, std::size_t written);
  Task<Result<void>> receive(KeptConnection& connection, http::Method method, Response& response);
  Task<Result<void>> receive_body(KeptConnection& connection, http::BodyLength length, Response& response);

  Runtime& runtime_;
  ClientOptions options_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::string last_url_text_;
  http::HttpUrl last_url_;  // views into last_url_text_
};

}  // namespace pipette::client

namespace pipette {
using client::Client;
using client::ClientOptions;
}  // namespace pipette
