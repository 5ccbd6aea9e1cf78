// Tunnels: connections to somewhere, through a proxy.
//
//   dial the proxy ──> TLS, for https:// ──> CONNECT | SOCKS5 ──> Connected: the proxy hands on what is sent
//
//   Result<net::Connected> tunnel = co_await dial_through(runtime, dialer, proxy, target, deadline, options);
//
// CONNECT names the target as it is and the proxy resolves it; so does SOCKS5 with socks5h://. With socks5:// we do,
// and try the addresses one after the other, each on a connection to the proxy of its own. What the far end said before
// we had read the proxy's answer comes first on the tunnel. A target that is not a host and a port is refused before
// anything is dialed.
//
// Spec      RFC 9110 §9.3.6 (CONNECT), §11.7 (credentials); RFC 1928, RFC 1929 (SOCKS5).
// Errors    what dialing says; proxy_timeout at options.timeout, timed_out at the deadline, end_of_stream or
//           connection_reset when the proxy leaves; proxy_unauthorized, proxy_refused; bad_proxy_answer, or the message
//           rows of Errc, for what is no answer; of SOCKS5 also what the proxy says of the target: connection_refused,
//           host_unreachable, network_unreachable, not_supported. bad_target, bad_host; unsupported_scheme for https://
//           without a Security.
// Lifetime  runtime, dialer, proxy and what the options refer to outlive the task; destroying it ends all it has begun.
// Threads   the loop's.
#pragma once

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/client/dialer.h"
#include "pipette/client/proxy.h"
#include "pipette/http/fields.h"
#include "pipette/http/head_parser.h"
#include "pipette/net/security.h"

namespace pipette::client {

// What a proxy has answered.
struct ProxyAnswer {
  int status = 0;  // of the response to CONNECT, or the reply of SOCKS5 (RFC 1928 §6), where 0 is granted; 0: none
};

struct TunnelOptions {
  TunnelOptions() {}  // NOLINT(modernize-use-equals-default): it is an argument of awaited calls

  Duration timeout = std::chrono::seconds(10);  // of TLS to the proxy and of the talk with it
  http::HeadLimits head;                        // of the response to CONNECT
  const http::OwnedFields* fields = nullptr;    // more of them for CONNECT
  net::Security* security = nullptr;            // for https:// proxies
  const DialHooks* hooks = nullptr;             // of the dial to the proxy
  ProxyAnswer* answer = nullptr;                // where to tell it, also after an error
};

// Connected::remote is the proxy.
Task<Result<net::Connected>> dial_through(Runtime& runtime, Dialer& dialer, const Proxy& proxy, net::Address target,
                                          TimePoint deadline, TunnelOptions options = TunnelOptions());

// The same on a connection to the proxy that is there already, and secured where it shall be. SOCKS5 is given `target`
// as it is.
Task<Result<net::Connected>> open_tunnel(Runtime& runtime, net::Connected connected, const Proxy& proxy,
                                         net::Address target, TimePoint deadline,
                                         TunnelOptions options = TunnelOptions());

}  // namespace pipette::client
