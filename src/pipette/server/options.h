// What a server may be told. Every default is safe: each phase and each size is bounded.
//
// Units  durations are std::chrono; sizes end in _bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "pipette/base/time.h"
#include "pipette/http/head_parser.h"

namespace pipette::server {

struct ServerOptions {
  // The Server field of every response; empty, longer than 256 octets or not a field value: none.
  std::string name = "pipette";

  // From the first octet of a request (from accept, for the first one) to the end of its head. A deadline, not a
  // gap: a drip of octets does not move it. The client gets 408; a connection that sent nothing is just closed.
  Duration read_header_timeout = std::chrono::seconds(10);
  // For the whole body, from the end of the head. The client gets 408.
  Duration read_body_timeout = std::chrono::seconds(60);
  // For handing one batch of responses to the network. The connection is aborted.
  Duration write_timeout = std::chrono::seconds(60);
  // Between requests. The connection is closed.
  Duration idle_timeout = std::chrono::seconds(75);
  // For what a client still sends when we have answered and are closing.
  Duration linger_timeout = std::chrono::seconds(5);

  http::HeadLimits head;                                   // 414, 431
  std::uint64_t max_request_body_bytes = 4 * 1024 * 1024;  // 413
  std::size_t max_connections = 256 * 1024;                // a worker; one more is aborted at accept
  std::size_t read_buffer_bytes = 4096;                    // to begin with
  std::size_t write_buffer_bytes = 4096;                   // to begin with

  // Takes a line for the log: a handler that threw, an accept that failed. Null: standard error. Called on the loop's
  // thread; with several workers, on each of theirs.
  std::function<void(std::string_view)> log;
};

}  // namespace pipette::server
