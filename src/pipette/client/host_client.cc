#include "pipette/client/host_client.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "pipette/client/stream_state.h"

namespace pipette::client {

HostClient::HostClient(Runtime& runtime, std::string base, std::vector<net::Address> addresses, ClientOptions options)
    : origin_(std::move(base)), shared_(runtime, std::move(options)), host_(shared_, std::move(addresses)) {}

Task<Result<void>> HostClient::call(const Request& request, Response& response, CallOptions options) {
  const Terms terms = shared_.begin_call(options);
  const Result<http::HttpUrl> url = origin_.parse(request.url);
  Task<Result<void>> call = url ? host_.exchange(Host::Visit(host_), *url, request, response, terms, nullptr, nullptr)
                                : failed_call(url.error());
  return shared_.watch(std::move(call), options, terms);
}

Task<Result<ResponseStream>> HostClient::stream(Request request, CallOptions options) {
  auto state = std::make_unique<ResponseStream::State>(std::move(request));
  state->terms = shared_.begin_call(options);
  state->terms.max_body_bytes = options.max_response_body_bytes.value_or(UINT64_MAX);
  const Result<http::HttpUrl> url = origin_.parse(state->request.url);
  if (!url) co_return fail(url.error());
  Task<Result<void>> call =
      host_.exchange(Host::Visit(host_), *url, state->request, state->response, state->terms, nullptr, &state->kept);
  Task<Result<void>> watched = shared_.watch(std::move(call), options, state->terms);
  const Result<void> begun = co_await watched;
  if (!begun) co_return fail(begun.error());
  state->begin_body(options);
  co_return ResponseStream(std::move(state));
}

}  // namespace pipette::client
