// Peer: the other side of a connection, scripted octet by octet.
//
//   Peer peer = lab.connect("app:80");
//   peer.send("GET / HTT");   lab.advance(10s);
//   peer.expect_matching("HTTP/1.1 408 *\r\nDate: {date}\r\n*\r\n\r\n*");   peer.expect_closed();
//
//   look      received(), closed(), was_reset(), unsent()
//   take      take(), and every expect…() and read_response(): what they return or match is consumed
//   say       send(), send_slowly(), close_write(), abort()
//
// Its verbs first let everything run that can, and never move the clock: that is the lab's. What does not fit into the
// connection's buffer is kept and sent as soon as a verb finds room. A peer reads only when a verb looks or takes, so
// one that is left alone is a slow reader. For one that acts by itself while the test does something else, see
// script.h.
//
// Errors    a verb that expects fails the test at its line, and ends the body (expectation.h): what was expected, what
//           has come, and the first difference marked. Nothing is consumed then.
// Lifetime  the Lab outlives it.   Threads  one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pipette/base/time.h"
#include "pipette/client/response.h"
#include "pipette/http/method.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/expectation.h"
#include "pipette/lab/pattern.h"
#include "pipette/net/connection.h"

namespace pipette::lab {

class Peer {
 public:
  Peer(inmem::World& world, std::unique_ptr<net::Connection> connection);
  Peer(Peer&& other) noexcept;
  Peer& operator=(Peer&& other) noexcept;
  ~Peer();

  void send(Bytes bytes);
  // The first octet at once, and one each time `per_octet` has passed: the lab moves the clock. What is sent later goes
  // behind them.
  void send_slowly(Bytes bytes, Duration per_octet);
  // Octets given to send() that the connection has not taken yet.
  std::size_t unsent();
  // Behind all that is unsent.
  void close_write();
  void abort();

  // What has come and was not taken yet.
  const std::string& received();
  // The same, and forgets it.
  std::string take();
  // Whether the other side has finished sending (and all of it was received), or has reset the connection.
  bool closed();
  bool was_reset();

  // What has come begins with `bytes`.
  void expect(Bytes bytes, Where where = Where::current());
  // What has come begins as `pattern` (pattern.h) says; what stood in its holes.
  Holes expect_matching(std::string_view pattern, Where where = Where::current());
  // A whole response, one at a time, also an interim one. It is framed by the method of the request it answers, as it
  // was sent here, or as the test says. What expect() and expect_matching() take counts as no response.
  client::Response read_response(Where where = Where::current());
  client::Response read_response(http::Method method, Where where = Where::current());
  // The same, and it has this status.
  client::Response expect_response(int status, Where where = Where::current());
  // Nothing has come that was not taken, not even an end.
  void expect_nothing(Where where = Where::current());
  // The other side has finished, and there is nothing more to take.
  void expect_closed(Where where = Where::current());
  // The other side has reset the connection, whatever is left to take.
  void expect_reset(Where where = Where::current());

 private:
  friend class Play;

  struct State;

  void look();
  client::Response take_response(http::Method method, int status, Where where);
  [[noreturn]] void fail_expectation(const Where& where, std::string_view what, const std::string& shown);

  inmem::World& world() const;
  // What was read and not taken, without reading more.
  std::string unread() const;
  std::unique_ptr<net::Connection> release() &&;

  std::unique_ptr<State> state_;
};

}  // namespace pipette::lab
