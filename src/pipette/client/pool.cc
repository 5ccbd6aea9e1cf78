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
  std::optional<Lease> lease;
  if (!waiting_.empty()) return lease;  // they were first
  std::unique_ptr<Connection> connection;
  if (want == Want::any) connection = take_idle();
  if (!connection && !make_place()) return lease;
  lease.emplace(*this, std::move(connection));
  return lease;
}

bool Pool::make_place() {
  if (open_ >= options_.max_conns_per_host) {
    if (idle_.empty()) return false;
    idle_.erase(idle_.begin());  // its place is wanted
    --open_;
  }
  ++open_;
  return true;
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

void Pool::give_back(Lease&& lease) {
  Connection& connection = *lease.connection;
  connection.begin_to_idle();
  if (connection.idle_until() <= loop_.now()) return lease.end();
  if (!waiting_.empty()) return hand_on(std::move(lease));
  if (idle_.size() >= options_.max_idle_per_host) return lease.end();
  lease.pool_ = nullptr;  // its place is the connection's
  idle_.push_back(std::move(lease.connection));
  if (!reaper_.is_armed()) loop_.arm(reaper_, idle_.front()->idle_until());
}

// To whoever waits longest.
void Pool::hand_on(Lease&& lease) {
  Waiting& next = waiting_.pop_front();
  if (next.want == Want::fresh) lease.connection.reset();
  if (lease.connection) lease.connection->set_reused();
  next.lease = std::move(lease);
  next.event.set();
}

void Pool::Lease::end() {
  connection.reset();
  std::exchange(pool_, nullptr)->free_place();
}

// The one to be used next that is young enough and alive; those that are not are dropped on the way. Its place becomes
// the lease's.
std::unique_ptr<Connection> Pool::take_idle() {
  while (!idle_.empty()) {
    const auto which = options_.pool_order == PoolOrder::lifo ? idle_.end() - 1 : idle_.begin();
    std::unique_ptr<Connection> connection = std::move(*which);
    idle_.erase(which);
    if (loop_.now() < connection->idle_until() && connection->is_alive()) {
      connection->set_reused();
      return connection;
    }
    --open_;
  }
  return nullptr;
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
    const bool is_over = connection->idle_until() <= loop_.now();
    if (is_over) --open_;
    return is_over;
  });
  if (!idle_.empty()) loop_.arm(reaper_, idle_.front()->idle_until());
}

void Pool::close_idle() {
  open_ -= idle_.size();
  idle_.clear();
  loop_.disarm(reaper_);
}

}  // namespace pipette::client
