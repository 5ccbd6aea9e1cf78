#include "pipette/tcp/internal/endpoint.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <span>
#include <string>
#include <sys/un.h>

namespace pipette::tcp {
namespace {

using net::Address;

template <class Sockaddr>
Endpoint make_endpoint(const Sockaddr& from, std::size_t size = sizeof(Sockaddr)) {
  Endpoint endpoint;
  std::memcpy(&endpoint.storage, &from, sizeof from);
  endpoint.size = static_cast<socklen_t>(size);
  return endpoint;
}

template <class Sockaddr>
Sockaddr read_endpoint(const Endpoint& endpoint) {
  Sockaddr to;
  std::memcpy(&to, &endpoint.storage, sizeof to);
  return to;
}

Address from_ipv6(const std::array<std::uint8_t, 16>& ip, std::uint16_t port) {
  constexpr std::array<std::uint8_t, 12> kMappedIpv4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291 §2.5.5.2
  if (std::ranges::equal(kMappedIpv4, std::span(ip).first<12>())) {
    return Address::ipv4({ip[12], ip[13], ip[14], ip[15]}, port);
  }
  return Address::ipv6(ip, port);
}

}  // namespace

Result<Endpoint> to_endpoint(const Address& address) {
  switch (address.kind()) {
    case Address::Kind::ipv4: {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_port = htons(address.port());
      std::memcpy(&in.sin_addr, address.ip().data(), sizeof in.sin_addr);
      return make_endpoint(in);
    }
    case Address::Kind::ipv6: {
      sockaddr_in6 in{};
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(address.port());
      std::memcpy(&in.sin6_addr, address.ip().data(), sizeof in.sin6_addr);
      return make_endpoint(in);
    }
    case Address::Kind::unix_path: {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      const std::string& path = address.text();
      if (path.empty() || path.size() >= sizeof un.sun_path) return fail(Errc::bad_address);
      std::ranges::copy(path, un.sun_path);
      return make_endpoint(un, offsetof(sockaddr_un, sun_path) + path.size() + 1);
    }
    case Address::Kind::name:
    case Address::Kind::none:
      break;
  }
  return fail(Errc::bad_address);
}

Address to_address(const Endpoint& endpoint) {
  if (endpoint.family() == AF_INET) {
    const auto in = read_endpoint<sockaddr_in>(endpoint);
    std::array<std::uint8_t, 4> ip;
    std::memcpy(ip.data(), &in.sin_addr, ip.size());
    return Address::ipv4(ip, ntohs(in.sin_port));
  }
  if (endpoint.family() == AF_INET6) {
    const auto in = read_endpoint<sockaddr_in6>(endpoint);
    std::array<std::uint8_t, 16> ip;
    std::memcpy(ip.data(), &in.sin6_addr, ip.size());
    return from_ipv6(ip, ntohs(in.sin6_port));
  }
  constexpr std::size_t kUnnamed = offsetof(sockaddr_un, sun_path);
  if (endpoint.family() == AF_UNIX && endpoint.size > kUnnamed) {
    const auto un = read_endpoint<sockaddr_un>(endpoint);
    return Address::unix_path(std::string(un.sun_path, strnlen(un.sun_path, endpoint.size - kUnnamed)));
  }
  return {};
}

Address local_address(int fd) {
  Endpoint endpoint;
  if (::getsockname(fd, endpoint.data(), &endpoint.size) != 0) return {};
  return to_address(endpoint);
}

Address remote_address(int fd) {
  Endpoint endpoint;
  if (::getpeername(fd, endpoint.data(), &endpoint.size) != 0) return {};
  return to_address(endpoint);
}

}  // namespace pipette::tcp
