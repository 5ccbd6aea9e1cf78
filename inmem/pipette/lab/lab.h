// Lab: a world with servers, clients and scripted peers in it, for tests in plain straight lines.
//
//   TEST(Hello, CutsAClientThatDawdles) {
//     Server server(hello);
//     Lab lab;
//     lab.serve(server, "app:80");
//     Peer peer = lab.connect("app:80");
//     peer.send("GET / HTTP/1.1\r\nHost: a");
//     lab.advance(9999ms);   EXPECT_FALSE(peer.closed());
//     lab.advance(1ms);      EXPECT_TRUE(peer.closed());          // took microseconds, and no socket
//   }
//
// Only advance(), run_until and the driven calls (get, post, run) move the clock; they step through every deadline on
// the way. When something is still awaited, nothing can run and no timer is armed, the call throws Stuck at once, with
// a list of who waits for what.
//
// Errors    get() and post() throw std::system_error when the call fails: a test that expects it says so.
// Lifetime  servers outlive the lab; the lab outlives its peers.   Threads  one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/peer.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

namespace pipette::lab {

// Nothing can make progress and something is unfinished.
class Stuck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Lab {
 public:
  explicit Lab(std::uint64_t seed = 1);
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab();

  // Serves until the lab ends, or until worker(address).shutdown().
  server::Worker& serve(const Server& server, std::string_view address);
  // A connection to `address` with a scripted peer at this end. Throws std::system_error when it is refused.
  Peer connect(std::string_view address);

  client::Response get(std::string url);
  client::Response post(std::string url, std::string content_type, std::string body);
  // The client behind get() and post().
  Client& client() { return client_; }

  // Runs `task` to its end, moving the clock as far as it needs.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    drive(await_into(std::move(task), result), "a task of the test");
    return std::move(*result);
  }
  void run(Task<> task) { drive(std::move(task), "a task of the test"); }

  // Lets everything run that can; the clock stands still.
  void settle() { world_.loop().settle(); }
  void advance(Duration wait);
  // Moves the clock until `condition` holds; throws Stuck when it never can.
  void run_until(const std::function<bool()>& condition);

  TimePoint now() { return world_.loop().now(); }
  // Since the lab began.
  Duration elapsed() { return now().time_since_epoch(); }

  inmem::World& world() { return world_; }
  Runtime& runtime() { return world_.runtime(); }
  std::string transcript() { return world_.transcript().text(); }

 private:
  template <class T>
  static Task<> await_into(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await task);
  }
  void drive(Task<> task, std::string_view what);
  [[noreturn]] void throw_stuck(std::string_view what);

  inmem::World world_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
  async::TaskGroup tasks_;
  Client client_;
};

}  // namespace pipette::lab

namespace pipette {
using lab::Lab;
using lab::Peer;
}  // namespace pipette
