#include "pipette/client/client.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/until_stopped.h"
#include "pipette/base/ascii.h"
#include "pipette/client/cookie_jar.h"
#include "pipette/client/tunnel.h"

namespace pipette::client {
namespace {

// Whether it is worth a connection; the rest is seen when it is written.
Result<void> check(const Request& request) {
  if (request.method == http::Method::connect || request.method == http::Method::other) return fail(Errc::bad_method);
  const http::Fields& fields = request.fields.view();
  if (fields.contains(http::FieldName::content_length) || fields.contains(http::FieldName::transfer_encoding)) {
    return fail(Errc::managed_field);
  }
  return {};
}

}  // namespace

// A call at a host, which stays as long as it has one.
struct Client::Visit {
  explicit Visit(Host& of) : host(of) { ++host.calls; }
  ~Visit() { --host.calls; }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  Host& host;
};

Client::Client(Runtime& runtime, ClientOptions options)
    : runtime_(runtime),
      options_(std::move(options)),
      dialer_(runtime, options_.dialer),
      budget_(options_.retries),
      random_(runtime.random("client")) {
  constexpr std::size_t kMaxAgentBytes = 256;
  if (!ascii::is_value(options_.user_agent) || options_.user_agent.size() > kMaxAgentBytes) options_.user_agent.clear();
}
Client::~Client() = default;

// ---- calls -----------------------------------------------------------------------------------------------

Task<Result<Response>> Client::get(std::string url, CallOptions options) {
  Request request;
  request.url = std::move(url);
  return call_whole(std::move(request), options);
}

Task<Result<Response>> Client::head(std::string url, CallOptions options) {
  Request request;
  request.method = http::Method::head;
  request.url = std::move(url);
  return call_whole(std::move(request), options);
}

Task<Result<Response>> Client::post(std::string url, std::string content_type, std::string body, CallOptions options) {
  return call_with_body(http::Method::post, std::move(url), content_type, std::move(body), options);
}

Task<Result<Response>> Client::put(std::string url, std::string content_type, std::string body, CallOptions options) {
  return call_with_body(http::Method::put, std::move(url), content_type, std::move(body), options);
}

Task<Result<Response>> Client::call_with_body(http::Method method, std::string url, std::string content_type,
                                              std::string body, CallOptions options) {
  Request request;
  request.method = method;
  request.url = std::move(url);
  request.body = std::move(body);
  if (const Result<void> set = request.fields.set("Content-Type", content_type); !set) co_return fail(set.error());
  Task<Result<Response>> call = call_whole(std::move(request), options);
  co_return co_await call;
}

Task<Result<Response>> Client::call_whole(Request request, CallOptions options) {
  Response response;
  Task<Result<void>> task =
      options.stop.stop_possible() ? call(request, response, options) : call_until(request, response, options.deadline);
  const Result<void> done = co_await task;
  if (!done) co_return fail(done.error());
  co_return response;
}

Task<Result<void>> Client::call(const Request& request, Response& response) {
  return call_until(request, response, kNever);
}

Task<Result<void>> Client::call(const Request& request, Response& response, CallOptions options) {
  Task<Result<void>> task = call_until(request, response, options.deadline);
  const auto done = co_await async::until_stopped(runtime_.loop(), std::move(task), options.stop);
  if (!done) co_return fail(Errc::operation_canceled);
  co_return *done;
}

Task<Result<void>> Client::call_until(const Request& request, Response& response, TimePoint latest) {
  ++counts_.calls;
  budget_.earn();
  const TimePoint deadline = std::min(latest, after(runtime_.loop().now(), options_.timeout));
  const bool follows = options_.redirects.max > 0;
  return options_.cookies == nullptr ? exchange(request, response, deadline, follows)
                                     : exchange_cookies(request, response, deadline, follows);
}

Task<Result<void>> Client::exchange(const Request& request, Response& response, TimePoint deadline, bool follows) {
  const Result<http::HttpUrl> url = parse(request.url);
  if (!url) co_return fail(url.error());
  if (const Result<void> sendable = check(request); !sendable) co_return sendable;
  const Visit visit(host_of(*url));
  Pool& pool = visit.host.pool;
  for (int attempts = 1;; ++attempts) {
    const Pool::Want want = attempts == 1 ? Pool::Want::any : Pool::Want::fresh;
    std::optional<Pool::Lease> lease = pool.try_acquire(want);
    if (!lease) {
      Result<Pool::Lease> waited = co_await wait_for(pool, want, deadline);
      if (!waited) co_return fail(waited.error());
      lease = std::move(*waited);
    }
    if (!lease->connection) {
      const Result<void> opened = co_await open(*url, *lease, deadline);
      if (!opened) co_return opened;
    }
    Connection& connection = *lease->connection;
    if (const Result<void> written = connection.write_request(*url, request); !written) {
      pool.give_back(std::move(*lease));
      co_return written;
    }
    ++counts_.requests;
    if (connection.is_reused()) ++counts_.reused;
    Result<void> done = co_await connection.send(request, deadline);
    const bool is_cut = !done;
    // A server may answer, and then close, before it has read all of the body (RFC 9112 §9.5).
    if (done || done.error() == std::errc::connection_reset) {
      done = co_await connection.receive(request, deadline, response);
    }
    if (done) {
      if (connection.keeps_alive() && !is_cut) pool.give_back(std::move(*lease));
      break;
    }
    const bool is_safe = !connection.has_received() && (http::is_idempotent(request.method) || !connection.has_sent());
    Duration pause{};
    const Failure failure{request, attempts, done.error(), connection.is_reused()};
    if (!may_repeat(failure, is_safe, deadline, pause)) co_return done;
    lease.reset();
    ++counts_.repeated;
    if (pause > Duration::zero()) co_await async::sleep_until(runtime_.loop(), after(runtime_.loop().now(), pause));
  }
  if (follows && asks_for_redirect(response)) co_return co_await follow_redirects(request, response, deadline);
  co_return Result<void>();
}

bool Client::may_repeat(const Failure& failure, bool is_safe, TimePoint deadline, Duration& pause) {
  const RetryPolicy& policy = options_.retries;
  if (!is_safe || failure.attempts >= policy.max_attempts || failure.error == std::errc::timed_out) return false;
  const bool was_stale = failure.was_reused && failure.attempts == 1;
  if (!was_stale) {
    if (!policy.on_new_connections) return false;
    const int doublings = std::min(failure.attempts - 1, 20);
    const Duration longest = std::min(policy.first_pause * (1 << doublings), policy.longest_pause);
    pause = Duration(1 + static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(longest.count()) + 1)));
    if (after(runtime_.loop().now(), pause) >= deadline) return false;
  }
  if (policy.retry_if && !policy.retry_if(failure)) return false;
  return was_stale || budget_.spend();
}

