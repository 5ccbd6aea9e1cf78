// Serving over TCP and Unix sockets, for programs: one call that returns when the program is asked to stop.
//
//   int main() { pipette::listen_and_serve(hello, "127.0.0.1:8080"); }
//
//   ServeOptions options;
//   options.threads = 0;                                           // one for each core
//   ShutdownReport report = serve_tcp(server, "0.0.0.0:8080", options);
//   ShutdownReport report = serve_tcp(server, {{"0.0.0.0:8080"}, {"unix:/run/app.sock"}}, options);
//
// Ctrl-C (SIGINT) and SIGTERM stop it: no new connections, idle ones are closed, exchanges under way get
// `shutdown_grace` to finish with Connection: close, then their connections are aborted. A second signal ends the
// program at once.
//
// Loops     Each thread has a loop, a worker and, at each address, a listener of its own (SO_REUSEPORT): nothing is
//           shared while requests are served but what handlers share, who run on several threads then. A connection
//           stays where it was accepted. The system chooses by a hash of the addresses of both ends, so a few
//           connections may all fall to one loop, and many are even only on average; where that is not even enough
//           there is Distribution::single_acceptor.
// Limits    are the server's, over all its loops (server/options.h); what the report says is the sum.
// Processes What listens may come from systemd or from the process that this one replaces, and may be handed over to
//           the next one: `inherit` and `hand_over`.
// Errors    what keeps a program from starting is thrown as std::system_error: a bad address, a port that is taken,
//           options that exclude each other, no thread left. Nobody has been served then. What goes wrong afterwards is
//           a matter of one connection and goes to the server's log.
// Lifetime  `server` outlives the call.
// Threads   the calling one, which has the first loop, and as many more as it takes; they have ended when it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "pipette/app/hand_over.h"
#include "pipette/base/time.h"
#include "pipette/net/address.h"
#include "pipette/net/network.h"
#include "pipette/net/security.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"
#include "pipette/tcp/thread_pool.h"

namespace pipette::app {

// Which loop a connection goes to.
enum class Distribution : std::uint8_t {
  reuse_port,       // the system chooses among as many listeners as there are loops
  single_acceptor,  // the first loop accepts, for the loop that has the fewest connections; always so at Unix sockets,
                    // and where several listeners cannot be had
};

// Which of the listening sockets that the process was given (inherited.h) are served.
enum class Inherit : std::uint8_t {
  nothing,
  matching,  // those at an address that is asked for; one without a port, or with a name, matches by the rest
  all,       // the others too
};

// Where to listen.
struct ListenAt {
  std::string address;                // as net::Address::parse() reads it
  net::Security* security = nullptr;  // https there, such as by tls/security.h; outlives the call, and serves all loops
  net::ListenOptions listening{};  // but for reuse_port and keep_alive, which are up to `distribution` and the server
};

struct ServeOptions {
  Duration shutdown_grace = std::chrono::seconds(30);
  // Told once of each address where the server listens, with the port that was chosen when 0 was asked for. On the
  // calling thread, before anybody is served.
  std::function<void(const net::Address&)> on_listening;

  // ---- loops
  std::size_t threads = 1;   // 0: one for each core that this process may use
  bool pin_threads = false;  // each loop to a core of its own, and the threads of its blocking functions with it
  Distribution distribution = Distribution::reuse_port;
  tcp::ThreadPoolOptions blocking;  // for functions that block, of each loop

  // ---- the end, and signals
  bool stops_at_signals = true;  // SIGINT and SIGTERM
  std::stop_token stop;          // the same without a signal, from any thread
  // At SIGHUP, on the first loop: for what is read again, such as certificates. It must not throw. Null: the signal
  // has its default effect.
  std::function<void()> on_reload;

  // ---- processes
  Inherit inherit = Inherit::matching;
  // At SIGUSR2 the next process takes over; without it the signal has its default effect. Not with Inherit::nothing,
  // since the next one takes what this one listens at.
  std::optional<HandOver> hand_over;
  // Tells systemd, where it has asked for that (supervisor.h): ready, reloading, stopping, alive.
  bool tells_supervisor = true;
};

server::ShutdownReport serve_tcp(const Server& server, std::string_view address, const ServeOptions& options);
server::ShutdownReport serve_tcp(const Server& server, std::string_view address);
server::ShutdownReport serve_tcp(const Server& server, std::span<const ListenAt> addresses,
                                 const ServeOptions& options);
server::ShutdownReport serve_tcp(const Server& server, std::initializer_list<ListenAt> addresses,
                                 const ServeOptions& options);

// The short form: default options, and a line "listening on ADDRESS" for the log.
void listen_and_serve(Handler handler, std::string_view address);
// The same over TLS, with the files of a certificate chain and its key (PEM), which are read again at SIGHUP: what is
// no good then is logged, and changes nothing.
void listen_and_serve_tls(Handler handler, std::string_view address, std::string chain_file, std::string key_file);

}  // namespace pipette::app

namespace pipette {
using app::Distribution;
using app::Inherit;
using app::listen_and_serve;
using app::listen_and_serve_tls;
using app::ListenAt;
using app::serve_tcp;
using app::ServeOptions;
}  // namespace pipette
