// Pool: the connections of a client to one origin. Internal to client/.
//
//   try_acquire() ──> a lease, of a connection that idles and is alive, or of room for a new one
//         └──> nothing: all are at work ──> co_await acquire(deadline): first come, first served
//   give_back(lease) ──> whoever waits longest, or it idles until idle_timeout
//
// A lease is a place among max_conns. When it dies its connection is closed, and the place is free for who waits.
//
// Errors    Errc::pool_wait_timeout.
// Lifetime  outlives its leases and those who wait.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/task.h"
#include "pipette/async/timer.h"
#include "pipette/base/list.h"
#include "pipette/base/result.h"
#include "pipette/client/connection.h"
#include "pipette/client/options.h"

namespace pipette::client {

class Pool {
 public:
  Pool(async::Loop& loop, const ClientOptions& options) : loop_(loop), options_(options), reaper_(*this) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  class Lease {
   public:
    // A place of the pool's.
    Lease(Pool& pool, std::unique_ptr<Connection> of) : connection(std::move(of)), pool_(&pool) {}
    Lease(Lease&& other) noexcept
        : connection(std::move(other.connection)), pool_(std::exchange(other.pool_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(connection, other.connection);
      return *this;
    }
    ~Lease() {
      if (pool_ != nullptr) end();
    }

    std::unique_ptr<Connection> connection;  // null: one is to be opened

   private:
    friend class Pool;
    void end();

    Pool* pool_;  // null: it has been moved from, or given back
  };

  // Which connections will do.
  enum class Want : std::uint8_t { any, fresh };

  std::optional<Lease> try_acquire(Want want = Want::any);
  Task<Result<Lease>> acquire(TimePoint deadline, Want want = Want::any);
  void give_back(Lease&& lease);

  std::size_t open() const { return open_; }
  std::size_t idle() const { return idle_.size(); }
  std::size_t waiting() const { return waiting_count_; }
  void close_idle();

 private:
  struct Waiting;

  // Closes connections whose time is over.
  struct Reaper final : async::Timer {
    explicit Reaper(Pool& owner) : pool(owner) {}
    void run() override { pool.reap(); }
    Pool& pool;
  };

  std::unique_ptr<Connection> take_idle();
  bool make_place();
  void hand_on(Lease&& lease);
  void free_place();
  void reap();

  async::Loop& loop_;
  const ClientOptions& options_;
  std::size_t open_ = 0;                           // leases, and connections that idle
  std::vector<std::unique_ptr<Connection>> idle_;  // the one that has idled longest in front
  List<Waiting> waiting_;
  std::size_t waiting_count_ = 0;
  Reaper reaper_;
};

}  // namespace pipette::client
