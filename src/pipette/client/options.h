// What a client may be told. Every default is safe: each phase and each size is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "pipette/base/time.h"
#include "pipette/http/head_parser.h"

namespace pipette::net {
class Security;
}

namespace pipette::client {

struct ClientOptions {
  std::string user_agent = "pipette";                // empty, longer than 256 octets or no field value: none
  Duration timeout = std::chrono::seconds(30);       // of a call, from its start to the last octet of the body
  Duration dial_timeout = std::chrono::seconds(5);   // of resolving and connecting, within that
  Duration idle_timeout = std::chrono::seconds(10);  // a connection idle for longer is not used again
  std::size_t max_idle_per_host = 64;
  std::uint64_t max_response_body_bytes = 64 * 1024 * 1024;
  http::HeadLimits head;
  net::Security* security = nullptr;  // for https; outlives the client. Without it https is not supported.
};

}  // namespace pipette::client
