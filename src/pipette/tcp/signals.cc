#include "pipette/tcp/signals.h"

#include <asio/signal_set.hpp>
#include <csignal>
#include <system_error>

#include "pipette/tcp/internal/arrival.h"
#include "pipette/tcp/internal/asio_thread.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

namespace pipette::tcp {
namespace {

// The kernel takes the handler away as it delivers the signal.
void handle_once(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  action.sa_flags |= static_cast<int>(SA_RESETHAND);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

struct Signals::Set {
  explicit Set(Loop& of) : loop(of), caught(of.asio().io()) {}
  Loop& loop;
  asio::signal_set caught;
};

Signals::Signals(Runtime& runtime, std::span<const int> signals, Catch how)
    : set_(std::make_unique<Set>(static_cast<Loop&>(runtime.loop()))) {
  for (const int signal : signals) {
    set_->caught.add(signal);
    if (how == Catch::once) handle_once(signal);
  }
}

Signals::~Signals() = default;

Task<int> Signals::next() {
  const auto arrival = std::make_shared<Arrival<int>>(set_->loop);
  set_->caught.async_wait([to = Delivery(set_->loop, arrival)](std::error_code error, int signal) mutable {
    if (!error) to.bring(signal);
  });
  while (!arrival->value) co_await arrival->wait();
  co_return *arrival->value;
}

}  // namespace pipette::tcp