Task<Result<void>> Client::follow_redirects(const Request& request, Response& response, TimePoint deadline) {
  Request next = request;
  for (int hops = 1; asks_for_redirect(response); ++hops) {
    if (const Result<void> led = follow(response, hops, options_.redirects, next); !led) co_return led;
    ++counts_.redirected;
    Task<Result<void>> hop = options_.cookies == nullptr ? exchange(next, response, deadline, false)
                                                         : exchange_cookies(next, response, deadline, false);
    const Result<void> done = co_await hop;
    if (!done) co_return done;
  }
  co_return Result<void>();
}

Task<Result<void>> Client::exchange_cookies(const Request& request, Response& response, TimePoint deadline,
                                            bool follows) {
  const Result<http::HttpUrl> url = http::parse_http_url(request.url);
  if (!url) co_return fail(url.error());
  Request dressed = request;
  std::string cookies(request.fields.get("Cookie").value_or(""));
  options_.cookies->append_cookie_field(*url, runtime_.loop().wall_now(), cookies);
  const Result<void> set = cookies.empty() ? Result<void>() : dressed.fields.set("Cookie", cookies);
  if (!set) co_return set;
  const Result<void> done = co_await exchange(dressed, response, deadline, false);
  if (!done) co_return done;
  options_.cookies->set_all(*url, response.fields.view(), runtime_.loop().wall_now());
  if (follows && asks_for_redirect(response)) co_return co_await follow_redirects(request, response, deadline);
  co_return done;
}

// The last URL is often the next one too.
Result<http::HttpUrl> Client::parse(std::string_view text) {
  if (text == last_url_text_ && !text.empty()) return http::moved(last_url_, last_url_text_.data(), text.data());
  const Result<http::HttpUrl> url = http::parse_http_url(text);
  if (url) {
    last_url_text_ = text;
    last_url_ = http::moved(*url, text.data(), last_url_text_.data());
    last_host_ = nullptr;
  }
  return url;
}

// ---- connections -----------------------------------------------------------------------------------------

