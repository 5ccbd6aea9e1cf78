// timeout(): gives a handler less time than the server does, and says what answers in its place.
//
//   Server server(timeout(report, 2s, "the report takes too long"));            // 503 after 2 s
//   Server server(timeout(route, 500ms, "later", 504));                         // or a LateAnswer, with fields
//
// At `time` the client has its answer, the handler a stop (StopReason::handler_timeout), and the connection serves the
// next request, if the body of this one had been read. The handler goes on until it returns, which it had better do
// soon: what it says then is for nobody, but it counts (Metrics::handlers_overdue), and when too many are late the
// server answers 503 for their likes (ServerOptions::max_overdue_handlers).
//
// A plain function holds the loop while it runs, so that it cannot be cut: it is counted when it has taken too long
// (Metrics::handlers_overran). Of two limits the shorter one holds.
#pragma once

#include <string>
#include <utility>

#include "pipette/base/time.h"
#include "pipette/server/handler.h"

namespace pipette::server {

inline Handler timeout(Handler handler, Duration time, LateAnswer answer) {
  if (handler.plain() != nullptr) {
    return [inner = std::move(handler), time, late = std::move(answer)](RequestCtx& ctx) {
      ctx.limit_time(time, late);
      (*inner.plain())(ctx);
    };
  }
  // Not a coroutine itself: the limit holds before the first step of the one it wraps.
  return [inner = std::move(handler), time, late = std::move(answer)](RequestCtx& ctx) -> Task<> {
    ctx.limit_time(time, late);
    return (*inner.coroutine())(ctx);
  };
}

inline Handler timeout(Handler handler, Duration time, std::string message = {}, int status = 503) {
  return timeout(std::move(handler), time, LateAnswer{.status = status, .message = std::move(message)});
}

}  // namespace pipette::server

namespace pipette {
using server::timeout;
}  // namespace pipette
