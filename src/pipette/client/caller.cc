#include "pipette/client/caller.h"

#include <utility>

namespace pipette::client {
namespace {

Request request_of(http::Method method, std::string url) {
  Request request;
  request.method = method;
  request.url = std::move(url);
  return request;
}

}  // namespace

Task<Result<Response>> Caller::get(std::string url, CallOptions options) {
  return call(request_of(http::Method::get, std::move(url)), options);
}

Task<Result<Response>> Caller::head(std::string url, CallOptions options) {
  return call(request_of(http::Method::head, std::move(url)), options);
}

Task<Result<Response>> Caller::post(std::string url, std::string content_type, std::string body, CallOptions options) {
  return call_with_body(http::Method::post, std::move(url), std::move(content_type), std::move(body), options);
}

Task<Result<Response>> Caller::put(std::string url, std::string content_type, std::string body, CallOptions options) {
  return call_with_body(http::Method::put, std::move(url), std::move(content_type), std::move(body), options);
}

Task<Result<Response>> Caller::call_with_body(http::Method method, std::string url, std::string content_type,
                                              std::string body, CallOptions options) {
  Request request = request_of(method, std::move(url));
  request.body = std::move(body);
  if (const Result<void> set = request.fields.set("Content-Type", content_type); !set) co_return fail(set.error());
  Task<Result<Response>> called = call(std::move(request), options);
  co_return co_await called;
}

Task<Result<Response>> Caller::call(Request request, CallOptions options) {
  Response response;
  Task<Result<void>> called = call(request, response, options);
  const Result<void> done = co_await called;
  if (!done) co_return fail(done.error());
  co_return response;
}

}  // namespace pipette::client
