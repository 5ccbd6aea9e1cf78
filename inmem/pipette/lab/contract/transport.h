// What the contract suites need of a backend: two ends of a connection, and a way to let things happen.
//
//   class Wrapped final : public lab::ConnectionTransport { … };        // a user's own connections, on any loop
//   INSTANTIATE_TEST_SUITE_P(Mine, ConnectionContract, testing::Values(ConnectionCase{"Wrapped", make}), case_name);
//
//   ConnectionTransport   two ends, their loop, and a step     enough for ConnectionContract
//   Transport             a runtime that listens and dials     enough for ListenerContract too
//
// Time passes with step(), on whatever clock the loop has: on inmem::Loop it is Loop::step(), on a real one a turn that
// waits. The longest deadline that a test waits for is 35 ms. Link pipette::contract and GTest::gmock_main.
//
// The suites' fixtures give the tests their verbs. Every verb that waits drives the loop itself, and fails the test
// when nothing can happen any more, or the same again and again, so a test reads from top to bottom and can neither
// hang nor sleep.
//
// Errors    a ConnectionTransport that cannot make what it is asked for throws: the test fails with what it says.
// Lifetime  the ends die before their transport.   Threads  that of the test.
#pragma once

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "pipette/async/loop.h"
#include "pipette/async/task.h"
#include "pipette/base/errc.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/net/address.h"
#include "pipette/net/connection.h"
#include "pipette/net/listener.h"
#include "pipette/net/runtime.h"

namespace pipette::lab {

using net::Address;
using net::Connected;
using net::Connection;
using net::Direction;
using net::is_out_of_descriptors;
using net::Listener;
using net::Network;
using net::Waiter;

// Two ends of one connection: who dialed, and what was accepted.
struct Ends {
  std::unique_ptr<Connection> here;
  std::unique_ptr<Connection> there;
};

class ConnectionTransport {
 public:
  ConnectionTransport() = default;
  ConnectionTransport(const ConnectionTransport&) = delete;
  ConnectionTransport& operator=(const ConnectionTransport&) = delete;
  virtual ~ConnectionTransport() = default;

  virtual async::Loop& loop() = 0;
  // Lets the next thing happen, and waits for it; false: nothing can happen any more.
  virtual bool step() = 0;
  // A new connection, open at both ends. May take steps.
  virtual Ends connect() = 0;
  // Whether the peer of an abort may see the end of the stream instead of a reset.
  virtual bool may_hide_resets() const { return false; }
};

class Transport : public ConnectionTransport {
 public:
  virtual Runtime& runtime() = 0;
  // Where a listener may listen; a port is chosen, a path is new each time.
  virtual Address any_address() = 0;
  // The next accept at `listening` fails for want of descriptors, until there are some again.
  virtual void exhaust_descriptors(const Address& listening) = 0;
  virtual void restore_descriptors() {}

  async::Loop& loop() override { return runtime().loop(); }
  Ends connect() override;
};

// What a suite is instantiated with. A TransportCase does for both.
struct ConnectionCase {
  std::string name;
  std::function<std::unique_ptr<ConnectionTransport>()> make;
};
struct TransportCase {
  std::string name;
  std::function<std::unique_ptr<Transport>()> make;

  operator ConnectionCase() const { return {name, make}; }  // NOLINT(google-explicit-constructor): it is one
};

// NOLINTBEGIN(readability-identifier-naming): as GoogleTest wants it
inline void PrintTo(const ConnectionCase& transport, std::ostream* out) { *out << transport.name; }
inline void PrintTo(const TransportCase& transport, std::ostream* out) { *out << transport.name; }
// NOLINTEND(readability-identifier-naming)

struct CaseName {
  template <class Case>
  std::string operator()(const testing::TestParamInfo<Case>& info) const {
    return info.param.name;
  }
};
inline constexpr CaseName case_name;

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

// Lets `transport` go on until `happened()`; throws, and so ends the test, when nothing can happen any more.
void run_until(ConnectionTransport& transport, const std::function<bool()>& happened);
template <class T>
T await(ConnectionTransport& transport, Task<T> task) {
  task.start();
  run_until(transport, [&] { return task.done(); });
  return task.await_resume();
}

// The verbs of the tests.
class ContractTest {
 protected:
  explicit ContractTest(ConnectionTransport& transport) : transport_(transport) {}
  ~ContractTest() = default;

  ConnectionTransport& transport() { return transport_; }
  async::Loop& loop() { return transport_.loop(); }

  void run_until(const std::function<bool()>& happened) { lab::run_until(transport_, happened); }
  template <class T>
  T await(Task<T> task) {
    return lab::await(transport_, std::move(task));
  }
  // Lets `duration` pass on the loop's clock.
  void pass(Duration duration);

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
  ConnectionTransport& transport_;
};

}  // namespace pipette::lab
