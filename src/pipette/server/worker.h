// Worker: a server at work on one runtime. Accepts connections and holds their sessions.
//
//   Worker worker(server, runtime);
//   tasks.spawn(worker.serve(std::move(listener)));         // until the listener is closed; several may be served
//   tasks.spawn(worker.serve(std::move(other), &security)); // https on this one
//   ShutdownReport report = co_await worker.shutdown(after(loop.now(), 30s));
//
//   running ──shutdown()──> draining ─────────────────────────────────> stopped
//                           listeners and idle connections are closed,
//                           exchanges finish with Connection: close,
//                           `notice` before the deadline handlers are told to stop, at the deadline all is aborted
//
// A client that sends its next request at the very moment in which its idle connection is closed sees that request
// fail. Where somebody else serves on at the same address, nobody need hurry: IdleOnes::answer_one_more leaves idle
// connections open until they have had one more answer, with Connection: close, or until the notice.
//
// A worker that was stopped serves no more; its server can be served by another one, also beside it.
//
// Errors    an accept that fails is logged and tried again after a pause, 5 ms doubling to 1 s; it never ends serving.
//           When it failed for want of a descriptor, those who wait are dropped first, so that their clients know.
// Lifetime  the server and the runtime outlive it. Sessions still there when it dies are aborted, and handlers that
//           have not returned are destroyed.
// Threads   the loop's; metrics() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "pipette/async/event.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/http/date.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"
#include "pipette/server/buffer_pool.h"
#include "pipette/server/exchange.h"
#include "pipette/server/guest.h"
#include "pipette/server/metrics.h"
#include "pipette/server/outbox.h"
#include "pipette/server/places.h"
#include "pipette/server/server.h"

namespace pipette::server {

enum class WorkerState : std::uint8_t { running, draining, stopped };

// What becomes of connections that idle when a shutdown begins.
enum class IdleOnes : std::uint8_t { close, answer_one_more };

struct ShutdownReport {
  std::uint64_t served = 0;   // exchanges in the worker's life
  std::uint64_t cut = 0;      // connections aborted at the deadline
  std::uint64_t overdue = 0;  // handlers that had not returned even then

  ShutdownReport& operator+=(const ShutdownReport& other);
};

class Worker {
 public:
  static constexpr Duration kStopNotice = std::chrono::seconds(1);

  Worker(const Server& server, Runtime& runtime);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // With `security`, which outlives the worker, connections are secured before they are served. A handshake that hangs
  // or fails keeps nobody else waiting.
  Task<> serve(std::unique_ptr<net::Listener> listener, net::Security* security = nullptr);
  // One connection, from anywhere, until it is closed. Limits hold for it too.
  Task<> serve_connection(net::Connected connected, net::Security* security = nullptr);

  // Safe to call again, also while another call waits.
  Task<ShutdownReport> shutdown(TimePoint deadline, Duration notice = kStopNotice, IdleOnes idle = IdleOnes::close);
  // Closes one connection (ConnInfo::id) when the exchange under way, if any, has ended; its handler is told to stop,
  // with StopReason::evicted. False when there is none of that id.
  bool evict(std::uint64_t connection_id);

  WorkerState state() const { return state_; }

  std::size_t open_connections() const { return open_; }
  std::uint64_t served() const { return metrics_.exchanges.get(); }
  std::size_t overdue_handlers() const { return overdue_; }
  const Metrics& metrics() const { return metrics_; }

 private:
  friend class Guest;
  friend class Session;

  struct Acceptor;
  struct Refused;
  struct Ending;

  // Status line, Server and Date of a response, which change once a second at most.
  std::string_view prefix(int status) {
    const WallTime now = loop_.wall_now();
    if (status != prefix_status_ || now < prefix_second_ || now >= prefix_second_ + std::chrono::seconds(1)) {
      make_prefix(status, now);
    }
    return prefix_;
  }
  void make_prefix(int status, WallTime now);
  // All of a plain response in front of its length (http::make_plain_opening).
  std::string_view plain_opening(int status, http::FieldValue type) {
    const std::string_view start = prefix(status);
    const bool is_same = plain_status_ == status && plain_second_ == prefix_second_ && plain_type_ == type.text();
    if (!is_same) make_plain_opening(status, start, type);
    return plain_opening_;
  }
  void make_plain_opening(int status, std::string_view start, http::FieldValue type);
  std::string_view date_line() { return date_.at(loop_.wall_now()); }
  Task<> shed(net::Listener& listener);
  std::optional<Places::Place> admit(net::Connected& connected, bool is_to_be_secured);
  Task<> welcome(net::Connected connected, net::Security* security, Places::Place place);
  Task<> serve_guest(std::unique_ptr<net::Connection> connection, std::unique_ptr<Ends> ends, net::Security* security,
                     Places::Place place);
  Task<> secure(std::unique_ptr<net::Connection>& connection, Ends& ends, net::Security& security);
  Task<> refuse(net::Connected connected, int status);
  Task<> wait_for_end(TimePoint deadline);
  void drain(Drain drain);
  void note_end();
  bool evict_idle();
  std::unique_ptr<Session> take_session(Guest& guest);
  // Of a guest that idles.
  void give_back(std::unique_ptr<Session> session);

