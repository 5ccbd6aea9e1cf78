// Hijacking: a handler takes the connection over, for another protocol (RFC 9110 §7.8).
//
//   void upgrade(RequestCtx& ctx) {
//     (void)ctx.upgrade("chat", [](HijackedConnection connection) -> Task<> {
//       …                                   // connection.stream: what the client sent behind the head comes first
//       (void)co_await net::close(*connection.stream, deadline);
//     });
//   }
//
// The response goes out first. No deadline is set then, no limit of the server's holds any more, and a shutdown tells
// it (`stop`) but does not wait for it; the worker owns the task, which ends with it at the latest. What it throws goes
// to the log.
//
// Lifetime  the stream dies with the task at the latest.   Threads  the loop's.
#pragma once

#include <functional>
#include <memory>

#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/net/address.h"
#include "pipette/net/connection.h"
#include "pipette/net/runtime.h"

namespace pipette::server {

struct HijackedConnection {
  std::unique_ptr<net::Connection> stream;
  net::Address local;
  net::Address remote;
  Runtime* runtime = nullptr;
  async::StopToken stop;  // its worker shuts down; good while the worker lives
};

using HijackHandler = std::move_only_function<Task<>(HijackedConnection)>;

// What a handler has asked for.
struct Hijack {
  HijackHandler handler;
  bool has_response = true;
};

}  // namespace pipette::server

namespace pipette {
using server::HijackedConnection;
}  // namespace pipette
