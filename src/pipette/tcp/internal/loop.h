// The real loop: async::Loop's run queue and timers, and Asio to wait for the rest of the world.
//
//   turn:  wait for I/O until the next deadline, or only look when work is ready
//          --> read the clock --> make due timers ready --> run what is ready, a bounded number
//
// A completion of Asio's does no work of its own: it enqueues who waits for it. One is taken a turn while nothing is
// ready, which costs no system call as long as the last look at the sockets brought more.
//
// Slots     a Socket (socket.h) holds what pending Asio operations point to. The loop owns them, so that an operation
//           may return after its connection has gone, or never, when the loop is destroyed first.
// Threads   one, but for post() and request_stop().
#pragma once

#include <memory>

#include "pipette/async/loop.h"
#include "pipette/tcp/internal/asio.h"

namespace pipette::tcp {

class Socket;

// What the loop's clock shows, now. From any thread.
TimePoint read_clock();

class Loop final : public async::Loop {
 public:
  Loop();
  ~Loop() override;

  void refresh_now() override;
  void post(Work work) override;

  // Waits until something happens, and lets it.
  void turn();

  void request_stop();
  bool stop_requested() const { return stop_requested_; }
  void clear_stop_request() { stop_requested_ = false; }

  asio::io_context& io() { return io_; }
  void adopt(std::unique_ptr<Socket> socket);
  void free(Socket& socket);

 private:
  void wait_for_io();
  void look_at_io();

  // Owns the sockets. Before io_, whose destructor hands back memory that lies in them.
  struct Slots {
    ~Slots();
    List<Socket> sockets;
  } slots_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  TimePoint wall_is_good_until_{};
  bool stop_requested_ = false;
};

}  // namespace pipette::tcp
