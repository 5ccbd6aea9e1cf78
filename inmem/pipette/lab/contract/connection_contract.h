// The contract of net/connection.h, each rule stated once as a test. Instantiate it for connections of your own, with
// two ends and a way to let time pass (transport.h):
//
//   class Wrapped final : public lab::ConnectionTransport {
//     async::Loop& loop() override { return world_.loop(); }
//     bool step() override { return world_.step(); }
//     lab::Ends connect() override { … two ends that are joined … }
//     inmem::World world_;
//   };
//   INSTANTIATE_TEST_SUITE_P(Mine, ConnectionContract, testing::Values(ConnectionCase{"Wrapped", make}), case_name);
//
// A connection that keeps it can be served, called, wrapped and secured by everything in this project.
#pragma once

#include <array>
#include <gtest/gtest.h>
#include <memory>

#include "pipette/lab/contract/transport.h"

namespace pipette::lab {

// `here` dialed, `there` was accepted. What they are owned by may be reset.
class ConnectionContract : public testing::TestWithParam<ConnectionCase>, protected ContractTest {
 public:
  // In the source beside the tests, so that a linker that wants it brings them along.
  static void SetUpTestSuite();

 protected:
  ConnectionContract() : ConnectionContract(GetParam().make()) {}

  Connection& here() { return *here_; }
  Connection& there() { return *there_; }

 private:
  explicit ConnectionContract(std::unique_ptr<ConnectionTransport> transport)
      : ContractTest(*transport), owner_(std::move(transport)), ends_(owner_->connect()) {}

  std::unique_ptr<ConnectionTransport> owner_;
  Ends ends_;

 protected:
  std::unique_ptr<Connection>& here_ = ends_.here;
  std::unique_ptr<Connection>& there_ = ends_.there;
  std::array<char, 64> room_{};
};

}  // namespace pipette::lab
