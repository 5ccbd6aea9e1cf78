// What the contract suites need of a backend: two ends, a listener, and a way to let things happen.
//
//   INSTANTIATE_TEST_SUITE_P(Pipe, ConnectionContract, testing::Values(TransportCase{"Pipe", make_pipe_transport}),
//                            case_name);
//
// TransportTest gives the tests their verbs. Every verb that waits drives the loop itself, and fails the test when
// nothing can happen any more, so a test reads from top to bottom and can neither hang nor sleep.
#pragma once

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/task.h"
#include "pipette/net/connection.h"
#include "pipette/net/runtime.h"

namespace pipette::net {

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Runtime& runtime() = 0;
  // Lets the next thing happen, and waits for it; false: nothing can happen any more.
  virtual bool step() = 0;
  // Where a listener may listen; a port is chosen, a path is new each time.
  virtual Address any_address() = 0;
  // The next accept at `listening` fails for want of descriptors, until there are some again.
  virtual void exhaust_descriptors(const Address& listening) = 0;
  virtual void restore_descriptors() {}
  // Whether the peer of an abort may see the end of the stream instead of a reset.
  virtual bool may_hide_resets() const { return false; }
};

struct TransportCase {
  const char* name;
  std::unique_ptr<Transport> (*make)();
};
inline void PrintTo(const TransportCase& transport, std::ostream* out) { *out << transport.name; }
inline std::string case_name(const testing::TestParamInfo<TransportCase>& info) { return info.param.name; }

// EXPECT_THAT(connection.try_read(room), fails_with(std::errc::timed_out));
MATCHER_P(fails_with, expected, "fails with \"" + make_error_code(expected).message() + "\"") {
  *result_listener << (arg ? "succeeds" : "fails with \"" + arg.error().message() + "\"");
  return !arg && arg.error() == expected;
}

// EXPECT_THAT(connection.try_read(room), gives(0));
MATCHER_P(gives, expected, "gives " + testing::PrintToString(expected)) {
  if (!arg) {
    *result_listener << "fails with \"" << arg.error().message() << "\"";
    return false;
  }
  *result_listener << "gives " << *arg;
  return std::cmp_equal(*arg, expected);
}

// A waiter that counts its wakes, and may do something at each.
struct Wake final : Waiter {
  void run() override {
    ++count;
    if (action) action();
  }
  int count = 0;
  std::function<void()> action;
};

class TransportTest : public testing::TestWithParam<TransportCase> {
 protected:
  TransportTest() : transport_(GetParam().make()) {}

  Transport& transport() { return *transport_; }
  async::Loop& loop() { return transport_->runtime().loop(); }
  Network& network() { return transport_->runtime().network(); }

  // Steps until `happened()`; throws, and so ends the test, when nothing can happen any more.
  void run_until(const std::function<bool()>& happened);
  template <class T>
  T await(Task<T> task) {
    task.start();
    run_until([&] { return task.done(); });
    return task.await_resume();
  }
  // Lets `duration` pass on the loop's clock.
  void pass(Duration duration);

  std::unique_ptr<Listener> listen();
  Result<Connected> dial(const Address& address);
  Result<Connected> accept(Listener& listener);
  // Both ends of a new connection: who dialed, and what was accepted.
  std::pair<Connected, Connected> connect(Listener& listener);

  // Writes all of `text`.
  void send(Connection& to, Bytes text);
  // Reads `size` octets, or as many as come before the end or an error.
  std::string receive(Connection& from, std::size_t size);
  // One read that waits: how much came.
  Result<std::size_t> read(Connection& from);
  // Reads and drops until the stream ends, however it does: 0, or an error.
  Result<std::size_t> read_to_end(Connection& from);
  // Writes until it fails.
  Result<void> write_until_failure(Connection& to);
  // Writes until no more is taken; how much was. The octet at `offset + i` is pattern_octet(offset + i).
  std::size_t fill(Connection& to, std::size_t offset = 0);
  static char pattern_octet(std::size_t index) { return static_cast<char>('0' + index % 75); }

 private:
  std::unique_ptr<Transport> transport_;
};

}  // namespace pipette::net
