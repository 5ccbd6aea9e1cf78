#include "pipette/client/pipeline_client.h"

#include <utility>

#include "pipette/client/decode.h"
#include "pipette/client/request_writer.h"
#include "pipette/http/head.h"

namespace pipette::client {
namespace {

using Fate = PipelinedCall::Fate;

// A call under way, whatever becomes of it.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

// What would change the connection for those behind it.
Result<void> check_fields(const http::Fields& fields) {
  if (fields.contains(http::FieldName::upgrade)) return fail(Errc::not_supported);
  const bool says_close = fields.contains(http::FieldName::connection) && !http::persists(false, fields);
  return says_close ? Result<void>(fail(Errc::managed_field)) : Result<void>();
}

Result<void> check_pipelined(const Request& request, const Terms& terms) {
  if (const Result<void> sendable = check(request); !sendable) return sendable;
  if (request.body_source != nullptr || terms.expects_continue) return fail(Errc::not_supported);
  if (const Result<void> checked = check_fields(request.fields.view()); !checked) return checked;
  return terms.fields == nullptr ? Result<void>() : check_fields(terms.fields->view());
}

bool may_repeat(const Failure& failure, Fate fate, const RetryPolicy& policy) {
  if (fate == Fate::unknown || failure.attempts >= policy.max_attempts) return false;
  if (fate == Fate::unanswered && (failure.attempts > 1 || !http::is_idempotent(failure.request.method))) return false;
  return !policy.retry_if || policy.retry_if(failure);
}

void tell(const Terms& terms, TraceKind kind, TimePoint at, std::string_view host, bool is_reused = false) {
  if (terms.trace == nullptr) return;
  TraceEvent event{kind, at, host};
  event.is_reused = is_reused;
  terms.tell(event);
}

}  // namespace

PipelineClient::PipelineClient(Runtime& runtime, std::string base, PipelineOptions options)
    : origin_(std::move(base)),
      limits_(options),
      shared_(runtime, std::move(options)),
      deadlines_(runtime.loop(), shared_.options.timeout) {}

Task<Result<void>> PipelineClient::call(const Request& request, Response& response, const CallOptions& options) {
  const TimePoint deadline = shared_.begin_call(options);
  const bool is_ordinary = options.is_ordinary() && shared_.ordinary.trace == nullptr;
  if (!is_ordinary) return call_with(request, response, deadline, options);
  return exchange(request, response, deadline, shared_.ordinary);
}

Task<Result<void>> PipelineClient::call_with(const Request& request, Response& response, TimePoint deadline,
                                             CallOptions options) {
  const Terms terms = shared_.terms_of(options, deadline);
  Task<Result<void>> call = exchange(request, response, deadline, terms);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, terms);
  co_return co_await watched;
}

Task<Result<void>> PipelineClient::exchange(const Request& request, Response& response, TimePoint deadline,
                                            const Terms& given) {
  const Result<http::HttpUrl> url = origin_.parse(request.url);
  if (!url) co_return fail(url.error());
  Terms terms = given;
  terms.deadline = deadline;
  if (const Result<void> sendable = check_pipelined(request, terms); !sendable) co_return sendable;
  async::Loop& loop = shared_.runtime.loop();
  if (terms.deadline <= loop.now()) co_return fail(Errc::timed_out);
  const Counted counted(calls_);
  PipelinedCall call(loop, deadlines_, response, terms.deadline);
  Result<void> done = fail(Errc::pipeline_overflow);
  for (int attempts = 1;; ++attempts) {
    tell(terms, TraceKind::get_connection, loop.now(), url->authority);
    PipelineConnection* const connection = choose();
    if (connection == nullptr) co_return done;
    const bool is_reused = connection->is_reused();
    if (const Result<void> added = connection->add(call, *url, request, terms); !added) co_return added;
    ++shared_.counts.requests;
    if (is_reused) ++shared_.counts.reused;
    tell(terms, TraceKind::got_connection, loop.now(), url->authority, is_reused);
    co_await call;
    done = call.result();
    if (done && asks_for_codings(request, terms)) co_return decode(response, terms.max_body_bytes);
    if (done) co_return done;
    const Failure failure{request, attempts, done.error(), is_reused};
    if (!may_repeat(failure, call.fate(), *terms.retries)) co_return done;
    ++shared_.counts.repeated;
    tell(terms, TraceKind::repeat, loop.now(), url->authority);
  }
}

// The one with the fewest calls; a new one while all have some; null where none may have another.
PipelineConnection* PipelineClient::choose() {
  PipelineConnection* best = nullptr;
  PipelineConnection* closed = nullptr;
  for (const std::unique_ptr<PipelineConnection>& each : connections_) {
    if (each->is_too_old()) each->close();
    if (each->is_closed()) {
      if (closed == nullptr) closed = each.get();
    } else if (!each->is_full() && (best == nullptr || each->pending() < best->pending())) {
      best = each.get();
    }
  }
  if (best != nullptr && best->pending() == 0) return best;
  if (closed != nullptr) return closed;
  if (connections_.size() >= limits_.max_connections) return best;
  connections_.push_back(std::make_unique<PipelineConnection>(shared_, limits_, *origin_.url()));
  return connections_.back().get();
}

std::size_t PipelineClient::open_connections() const {
  std::size_t count = 0;
  for (const std::unique_ptr<PipelineConnection>& each : connections_) count += each->is_open() ? 1 : 0;
  return count;
}

void PipelineClient::close_idle() {
  for (const std::unique_ptr<PipelineConnection>& each : connections_) {
    if (each->is_open() && each->pending() == 0) each->close();
  }
}

void PipelineClient::close() {
  for (const std::unique_ptr<PipelineConnection>& each : connections_) each->close();
}

}  // namespace pipette::client
