// What a server may be told. Every default is safe: each phase and each size is bounded.
//
//   accept ─ handshake ─ head ────────── body ───────────── handler ──────── write ─────────────── idle ─ …
//          │ read_header_timeout                │ handler_timeout│ write_timeout        │ idle_timeout
//          │ read_timeout ────────────────────> │                │ write_min_rate       │
//                            │ read_body_min_rate
//
// All of these are deadlines, not gaps: what trickles in does not move them.
//
// Units  durations are std::chrono, and Duration::max() is no limit; sizes end in _bytes; rates are octets a second,
//        and 0 is no limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pipette/base/errc.h"
#include "pipette/base/time.h"
#include "pipette/http/head_parser.h"
#include "pipette/net/address.h"
#include "pipette/server/access_log.h"

namespace pipette::server {

class RequestCtx;

inline constexpr Duration kNoLimit = Duration::max();

// What becomes of a connection that is one too many.
enum class Refusal : std::uint8_t {
  answer,  // 503 (429 where one address has too many), and closed in order; where there is TLS, as `close`
  close,   // aborted, without a word
};

// For one request, once its head is there; what is left out stays as the server has it.
struct RequestConfig {
  std::optional<Duration> read_timeout;  // from now
  std::optional<Duration> write_timeout;
  std::optional<Duration> handler_timeout;
  std::optional<std::uint64_t> max_request_body_bytes;
  std::optional<bool> stream_request_body;
};

enum class ConnState : std::uint8_t {
  accepted,  // secured too, where there is TLS: of a handshake that fails only metrics tell. No octet of HTTP has come
  active,    // a request has begun
  idle,      // between requests
  hijacked,  // somebody else's: the last state
  closed,    // the last state
};
std::string_view to_string(ConnState state);

struct ConnInfo {
  std::uint64_t id = 0;  // counts the connections of a worker, from 1
  const net::Address& local;
  const net::Address& remote;
};

struct ServerOptions {
  // The Server field of every response; empty, longer than 256 octets or not a field value: none.
  std::string name = "pipette";
  bool no_default_date = false;
  bool no_default_content_type = false;

  // ---- time-outs
  // From accept to the end of the TLS handshake, where there is one; the head has its time from then on. The connection
  // is closed.
  Duration tls_handshake_timeout = std::chrono::seconds(10);
  // From the first octet of a request (from accept, for the first one) to the end of its head. The client gets 408; a
  // connection that sent nothing is just closed.
  Duration read_header_timeout = std::chrono::seconds(10);
  // From the same octet to the end of the body. The client gets 408.
  Duration read_timeout = std::chrono::seconds(60);
  // What a body must bring on average, once 5 seconds have been waited for it. The client gets 408.
  std::uint64_t read_body_min_rate = 240;
  // From the end of the head, or of the body where it is not streamed. The client gets 503, and the handler a stop; it
  // goes on, to nobody's benefit. A plain function is not cut, since it has the loop. Not for a handler that has begun
  // to stream its response.
  Duration handler_timeout = std::chrono::seconds(30);
  // For handing one batch of responses to the network. The connection is aborted.
  Duration write_timeout = std::chrono::seconds(60);
  // What a client must take on average, once 5 seconds have been waited for it. The connection is aborted.
  std::uint64_t write_min_rate = 240;
  // Between requests. The connection is closed.
  Duration idle_timeout = std::chrono::seconds(75);
  // For what a client still sends when we have answered and are closing.
  Duration linger_timeout = std::chrono::seconds(5);
  // Of silence, after which the system probes whether the client's machine is still there, and of each pause between
  // nine such probes; then the connection breaks. Rounded up to whole seconds; zero: no probes. For whoever listens, as
  // serve_tcp() does (net::ListenOptions); a Unix socket and a connection in memory have none.
  Duration tcp_keepalive = std::chrono::seconds(15);

  // ---- limits
  http::HeadLimits head;                                   // 414, 431
  std::uint64_t max_request_body_bytes = 4 * 1024 * 1024;  // 413
  std::size_t concurrency = 256 * 1024;                    // connections at once, over all workers
  std::size_t max_conns_per_ip = 0;                        // the same, of one address; 0: no limit. IPv6 counts by /64
  bool evict_idle = false;            // the one of its worker that idles longest is closed, for one too many
  Refusal refusal = Refusal::answer;  // of connections beyond these
  std::uint64_t max_requests_per_conn = 1'000'000;  // then the response says Connection: close
  Duration max_conn_age = std::chrono::hours(24);   // the same
  std::size_t max_overdue_handlers = 1024;          // of a worker; beyond, 503 with Retry-After
  bool disable_keepalive = false;                   // closes behind the first response
  bool get_only = false;                            // GET and HEAD; anything else gets 405

  // ---- memory
  std::size_t read_buffer_bytes = 4096;          // to begin with; given back while a connection idles
  std::size_t write_buffer_bytes = 4096;         // the same
  std::size_t max_read_ahead_bytes = 16 * 1024;  // what is read while a handler works
  // Handlers begin before the body is there, and read it with ctx.read_body().
  bool stream_request_body = false;
  // What is read and dropped of a body that its handler has not read to its end; beyond, the connection closes.
  std::uint64_t max_drain_bytes = 256 * 1024;

  // ---- hooks. Called on the loop's thread; with several workers, on each of theirs. They must not throw.
  // Before the body is read. The context has the head and no response yet.
  std::function<RequestConfig(RequestCtx&)> on_header_received;
  // For "Expect: 100-continue": 100 has the body sent; 400-599 is the answer, anything else counts as 417, and the
  // connection closes.
  std::function<int(RequestCtx&)> on_expect_continue;
  // Shapes the answer to what cannot be served, such as a malformed head. It has the status and the text of `error`
  // already; the connection closes behind it.
  std::function<void(RequestCtx&, Errc error)> on_error;
  std::function<void(const ConnInfo&, ConnState)> on_conn_state;
  std::function<void(const AccessRecord&)> on_access;  // access_log.h writes the line

  // ---- the log
  // Takes a line: a handler that threw, an accept that failed. Null: standard error.
  std::function<void(std::string_view)> log;
  // Also what clients do wrong, and connections that break.
  bool log_all_errors = false;
  // Leaves out what came from the client, such as the target of the request.
  bool secure_error_log_message = false;
};

}  // namespace pipette::server