  // ---- handlers that have suspended
  void run_handler(Exchange& exchange, Task<> handler);
  Task<> await_handler(Exchange& exchange);
  // An exchange that nobody waits for any more, until its handler has ended.
  void adopt(std::unique_ptr<Exchange> exchange);
  void release(Exchange& exchange);
  bool is_swamped() const { return overdue_ >= server_.options().max_overdue_handlers; }
  void hand_over(HijackHandler handler, HijackedConnection connection);
  Task<> run_hijacked(HijackHandler handler, HijackedConnection connection);

  // ---- counting
  void count(Count Metrics::* counter) { (metrics_.*counter).add(1); }
  void add(Count Metrics::* counter, std::uint64_t more) { (metrics_.*counter).add(more); }
  void count_failure(Outbox::Failure failure);
  void count_exchange(const Exchange& exchange, std::uint64_t body_bytes);
  void count_response(const Exchange& exchange, std::uint64_t body_bytes);
  void tell_access(const Exchange& exchange, std::uint64_t body_bytes);

  const Server& server_;
  Runtime& runtime_;
  async::Loop& loop_;
  ExchangePool exchanges_;
  BufferPool buffers_;
  bool has_rules_;           // whether heads are asked for more than what HTTP says
  bool tells_access_;        // whether somebody keeps an access log
  std::string server_line_;  // "Server: …\r\n", or nothing
  http::DateLine date_;
  std::string prefix_;
  int prefix_status_ = 0;
  WallTime prefix_second_{};  // the one it is good for
  std::string plain_opening_;
  std::string plain_type_;
  int plain_status_ = 0;
  WallTime plain_second_{};
  WorkerState state_ = WorkerState::running;
  Drain drain_ = Drain::none;
  bool stops_handlers_ = false;  // the end is near: those that are at work are told, and those that begin
  async::StopSource stopping_;   // ends the pauses of those who accept
  async::StopSource cutting_;    // ends handshakes
  std::uint64_t connections_ = 0;
  std::size_t open_ = 0;
  std::size_t overdue_ = 0;
  Metrics metrics_;
  List<Acceptor> acceptors_;
  List<Guest> guests_;
  List<Guest::IdlePlace> idle_;  // those that wait for a request, the one that has waited longest in front
  List<Refused> refused_;
  List<Ending> endings_;
  std::vector<std::unique_ptr<Exchange>> late_;
  std::vector<std::unique_ptr<Session>> free_sessions_;
  // Last, and in this order: the tasks of each use all that stands above it.
  async::TaskGroup handlers_;
  async::TaskGroup hijackers_;
  async::TaskGroup refusals_;
  async::TaskGroup sessions_;
};

// Shuts all of them down at once, by the same deadline; the sum of what they report. They may be on several loops of
// one thread, as in a Lab; one on a loop of another thread is shut down there. `workers` stay until it returns.
Task<ShutdownReport> shutdown_all(std::span<Worker* const> workers, TimePoint deadline,
                                  Duration notice = Worker::kStopNotice, IdleOnes idle = IdleOnes::close);

inline void Worker::count_exchange(const Exchange& exchange, std::uint64_t body_bytes) {
  metrics_.exchanges.add(1);
  metrics_.latency.add(loop_.now() - exchange.started_at);
  count_response(exchange, body_bytes);
}

// Also of what was refused.
inline void Worker::count_response(const Exchange& exchange, std::uint64_t body_bytes) {
  const std::size_t digit = static_cast<unsigned>(exchange.response.status) / 100;
  metrics_.responses[std::min(digit, metrics_.responses.size() - 1)].add(1);
  if (tells_access_) [[unlikely]]
    tell_access(exchange, body_bytes);
}

}  // namespace pipette::server
