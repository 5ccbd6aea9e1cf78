// What a program asks to be written, one wish a line:
//
//   status 200                  reason "Fine"              of a response
//   in answer to HEAD           the request's method
//   method "GET"                of a request
//   target origin "a" "/b"      authority and path; absolute "http" "a" "/b"; authority "a:443"; asterisk "a"
//   for HTTP/1.0                what the other side speaks
//   field "X" "1"               each, in order; trailer "X" "1" likewise
//   server "Server: x\r\n"      date "Date: x\r\n"         the lines that a server says by default
//   content type "text/plain"   user agent "x"             the other defaults
//   body "hello"                each is written for itself
//   length 5 | length unknown   what is declared; else what the bodies have together
//   closes                      the connection does not persist
//   expects continue
//
// Errors   take_order_line() explains in words what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/http/head.h"

namespace pipette::conformance {

struct Order {
  int status = 200;
  std::optional<std::string> reason;
  http::Method in_answer_to = http::Method::get;

  std::string method = "GET";
  http::TargetForm form = http::TargetForm::origin;
  std::vector<std::string> target = {"a", "/"};  // the parts of its form

  bool is_for_http_1_0 = false;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::string server;
  std::string date;
  std::string content_type;
  std::string user_agent;

  std::vector<std::string> bodies;
  std::optional<std::uint64_t> declared_length;
  bool has_unknown_length = false;
  bool closes = false;
  bool expects_continue = false;
};

// "" when the line has been understood.
std::string take_order_line(Order& order, std::string_view line);

}  // namespace pipette::conformance
