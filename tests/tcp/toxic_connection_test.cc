// Toxic connections over real TCP: the same contract. Nothing here waits longer than the contract itself does.
#include "pipette/net/toxic_connection.h"

#include <chrono>
#include <memory>

#include "pipette/async/timer.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

#include "tests/net/connection_contract.h"
#include "tests/net/toxic_transport.h"

namespace pipette::net {
namespace {

using namespace std::chrono_literals;

class TcpTransport final : public Transport {
 public:
  Runtime& runtime() override { return runtime_; }
  // Whatever is to happen on this machine alone happens within seconds.
  bool step() override {
    struct Guard final : async::Timer {
      void run() override { has_fired = true; }
      bool has_fired = false;
    } guard;
    auto& loop = static_cast<tcp::Loop&>(runtime_.loop());
    loop.arm(guard, after(loop.now(), 10s));
    loop.turn();
    return !guard.has_fired;
  }
  Address any_address() override { return Address::ipv4({127, 0, 0, 1}, 0); }
  void exhaust_descriptors(const Address&) override {}

 private:
  tcp::Runtime runtime_;
};

std::unique_ptr<Transport> with(const Toxics& toxics) {
  return std::make_unique<ToxicTransport>(std::make_unique<TcpTransport>(), toxics);
}
std::unique_ptr<Transport> make_untouched() { return with({}); }
std::unique_ptr<Transport> make_sliced() { return with(Toxics().with_slicer(1000, 300).with_latency(100us)); }

INSTANTIATE_TEST_SUITE_P(ToxicTcp, ConnectionContract,
                         testing::Values(TransportCase{"Untouched", make_untouched},
                                         TransportCase{"Sliced", make_sliced}),
                         case_name);

}  // namespace
}  // namespace pipette::net
