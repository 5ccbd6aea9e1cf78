// Poller: the kernel's word on which sockets are worth a try. An epoll set of the loop's own.
//
//   add(socket) ──> look(at_most) ──> Socket::happened(events), for each that has news since the last look
//
// Each socket is registered once and edge-triggered, so that waiting costs no system call: the kernel tells of each
// arrival, and the socket remembers it until a try has found nothing more. A look fetches a bounded number of events;
// what is left comes first the next time, since the kernel goes round.
//
// Staleness  all that was fetched is told before anything else runs, and to be told only enqueues: no socket can go in
//            between. One that goes leaves the set by name: to close its descriptor would not do while another process
//            has a copy of it.
// Errors     the constructor throws std::system_error when the system has no descriptor left; add() fails when it has
//            no memory for one more, or allows no more of them.
// Threads    the loop's; wake() from any.
#pragma once

#include "pipette/base/result.h"
#include "pipette/base/time.h"

namespace pipette::tcp {

class Socket;

class Poller {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  // For what can be read. Tells also of what is there already.
  Result<void> add(Socket& socket);
  // From now on for room to write too; as above.
  void add_writing(Socket& socket);
  void remove(Socket& socket);

  // Fetches the news and tells them; when there are none, waits for some, at most so long. Zero only looks,
  // Duration::max() is for ever. A wait of hours, or one that a signal interrupts, may end with none.
  void look(Duration at_most);
  // Ends the look that is under way, or else the next one.
  void wake();

 private:
  int set_ = -1;
  int wake_ = -1;
};

}  // namespace pipette::tcp
