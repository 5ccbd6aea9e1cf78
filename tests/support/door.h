// Door: a worker that is given its connections by hand, from anywhere, with as much room for functions that block as
// the test says.
//
//   Door door(greet, options);
//   Peer peer = door.enter("[2001:db8::1]:1");
//
//   auto [connected, peer] = wire(lab);            // the same for a worker of the test's own
//
// Lifetime  owns lab, server and worker; outlives its peers. The log lines stay.   Threads  one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/inmem/fiber.h"
#include "pipette/lab/lab.h"

#include "tests/support/borrowed_runtime.h"

namespace pipette::test {

struct Wire {
  net::Connected connected;
  Peer peer;
};

// A connection from `from`, and the peer at its other end.
inline Wire wire(Lab& lab, std::string_view from = "[::1]:9") {
  auto [here, there] = inmem::make_pipe(lab.world().loop());
  return {{std::move(there), *net::Address::parse("[::1]:80"), *net::Address::parse(from)},
          Peer(lab.world(), std::move(here))};
}

class Door {
 public:
  explicit Door(Handler handler, ServerOptions options = {}, const inmem::FiberOptions& room = {})
      : server_(std::move(handler), with_log(std::move(options))), fibers_(lab_.world().loop(), room) {}

  Lab& lab() { return lab_; }
  server::Worker& worker() { return worker_; }
  const inmem::Fibers& fibers() const { return fibers_; }
  const std::vector<std::string>& log() const { return log_; }

  Peer enter(std::string_view from = "[::1]:9") {
    auto [connected, peer] = wire(lab_, from);
    sessions_.spawn(worker_.serve_connection(std::move(connected)));
    return std::move(peer);
  }

 private:
  ServerOptions with_log(ServerOptions options) {
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    return options;
  }

  std::vector<std::string> log_;
  Server server_;
  Lab lab_;
  inmem::Fibers fibers_;
  BorrowedRuntime runtime_{lab_.runtime(), fibers_};
  server::Worker worker_{server_, runtime_};
  async::TaskGroup sessions_{lab_.world().loop()};
};

}  // namespace pipette::test
