// Trace: what a call does on its way, for whoever measures or debugs it.
//
//   options.trace = [](const TraceEvent& event) { log(event.at, to_string(event.kind), event.error); };
//
//   get_connection ── resolve_start ─ resolve_done ─ connect_start ─ connect_done ─ handshake_start ─ handshake_done ─┐
//        └─────────── of a kept connection: nothing of this ──────────────────────────────────────────────────────────┤
//   done ─ got_head ─ first_byte ─ interim* ─ wrote_request ─ wrote_head ──────────────────────────── got_connection ─┘
//
// Each start has its done, unless the call ends between them. A call that is repeated or redirected begins again at
// get_connection; `repeat` and `redirect` stand between. Addresses that are tried beside each other (RFC 8305) each
// have their connect_start and connect_done. A response may come before the request is wholly written.
//
// Lifetime  what an event refers to is good during the call of the function, which must not throw nor end the call.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <system_error>

#include "pipette/base/time.h"
#include "pipette/net/address.h"

namespace pipette::client {

enum class TraceKind : std::uint8_t {
  get_connection,  // a connection is wanted
  resolve_start,
  resolve_done,
  connect_start,
  connect_done,
  handshake_start,  // TLS
  handshake_done,
  got_connection,
  wrote_head,
  wrote_request,  // with its body
  interim,        // a 1xx response
  first_byte,     // of a response
  got_head,       // of the final response
  repeat,
  redirect,
  done,
};

std::string_view to_string(TraceKind kind);

struct TraceEvent {
  TraceKind kind;
  TimePoint at;
  std::string_view host = {};             // of a resolve, a handshake, or the origin
  const net::Address* address = nullptr;  // of a connect
  std::error_code error = {};             // of what is done
  int status = 0;                         // of a response
  bool is_reused = false;                 // the connection that was got
  Duration idle_for = Duration::zero();   // and for how long it had been idle
};

using Trace = std::function<void(const TraceEvent&)>;

}  // namespace pipette::client
