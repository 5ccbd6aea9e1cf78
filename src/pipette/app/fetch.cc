#include "pipette/app/fetch.h"

#include <optional>
#include <utility>

#include "pipette/async/task.h"

namespace pipette::app {
namespace {

template <class T>
Task<> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await task);
}

template <class T>
T run_to_its_end(tcp::Runtime& runtime, Task<T> task) {
  std::optional<T> result;
  runtime.run(keep(std::move(task), result));
  return std::move(*result);
}

ClientOptions secured_by(net::Security* security, ClientOptions options) {
  if (options.security == nullptr) options.security = security;
  return options;
}

}  // namespace

BlockingClient::BlockingClient(ClientOptions options)
    : own_security_(options.security == nullptr ? std::make_unique<tls::Security>(tls::Options()) : nullptr),
      client_(runtime_, secured_by(own_security_.get(), std::move(options))) {}

// The time since the last call has passed before this one begins, or it would count for its deadline.
template <class Begin>
auto BlockingClient::finish(Begin begin) {
  runtime_.loop().refresh_now();
  return run_to_its_end(runtime_, begin());
}

Result<client::Response> BlockingClient::get(std::string url, CallOptions options) {
  return finish([&] { return client_.get(std::move(url), options); });
}

Result<client::Response> BlockingClient::head(std::string url, CallOptions options) {
  return finish([&] { return client_.head(std::move(url), options); });
}

Result<client::Response> BlockingClient::post(std::string url, std::string content_type, std::string body,
                                              CallOptions options) {
  return finish([&] { return client_.post(std::move(url), std::move(content_type), std::move(body), options); });
}

Result<client::Response> BlockingClient::put(std::string url, std::string content_type, std::string body,
                                             CallOptions options) {
  return finish([&] { return client_.put(std::move(url), std::move(content_type), std::move(body), options); });
}

Result<client::Response> BlockingClient::call(client::Request request, CallOptions options) {
  return finish([&] { return client_.call(std::move(request), options); });
}

Result<void> BlockingClient::call(const client::Request& request, client::Response& response, CallOptions options) {
  return finish([&] { return client_.call(request, response, options); });
}

Result<client::Response> fetch(std::string url, ClientOptions options) {
  return BlockingClient(std::move(options)).get(std::move(url));
}

}  // namespace pipette::app
