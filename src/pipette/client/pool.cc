#include "pipette/client/pool.h"

#include <algorithm>

#include "pipette/async/alarm.h"

namespace pipette::client {

struct Pool::Waiting : ListNode {
  Waiting(Pool& of, Want what) : pool(of), want(what), event(of.loop_) {
    pool.waiting_.push_back(*this);
    ++pool.waiting_count_;
  }
  ~Waiting() { --pool.waiting_count_; }

  Pool& pool;
  Want want;
  async::Event event;
  std::optional<Lease> lease;  // what it was given; if it dies before it looks, the next one gets it
};

std::optional<Pool::Lease> Pool::try_acquire(Want want) {
  if (!waiting_.empty()) return std::nullopt;  // they were first
  if (want == Want::any) {
    if (std::unique_ptr<Connection> connection = take_idle()) return Lease(*this, std::move(connection));
  }
  if (open_ >= options_.max_conns_per_host) {
    if (idle_.empty()) return std::nullopt;
    idle_.erase(idle_.begin());  // its place is wanted
    --open_;
  }
  ++open_;
  return Lease(*this, nullptr);
}

Task<Result<Pool::Lease>> Pool::acquire(TimePoint deadline, Want want) {
  if (std::optional<Lease> lease = try_acquire(want)) co_return std::move(*lease);
  Waiting waiting(*this, want);
  const async::Alarm alarm(loop_, waiting.event, deadline);
  co_await waiting.event.wait();
  if (!waiting.lease) co_return fail(Errc::pool_wait_timeout);
  if (waiting.lease->connection && !waiting.lease->connection->is_alive()) waiting.lease->connection.reset();
  co_return std::move(*waiting.lease);
}

void Pool::give_back(Lease lease) {
  Connection& connection = *lease.connection;
  connection.begin_to_idle();
  if (expiry_of(connection) <= loop_.now()) return;  // and the lease dies
  if (!waiting_.empty()) {
    Waiting& next = waiting_.pop_front();
    if (next.want == Want::fresh) lease.connection.reset();
    if (lease.connection) connection.set_reused();
    next.lease = std::move(lease);
    return next.event.set();
  }
  if (idle_.size() >= options_.max_idle_per_host) return;
  lease.pool_ = nullptr;  // its place is the connection's
  idle_.push_back(std::move(lease.connection));
  if (!reaper_.is_armed()) loop_.arm(reaper_, expiry_of(*idle_.front()));
}

// The one to be used next that is young enough and alive; those that are not are dropped on the way. Its place becomes
// the lease's.
std::unique_ptr<Connection> Pool::take_idle() {
  while (!idle_.empty()) {
    const auto which = options_.pool_order == PoolOrder::lifo ? idle_.end() - 1 : idle_.begin();
    std::unique_ptr<Connection> connection = std::move(*which);
    idle_.erase(which);
    if (loop_.now() < expiry_of(*connection) && connection->is_alive()) {
      connection->set_reused();
      return connection;
    }
    --open_;
  }
  return nullptr;
}

TimePoint Pool::expiry_of(const Connection& connection) const {
  return std::min(after(connection.idle_since(), options_.idle_timeout),
                  after(connection.opened_at(), options_.max_conn_age));
}

// Somebody's connection has not come back.
void Pool::free_place() {
  --open_;
  if (waiting_.empty() || open_ >= options_.max_conns_per_host) return;
  ++open_;
  Waiting& next = waiting_.pop_front();
  next.lease = Lease(*this, nullptr);
  next.event.set();
}

void Pool::reap() {
  std::erase_if(idle_, [this](const std::unique_ptr<Connection>& connection) {
    const bool is_over = expiry_of(*connection) <= loop_.now();
    if (is_over) --open_;
    return is_over;
  });
  if (!idle_.empty()) loop_.arm(reaper_, expiry_of(*idle_.front()));
}

void Pool::close_idle() {
  open_ -= idle_.size();
  idle_.clear();
  loop_.disarm(reaper_);
}

}  // namespace pipette::client
