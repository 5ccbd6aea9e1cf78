// Asio, on a thread of its own: for the name service, which has no descriptor to wait for, and for signals.
//
// Its handlers touch nothing of the loop's; they hand on what has come with a Delivery (arrival.h). Sockets are not its
// business: the loop waits for those itself (poller.h).
//
// Errors   the constructor throws std::system_error when the system has no descriptor left, or no thread.
// Threads  any.
#pragma once

#include <thread>

#include "pipette/tcp/internal/asio.h"

namespace pipette::tcp {

class AsioThread {
 public:
  AsioThread() : thread_([this] { io_.run(); }) {}
  AsioThread(const AsioThread&) = delete;
  AsioThread& operator=(const AsioThread&) = delete;
  ~AsioThread() {
    io_.stop();
    thread_.join();
  }

  asio::io_context& io() { return io_; }

 private:
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
};

}  // namespace pipette::tcp
