// Calls over TCP, for programs that have no loop: each returns when it has ended.
//
//   Result<client::Response> page = fetch("http://app/");               // one, and nothing of it stays
//
//   BlockingClient client;
//   Result<client::Response> page = client.get("http://app/");
//   Result<void> done = client.call(request, response);                 // reuses both
//
// https is called with whom the machine trusts, unless ClientOptions::security says otherwise (tls/security.h).
//
// The loop of a BlockingClient runs while a call does, and stands still between two. So connections are kept for the
// next call, but nobody looks at them until then: one that has idled for too long, or that the server has closed, is
// still open. The next call closes it and uses another. Who calls seldom says close_idle().
//
// Not for what runs on a loop itself, such as a handler: it would hold up everybody there. That has Client, or, where
// it blocks anyway, a BlockingCtx.
//
// Errors    as of Client, and the time-outs, limits and repetitions of ClientOptions. What a hook, a dial function or a
//           body source throws comes through. The constructor, and fetch(), throw std::system_error when the system has
//           no descriptor left for the loop.
// Lifetime  what the options point to outlives it. Its end waits for a look-up of the system's that is under way, also
//           of a call that has timed out.
// Threads   one; each thread has a client of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "pipette/base/result.h"
#include "pipette/client/client.h"
#include "pipette/tcp/runtime.h"
#include "pipette/tls/security.h"

namespace pipette::app {

class BlockingClient {
 public:
  BlockingClient() : BlockingClient(ClientOptions()) {}
  explicit BlockingClient(ClientOptions options);
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  Result<client::Response> get(std::string url, CallOptions options = {});
  Result<client::Response> head(std::string url, CallOptions options = {});
  Result<client::Response> post(std::string url, std::string content_type, std::string body, CallOptions options = {});
  Result<client::Response> put(std::string url, std::string content_type, std::string body, CallOptions options = {});
  Result<client::Response> call(client::Request request, CallOptions options = {});
  // `response` is complete, or unspecified after an error.
  Result<void> call(const client::Request& request, client::Response& response, CallOptions options = {});

  const client::ClientCounts& counts() const { return client_.counts(); }
  std::size_t idle_connections() const { return client_.idle_connections(); }
  void close_idle() { client_.close_idle(); }

 private:
  template <class Begin>
  auto finish(Begin begin);

  tcp::Runtime runtime_;
  std::unique_ptr<tls::Security> own_security_;  // where the options have none
  Client client_;
};

// A GET with a client of its own.
Result<client::Response> fetch(std::string url, ClientOptions options = {});

}  // namespace pipette::app

namespace pipette {
using app::BlockingClient;
using app::fetch;
}  // namespace pipette
