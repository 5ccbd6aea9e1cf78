#include "pipette/async/blocking.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace pipette::async {
namespace {

// A canceled function is told so this often; then it is not going to listen.
constexpr int kMaxRefusals = 1000;

}  // namespace

StopReason BlockingCtx::refuse_sleep() {
  count_refusal();
  if (std::uncaught_exceptions() > 0) return StopReason::canceled;
  throw Canceled();
}

void BlockingCtx::refuse_wait() {
  count_refusal();
  throw Canceled();
}

void BlockingCtx::count_refusal() {
  if (++refusals_ <= kMaxRefusals) return;
  std::fputs(
      "pipette: a blocking function was canceled and goes on all the same: it swallows async::Canceled. "
      "Rethrow it: `catch (const async::Canceled&) { throw; }` before `catch (...)`\n",
      stderr);
  std::abort();
}

}  // namespace pipette::async
