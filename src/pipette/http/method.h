// Request methods: tokens, of which the registered ones are interned (RFC 9110 §9).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pipette::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, connect, options, trace, patch, other };

inline constexpr std::array<std::string_view, 10> kMethodNames = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                                  "CONNECT", "OPTIONS", "TRACE", "PATCH", ""};

// Empty for Method::other.
constexpr std::string_view to_string(Method method) { return kMethodNames[static_cast<std::size_t>(method)]; }

// Methods are case-sensitive: "get" is Method::other.
constexpr Method method_of(std::string_view name) {
  for (std::size_t i = 0; i + 1 < kMethodNames.size(); ++i) {
    if (kMethodNames[i] == name) return static_cast<Method>(i);
  }
  return Method::other;
}

// Asks for nothing to change (RFC 9110 §9.2.1).
constexpr bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options || method == Method::trace;
}

// Means the same once and many times, so that it may be sent again (RFC 9110 §9.2.2).
constexpr bool is_idempotent(Method method) {
  return is_safe(method) || method == Method::put || method == Method::delete_;
}

}  // namespace pipette::http
