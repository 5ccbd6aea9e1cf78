#include "tests/interop/reserved_port.h"

#include <gtest/gtest.h>

#include "tests/interop/loopback.h"

namespace pipette::interop {
namespace {

TEST(ReservedPort, RefusesWhoConnects) {
  Loopback loopback;
  const ReservedPort port;
  EXPECT_FALSE(loopback.accepts(port.number()));
}

TEST(ReservedPort, IsForWhoKnowsIt) {
  Loopback loopback;
  const ReservedPort port;
  const auto listener = loopback.runtime().network().listen(net::Address::ipv4({127, 0, 0, 1}, port.number()));
  ASSERT_TRUE(listener.has_value());
  EXPECT_TRUE(loopback.accepts(port.number()));
}

}  // namespace
}  // namespace pipette::interop
