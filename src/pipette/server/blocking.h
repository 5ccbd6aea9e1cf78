// blocking(): a handler that may wait without being a coroutine.
//
//   void report(RequestCtx& ctx, BlockingCtx& wait) {
//     if (wait.sleep_for(5s) != StopReason::none) return;      // the client is gone, or the time is over
//     ctx.set_body(old_library::report(ctx.path()));
//   }
//   Server server(blocking(report));
//   Server server(timeout(blocking(report), 2s));
//
// It runs on a thread of the runtime's pool, in a simulated world on a fiber (async/blocking.h). When there is no room
// for one more the client gets 503 with Retry-After.
//
// Threads  the function is elsewhere than its loop: of the context it uses what reads the request and sets the
// response,
//          and the time, the stop and the tasks of its BlockingCtx.
#pragma once

#include <concepts>
#include <system_error>
#include <utility>

#include "pipette/async/blocking.h"
#include "pipette/server/handler.h"

namespace pipette::server {

template <class F>
  requires std::invocable<const std::decay_t<F>&, RequestCtx&, async::BlockingCtx&>
Handler blocking(F&& function) {
  return [inner = std::decay_t<F>(std::forward<F>(function))](RequestCtx& ctx) -> Task<> {
    async::Blocking::Function call = [&inner, &ctx](async::BlockingCtx& wait) { inner(ctx, wait); };
    try {
      co_await ctx.runtime().blocking().run(std::move(call), ctx.stop_token(), ctx.deadline());
    } catch (const std::system_error& error) {
      if (error.code() != make_error_code(Errc::too_many_blocking)) throw;
      ctx.error(503, "too many functions that block");
      (void)ctx.set_header("Retry-After", "1");
    }
  };
}

}  // namespace pipette::server

namespace pipette {
using async::BlockingCtx;
using server::blocking;
}  // namespace pipette
