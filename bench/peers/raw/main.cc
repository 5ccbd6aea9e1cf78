// raw_hello [PORT]: the raw loop, which answers everything with "Hello, World!".

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "bench/peers/raw/server.h"

int main(int argc, char** argv) {
  try {
    const auto hello = [](std::string_view) { return std::string_view("Hello, World!"); };
    pipette::bench::raw::Server server(hello, static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
    std::printf("listening on 127.0.0.1:%d\n", server.port());
    std::fflush(stdout);
    for (;;) server.turn();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
