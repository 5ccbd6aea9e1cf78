#include "pipette/client/proxy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/auth.h"
#include "pipette/http/percent.h"

namespace pipette::client {
namespace {

using net::Address;

constexpr std::size_t kMaxSocksCredential = 255;  // RFC 1929 §2

struct Scheme {
  std::string_view name;
  Proxy::Kind kind;
  std::uint16_t port;
};
constexpr Scheme kSchemes[] = {
    {"http", Proxy::Kind::http, 80},
    {"https", Proxy::Kind::https, 443},
    {"socks5", Proxy::Kind::socks5, 1080},
    {"socks5h", Proxy::Kind::socks5h, 1080},
};

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  ascii::make_lower(lower);
  return lower;
}

std::string_view without_brackets(std::string_view host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  const auto port = ascii::parse_decimal(digits);
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// An IP address without brackets and port; nullopt for what is none.
std::optional<Address> parse_ip(std::string_view text) {
  const bool is_ipv6 = text.contains(':');
  const Result<Address> parsed = Address::parse(is_ipv6 ? "[" + std::string(text) + "]" : std::string(text), 0);
  if (!parsed || parsed->kind() == Address::Kind::name) return std::nullopt;
  return *parsed;
}

// ::ffff:0:0/96, IPv4 addresses inside IPv6 (RFC 4291 §2.5.5.2).
constexpr unsigned kMappedBits = 96;

bool is_mapped(const Address& address) {
  constexpr std::array<std::uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.kind() == Address::Kind::ipv6 && std::ranges::equal(kPrefix, std::span(address.ip()).first(12));
}

Address unmapped(const Address& address) {
  if (!is_mapped(address)) return address;
  const auto& ip = address.ip();
  return Address::ipv4({ip[12], ip[13], ip[14], ip[15]}, address.port());
}

unsigned bits_of(const Address& address) { return address.kind() == Address::Kind::ipv4 ? 32 : 128; }

bool is_in(const Address& address, const Address& network, unsigned bits) {
  if (address.kind() != network.kind()) return false;
  for (std::size_t i = 0; bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    if ((address.ip()[i] ^ network.ip()[i]) >> (8 - here) != 0) return false;
    bits -= here;
  }
  return true;
}

bool is_loopback(const Address& address) {
  return is_in(address, Address::ipv4({127, 0, 0, 0}, 0), 8) ||
         is_in(address, Address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0), 128);
}

Result<std::optional<Proxy>> parse_if_set(const std::string& url, const std::string& otherwise) {
  const std::string& chosen = url.empty() ? otherwise : url;
  if (chosen.empty()) return std::optional<Proxy>();
  Result<Proxy> proxy = Proxy::parse(chosen);
  if (!proxy) return fail(proxy.error());
  return std::optional<Proxy>(std::move(*proxy));
}

}  // namespace

// ---- one proxy -------------------------------------------------------------------------------------------

Result<Proxy> Proxy::parse(std::string_view url) {
  const std::string text = url.contains("://") ? std::string(url) : "http://" + std::string(url);
  const Result<http::UriView> parts = http::parse_uri(text);
  if (!parts) return fail(parts.error());
  const bool is_bare = (parts->path.empty() || parts->path == "/") && !parts->query && !parts->fragment;
  if (parts->host.empty() || !is_bare) return fail(Errc::bad_uri);

  const auto scheme = std::ranges::find_if(
      kSchemes, [&](const Scheme& known) { return ascii::equal_ignoring_case(known.name, parts->scheme); });
  if (scheme == std::end(kSchemes)) return fail(Errc::unsupported_scheme);
  Proxy proxy;
  proxy.kind_ = scheme->kind;
  const bool has_port = parts->port && !parts->port->empty();
  const auto port = has_port ? parse_port(*parts->port) : scheme->port;
  if (!port) return fail(Errc::bad_uri);
  const Result<Address> address = Address::parse(parts->host, *port);
  if (!address) return fail(Errc::bad_uri);
  proxy.address_ = *address;
  proxy.host_ = without_brackets(parts->host);
  if (parts->userinfo) {
    if (const Result<void> set = proxy.set_credentials(*parts->userinfo); !set) return fail(set.error());
  }
  return proxy;
}

Result<void> Proxy::set_credentials(std::string_view userinfo) {
  const std::size_t colon = std::min(userinfo.find(':'), userinfo.size());
  const Result<std::string> user = http::percent_decode(userinfo.substr(0, colon));
  const Result<std::string> password = http::percent_decode(userinfo.substr(std::min(colon + 1, userinfo.size())));
  if (!user || !password) return fail(Errc::bad_uri);
  if (is_socks()) {
    const bool fits = !user->empty() && std::max(user->size(), password->size()) <= kMaxSocksCredential;
    if (!fits) return fail(Errc::bad_credentials);
  } else {
    const http::BasicCredentials credentials{*user, *password};
    if (const Result<void> written = http::write_basic(credentials, authorization_); !written) return written;
  }
  has_credentials_ = true;
  user_ = *user;
  password_ = *password;
  return {};
}

