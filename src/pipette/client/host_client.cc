#include "pipette/client/host_client.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "pipette/client/stream_state.h"

namespace pipette::client {

HostClient::HostClient(Runtime& runtime, std::string base, std::vector<net::Address> addresses, ClientOptions options)
    : origin_(std::move(base)), shared_(runtime, std::move(options)), host_(shared_, std::move(addresses)) {}

Host::Target HostClient::find(const Request& request) {
  const Result<http::HttpUrl> url = origin_.parse(request.url);
  if (!url) return {nullptr, {}, url.error()};
  return {&host_, *url, {}};
}

Task<Result<void>> HostClient::call(const Request& request, Response& response, const CallOptions& options) {
  const TimePoint deadline = shared_.begin_call(options);
  const bool is_ordinary = options.is_ordinary() && shared_.ordinary.trace == nullptr;
  if (!is_ordinary) return call_with(request, response, deadline, options);
  return Host::exchange(shared_, *this, request, response, deadline, shared_.ordinary, nullptr);
}

Task<Result<void>> HostClient::call_with(const Request& request, Response& response, TimePoint deadline,
                                         CallOptions options) {
  const Terms terms = shared_.terms_of(options, deadline);
  Task<Result<void>> call = Host::exchange(shared_, *this, request, response, deadline, terms, nullptr);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, terms);
  co_return co_await watched;
}

Task<Result<ResponseStream>> HostClient::stream(Request request, CallOptions options) {
  auto state = std::make_unique<ResponseStream::State>(std::move(request));
  state->terms = shared_.terms_of(options, shared_.begin_call(options));
  state->terms.max_body_bytes = options.max_response_body_bytes.value_or(UINT64_MAX);
  Task<Result<void>> call = Host::exchange(shared_, *this, state->request, state->response, state->terms.deadline,
                                           state->terms, &state->kept);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, state->terms);
  const Result<void> begun = co_await watched;
  if (!begun) co_return fail(begun.error());
  state->begin_body(options);
  co_return ResponseStream(std::move(state));
}

}  // namespace pipette::client
