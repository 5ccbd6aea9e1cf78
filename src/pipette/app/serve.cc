#include "pipette/app/serve.h"

#include <array>
#include <csignal>
#include <unistd.h>
#include <utility>

#include "pipette/app/internal/conductor.h"
#include "pipette/app/internal/cores.h"
#include "pipette/app/internal/crew.h"
#include "pipette/app/internal/opening.h"
#include "pipette/app/internal/parent.h"
#include "pipette/app/supervisor.h"
#include "pipette/tls/security.h"

namespace pipette::app {

server::ShutdownReport serve_tcp(const Server& server, std::span<const ListenAt> addresses,
                                 const ServeOptions& options) {
  CrewOptions loops;
  loops.size = options.threads == 0 ? usable_cores().size() : options.threads;
  loops.pins = options.pin_threads;
  loops.blocking = options.blocking;
  Parent parent;
  loops.first_core = parent.our_number() * loops.size;
  Crew crew(server, loops);
  const Supervisor supervisor = options.tells_supervisor ? Supervisor() : Supervisor("");
  Opening opening(crew, server, options);
  for (const ListenAt& where : addresses) opening.open(where);
  opening.finish();
  Conductor conductor(crew, server, options, supervisor, opening.passed());
  if (options.on_listening) {
    for (const net::Address& address : opening.addresses()) options.on_listening(address);
  }
  parent.wait_for_leave();
  opening.own_paths();
  supervisor.tell("READY=1");
  return crew.run(conductor.run());
}

server::ShutdownReport serve_tcp(const Server& server, std::initializer_list<ListenAt> addresses,
                                 const ServeOptions& options) {
  return serve_tcp(server, std::span(addresses.begin(), addresses.size()), options);
}

server::ShutdownReport serve_tcp(const Server& server, std::string_view address, const ServeOptions& options) {
  const std::array<ListenAt, 1> one = {{{.address = std::string(address)}}};
  return serve_tcp(server, one, options);
}

server::ShutdownReport serve_tcp(const Server& server, std::string_view address) {
  return serve_tcp(server, address, ServeOptions());
}

void listen_and_serve(Handler handler, std::string_view address) {
  const Server server(std::move(handler));
  ServeOptions options;
  options.on_listening = [&server](const net::Address& where) { server.log("listening on " + where.to_string()); };
  serve_tcp(server, address, options);
}

void listen_and_serve_tls(Handler handler, std::string_view address, std::string chain_file, std::string key_file) {
  const Server server(std::move(handler));
  tls::Options certificates;
  certificates.identities = {tls::Identity::from_files(std::move(chain_file), std::move(key_file))};
  tls::Security security(std::move(certificates));
  ServeOptions options;
  options.on_listening = [&server](const net::Address& where) { server.log("listening on " + where.to_string()); };
  options.on_reload = [&] {
    const auto reloaded = security.reload();
    server.log(reloaded ? "certificates were read again" : "the certificates stay as they were: " + reloaded.error());
  };
  serve_tcp(server, {{.address = std::string(address), .security = &security}}, options);
}

void hand_over() { ::kill(::getpid(), SIGUSR2); }

}  // namespace pipette::app
