// What a client may be told. Every default is safe: each phase and each size is bounded.
//
//   pool wait ─ dial ─────── write ──────── response head ───────── body ─────────────── idle ─ …
//   │           │            │              │                       │ body_timeout, from one read to the next
//   │           │            │              │ response_header_timeout
//   │           │            │ write_timeout, of the head and of each 256 KiB of a body; expect_continue_timeout
//   │           │ dialer.resolve_timeout, dialer.connect_timeout, proxy_timeout, tls_handshake_timeout
//   │ pool_wait_timeout
//   timeout: of the whole call, its repetitions and redirects included ──────────────> │ idle_timeout
//
// Of a streamed response, `timeout` bounds the time until its head. Each strikes with an error of its own, Errc of that
// name, and timed_out for the whole call; all of them equal std::errc::timed_out.
//
// Units  durations are std::chrono, and Duration::max() is no limit; sizes end in _bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "pipette/base/time.h"
#include "pipette/client/dialer.h"
#include "pipette/client/proxy.h"
#include "pipette/client/redirect.h"
#include "pipette/client/retry.h"
#include "pipette/client/trace.h"
#include "pipette/http/head_parser.h"

namespace pipette::net {
class Security;
}

namespace pipette::client {

class CookieJar;

// Which of the connections that idle is used next.
enum class PoolOrder : std::uint8_t {
  lifo,  // the one used last: the others may come to the end of their time
  fifo,  // the one used first: all are used alike
};

struct ClientOptions {
  std::string user_agent = "pipette";  // empty, longer than 256 octets or no field value: none

  // ---- time-outs
  Duration timeout = std::chrono::seconds(30);
  Duration pool_wait_timeout = std::chrono::seconds(10);
  Duration proxy_timeout = std::chrono::seconds(10);  // of the talk with a proxy
  Duration tls_handshake_timeout = std::chrono::seconds(10);
  Duration write_timeout = std::chrono::seconds(30);            // for handing a piece of a request to the network
  Duration expect_continue_timeout = std::chrono::seconds(1);   // then a body that waits for 100 is sent all the same
  Duration response_header_timeout = std::chrono::seconds(30);  // from the last octet of the request
  Duration body_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::seconds(10);  // a connection that idles for longer is closed
  Duration max_conn_age = Duration::max();           // one that is older is used no more

  bool requires_continue = false;  // or the call fails then, with an error of that name

  // ---- the way to a server
  DialerOptions dialer;
  ProxyRules proxies;  // none: everything directly

  // ---- limits
  std::size_t max_conns_per_host = 512;  // beyond, calls wait for each other
  std::size_t max_idle_per_host = 64;
  PoolOrder pool_order = PoolOrder::lifo;
  std::uint64_t max_response_body_bytes = 64 * 1024 * 1024;
  http::HeadLimits head;

  // ---- what is done on the user's behalf
  RetryPolicy retries;
  RedirectPolicy redirects;
  bool decompresses = false;          // asks for gzip, deflate, br and zstd, and undoes them
  CookieJar* cookies = nullptr;       // takes what responses set, and gives requests theirs; outlives the client
  Trace trace;                        // what calls do on their way
  net::Security* security = nullptr;  // for https; outlives the client. Without it https is not supported.
};

}  // namespace pipette::client
