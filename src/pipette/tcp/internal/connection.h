// A connection over a stream socket, TCP or Unix. Each try is one system call; see net/connection.h for the rules.
//
//   recv, sendmsg, shutdown ──> EAGAIN ──> Socket::wait ──> wake ──> again
//
// The kernel tells of a failure once and then pretends an orderly end of stream. We remember it, so that a reset stays
// a reset whichever direction met it first.
//
// Threads  the loop's.
#pragma once

#include <system_error>
#include <utility>

#include "pipette/net/connection.h"
#include "pipette/tcp/internal/socket.h"

namespace pipette::tcp {

class Connection final : public net::Connection {
 public:
  explicit Connection(OwnedSocket socket) : socket_(std::move(socket)) {}
  ~Connection() override;

  Result<std::size_t> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override;
  Result<void> try_close_write() override;
  void wait(net::Direction direction, net::Waiter& waiter) override;
  void set_deadline(net::Direction direction, TimePoint deadline) override;
  void abort() override;

  int fd() const { return socket_->fd(); }

 private:
  enum class State { open, write_closed, aborted };

  // Why a try in that direction is hopeless from the start; no error when it is not.
  std::error_code refusal(net::Direction direction);
  std::unexpected<std::error_code> failed(int system_error);
  void make_close_reset();

  OwnedSocket socket_;
  State state_ = State::open;
  std::error_code broken_;  // what the kernel said when the connection broke
};

}  // namespace pipette::tcp
