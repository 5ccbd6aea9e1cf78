#include "pipette/client/way.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "pipette/client/tunnel.h"

namespace pipette::client {
namespace {

// Tells a trace what a dial tells.
DialHooks hooks_of(async::Loop& loop, const Terms& terms) {
  const auto tell = [&loop, &terms](TraceKind kind, std::string_view host, const net::Address* address,
                                    std::error_code error) {
    TraceEvent event{kind, loop.now()};
    event.host = host;
    event.address = address;
    event.error = error;
    terms.tell(event);
  };
  DialHooks hooks;
  hooks.resolve_start = [tell](std::string_view host) { tell(TraceKind::resolve_start, host, nullptr, {}); };
  hooks.resolve_done = [tell](std::string_view host, std::error_code error) {
    tell(TraceKind::resolve_done, host, nullptr, error);
  };
  hooks.connect_start = [tell](const net::Address& address) { tell(TraceKind::connect_start, {}, &address, {}); };
  hooks.connect_done = [tell](const net::Address& address, std::error_code error) {
    tell(TraceKind::connect_done, {}, &address, error);
  };
  return hooks;
}

// One attempt at opening a way.
class Opening {
 public:
  Opening(Shared& shared, const Terms& terms) : shared_(shared), terms_(terms) {
    if (terms.trace == nullptr) return;
    hooks_ = hooks_of(loop(), terms);
    told_ = &*hooks_;
  }

  Task<Result<net::Connected>> dial_any(Addresses& addresses) {
    Result<net::Connected> dialed = fail(Errc::bad_address);
    const std::size_t count = addresses.all.size();
    const std::size_t first = addresses.turn++;
    for (std::size_t i = 0; i < count && !dialed; ++i) {
      net::Address address = addresses.all[(first + i) % count];
      Task<Result<net::Connected>> dial = shared_.dialer.dial(std::move(address), terms_.deadline, told_);
      dialed = co_await dial;
    }
    co_return dialed;
  }

  Task<Result<net::Connected>> dial(net::Address target) {
    return shared_.dialer.dial(std::move(target), terms_.deadline, told_);
  }

  Task<Result<net::Connected>> dial_tunnel(const Proxy& proxy, net::Address target) {
    TunnelOptions options;
    options.timeout = shared_.options.proxy_timeout;
    options.head = shared_.options.head;
    options.security = shared_.options.security;
    options.hooks = told_;
    return dial_through(shared_.runtime, shared_.dialer, proxy, std::move(target), terms_.deadline, options);
  }

  // For requests that the proxy forwards.
  Task<Result<net::Connected>> dial_proxy(const Proxy& proxy) {
    if (proxy.kind() == Proxy::Kind::https && shared_.options.security == nullptr)
      co_return fail(Errc::unsupported_scheme);
    Task<Result<net::Connected>> dial = shared_.dialer.dial(proxy.address(), terms_.deadline, told_);
    Result<net::Connected> dialed = co_await dial;
    if (!dialed || proxy.kind() != Proxy::Kind::https) co_return dialed;
    Task<Result<net::Secured>> handshake = secure(std::move(dialed->connection), proxy.host());
    Result<net::Secured> secured = co_await handshake;
    if (!secured) co_return fail(secured.error());
    dialed->connection = std::move(secured->connection);
    co_return dialed;
  }

  Task<Result<net::Secured>> secure(std::unique_ptr<net::Connection> stream, std::string host) {
    const TimePoint until = std::min(terms_.deadline, after(loop().now(), shared_.options.tls_handshake_timeout));
    tell_of_handshake(TraceKind::handshake_start, host, {});
    net::ServerName name{host};
    net::Alpn alpn{std::vector<std::string>(1, "http/1.1")};
    Task<Result<net::Secured>> handshake =
        shared_.options.security->client(shared_.runtime, std::move(stream), std::move(name), std::move(alpn), until);
    Result<net::Secured> secured = co_await handshake;
    const bool is_late = !secured && secured.error() == make_error_code(Errc::timed_out);
    if (is_late && loop().now() < terms_.deadline) secured = fail(Errc::tls_handshake_timeout);
    tell_of_handshake(TraceKind::handshake_done, host, secured ? std::error_code() : secured.error());
    co_return secured;
  }

 private:
  async::Loop& loop() { return shared_.runtime.loop(); }
  void tell_of_handshake(TraceKind kind, std::string_view host, std::error_code error) {
    if (terms_.trace == nullptr) return;
    TraceEvent event{kind, loop().now()};
    event.host = host;
    event.error = error;
    terms_.tell(event);
  }

  Shared& shared_;
  const Terms& terms_;
  std::optional<DialHooks> hooks_;
  const DialHooks* told_ = nullptr;
};

const Proxy* proxy_for(const Shared& shared, const http::HttpUrl& url, const Addresses& addresses) {
  return addresses.all.empty() ? shared.options.proxies.proxy_for(url) : nullptr;
}

bool forwards(const Proxy* proxy, const http::HttpUrl& url) {
  return proxy != nullptr && !proxy->is_socks() && !url.is_https;
}

}  // namespace

const Proxy* forwarding_proxy(const Shared& shared, const http::HttpUrl& url, const Addresses& addresses) {
  const Proxy* const proxy = proxy_for(shared, url, addresses);
  return forwards(proxy, url) ? proxy : nullptr;
}

Task<Result<Way>> open_way(Shared& shared, http::HttpUrl url, Addresses& addresses, const Terms& terms) {
  const Result<net::Address> target = net::Address::parse(url.host, url.port);
  if (!target) co_return fail(Errc::bad_uri);
  if (url.is_https && shared.options.security == nullptr) co_return fail(Errc::unsupported_scheme);
  Opening opening(shared, terms);
  const Proxy* const proxy = proxy_for(shared, url, addresses);
  const bool is_forwarded = forwards(proxy, url);
  Task<Result<net::Connected>> dial = !addresses.all.empty() ? opening.dial_any(addresses)
                                      : proxy == nullptr     ? opening.dial(*target)
                                      : is_forwarded         ? opening.dial_proxy(*proxy)
                                                             : opening.dial_tunnel(*proxy, *target);
  Result<net::Connected> dialed = co_await dial;
  if (!dialed) co_return fail(dialed.error());
  Way way{std::move(dialed->connection), is_forwarded ? proxy : nullptr};
  if (url.is_https) {
    Task<Result<net::Secured>> handshake = opening.secure(std::move(way.stream), std::string(url.host));
    Result<net::Secured> secured = co_await handshake;
    if (!secured) co_return fail(secured.error());
    way.stream = std::move(secured->connection);
  }
  co_return way;
}

}  // namespace pipette::client
