// A source of connections.
//
//   Result<Connected> c = co_await listener.accept();
//
// Errors    of one accept, such as Errc::too_many_open_files, are values: the listener goes on, and who accepts
//           decides how long to pause, and whether those who wait shall know (shed()). Errc::listener_closed after
//           close().
// Lifetime  what was accepted outlives the listener; connections nobody accepted die with it.
// Threads   its loop's.
#pragma once

#include <coroutine>
#include <memory>
#include <system_error>

#include "pipette/base/errc.h"
#include "pipette/base/result.h"
#include "pipette/net/address.h"
#include "pipette/net/connection.h"

namespace pipette::net {

// A connection, and who is at its ends.
struct Connected {
  std::unique_ptr<Connection> connection;
  Address local;
  Address remote;
};

class Accept;

// Whether an accept failed because the process, or the system, has no descriptor left.
inline bool is_out_of_descriptors(const std::error_code& error) {
  return error == make_error_code(Errc::too_many_open_files) ||
         error == make_error_code(Errc::too_many_open_files_in_system);
}

class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;

  // The next connection, or Errc::would_block.
  virtual Result<Connected> try_accept() = 0;
  // Wakes `waiter` once when it is worth trying again. One waiter; it may be spurious; it may die.
  virtual void wait(Waiter& waiter) = 0;
  // Drops the connection that has waited longest, though there is no descriptor left to accept it with; says whether
  // there was one. Its client sees a reset, or the end. For who is told is_out_of_descriptors().
  virtual bool shed() = 0;
  // Listens no longer: frees the address, wakes the waiter, drops what nobody accepted.
  virtual void close() = 0;
  // Where it listens, with the port that was chosen when 0 was asked for.
  virtual Address address() const = 0;

  // co_await listener.accept() -> Result<Connected>.
  Accept accept();
};

class [[nodiscard]] Accept final : public Waiter {
 public:
  explicit Accept(Listener& listener) : listener_(listener) {}

  bool await_ready() {
    result_ = listener_.try_accept();
    return result_ || result_.error() != make_error_code(Errc::would_block);
  }
  void await_suspend(std::coroutine_handle<> acceptor) {
    acceptor_ = acceptor;
    listener_.wait(*this);
  }
  Result<Connected> await_resume() { return std::move(result_); }
  void run() override {
    if (await_ready()) {
      acceptor_.resume();
    } else {
      listener_.wait(*this);
    }
  }

 private:
  Listener& listener_;
  Result<Connected> result_ = fail(Errc::would_block);
  std::coroutine_handle<> acceptor_;
};

inline Accept Listener::accept() { return Accept(*this); }

}  // namespace pipette::net
