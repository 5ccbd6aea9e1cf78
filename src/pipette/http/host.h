// The host of a URI, with or without its port, as in a Host field.
//
//   is_host("app:8080")  is_host("[2001:db8::1]")        not: "", "a b", "u@a", "a,b", "[fe80::1%25eth0]", "a:65536"
//
// Spec  RFC 9110 §7.2, RFC 3986 §3.2.2. Stricter in two things: a zone identifier (RFC 6874) has no meaning to anybody
//       but the sender, and a comma is what two Host fields become when somebody joins them.
#pragma once

#include <string_view>

namespace pipette::http {

// uri-host [ ":" port ]; not empty; the port, which may be empty, is 65535 at most.
bool is_host(std::string_view text);

// Without brackets. No zone.
bool is_ipv4_literal(std::string_view text);
bool is_ipv6_literal(std::string_view text);

// Whether each "%" has two hex digits behind it, which are not those of NUL: nothing good is named with it.
bool has_valid_percents(std::string_view text);

}  // namespace pipette::http
