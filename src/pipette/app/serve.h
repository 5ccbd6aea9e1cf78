// Serving over TCP, for programs: one call that returns when the program is asked to stop.
//
//   int main() { pipette::listen_and_serve(hello, "127.0.0.1:8080"); }
//
// Ctrl-C (SIGINT) and SIGTERM stop it: no new connections, idle ones are closed, exchanges under way get
// `shutdown_grace` to finish with Connection: close, then their connections are aborted. A second signal ends the
// program at once.
//
// Errors    what keeps a program from starting is thrown as std::system_error: a bad address, a port that is taken.
//           What goes wrong afterwards is a matter of one connection and goes to the server's log.
// Lifetime  `server` outlives the call.   Threads  serves on the calling thread.
#pragma once

#include <functional>
#include <string_view>

#include "pipette/base/time.h"
#include "pipette/net/address.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

namespace pipette::app {

struct ServeOptions {
  Duration shutdown_grace = std::chrono::seconds(30);
  // Told once where the server listens, with the port that was chosen when 0 was asked for.
  std::function<void(const net::Address&)> on_listening;
};

server::ShutdownReport serve_tcp(const Server& server, std::string_view address, const ServeOptions& options);
server::ShutdownReport serve_tcp(const Server& server, std::string_view address);

// The short form: default options, and a line "listening on ADDRESS" for the log.
void listen_and_serve(Handler handler, std::string_view address);

}  // namespace pipette::app

namespace pipette {
using app::listen_and_serve;
using app::serve_tcp;
using app::ServeOptions;
}  // namespace pipette
