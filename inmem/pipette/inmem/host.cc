#include "pipette/inmem/host.h"

#include <optional>
#include <utility>

#include "pipette/inmem/fiber.h"
#include "pipette/inmem/network.h"

namespace pipette::inmem {

class Host::HostRuntime final : public net::Runtime, private net::Network {
 public:
  explicit HostRuntime(Host& host) : host_(host), loop_(host.scheduler_, host.start_, host.clock_) {}

  Loop& host_loop() { return loop_; }

  async::Loop& loop() override { return loop_; }
  net::Network& network() override { return *this; }
  async::Blocking& blocking() override {
    if (!fibers_) fibers_.emplace(loop_);
    return *fibers_;
  }
  Random random(std::string_view stream) override { return {host_.seed_, stream}; }

 private:
  using net::Network::listen;
  Result<std::unique_ptr<net::Listener>> listen(const net::Address& address,
                                                const net::ListenOptions& options) override {
    return host_.network_.listen(host_, loop_, address, options);
  }
  using net::Network::dial;
  Task<Result<net::Connected>> dial(net::Address address, net::DialOptions options) override {
    return host_.network_.dial(host_, loop_, std::move(address), std::move(options));
  }
  Task<Result<std::vector<net::Address>>> resolve(std::string name, std::uint16_t port, TimePoint deadline) override {
    return host_.network_.resolve(host_, loop_, std::move(name), port, deadline);
  }

  Host& host_;
  Loop loop_;
  std::optional<Fibers> fibers_;
};

Host::Host(Network& network, Scheduler& scheduler, std::uint64_t seed, WallTime start, std::string name,
           std::uint16_t number, net::Address address, Clock clock)
    : network_(network),
      scheduler_(scheduler),
      seed_(seed),
      start_(start),
      name_(std::move(name)),
      number_(number),
      address_(std::move(address)),
      clock_(clock) {
  add_runtime();
}

Host::~Host() = default;

Loop& Host::loop() { return runtimes_.front()->host_loop(); }
net::Runtime& Host::runtime() { return *runtimes_.front(); }

net::Runtime& Host::add_runtime() {
  runtimes_.push_back(std::make_unique<HostRuntime>(*this));
  return *runtimes_.back();
}

void Host::set_skew(Duration skew) {
  clock_.skew = skew;
  for (const std::unique_ptr<HostRuntime>& runtime : runtimes_) runtime->host_loop().set_skew(skew);
}

}  // namespace pipette::inmem
