// Host: calls at one origin, with their repetitions. Internal to client/.
//
//   lease ──> open ──> begin, send ──> receive ──> give back        what broke and may be repeated: from the start
//
// Lifetime  outlives its calls.   Threads  the loop's.
#pragma once

#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/pool.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/client/shared.h"
#include "pipette/client/terms.h"
#include "pipette/client/way.h"
#include "pipette/http/uri.h"

namespace pipette::client {

class Host {
 public:
  explicit Host(Shared& shared, std::vector<net::Address> addresses = {})
      : shared_(shared), addresses_{std::move(addresses)}, pool_(shared.runtime.loop(), shared.options) {}
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // A call under way.
  class Visit {
   public:
    explicit Visit(Host& host) : host_(&host) { ++host.calls_; }
    Visit(Visit&& other) noexcept : host_(std::exchange(other.host_, nullptr)) {}
    Visit& operator=(Visit&& other) noexcept {
      std::swap(host_, other.host_);
      return *this;
    }
    ~Visit() {
      if (host_ != nullptr) --host_->calls_;
    }

   private:
    Host* host_;
  };

  // Of a response whose body is still to be read: its connection, under the terms that were given.
  struct Kept {
    Host* host = nullptr;
    std::optional<Visit> visit;
    std::optional<Pool::Lease> lease;

    Connection& connection() { return *lease->connection; }
    // Behind the response, or in place of the rest of it: back to the pool if that can be.
    void end();
  };

  // Where a request goes: to a host, or nowhere.
  struct Target {
    Host* host = nullptr;
    http::HttpUrl url = {};  // views that stay good as long as the request does
    std::error_code error = {};
  };

  // Who knows where requests go, and goes on behind what looks like a redirect.
  class Guide {
   public:
    virtual Target find(const Request& request) = 0;
    virtual Task<Result<void>> follow(const Request& request, Response& response, const Terms& terms);

   protected:
    ~Guide() = default;
  };

  // The whole response; or its head, where somebody keeps the rest. `terms` outlive the call; the deadline is instead
  // of theirs.
  static Task<Result<void>> exchange(Shared& shared, Guide& guide, const Request& request, Response& response,
                                     TimePoint deadline, const Terms& terms, Kept* kept);

  std::size_t calls() const { return calls_; }
  const Pool& pool() const { return pool_; }
  void close_idle() { pool_.close_idle(); }

 private:
  Task<Result<Pool::Lease>> wait_for_place(Pool::Want want, TimePoint deadline);
  Task<Result<void>> open(http::HttpUrl url, Pool::Lease& lease, const Terms& terms);
  bool may_repeat(const Failure& failure, bool is_safe, const Terms& terms, Duration& pause);
  [[gnu::noinline]] void tell(TraceKind kind, std::error_code error, const http::HttpUrl& url,
                              const Terms& terms) const;
  [[gnu::noinline]] void tell_of_connection(const Connection& connection, const http::HttpUrl& url,
                                            const Terms& terms) const;

  Shared& shared_;
  Addresses addresses_;
  Pool pool_;
  std::size_t calls_ = 0;
};

}  // namespace pipette::client
