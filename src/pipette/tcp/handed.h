// Handed: a connection on its way from the loop that has accepted it to the one that will serve it.
//
//   Result<Handed> handed = accept_to_hand(listener);                              on the loop of the listener
//   other.post([…] { Result<net::Connected> c = take(runtime, std::move(handed)); })   on the other
//
// It belongs to no loop; one that nobody takes is closed.
//
// Errors   of accept_to_hand() as of Listener::try_accept(), Errc::would_block among them; of take(): the loop has no
//          room for one descriptor more.
// Threads  accept_to_hand() its listener's, take() its runtime's; a Handed any.
#pragma once

#include "pipette/base/result.h"
#include "pipette/net/address.h"
#include "pipette/net/listener.h"
#include "pipette/tcp/descriptor.h"

namespace pipette::tcp {

class Runtime;

struct Handed {
  Descriptor descriptor;  // of a stream socket that does not block
  net::Address local;
  net::Address remote;
};

// `listener` is one that a tcp::Runtime has made.
Result<Handed> accept_to_hand(net::Listener& listener);
Result<net::Connected> take(Runtime& runtime, Handed handed);

}  // namespace pipette::tcp
