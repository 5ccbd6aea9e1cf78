// Socket: one descriptor, who waits for it in each direction until when, and what Asio needs while it waits.
//
//   wait(direction, waiter) ──> async_wait, unless one is pending ──> wake ──> the waiter tries its system call again
//
// This is the runtime-owned slot: an operation of Asio's points here, not at a connection. Its owner lets go of it by
// destroying the OwnedSocket; that closes the descriptor at once, and the memory goes when the last operation has
// returned. Asio's operations are built inside the slot, so waiting allocates nothing.
//
// Every async_wait re-arms the descriptor in epoll, so readiness that was there before, or was left over by a try that
// failed for another reason (EMFILE), is reported again: no edge can be lost.
//
// Threads  the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <system_error>

#include "pipette/base/list.h"
#include "pipette/base/result.h"
#include "pipette/net/connection.h"
#include "pipette/net/wait_slot.h"
#include "pipette/tcp/internal/asio.h"

namespace pipette::tcp {

class Loop;
class Socket;

// The one translation of errno: an Errc where there is one, the system's own code otherwise.
std::error_code to_error(int system_error);

struct LetGo {
  void operator()(Socket* socket) const;
};
using OwnedSocket = std::unique_ptr<Socket, LetGo>;

class Socket final : public ListNode {
 public:
  // Takes over `descriptor`, which is non-blocking; closes it when that fails.
  static Result<OwnedSocket> adopt(Loop& loop, int descriptor);

  Socket(Loop& loop, int descriptor, std::error_code& error);

  int fd() { return descriptor_->native_handle(); }
  bool is_open() const { return descriptor_.has_value(); }
  Loop& loop() const { return loop_; }
  net::WaitSlot& slot(net::Direction direction) { return side(direction).slot; }

  // Wakes `waiter` when a try in that direction is worth it; at once when the socket is closed.
  void wait(net::Direction direction, net::Waiter& waiter);
  // Closes the descriptor as the kernel does, and wakes who waits.
  void close();

 private:
  friend struct LetGo;

  // What a pending operation is built in.
  struct OperationMemory {
    alignas(std::max_align_t) std::array<std::byte, 160> bytes;
  };
  template <class T>
  struct InPlace;
  struct Ready;

  struct Side {
    explicit Side(async::Loop& loop);
    net::WaitSlot slot;
    bool is_pending = false;  // an operation has not returned yet
    OperationMemory memory;
  };

  Side& side(net::Direction direction) { return sides_[static_cast<std::size_t>(direction)]; }
  bool has_pending() const { return sides_[0].is_pending || sides_[1].is_pending; }
  void operation_returned(net::Direction direction);
  void let_go();

  Loop& loop_;
  std::optional<asio::posix::basic_stream_descriptor<asio::io_context::executor_type>> descriptor_;
  std::array<Side, 2> sides_;
  bool has_owner_ = true;
};

}  // namespace pipette::tcp