// Of the URL that was parsed last. A host without work is forgotten when another one is met for the first time.
Client::Host& Client::host_of(const http::HttpUrl& url) {
  if (last_host_ != nullptr) return *last_host_;
  const std::pair<bool, std::string_view> origin(url.is_https, url.authority);
  auto found = hosts_.find(origin);
  if (found == hosts_.end()) {
    std::erase_if(hosts_, [](const auto& each) { return each.second.calls == 0 && each.second.pool.open() == 0; });
    found = hosts_.try_emplace(Origin(origin), runtime_.loop(), options_).first;
  }
  last_host_ = &found->second;
  return *last_host_;
}

Task<Result<Pool::Lease>> Client::wait_for(Pool& pool, Pool::Want want, TimePoint deadline) {
  ++counts_.waited;
  const TimePoint until = std::min(deadline, after(runtime_.loop().now(), options_.pool_wait_timeout));
  Result<Pool::Lease> lease = co_await pool.acquire(until, want);
  if (!lease && runtime_.loop().now() >= deadline) co_return fail(Errc::timed_out);
  co_return lease;
}

Task<Result<void>> Client::open(http::HttpUrl url, Pool::Lease& lease, TimePoint deadline) {
  const Result<net::Address> address = net::Address::parse(url.host, url.port);
  if (!address) co_return fail(Errc::bad_uri);
  if (url.is_https && options_.security == nullptr) co_return fail(Errc::unsupported_scheme);
  ++counts_.dials;
  const Proxy* const proxy = options_.proxies.proxy_for(url);
  const bool is_forwarded = proxy != nullptr && !proxy->is_socks() && !url.is_https;
  Task<Result<net::Connected>> dial = proxy == nullptr ? dialer_.dial(*address, deadline)
                                      : is_forwarded   ? dial_proxy(*proxy, deadline)
                                                       : dial_tunnel(*proxy, *address, deadline);
  Result<net::Connected> dialed = co_await dial;
  if (!dialed) co_return fail(dialed.error());
  std::unique_ptr<net::Connection> stream = std::move(dialed->connection);
  if (url.is_https) {
    Task<Result<net::Secured>> handshake = secure(std::move(stream), std::string(url.host), deadline);
    Result<net::Secured> secured = co_await handshake;
    if (!secured) co_return fail(secured.error());
    stream = std::move(secured->connection);
  }
  lease.connection = std::make_unique<Connection>(runtime_.loop(), options_, std::move(stream));
  if (is_forwarded) lease.connection->set_proxy(*proxy);
  co_return Result<void>();
}

Task<Result<net::Connected>> Client::dial_tunnel(const Proxy& proxy, net::Address target, TimePoint deadline) {
  TunnelOptions options;
  options.timeout = options_.proxy_timeout;
  options.head = options_.head;
  options.security = options_.security;
  return dial_through(runtime_, dialer_, proxy, std::move(target), deadline, options);
}

// For requests that the proxy forwards.
Task<Result<net::Connected>> Client::dial_proxy(const Proxy& proxy, TimePoint deadline) {
  if (proxy.kind() == Proxy::Kind::https && options_.security == nullptr) co_return fail(Errc::unsupported_scheme);
  Result<net::Connected> dialed = co_await dialer_.dial(proxy.address(), deadline);
  if (!dialed || proxy.kind() != Proxy::Kind::https) co_return dialed;
  Task<Result<net::Secured>> handshake = secure(std::move(dialed->connection), proxy.host(), deadline);
  Result<net::Secured> secured = co_await handshake;
  if (!secured) co_return fail(secured.error());
  dialed->connection = std::move(secured->connection);
  co_return dialed;
}

Task<Result<net::Secured>> Client::secure(std::unique_ptr<net::Connection> stream, std::string host,
                                          TimePoint deadline) {
  const TimePoint until = std::min(deadline, after(runtime_.loop().now(), options_.tls_handshake_timeout));
  net::ServerName name{std::move(host)};
  net::Alpn alpn{std::vector<std::string>(1, "http/1.1")};
  Task<Result<net::Secured>> handshake =
      options_.security->client(std::move(stream), std::move(name), std::move(alpn), until);
  Result<net::Secured> secured = co_await handshake;
  const bool is_late = !secured && secured.error() == make_error_code(Errc::timed_out);
  if (is_late && runtime_.loop().now() < deadline) co_return fail(Errc::tls_handshake_timeout);
  co_return secured;
}

std::size_t Client::open_connections() const {
  std::size_t count = 0;
  for (const auto& [origin, host] : hosts_) count += host.pool.open();
  return count;
}

std::size_t Client::idle_connections() const {
  std::size_t count = 0;
  for (const auto& [origin, host] : hosts_) count += host.pool.idle();
  return count;
}

void Client::close_idle() {
  for (auto& [origin, host] : hosts_) host.pool.close_idle();
}

}  // namespace pipette::client
