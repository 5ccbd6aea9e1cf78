// The way to a server: a connection on which HTTP can be spoken. Internal to client/.
//
//   proxy? ──> dial, in turn each of the addresses where they are given ──> CONNECT | SOCKS5 ──> TLS, for https
//
// Errors    see dialer.h and tunnel.h; tls_handshake_timeout; bad_uri; unsupported_scheme for https without Security.
// Lifetime  what it is given outlives the task.   Threads  the loop's.
#pragma once

#include <memory>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/client/proxy.h"
#include "pipette/client/shared.h"
#include "pipette/client/terms.h"
#include "pipette/http/uri.h"
#include "pipette/net/address.h"
#include "pipette/net/connection.h"

namespace pipette::client {

struct Way {
  std::unique_ptr<net::Connection> stream;
  const Proxy* forwarding = nullptr;  // the proxy that is to be asked, with whole URLs
};

// Where the connections of a host go, in place of what its URL says; none: there.
struct Addresses {
  std::vector<net::Address> all;
  std::size_t turn = 0;  // of the next dial
};

// The proxy that requests for `url` are to be sent to, with whole URLs; null: none, or it tunnels.
const Proxy* forwarding_proxy(const Shared& shared, const http::HttpUrl& url, const Addresses& addresses);

Task<Result<Way>> open_way(Shared& shared, http::HttpUrl url, Addresses& addresses, const Terms& terms);

}  // namespace pipette::client
