// Server: a handler and its options, ready to serve on any number of runtimes.
//
//   Server server(handler);                       lab.serve(server, "app:80");        // in a test
//                                                 serve_tcp(server, "0.0.0.0:8080");  // in production
//
// Immutable after construction but for what it counts, so that workers on several loops share it (server/worker.h does
// the serving). How many connections there may be holds for all of them together.
//
// Lifetime  outlives its workers.   Threads  any, once constructed.
#pragma once

#include <mutex>
#include <string_view>
#include <vector>

#include "pipette/server/handler.h"
#include "pipette/server/metrics.h"
#include "pipette/server/options.h"
#include "pipette/server/places.h"

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
  // The sum over all workers, those that are gone included. From any thread.
  MetricsSnapshot metrics() const;

 private:
  friend class Worker;

  void enter(const Metrics& worker) const;
  void leave(const Metrics& worker) const;

  mutable Places places_;
  mutable std::mutex mutex_;
  mutable std::vector<const Metrics*> workers_;  // at work
  mutable MetricsSnapshot gone_;                 // what those counted that are not any more
  Handler handler_;
  ServerOptions options_;
};

}  // namespace pipette::server

namespace pipette {
using server::Server;
using server::ServerOptions;
}  // namespace pipette
