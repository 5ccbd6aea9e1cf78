#include "pipette/net/address.h"

#include <algorithm>
#include <arpa/inet.h>

#include "pipette/base/ascii.h"

namespace pipette::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kMaxUnixPath = 107;  // sun_path less its terminator
constexpr std::size_t kMaxHostName = 253;  // RFC 1035 §2.3.4

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  if (digits.size() > 5) return std::nullopt;
  const auto value = ascii::parse_decimal(digits);
  if (!value || *value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

bool is_host_name(std::string_view host) {
  const auto fits = [](char c) { return ascii::is_digit(c) || ascii::is_alpha(c) || c == '-' || c == '.' || c == '_'; };
  return !host.empty() && host.size() <= kMaxHostName && std::ranges::all_of(host, fits);
}

}  // namespace

Address Address::ipv4(std::array<std::uint8_t, 4> ip, std::uint16_t port) {
  Address address;
  address.kind_ = Kind::ipv4;
  address.port_ = port;
  std::ranges::copy(ip, address.ip_.begin());
  return address;
}

Address Address::ipv6(std::array<std::uint8_t, 16> ip, std::uint16_t port) {
  Address address;
  address.kind_ = Kind::ipv6;
  address.port_ = port;
  address.ip_ = ip;
  return address;
}

Address Address::unix_path(std::string path) {
  Address address;
  address.kind_ = Kind::unix_path;
  address.text_ = std::make_shared<const std::string>(std::move(path));
  return address;
}

Address Address::name(std::string host, std::uint16_t port) {
  Address address;
  address.kind_ = Kind::name;
  address.port_ = port;
  address.text_ = std::make_shared<const std::string>(std::move(host));
  return address;
}

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    if (path.empty() || path.size() > kMaxUnixPath || path.contains('\0')) return fail(Errc::bad_address);
    return unix_path(std::string(path));
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::bad_address);
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return fail(Errc::bad_address);
  if (colon == 0) return ipv4({0, 0, 0, 0}, *port);
  return parse(text.substr(0, colon), *port);
}

Result<Address> Address::parse(std::string_view host, std::uint16_t port) {
  const std::string bare(host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host);
  const bool bracketed = bare.size() != host.size();
  if (bare.contains('\0')) return fail(Errc::bad_address);
  std::array<std::uint8_t, 4> four{};
  if (!bracketed && inet_pton(AF_INET, bare.c_str(), four.data()) == 1) return ipv4(four, port);
  std::array<std::uint8_t, 16> sixteen{};
  if (bracketed && inet_pton(AF_INET6, bare.c_str(), sixteen.data()) == 1) return ipv6(sixteen, port);
  if (bracketed || !is_host_name(bare)) return fail(Errc::bad_address);
  return name(bare, port);
}

const std::string& Address::text() const {
  static const std::string kNone;
  return text_ == nullptr ? kNone : *text_;
}

bool Address::operator==(const Address& other) const {
  return kind_ == other.kind_ && port_ == other.port_ && ip_ == other.ip_ && text() == other.text();
}

Address Address::with_port(std::uint16_t port) const {
  Address other = *this;
  other.port_ = port;
  return other;
}

std::string Address::ip_text() const {
  if (kind_ != Kind::ipv4 && kind_ != Kind::ipv6) return {};
  std::array<char, INET6_ADDRSTRLEN> ip{};
  return inet_ntop(kind_ == Kind::ipv4 ? AF_INET : AF_INET6, ip_.data(), ip.data(), ip.size());
}

std::string Address::to_string() const {
  std::string written;
  switch (kind_) {
    case Kind::none:
      return "nowhere";
    case Kind::unix_path:
      return written.append(kUnixPrefix).append(text());
    case Kind::name:
      written = text();
      break;
    case Kind::ipv4:
      written = ip_text();
      break;
    case Kind::ipv6:
      written.append("[").append(ip_text()).append("]");
      break;
  }
  return written.append(":").append(std::to_string(port_));
}

}  // namespace pipette::net
