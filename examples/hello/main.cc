#include <cstdio>

#include "pipette/app/serve.h"

#include "hello.h"

int main(int argc, char** argv) {
  pipette::Server server(hello);
  pipette::ServeOptions options;
  options.on_listening = [](const pipette::net::Address& address) {
    std::printf("listening on %s\n", address.to_string().c_str());
    std::fflush(stdout);
  };
  pipette::serve_tcp(server, argc > 1 ? argv[1] : "127.0.0.1:8080", options);
}
