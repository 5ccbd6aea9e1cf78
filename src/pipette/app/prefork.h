// prefork(): a server of several processes at the same addresses, so that one that crashes takes only its own
// connections with it. A master that serves nobody opens the sockets, starts the processes and replaces those that end.
//
//   int main() {
//     PreforkOptions options;
//     options.addresses = {{"0.0.0.0:8080"}};
//     prefork(options, [](std::size_t) {
//       const Server server(hello);
//       serve_tcp(server, "0.0.0.0:8080");          // finds its socket among those that it inherits
//       return 0;
//     });
//   }
//
//   SIGTERM, SIGINT    all are told so, and killed when they have not ended after `shutdown_grace`; again: at once
//   SIGHUP             is passed on to all
//
// Each process has a socket of its own at each TCP address (SO_REUSEPORT), which stays when the process ends: whoever
// waits there is served by the next one. At Unix sockets, at those that systemd gave (inherited.h), and where there is
// but one, all accept from the same. With ServeOptions::pin_threads each process begins with the next core.
// One that ends is replaced after a pause, which doubles as long as it ends before `healthy_after`; when one has done
// so `recover_threshold` times in a row, the master ends all and says so. When the master is gone, they end as at
// SIGTERM. A supervisor (supervisor.h) is told by the master: when all are ready, and that it is alive.
//
// Errors    std::system_error before any process is started: a bad address, a port that is taken. An exception of the
//           function is the end of that process, with status 1.
// Threads   one: a process that has others must not be forked. So prefork() comes first in main(), and what needs
//           threads is made in the function.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "pipette/app/serve.h"
#include "pipette/base/time.h"

namespace pipette::app {

struct PreforkOptions {
  std::vector<ListenAt> addresses;
  std::size_t processes = 0;  // 0: one for each core that this process may use
  Inherit inherit = Inherit::matching;
  Duration first_pause = std::chrono::milliseconds(100);
  Duration longest_pause = std::chrono::seconds(10);
  Duration healthy_after = std::chrono::minutes(1);
  std::size_t recover_threshold = 10;
  Duration shutdown_grace = std::chrono::seconds(35);
  // Takes a line: one that has ended, and how. Null: standard error.
  std::function<void(std::string_view)> log;
};

struct PreforkReport {
  std::size_t restarts = 0;
  bool gave_up = false;
};

// `serve` is called in each process with its number, from 0; what it returns is the process's exit status. Returns in
// the master only, when all have ended.
PreforkReport prefork(const PreforkOptions& options, const std::function<int(std::size_t number)>& serve);

}  // namespace pipette::app

namespace pipette {
using app::prefork;
using app::PreforkOptions;
}  // namespace pipette
