// Proxies: what their URLs say, and which requests go through which.
//
//   http://user:password@proxy:3128    https://proxy    socks5://proxy    socks5h://proxy    proxy:3128 (http)
//
//   Result<ProxyRules> rules = ProxyRules::from_environment(std::getenv);
//   const Proxy* proxy = rules->proxy_for(url);                   // null: directly
//
//   http_proxy, https_proxy   for http:// and https:// URLs; all_proxy for those that neither names. The upper case
//                             name wins; but HTTP_PROXY counts for nothing in a CGI program, where it is a field of
//                             the request (REQUEST_METHOD is set there)
//   no_proxy                  what is reached directly, with commas between: `*` everything; `app.test` that name and
//                             those under it; `.app.test` and `*.app.test` only those under it; an IP address; a CIDR
//                             block. All but the last and `*` may name a port. localhost and loopback addresses are
//                             always reached directly
//
// How a tunnel is opened through a proxy: tunnel.h.
//
// Spec      RFC 9110 §11.7.2 (Proxy-Authorization); the rules are those of Go's golang.org/x/net/http/httpproxy, and
//           all_proxy that of curl.
// Errors    Errc::bad_uri, unsupported_scheme, bad_credentials. A value that is no proxy is an error, not "directly".
// Lifetime  values; what proxy_for() returns is good while the rules are.   Threads  any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/result.h"
#include "pipette/http/uri.h"
#include "pipette/net/address.h"

namespace pipette::client {

class Proxy {
 public:
  // https: HTTP over TLS to the proxy. socks5h: the proxy resolves names; socks5: we do.
  enum class Kind : unsigned char { http, https, socks5, socks5h };

  static Result<Proxy> parse(std::string_view url);

  Kind kind() const { return kind_; }
  bool is_socks() const { return kind_ == Kind::socks5 || kind_ == Kind::socks5h; }
  const net::Address& address() const { return address_; }
  // As the URL has it, without brackets: what a certificate names.
  const std::string& host() const { return host_; }
  bool has_credentials() const { return has_credentials_; }
  const std::string& user() const { return user_; }
  const std::string& password() const { return password_; }
  // The value of a Proxy-Authorization field; empty: none.
  const std::string& authorization() const { return authorization_; }
  // The URL, without its credentials: for logs.
  std::string to_string() const;

  bool operator==(const Proxy&) const = default;

 private:
  Result<void> set_credentials(std::string_view userinfo);

  Kind kind_ = Kind::http;
  net::Address address_;
  std::string host_;
  bool has_credentials_ = false;
  std::string user_;
  std::string password_;
  std::string authorization_;
};

// As the variables of those names; empty: not set.
struct ProxySettings {
  std::string http_proxy;
  std::string https_proxy;
  std::string all_proxy;
  std::string no_proxy;
};

class ProxyRules {
 public:
  // Of a variable, null when it is not set: std::getenv is one.
  using Environment = std::function<const char*(const char* name)>;

  // Everything directly.
  ProxyRules() = default;
  static Result<ProxyRules> from(const ProxySettings& settings);
  static Result<ProxyRules> from_environment(const Environment& environment);

  const Proxy* proxy_for(const http::HttpUrl& url) const;

 private:
  // One of no_proxy. Port 0: any.
  struct Domain {
    std::string suffix;  // begins with "."
    bool matches_itself;
    std::uint16_t port;
  };
  struct Block {
    net::Address network;
    unsigned bits;
    std::uint16_t port;
  };

  void add_exception(std::string_view text);
  bool is_exception(std::string_view host, std::uint16_t port) const;

  std::optional<Proxy> http_;
  std::optional<Proxy> https_;
  bool excepts_all_ = false;
  std::vector<Domain> domains_;
  std::vector<Block> blocks_;
};

}  // namespace pipette::client
