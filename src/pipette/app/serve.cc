#include "pipette/app/serve.h"

#include <string>
#include <system_error>
#include <utility>

#include "pipette/async/task_group.h"
#include "pipette/tcp/runtime.h"

namespace pipette::app {
namespace {

Task<> serve_until_signal(tcp::Runtime& runtime, const Server& server, net::Address address,
                          const ServeOptions& options, server::ShutdownReport& report) {
  net::ListenOptions listening;
  listening.keep_alive = server.options().tcp_keepalive;
  Result<std::unique_ptr<net::Listener>> listener = runtime.network().listen(address, listening);
  if (!listener) throw std::system_error(listener.error(), "listen on " + address.to_string());
  if (options.on_listening) options.on_listening((*listener)->address());

  server::Worker worker(server, runtime);
  async::TaskGroup accepting(runtime.loop());
  accepting.spawn(worker.serve(std::move(*listener)));
  (void)co_await runtime.wait_for_signal();
  report = co_await worker.shutdown(after(runtime.loop().now(), options.shutdown_grace));
  co_await accepting.join();
}

}  // namespace

server::ShutdownReport serve_tcp(const Server& server, std::string_view address, const ServeOptions& options) {
  const Result<net::Address> parsed = net::Address::parse(address);
  if (!parsed) throw std::system_error(parsed.error(), std::string(address));
  tcp::Runtime runtime;
  server::ShutdownReport report;
  runtime.run(serve_until_signal(runtime, server, *parsed, options, report));
  return report;
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

}  // namespace pipette::app
