// A handler in a world of its own, through the door that users take: see pipette/lab/fuzz.h for what must hold.
#include <stdexcept>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/fuzz.h"

namespace pipette::fuzz {
namespace {

// As handlers are: quick, slow, large, and wrong.
Task<> app(RequestCtx& ctx) {
  if (ctx.path() == "/throw") throw std::runtime_error("asked for");
  if (ctx.path() == "/slow")
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), std::chrono::seconds(3)));
  if (ctx.path() == "/large") ctx.set_body(std::string(10'000, 'x'));
  if (ctx.path() == "/close") ctx.set_connection_close();
  if (ctx.path() == "/gone") ctx.error(410, "gone\n");
  (void)ctx.set_header("X-Target", ctx.target());
  ctx.append_body(ctx.query("q").value_or("-"));
  ctx.append_body(ctx.body());
}

}  // namespace
}  // namespace pipette::fuzz

PIPETTE_FUZZ_HANDLER(pipette::fuzz::app);