std::string Proxy::to_string() const {
  const auto scheme = std::ranges::find(kSchemes, kind_, &Scheme::kind);
  return std::string(scheme->name) + "://" + address_.to_string();
}

// ---- which one -------------------------------------------------------------------------------------------

Result<ProxyRules> ProxyRules::from(const ProxySettings& settings) {
  Result<std::optional<Proxy>> http = parse_if_set(settings.http_proxy, settings.all_proxy);
  if (!http) return fail(http.error());
  Result<std::optional<Proxy>> https = parse_if_set(settings.https_proxy, settings.all_proxy);
  if (!https) return fail(https.error());
  ProxyRules rules;
  rules.http_ = std::move(*http);
  rules.https_ = std::move(*https);
  std::string_view left = settings.no_proxy;
  while (!left.empty()) {
    const std::size_t comma = std::min(left.find(','), left.size());
    rules.add_exception(ascii::trim(left.substr(0, comma)));
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  return rules;
}

Result<ProxyRules> ProxyRules::from_environment(const Environment& environment) {
  const auto get = [&environment](const char* name) {
    const char* const value = environment(name);
    return std::string(value == nullptr ? "" : value);
  };
  const auto get_either = [&get](const char* upper, const char* lower) {
    std::string value = get(upper);
    return value.empty() ? get(lower) : value;
  };
  ProxySettings settings;
  const bool is_cgi = !get("REQUEST_METHOD").empty();
  settings.http_proxy = is_cgi ? get("http_proxy") : get_either("HTTP_PROXY", "http_proxy");
  settings.https_proxy = get_either("HTTPS_PROXY", "https_proxy");
  settings.all_proxy = get_either("ALL_PROXY", "all_proxy");
  settings.no_proxy = get_either("NO_PROXY", "no_proxy");
  return from(settings);
}

const Proxy* ProxyRules::proxy_for(const http::HttpUrl& url) const {
  const std::optional<Proxy>& proxy = url.is_https ? https_ : http_;
  if (!proxy || is_exception(in_lower_case(without_brackets(url.host)), url.port)) return nullptr;
  return &*proxy;
}

// What can match nothing is left out.
void ProxyRules::add_exception(std::string_view text) {
  const std::string lower = in_lower_case(text);
  std::string_view host = lower;
  if (host == "*") {
    excepts_all_ = true;
    return;
  }
  const std::size_t slash = host.find('/');
  if (slash != std::string_view::npos) {
    const auto network = parse_ip(host.substr(0, slash));
    auto bits = ascii::parse_decimal(host.substr(slash + 1));
    if (!network || !bits || *bits > bits_of(*network)) return;
    const bool goes_over = is_mapped(*network) && *bits >= kMappedBits;
    if (goes_over) *bits -= kMappedBits;
    blocks_.push_back({goes_over ? unmapped(*network) : *network, static_cast<unsigned>(*bits), 0});
    return;
  }
  std::uint16_t port = 0;
  const bool has_port = !parse_ip(host) && host.contains(':') && !host.ends_with(']');
  if (has_port) {
    const std::size_t colon = host.rfind(':');
    const auto named = parse_port(host.substr(colon + 1));
    if (!named) return;
    port = *named;
    host = host.substr(0, colon);
  }
  host = without_brackets(host);
  if (const auto ip = parse_ip(host)) {
    const Address network = unmapped(*ip);
    blocks_.push_back({network, bits_of(network), port});
    return;
  }
  if (host.starts_with("*.")) host.remove_prefix(1);
  if (host.empty()) return;
  const bool begins_with_dot = host.starts_with('.');
  domains_.push_back({begins_with_dot ? std::string(host) : "." + std::string(host), !begins_with_dot, port});
}

bool ProxyRules::is_exception(std::string_view host, std::uint16_t port) const {
  if (excepts_all_ || host == "localhost") return true;
  const auto fits = [port](std::uint16_t wanted) { return wanted == 0 || wanted == port; };
  if (const auto ip = parse_ip(host)) {
    const Address address = unmapped(*ip);
    return is_loopback(address) || std::ranges::any_of(blocks_, [&](const Block& block) {
             return fits(block.port) && is_in(address, block.network, block.bits);
           });
  }
  return std::ranges::any_of(domains_, [&](const Domain& domain) {
    const std::string_view suffix = domain.suffix;
    return fits(domain.port) && (host.ends_with(suffix) || (domain.matches_itself && host == suffix.substr(1)));
  });
}

}  // namespace pipette::client
