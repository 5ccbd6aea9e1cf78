#include "pipette/server/guest.h"

#include <algorithm>

#include "pipette/server/session.h"
#include "pipette/server/worker.h"

namespace pipette::server {

Guest::Guest(Worker& worker, std::unique_ptr<net::Connection> connection, std::unique_ptr<Ends> ends, std::uint64_t id)
    : worker_(worker),
      id_(id),
      connection_(std::move(connection)),
      ends_(std::move(ends)),
      connected_at_(worker.loop_.now()),
      idle_place_(*this),
      drain_(worker.drain_),
      is_watched_(worker.server_.options().on_conn_state) {}

Guest::~Guest() = default;

Task<bool> Guest::serve() {
  idle_place_.unlink();
  if (session_ == nullptr) session_ = worker_.take_session(*this);
  return session_->run();
}

void Guest::rest() {
  if (!session_->has_nothing()) return;
  worker_.give_back(std::move(session_));
  worker_.idle_.push_back(idle_place_);
}

void Guest::tell(ConnState state) {
  worker_.server_.options().on_conn_state({id_, ends_->local, ends_->remote}, state);
}

void Guest::drain(Drain drain) {
  drain_ = std::max(drain_, drain);
  const bool is_idle = session_ == nullptr || session_->is_idle();
  if (is_idle && drain_ == Drain::at_once) connection_->set_deadline(net::Direction::read, worker_.loop_.now());
}

void Guest::request_stop(async::StopReason reason) {
  if (session_ != nullptr) session_->request_stop(reason);
}

void Guest::evict() {
  drain(Drain::at_once);
  request_stop(async::StopReason::evicted);
}

void Guest::abort() {
  if (session_ != nullptr) return session_->abort();
  connection_->abort();
}

}  // namespace pipette::server
