// The access log: what a server tells of each exchange, and three ways to write that on a line.
//
//   options.on_access = [](const auto& record) { std::cout << to_common_log(record) + '\n'; };
//
//   common    10.0.0.1 - - [22/Nov/2026:17:00:00 +0000] "GET /a?b HTTP/1.1" 200 5
//   combined  the same, and then: "http://referer/" "user agent"
//   JSON      {"time":"2026-11-22T17:00:00.000000Z","connection_id":1,"request_number":1,"remote":"10.0.0.1:49152",
//             "method":"GET","target":"/a?b","protocol":"HTTP/1.1","status":200,"response_body_bytes":5,
//             "took_seconds":0.000250,"referer":"","user_agent":""}                     (no line break and no space)
//
// Much of a record is what some client has sent. A line stays a line and a string a string all the same: every octet
// written is printable ASCII, and a quote or a backslash is escaped. In the common formats what has to be is "\xHH", as
// nginx writes it. In JSON it is "\u" and four digits for each unit of UTF-16, which takes care of line separators and
// text that runs backwards too; an octet that is not UTF-8 becomes U+FFFD, and which one it was is lost.
//
// What is missing is "-" in the common formats, for the whole request line where there was none, and "" in JSON. The
// common formats have the address without its port ("-" for a Unix socket's), "-" for a body without octets, and no
// time that it took; nobody is a user to us, so both names of one are "-".
//
// Spec      the Common Log Format of NCSA httpd, the combined one of Apache httpd; RFC 8259, RFC 3629, RFC 3339.
// Units     time is UTC, in seconds; in JSON in microseconds. took_seconds has six decimals. What is finer is cut off.
//           An octet makes six at most.
// Lifetime  reads the record during the call only.   Threads  pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipette/base/time.h"
#include "pipette/net/address.h"

namespace pipette::server {

// One exchange. The views are good during the call that tells of it.
struct AccessRecord {
  std::uint64_t connection_id = 0;
  std::uint64_t request_number = 0;  // on its connection, from 1
  const net::Address& remote;
  WallTime time;            // when its head was there
  std::string_view method;  // empty, and the target too, when no head could be read
  std::string_view target;
  bool is_http_1_0 = false;
  std::string_view referer;
  std::string_view user_agent;
  int status = 0;
  std::uint64_t response_body_bytes = 0;
  Duration took{};  // from the head to the last octet that was written or gathered
};

// Without the end of the line.
std::string to_common_log(const AccessRecord& record);
std::string to_combined_log(const AccessRecord& record);
std::string to_json_log(const AccessRecord& record);

}  // namespace pipette::server
