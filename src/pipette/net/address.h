// Address: where a listener listens, and where a connection comes from or goes to.
//
//   127.0.0.1:80    [::1]:80    app:80 (a name, still to be resolved)    unix:/run/app.sock    :80 (every interface)
//
// Errors    parse() fails with Errc::bad_address. Zone ids are refused; a port is 0-65535 in digits.
// Lifetime  a value.   Threads  any.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipette/base/result.h"

namespace pipette::net {

class Address {
 public:
  enum class Kind : std::uint8_t { none, ipv4, ipv6, unix_path, name };

  Address() = default;
  static Address ipv4(std::array<std::uint8_t, 4> ip, std::uint16_t port);
  static Address ipv6(std::array<std::uint8_t, 16> ip, std::uint16_t port);
  static Address unix_path(std::string path);
  static Address name(std::string host, std::uint16_t port);
  static Result<Address> parse(std::string_view text);
  // A host without a port, and the port: what a URL gives.
  static Result<Address> parse(std::string_view host, std::uint16_t port);

  Kind kind() const { return kind_; }
  std::uint16_t port() const { return port_; }
  // The first 4 octets for ipv4, all 16 for ipv6.
  const std::array<std::uint8_t, 16>& ip() const { return ip_; }
  // The host of a name, the path of a Unix address.
  const std::string& text() const;

  // Without port and brackets; empty for what has none, such as a Unix path.
  std::string ip_text() const;

  Address with_port(std::uint16_t port) const;
  // The form that parse() reads.
  std::string to_string() const;

  bool operator==(const Address& other) const;

 private:
  Kind kind_ = Kind::none;
  std::uint16_t port_ = 0;
  std::array<std::uint8_t, 16> ip_{};
  std::shared_ptr<const std::string> text_;  // null where there is none, as in most
};

}  // namespace pipette::net
