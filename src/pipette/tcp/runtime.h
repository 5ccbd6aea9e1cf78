// The real world as a Runtime: the machine's clocks, its sockets, its name service. One loop on one thread, and threads
// for blocking functions as they are needed.
//
//   tcp::Runtime runtime;
//   runtime.run(serve(runtime));         // returns when the task has finished, or soon after stop()
//
// An epoll set waits for sockets underneath, Asio for names and signals; nothing above tcp/ can tell.
//
// Errors    the constructor throws std::system_error when the system has no descriptor left for the loop.
// Lifetime  outlives what was made from it: connections, listeners, tasks that use its loop.
// Threads   the one that calls run(); stop() and loop().post() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/net/network.h"
#include "pipette/net/runtime.h"
#include "pipette/tcp/listening.h"
#include "pipette/tcp/thread_pool.h"

namespace pipette::tcp {

class Loop;
class Network;

class Runtime final : public net::Runtime {
 public:
  explicit Runtime(ThreadPoolOptions threads = {});
  ~Runtime() override;

  async::Loop& loop() override;
  net::Network& network() override;
  async::Blocking& blocking() override { return pool_; }
  Random random(std::string_view stream) override { return {seed_, stream}; }

  // A listener over a socket that another process has made listen. Takes over `descriptor`, which is closed when that
  // fails: bad_file_descriptor, not_a_socket, invalid_argument (it does not listen), wrong_protocol_type (no streams),
  // not_supported (neither TCP nor Unix). Of the options, it takes those of connections: keep_alive, defer_accept,
  // fast_open.
  Result<std::unique_ptr<net::Listener>> adopt_listener(int descriptor, const net::ListenOptions& options = {},
                                                        UnixPath path = UnixPath::leave);
  // What listens here, in the order in which it began to.
  std::vector<Listening> listening() const;
  // A Unix path that goes when who listens there closes, whoever has made it.
  void own_unix_path(const net::Address& path);
  // The Unix paths of those that listen now stay when they close: another process listens there.
  void leave_unix_paths();

  // Runs the loop until `main` has finished, and rethrows what it threw. After stop(), `main` is cancelled.
  void run(Task<> main);
  // Makes the run() that is under way, or else the next one, return early. From any thread.
  void stop();

  // Completes with SIGINT or SIGTERM. The signal that came has its default effect again from that moment, and both
  // have it when this is over, so asking a second time ends a program that does not stop.
  Task<int> wait_for_signal();

 private:
  std::uint64_t seed_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Network> network_;
  ThreadPool pool_;
};

}  // namespace pipette::tcp
