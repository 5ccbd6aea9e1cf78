#include "pipette/client/host.h"

#include <algorithm>
#include <memory>

#include "pipette/async/sleep.h"
#include "pipette/client/decode.h"
#include "pipette/client/redirect.h"
#include "pipette/client/request_writer.h"
#include "pipette/http/status.h"

namespace pipette::client {

void Host::Kept::end() {
  if (lease && connection().finish()) host->pool_.give_back(std::move(*lease));
  lease.reset();
  visit.reset();
}

Task<Result<void>> Host::Guide::follow(const Request& /*request*/, Response& /*response*/, const Terms& /*terms*/) {
  co_return Result<void>();
}

Task<Result<void>> Host::exchange(Shared& shared, Guide& guide, const Request& request, Response& response,
                                  TimePoint deadline, const Terms& given, Kept* kept) {
  const Target to = guide.find(request);
  if (to.host == nullptr) co_return fail(to.error);
  if (const Result<void> sendable = check(request); !sendable) co_return sendable;
  Host& host = *to.host;
  Pool& pool = host.pool_;
  Visit visit(host);
  async::Loop& loop = shared.runtime.loop();
  Terms terms = given;
  terms.deadline = deadline;
  if (deadline <= loop.now()) co_return fail(Errc::timed_out);
  for (int attempts = 1;; ++attempts) {
    if (terms.trace != nullptr) host.tell(TraceKind::get_connection, {}, to.url, terms);
    const Pool::Want want = attempts == 1 ? Pool::Want::any : Pool::Want::fresh;
    std::optional<Pool::Lease> lease = pool.try_acquire(want);
    if (!lease) {
      Result<Pool::Lease> waited = co_await host.wait_for_place(want, deadline);
      if (!waited) co_return fail(waited.error());
      lease = std::move(*waited);
    }
    if (!lease->connection) {
      const Result<void> opened = co_await host.open(to.url, *lease, terms);
      if (!opened) co_return opened;
    }
    Connection& connection = *lease->connection;
    if (terms.trace != nullptr) host.tell_of_connection(connection, to.url, terms);
    if (const Result<void> begun = connection.begin(to.url, request, terms); !begun) {
      pool.give_back(std::move(*lease));
      co_return begun;
    }
    ++shared.counts.requests;
    if (connection.is_reused()) ++shared.counts.reused;
    Result<void> done = connection.send();
    if (done) done = connection.try_receive_head(response);
    while (!done && done.error() == make_error_code(Errc::would_block)) {
      co_await connection.more();
      done = connection.try_receive_head(response);
    }
    if (done && kept == nullptr) done = co_await connection.receive_body(response);
    if (done && kept != nullptr) {
      kept->host = &host;
      kept->visit = std::move(visit);
      kept->lease = std::move(lease);
      connection.set_terms(given);  // which outlive this
      co_return done;
    }
    if (done) {
      if (connection.finish()) pool.give_back(std::move(*lease));
      break;
    }
    const bool was_unseen = !connection.has_received() && request.body_source == nullptr;
    const bool is_safe = was_unseen && (http::is_idempotent(request.method) || !connection.has_sent());
    Duration pause{};
    const Failure failure{request, attempts, done.error(), connection.is_reused()};
    if (!host.may_repeat(failure, is_safe, terms, pause)) co_return done;
    lease.reset();
    ++shared.counts.repeated;
    if (pause > Duration::zero()) co_await async::sleep_until(loop, after(loop.now(), pause));
    if (terms.trace != nullptr) host.tell(TraceKind::repeat, failure.error, to.url, terms);
  }
  if (terms.decompresses && asks_for_codings(request, terms)) {
    if (const Result<void> decoded = decode(response, terms.max_body_bytes); !decoded) co_return decoded;
  }
  if (http::is_redirect(response.status) && terms.redirects->max > 0 && asks_for_redirect(request, response)) {
    Task<Result<void>> rest = guide.follow(request, response, terms);
    co_return co_await rest;
  }
  co_return Result<void>();
}

bool Host::may_repeat(const Failure& failure, bool is_safe, const Terms& terms, Duration& pause) {
  const RetryPolicy& policy = *terms.retries;
  if (!is_safe || failure.attempts >= policy.max_attempts || failure.error == std::errc::timed_out) return false;
  const bool was_stale = failure.was_reused && failure.attempts == 1;
  if (!was_stale) {
    if (!policy.on_new_connections) return false;
    const int doublings = std::min(failure.attempts - 1, 20);
    const Duration longest = std::min(policy.first_pause * (1 << doublings), policy.longest_pause);
    pause =
        Duration(1 + static_cast<Duration::rep>(shared_.random.below(static_cast<std::uint64_t>(longest.count()) + 1)));
    if (after(shared_.runtime.loop().now(), pause) >= terms.deadline) return false;
  }
  if (policy.retry_if && !policy.retry_if(failure)) return false;
  return was_stale || shared_.budget.spend();
}

Task<Result<Pool::Lease>> Host::wait_for_place(Pool::Want want, TimePoint deadline) {
  ++shared_.counts.waited;
  async::Loop& loop = shared_.runtime.loop();
  const TimePoint until = std::min(deadline, after(loop.now(), shared_.options.pool_wait_timeout));
  Result<Pool::Lease> lease = co_await pool_.acquire(until, want);
  if (!lease && loop.now() >= deadline) co_return fail(Errc::timed_out);
  co_return lease;
}

Task<Result<void>> Host::open(http::HttpUrl url, Pool::Lease& lease, const Terms& terms) {
  ++shared_.counts.dials;
  Task<Result<Way>> opening = open_way(shared_, url, addresses_, terms);
  Result<Way> way = co_await opening;
  if (!way) co_return fail(way.error());
  lease.connection = std::make_unique<Connection>(shared_.runtime.loop(), shared_.options, std::move(way->stream));
  if (way->forwarding != nullptr) lease.connection->set_proxy(*way->forwarding);
  co_return Result<void>();
}

void Host::tell(TraceKind kind, std::error_code error, const http::HttpUrl& url, const Terms& terms) const {
  TraceEvent event{kind, shared_.runtime.loop().now(), url.authority};
  event.error = error;
  terms.tell(event);
}

void Host::tell_of_connection(const Connection& connection, const http::HttpUrl& url, const Terms& terms) const {
  TraceEvent event{TraceKind::got_connection, shared_.runtime.loop().now(), url.authority};
  event.is_reused = connection.is_reused();
  if (event.is_reused) event.idle_for = event.at - connection.idle_since();
  terms.tell(event);
}

}  // namespace pipette::client
