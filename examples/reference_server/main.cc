// reference_server --listen 127.0.0.1:0     prints the address it listens on, and serves until it is told to stop.

#include <cstdio>
#include <exception>
#include <string_view>

#include "pipette/app/serve.h"

#include "reference.h"

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--listen") {
    std::fprintf(stderr, "usage: %s --listen ADDRESS\n", argv[0]);
    return 2;
  }
  pipette::ServeOptions options;
  options.on_listening = [](const pipette::net::Address& address) {
    std::printf("listening on %s\n", address.to_string().c_str());
    std::fflush(stdout);
  };
  try {
    const pipette::Server server(reference);
    const pipette::server::ShutdownReport report = pipette::serve_tcp(server, argv[2], options);
    std::printf("served %llu requests\n", static_cast<unsigned long long>(report.served));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
