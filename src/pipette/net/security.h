// Security: turns a connection into a secured one, on either side. Servers and clients get one in their
// options and never know which library does it.
//
//   plain connection ──> server(…) or client(…): handshake until `deadline` ──> Secured
//
// `runtime` is the connection's: its loop wakes, its clock says whether a certificate has expired.
//
// The secured connection keeps the contract of net/connection.h: closing one direction sends close_notify
// (RFC 8446 §6.1), and end of stream without it is Errc::connection_reset, never a clean end.
//
// Errors    Errc::certificate_expired and what stands beside it; what the connection says; timed_out at the deadline.
// Lifetime  outlives the connections it secured; the runtime outlives them too.
// Threads   any: one may serve several loops at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/net/connection.h"
#include "pipette/net/runtime.h"

namespace pipette::net {

struct ServerName {
  std::string host;  // for SNI and for verifying the peer's certificate
};

struct Alpn {
  std::vector<std::string> protocols;  // by preference (RFC 7301)
};

// What a handshake has established.
struct SecurityFacts {
  std::string protocol;          // "TLSv1.3"
  std::string alpn;              // what was agreed on; empty when nothing was
  std::string server_name;       // what the client asked for
  std::string peer_certificate;  // DER; empty when the peer showed none
  std::string cipher;            // "TLS_AES_128_GCM_SHA256"
  bool is_resumed = false;       // an earlier session goes on
};

struct Secured {
  std::unique_ptr<Connection> connection;
  SecurityFacts facts;
};

class Security {
 public:
  Security() = default;
  Security(const Security&) = delete;
  Security& operator=(const Security&) = delete;
  virtual ~Security() = default;

  virtual Task<Result<Secured>> server(Runtime& runtime, std::unique_ptr<Connection> connection,
                                       TimePoint deadline) = 0;
  virtual Task<Result<Secured>> client(Runtime& runtime, std::unique_ptr<Connection> connection, ServerName name,
                                       Alpn alpn, TimePoint deadline) = 0;
};

}  // namespace pipette::net
