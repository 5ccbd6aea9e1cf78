// The abstract connection: two directions of bytes, and nothing else.
//
//   try_read ──> bytes | 0: the peer has finished | would_block ──> wait(read) ──> wake ──> try again
//   try_write ─> how much was taken               | would_block ──> wait(write) ─> wake ──> try again
//
// Everything above talks to this class; tcp/, tls/ and inmem/ implement it, and the contract suite
// (pipette/lab/contract/connection_contract.h) holds each of them to these rules:
//
//   Order      Bytes arrive in the order they were sent. Reads split and join writes freely.
//   End        Reading gives 0 when the peer has finished sending, only after all its data, and from then on.
//              The other direction stays open (half-close).
//   Waiting    One waiter a direction. A wake only enqueues it, and is a hint that may be spurious: try again.
//              A waiter that dies, before its wake or after, unlinks itself.
//   Deadlines  Absolute, one a direction, and sticky: at now >= deadline every try fails with timed_out, even
//              with data there, until the deadline is moved. Setting one wakes a wait that is pending when it
//              comes. kNever clears. abort() heeds none.
//   Abort      Ends both directions at once. Pending waits wake; every later try fails with
//              operation_canceled. The peer gets a prefix of what was sent, then connection_reset (on Unix
//              sockets perhaps end of stream). Allowed from inside a wake-up.
//   Close      A connection that dies after try_close_write() is closed as the kernel closes: in order, unless
//              input is unread, which resets it. One that dies without it is aborted. co_await net::close()
//              (net/close.h) is the orderly way.
//
// Try-then-wait pins no buffer while a connection idles, and data that is there already costs no suspension.
// Facts about the peer are values returned by accept, dial and Security; a connection knows none.
//
// Units     octets; `into` is never empty; empty pieces are allowed and count nothing.
// Errors    Errc::would_block (never leaves net/), timed_out, operation_canceled, connection_reset, broken_pipe
//           (writing after try_close_write), or what the system said.
// Lifetime  owned by one unique_ptr; asserts that no waiter is registered when it dies.
// Threads   its loop's.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <span>

#include "pipette/async/loop.h"
#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"

namespace pipette::net {

enum class Direction : unsigned char { read, write };

using Waiter = async::Runnable;

class ReadSome;
class WriteAll;

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  virtual Result<std::size_t> try_read(MutableBytes into) = 0;
  virtual Result<std::size_t> try_write(std::span<const Bytes> pieces) = 0;
  // Finishes this direction (FIN, close_notify); would_block until all that was accepted has reached the layer
  // below. Calling it again is harmless.
  virtual Result<void> try_close_write() = 0;
  virtual void wait(Direction direction, Waiter& waiter) = 0;
  virtual void set_deadline(Direction direction, TimePoint deadline) = 0;
  virtual void abort() = 0;

  // co_await connection.read_some(room) -> Result<std::size_t>: at least one octet, or 0 at the end.
  ReadSome read_some(MutableBytes into);
  // co_await connection.write(pieces) -> Result<void>: all of it, or an error. `pieces` must outlive the await.
  WriteAll write(std::span<const Bytes> pieces);
};

class [[nodiscard]] ReadSome final : public Waiter {
 public:
  ReadSome(Connection& connection, MutableBytes into) : connection_(connection), into_(into) {}

  bool await_ready() {
    result_ = connection_.try_read(into_);
    return result_ || result_.error() != make_error_code(Errc::would_block);
  }
  void await_suspend(std::coroutine_handle<> reader) {
    reader_ = reader;
    connection_.wait(Direction::read, *this);
  }
  Result<std::size_t> await_resume() const { return result_; }
  void run() override {
    if (await_ready()) {
      reader_.resume();
    } else {
      connection_.wait(Direction::read, *this);
    }
  }

 private:
  Connection& connection_;
  MutableBytes into_;
  Result<std::size_t> result_;
  std::coroutine_handle<> reader_;
};

class [[nodiscard]] WriteAll final : public Waiter {
 public:
  WriteAll(Connection& connection, std::span<const Bytes> pieces) : connection_(connection), pieces_(pieces) {}

  // Writes as much as is taken; true when all is written or the connection has failed.
  bool await_ready();
  void await_suspend(std::coroutine_handle<> writer) {
    writer_ = writer;
    connection_.wait(Direction::write, *this);
  }
  Result<void> await_resume() const { return result_; }
  void run() override {
    if (await_ready()) {
      writer_.resume();
    } else {
      connection_.wait(Direction::write, *this);
    }
  }

 private:
  void skip_written(std::size_t count);

  Connection& connection_;
  std::span<const Bytes> pieces_;  // the first one may be partly written:
  std::size_t offset_ = 0;         // this many of its octets
  Result<void> result_;
  std::coroutine_handle<> writer_;
};

// Awaitable: the next time it is worth trying that direction again. For operations that are not covered above.
class [[nodiscard]] Readiness final : public Waiter {
 public:
  Readiness(Connection& connection, Direction direction) : connection_(connection), direction_(direction) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    connection_.wait(direction_, *this);
  }
  void await_resume() const {}
  void run() override { waiter_.resume(); }

 private:
  Connection& connection_;
  Direction direction_;
  std::coroutine_handle<> waiter_;
};

inline ReadSome Connection::read_some(MutableBytes into) { return {*this, into}; }
inline WriteAll Connection::write(std::span<const Bytes> pieces) { return {*this, pieces}; }

}  // namespace pipette::net
