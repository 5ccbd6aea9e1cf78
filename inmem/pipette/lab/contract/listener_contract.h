// The contract of net/listener.h and net/network.h, each rule stated once as a test. Instantiate it for a network of
// your own (transport.h).
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <utility>

#include "pipette/lab/contract/transport.h"

namespace pipette::lab {

class ListenerContract : public testing::TestWithParam<TransportCase>, protected ContractTest {
 public:
  // In the source beside the tests, so that a linker that wants it brings them along.
  static void SetUpTestSuite();

 protected:
  ListenerContract() : ListenerContract(GetParam().make()) {}

  Transport& transport() { return *owner_; }
  Network& network() { return owner_->runtime().network(); }

  std::unique_ptr<Listener> listen();
  Result<Connected> dial(const Address& address);
  Result<Connected> accept(Listener& listener);
  // Both ends of a new connection: who dialed, and what was accepted.
  std::pair<Connected, Connected> connect(Listener& listener);

 private:
  explicit ListenerContract(std::unique_ptr<Transport> transport)
      : ContractTest(*transport), owner_(std::move(transport)) {}

  std::unique_ptr<Transport> owner_;
};

}  // namespace pipette::lab
