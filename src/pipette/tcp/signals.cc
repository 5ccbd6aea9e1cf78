#include "pipette/tcp/signals.h"

#include <asio/signal_set.hpp>
#include <system_error>

#include "pipette/tcp/internal/arrival.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

namespace pipette::tcp {

struct Signals::Set {
  explicit Set(Loop& of) : loop(of), caught(of.io()) {}
  Loop& loop;
  asio::signal_set caught;
};

Signals::Signals(Runtime& runtime, std::initializer_list<int> signals)
    : set_(std::make_unique<Set>(static_cast<Loop&>(runtime.loop()))) {
  for (const int signal : signals) set_->caught.add(signal);
}

Signals::~Signals() = default;

Task<int> Signals::next() {
  const auto arrival = std::make_shared<Arrival<int>>(set_->loop);
  set_->caught.async_wait([arrival](std::error_code error, int signal) {
    if (!error) arrival->bring(signal);
  });
  while (!arrival->value) co_await arrival->wait();
  co_return *arrival->value;
}

}  // namespace pipette::tcp
