// Server: a handler and its options, ready to serve on any number of runtimes.
//
//   Server server(handler);                       lab.serve(server, "app:80");        // in a test
//                                                 serve_tcp(server, "0.0.0.0:8080");  // in production
//
// Immutable after construction, so that workers on several loops share it (server/worker.h does the serving).
//
// Lifetime  outlives its workers.   Threads  any, once constructed.
#pragma once

#include <atomic>
#include <string_view>

#include "pipette/server/handler.h"
#include "pipette/server/options.h"

namespace pipette::server {

class Server {
 public:
  explicit Server(Handler handler) : Server(std::move(handler), ServerOptions()) {}
  Server(Handler handler, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Handler& handler() const { return handler_; }
  const ServerOptions& options() const { return options_; }
  void log(std::string_view line) const;

 private:
  friend class Worker;

  mutable std::atomic<int> workers_ = 0;  // at work
  Handler handler_;
  ServerOptions options_;
};

}  // namespace pipette::server

namespace pipette {
using server::Server;
using server::ServerOptions;
}  // namespace pipette
