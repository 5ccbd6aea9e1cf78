// The contract of net/connection.h, each rule stated once as a test. Instantiate it for every backend (transport.h).
#pragma once

#include <array>
#include <memory>
#include <string>

#include "pipette/net/connection.h"

#include "tests/net/transport.h"

namespace pipette::net {

// Two ends of one connection: `here` dialed, `there` was accepted. What they are owned by may be reset.
class ConnectionContract : public TransportTest {
 protected:
  ConnectionContract() {
    const std::unique_ptr<Listener> listener = listen();
    auto [dialed, accepted] = connect(*listener);
    here_ = std::move(dialed.connection);
    there_ = std::move(accepted.connection);
  }

  Connection& here() { return *here_; }
  Connection& there() { return *there_; }

  std::unique_ptr<Connection> here_;
  std::unique_ptr<Connection> there_;
  std::array<char, 64> room_{};
};

}  // namespace pipette::net
