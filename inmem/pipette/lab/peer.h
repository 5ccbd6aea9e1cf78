// Peer: the other side of a connection, scripted octet by octet.
//
//   Peer peer = lab.connect("app:80");
//   peer.send("GET / HTT");  lab.advance(10s);
//   EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 408"));   EXPECT_TRUE(peer.closed());
//
// Its verbs first let everything run that can, and never move the clock. What does not fit into the connection's
// buffer is kept and sent as soon as a verb finds room.
//
// Lifetime  the Lab outlives it.   Threads  one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pipette/inmem/world.h"
#include "pipette/net/connection.h"

namespace pipette::lab {

class Peer {
 public:
  Peer(inmem::World& world, std::unique_ptr<net::Connection> connection)
      : world_(&world), connection_(std::move(connection)) {}

  void send(Bytes bytes);
  // Everything that has come so far. Until this, take() or closed() is called, the peer reads nothing.
  const std::string& received();
  // The same, and forgets it.
  std::string take();
  // Whether the other side has finished sending (and all of it was received), or has reset the connection.
  bool closed();
  bool was_reset();
  // Octets given to send() that the connection has not taken yet.
  std::size_t unsent();
  void close_write();
  void abort();

 private:
  void settle();
  void push();
  void pull();

  inmem::World* world_;
  std::unique_ptr<net::Connection> connection_;
  std::string unsent_;
  std::string received_;
  bool wants_close_write_ = false;
  bool is_finished_ = false;
  bool was_reset_ = false;
};

}  // namespace pipette::lab
