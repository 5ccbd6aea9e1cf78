// Worker: a server at work on one runtime. Accepts connections and holds their sessions.
//
//   Worker worker(server, runtime);
//   tasks.spawn(worker.serve(std::move(listener)));         // until the listener is closed
//   ShutdownReport report = co_await worker.shutdown(after(loop.now(), 30s));
//
// Errors    an accept that fails is logged and tried again after a pause, 5 ms doubling to 1 s; it never ends serving.
// Lifetime  the server and the runtime outlive it. Sessions still there when it dies are aborted.
// Threads   the loop's.
#pragma once

#include <cstdint>
#include <memory>

#include "pipette/async/event.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/http/date.h"
#include "pipette/net/runtime.h"
#include "pipette/server/exchange.h"
#include "pipette/server/server.h"

namespace pipette::server {

class Session;

struct ShutdownReport {
  std::uint64_t served = 0;   // exchanges in the worker's life
  std::uint64_t cut = 0;      // connections aborted at the deadline
  std::uint64_t overdue = 0;  // sessions whose handlers had not returned even then
};

class Worker {
 public:
  Worker(const Server& server, Runtime& runtime);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  Task<> serve(std::unique_ptr<net::Listener> listener);
  // One connection, from anywhere, until it is closed.
  Task<> serve_connection(net::Connected connected);

  // Stops listening, closes idle connections, lets exchanges finish with Connection: close, and aborts at `deadline`.
  Task<ShutdownReport> shutdown(TimePoint deadline);

  std::size_t open_connections() const { return open_; }
  std::uint64_t served() const { return served_; }

 private:
  friend class Session;

  struct Acceptor;
  struct Deadline;

  // Status line, Server and Date of a response, which change once a second at most.
  std::string_view prefix(int status);
  Task<> run_session(net::Connected connected);

  const Server& server_;
  Runtime& runtime_;
  async::Loop& loop_;
  ExchangePool exchanges_;
  std::string server_line_;  // "Server: …\r\n", or nothing
  http::DateLine date_;
  std::string prefix_;
  int prefix_status_ = 0;
  WallTime prefix_until_{};
  bool is_draining_ = false;
  async::StopSource stopping_;  // ends the pauses of those who accept
  std::size_t open_ = 0;
  std::uint64_t served_ = 0;
  List<Acceptor> acceptors_;
  List<Session> open_sessions_;
  async::Event drained_;
  async::TaskGroup sessions_;  // last: its tasks use all of the above
};

}  // namespace pipette::server
