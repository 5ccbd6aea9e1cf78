// Socket: one descriptor, what is known of it in each direction, and who waits there until when.
//
//   try ──> would_block ──> wait(direction, waiter) ──> event ──> wake ──> try again
//
//   unknown ──> ready     the kernel has told of something since the last try that found nothing
//      └──────> drained   a try has found nothing, or less than it asked for, and no event has come since
//
// Who waits where it is ready is woken at once; where it is drained, a try need not ask the kernel. Neither can miss
// anything: the kernel tells of each arrival after the octets can be read (of room, after it is there), and keeps what
// it has to tell until the loop looks. So what comes after a try that met the end of the queue is told in a look after
// that try, whatever was told before; what came earlier, that try has seen. epoll(7) says the same of a read or write
// that was given less than it asked for. A peer that has finished or broken off says so in an event too; from then on a
// short read proves nothing, because the end itself is still to be read. (A peer that marks octets as urgent cuts reads
// short at the mark, and waits for its own next octets then.)
//
// What is known is as old as the loop's last look. That is right for whoever waits next. Whoever asks whether a peer
// is still there wants the kernel's word, or one that is some milliseconds old: Connection::try_read says how to get
// it.
//
// Threads  the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "pipette/base/result.h"
#include "pipette/net/connection.h"
#include "pipette/net/wait_slot.h"

namespace pipette::tcp {

class Loop;

// The one translation of errno: an Errc where there is one, the system's own code otherwise.
std::error_code to_error(int system_error);

class Socket {
 public:
  // Takes over `descriptor`, which is non-blocking. Nobody is told of anything before begin().
  Socket(Loop& loop, int descriptor);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  // Has the loop look at it.
  Result<void> begin();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  Loop& loop() const { return loop_; }
  net::WaitSlot& slot(net::Direction direction) { return slots_[index(direction)]; }

  // Wakes `waiter` when a try in that direction is worth it; at once when the socket is closed.
  void wait(net::Direction direction, net::Waiter& waiter);
  // Whether a try would find nothing.
  bool is_drained(net::Direction direction) const { return known_[index(direction)] == Known::drained; }
  // A try has found nothing.
  void found_nothing(net::Direction direction);
  // A try was given less than it asked for.
  void found_less(net::Direction direction);
  // A probe has found what no event may have told of yet.
  void found_more(net::Direction direction) { known_[index(direction)] = Known::ready; }
  // The poller's: of what the kernel tells, in its words.
  void happened(std::uint32_t events);
  // Closes the descriptor as the kernel does, and wakes who waits.
  void close();

 private:
  enum class Known : unsigned char { unknown, ready, drained };

  static std::size_t index(net::Direction direction) { return static_cast<std::size_t>(direction); }
  void make_ready(net::Direction direction);
  void begin_writing();

  Loop& loop_;
  int fd_;
  std::array<Known, 2> known_{};
  bool is_ending_ = false;           // the peer has finished, or the connection has broken
  bool is_told_of_writing_ = false;  // not before somebody has to wait for it: most never do
  std::array<net::WaitSlot, 2> slots_;
};

}  // namespace pipette::tcp
