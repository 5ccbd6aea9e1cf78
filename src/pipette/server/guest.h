// Guest: one connection of a worker's, from its first octet to its close, mostly idle. Internal to server/.
//
//   serve() ──> a session is at work ──> nothing to read: true ──> rest(), wait for more() ──> serve() again
//                                   └──> it has ended: false
//
// What idles is this alone: the connection, who is at its ends, and what has to be remembered between requests. All
// that serving takes is in the session, which comes when there is something to read, and goes to the next when there is
// nothing more. So its memory is what the last guest has used, which the processor still has at hand.
//
// Lifetime  the worker outlives it.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/base/list.h"
#include "pipette/base/time.h"
#include "pipette/net/connection.h"
#include "pipette/server/exchange.h"
#include "pipette/server/options.h"

namespace pipette::server {

class Session;
class Worker;

// Whether a connection is to end.
enum class Drain : std::uint8_t {
  none,
  after_one_more,  // with the answer to the request that is under way, or else to the next
  at_once,         // the same, or else now
};

class Guest final : public ListNode {
 public:
  Guest(Worker& worker, std::unique_ptr<net::Connection> connection, std::unique_ptr<Ends> ends, std::uint64_t id);
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest();

  // Its place among those that wait for a request.
  struct IdlePlace final : ListNode {
    explicit IdlePlace(Guest& of) : guest(of) {}
    Guest& guest;
  };

  // Serves what there is to read. True: to be called again when there is more.
  Task<bool> serve();
  // Keeps no more than what has arrived of a request.
  void rest();
  // Until the next time it is worth it.
  net::Readiness more() { return {*connection_, net::Direction::read}; }

  // Never less than it was told before.
  void drain(Drain drain);
  // Tells the handler to stop.
  void request_stop(async::StopReason reason);
  // Makes room for others: tells the handler to stop, and drains.
  void evict();
  // Ends it now: what is under way is cut off, and a handler that does not return is overdue.
  void abort();

  std::uint64_t id() const { return id_; }
  Worker& worker() const { return worker_; }
  net::Connection& connection() const { return *connection_; }
  const Ends& ends() const { return *ends_; }
  TimePoint connected_at() const { return connected_at_; }
  Drain drains() const { return drain_; }
  // Requests that were answered.
  std::uint64_t answered() const { return answered_; }

  // ---- its session's
  void show(ConnState state) {
    if (is_watched_) tell(state);
  }
  void count_answer() { ++answered_; }
  // When all that was answered had been handed to the network.
  TimePoint idle_since() const { return idle_since_; }
  void begin_to_idle(TimePoint now) { idle_since_ = now; }
  // For an exchange that may outlive the connection; others take their place.
  std::unique_ptr<Ends> part_with_ends() { return std::exchange(ends_, std::make_unique<Ends>(*ends_)); }
  std::unique_ptr<net::Connection> part_with_connection() { return std::move(connection_); }

 private:
  void tell(ConnState state);

  Worker& worker_;
  std::uint64_t id_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<Ends> ends_;
  std::unique_ptr<Session> session_;  // null while it idles
  TimePoint connected_at_;
  TimePoint idle_since_{};
  std::uint64_t answered_ = 0;
  IdlePlace idle_place_;
  Drain drain_;
  bool is_watched_;  // by somebody who wants to know its states
};

}  // namespace pipette::server
