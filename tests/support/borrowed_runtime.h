// BorrowedRuntime: a runtime that has most of its parts from another one, and those that the test is about from the
// test.
//
//   inmem::Fibers one_at_a_time(lab.world().loop(), {.max_fibers = 1});
//   BorrowedRuntime runtime(lab.runtime(), one_at_a_time);
//
// Lifetime  lender and parts outlive it.   Threads  those of its parts.
#pragma once

#include <string_view>

#include "pipette/net/runtime.h"

namespace pipette::test {

class BorrowedRuntime final : public Runtime {
 public:
  BorrowedRuntime(Runtime& lender, async::Loop& loop) : lender_(lender), loop_(loop), blocking_(lender.blocking()) {}
  BorrowedRuntime(Runtime& lender, async::Blocking& blocking)
      : lender_(lender), loop_(lender.loop()), blocking_(blocking) {}

  async::Loop& loop() override { return loop_; }
  net::Network& network() override { return lender_.network(); }
  async::Blocking& blocking() override { return blocking_; }
  Random random(std::string_view stream) override { return lender_.random(stream); }

 private:
  Runtime& lender_;
  async::Loop& loop_;
  async::Blocking& blocking_;
};

}  // namespace pipette::test
