#include "tests/interop/loopback.h"

#include "pipette/async/sleep.h"

namespace pipette::interop {
namespace {

using namespace std::chrono_literals;

Task<> sleep(async::Loop& loop, Duration duration) { co_await async::sleep_until(loop, after(loop.now(), duration)); }

}  // namespace

bool Loopback::wait_until(const std::function<bool()>& holds) {
  const TimePoint end = after(runtime_.loop().now(), kPatience);
  while (!holds()) {
    if (runtime_.loop().now() >= end) return false;
    run(sleep(runtime_.loop(), 2ms));
  }
  return true;
}

bool Loopback::accepts(std::uint16_t port) {
  const TimePoint deadline = after(runtime_.loop().now(), kPatience);
  return await(runtime_.network().dial(net::Address::ipv4({127, 0, 0, 1}, port), deadline)).has_value();
}

}  // namespace pipette::interop
