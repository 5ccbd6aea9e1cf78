#include "pipette/tcp/runtime.h"

#include <array>
#include <csignal>
#include <random>
#include <utility>

#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/internal/network.h"
#include "pipette/tcp/signals.h"

namespace pipette::tcp {
namespace {

std::uint64_t draw_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  const std::uint64_t low = device();
  return high << 32 | low;
}

}  // namespace

Runtime::Runtime(ThreadPoolOptions threads)
    : seed_(draw_seed()),
      loop_(std::make_unique<Loop>()),
      network_(std::make_unique<Network>(*loop_)),
      pool_(*loop_, threads) {}

Runtime::~Runtime() = default;

async::Loop& Runtime::loop() { return *loop_; }
net::Network& Runtime::network() { return *network_; }

Result<std::unique_ptr<net::Listener>> Runtime::adopt_listener(int descriptor, const net::ListenOptions& options,
                                                               UnixPath path) {
  return network_->adopt_listener(descriptor, options, path);
}

std::vector<Listening> Runtime::listening() const { return network_->listening(); }

void Runtime::own_unix_path(const net::Address& path) { network_->own_unix_path(path); }

void Runtime::leave_unix_paths() { network_->leave_unix_paths(); }

void Runtime::run(Task<> main) {
  loop_->begin();
  main.start();
  while (!main.done() && !loop_->stop_requested()) loop_->turn();
  loop_->clear_stop_request();
  if (main.done()) main.await_resume();
}

void Runtime::stop() { loop_->request_stop(); }

Task<int> Runtime::wait_for_signal() {
  constexpr std::array kSignals = {SIGINT, SIGTERM};
  Signals signals(*this, kSignals, Signals::Catch::once);
  co_return co_await signals.next();
}

}  // namespace pipette::tcp
