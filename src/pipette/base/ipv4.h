// IPv4 addresses as text: four numbers up to 255, without leading zeros, and nothing else.
//
//   parse_ipv4("127.0.0.1") --> {127, 0, 0, 1}        not: "127.1", "0127.0.0.1", "127.0.0.1 ", "256.0.0.1"
//
// Spec  RFC 3986 §3.2.2, IPv4address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pipette {

using Ipv4 = std::array<std::uint8_t, 4>;

std::optional<Ipv4> parse_ipv4(std::string_view text);
void append_ipv4(const Ipv4& ip, std::string& out);

}  // namespace pipette
