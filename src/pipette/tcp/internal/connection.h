// A connection over a stream socket, TCP or Unix. See net/connection.h for the rules.
//
//   recv, send, shutdown ──> EAGAIN, or less than was asked for ──> Socket::wait ──> wake ──> again
//
// A try is one system call, or none: where the last one has found the end of what was there, and the kernel has told of
// nothing since, the next says would_block by itself (socket.h). A read of a single octet is how one looks whether a
// peer is still there, so it asks the kernel, unless the loop has done that within the last tick of its coarse clock.
//
// The kernel tells of a failure once and then pretends an orderly end of stream. We remember it, so that a reset stays
// a reset whichever direction met it first.
//
// Threads  the loop's.
#pragma once

#include <memory>
#include <system_error>

#include "pipette/net/connection.h"
#include "pipette/tcp/internal/socket.h"

namespace pipette::tcp {

class Connection final : public net::Connection {
 public:
  // Takes over `descriptor`, which is non-blocking; closes it when that fails.
  static Result<std::unique_ptr<Connection>> adopt(Loop& loop, int descriptor);

  Connection(Loop& loop, int descriptor) : socket_(loop, descriptor) {}
  ~Connection() override;

  Result<std::size_t> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override;
  Result<void> try_close_write() override;
  void wait(net::Direction direction, net::Waiter& waiter) override;
  void set_deadline(net::Direction direction, TimePoint deadline) override;
  void abort() override;

  // Whether it has a peer by now; if not, it is worth asking again when it can be written to.
  bool has_peer();
  int fd() const { return socket_.fd(); }

 private:
  enum class State { open, write_closed, aborted };

  // Why a try in that direction is hopeless from the start; no error when it is not.
  std::error_code refusal(net::Direction direction);
  std::unexpected<std::error_code> failed(net::Direction direction, int system_error);
  void make_close_reset();

  Socket socket_;
  State state_ = State::open;
  std::error_code broken_;  // what the kernel said when the connection broke
};

}  // namespace pipette::tcp
