// FakeConnection: a connection without another end, for what is measured to be that of one side alone: no system call,
// no copy on the far side, and of its own next to nothing.
//
// As it is, it takes all that is written at once and never has anything to read; who derives from it says what else.
//
// Threads  the loop's.
#pragma once

#include <cstddef>
#include <span>

#include "pipette/net/connection.h"

namespace pipette::test {

class FakeConnection : public net::Connection {
 public:
  Result<std::size_t> try_read(MutableBytes /*into*/) override { return fail(Errc::would_block); }
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override { return size_of(pieces); }
  Result<void> try_close_write() override { return {}; }
  void wait(net::Direction, net::Waiter&) override {}
  void set_deadline(net::Direction, TimePoint) override {}
  void abort() override {}

 protected:
  static std::size_t size_of(std::span<const Bytes> pieces) {
    std::size_t size = 0;
    for (const Bytes piece : pieces) size += piece.size();
    return size;
  }
};

}  // namespace pipette::test
