// Status codes (RFC 9110 §15): their reason phrases, and what a code alone says about the message.
#pragma once

#include <string_view>

namespace pipette::http {

inline constexpr int kMinStatus = 100;
inline constexpr int kMaxStatus = 999;  // three digits; 600 and above mean nothing, but can be sent

// "Not Found"; "Unknown" for a code that is not registered.
std::string_view reason_phrase(int status);

// The whole line with its CRLF: "HTTP/1.1 404 Not Found\r\n". `status` is in kMinStatus ... kMaxStatus.
std::string_view status_line(int status);

constexpr bool is_interim(int status) { return status >= 100 && status < 200; }
constexpr bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}
// 1xx, 204 and 304 end at the empty line, whatever their fields say (RFC 9112 §6.3).
constexpr bool forbids_body(int status) { return is_interim(status) || status == 204 || status == 304; }

}  // namespace pipette::http
