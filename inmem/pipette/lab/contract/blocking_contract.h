// The contract of async/blocking.h, each rule stated once as a test. Instantiate it for a runtime of your own
// (transport.h).
//
// The functions may run on threads: what they share with their test is atomic, or read when they have ended. A rule
// that depends on which blocking call a function is in uses wait(), since the loop can see that.
#pragma once

#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <utility>

#include "pipette/async/blocking.h"
#include "pipette/async/stop.h"
#include "pipette/lab/contract/transport.h"

namespace pipette::lab {

class BlockingContract : public testing::TestWithParam<TransportCase>, protected ContractTest {
 public:
  // In the source beside the tests, so that a linker that wants it brings them along.
  static void SetUpTestSuite();

 protected:
  using Function = async::Blocking::Function;

  BlockingContract() : BlockingContract(GetParam().make()) {}

  async::Blocking& blocking() { return owner_->runtime().blocking(); }

  // Runs `function` to its end.
  void run(Function function, async::StopToken stop = {}, TimePoint deadline = kNever);
  // A task that runs `function` and has begun to wait for it.
  Task<> start(Function function, async::StopToken stop = {}, TimePoint deadline = kNever);

  // What functions wait for.
  Task<int> value_after(int value, Duration time);
  Task<int> throw_after(Duration time);
  Task<> enter();
  Task<> enter_and_wait_for_ever();
  // Lets the loop go on until a function has said enter().
  void run_until_entered();

 private:
  explicit BlockingContract(std::unique_ptr<Transport> transport)
      : ContractTest(*transport), owner_(std::move(transport)) {}

  std::unique_ptr<Transport> owner_;
  bool has_entered_ = false;

 protected:
  async::StopSource source_{loop()};
  std::atomic<int> unwound_ = 0;
};

}  // namespace pipette::lab
