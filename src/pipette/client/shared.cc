#include "pipette/client/shared.h"

#include "pipette/async/until_stopped.h"
#include "pipette/base/ascii.h"

namespace pipette::client {
namespace {

constexpr std::size_t kMaxAgentBytes = 256;

ClientOptions checked(ClientOptions options) {
  if (!ascii::is_value(options.user_agent) || options.user_agent.size() > kMaxAgentBytes) options.user_agent.clear();
  return options;
}

Task<Result<void>> trace_to_its_end(async::Loop& loop, Task<Result<void>> call, const Trace& trace) {
  const Result<void> done = co_await call;
  TraceEvent event{TraceKind::done, loop.now()};
  if (!done) event.error = done.error();
  trace(event);
  co_return done;
}

Task<Result<void>> stop_when_asked(async::Loop& loop, Task<Result<void>> call, async::StopToken stop) {
  const auto done = co_await async::until_stopped(loop, std::move(call), stop);
  if (!done) co_return fail(Errc::operation_canceled);
  co_return *done;
}

}  // namespace

Shared::Shared(Runtime& of, ClientOptions told)
    : runtime(of),
      options(checked(std::move(told))),
      dialer(of, options.dialer),
      budget(options.retries),
      random(of.random("client")),
      ordinary(terms_of(kOrdinaryCall, kNever)) {}

Terms Shared::terms_of(const CallOptions& call, TimePoint deadline) const {
  Terms terms;
  terms.deadline = deadline;
  terms.retries = call.retries != nullptr ? call.retries : &options.retries;
  terms.redirects = call.redirects != nullptr ? call.redirects : &options.redirects;
  terms.trace = call.trace != nullptr ? call.trace : options.trace ? &options.trace : nullptr;
  terms.fields = call.fields;
  terms.max_body_bytes = call.max_response_body_bytes.value_or(options.max_response_body_bytes);
  terms.expects_continue = call.expects_continue;
  terms.decompresses = options.decompresses;
  return terms;
}

Task<Result<void>> Shared::watch(Task<Result<void>> call, const CallOptions& of, const Terms& terms) {
  if (of.stop.stop_possible()) call = stop_when_asked(runtime.loop(), std::move(call), of.stop);
  if (terms.trace != nullptr) call = trace_to_its_end(runtime.loop(), std::move(call), *terms.trace);
  return call;
}

}  // namespace pipette::client
