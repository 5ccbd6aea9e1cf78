// pipette_hello [--port N] [--threads N] [--tls CERT KEY]: ours, with every default limit and deadline on.
//
// Answers "Hello, World!" to everything, and to /live with what operator new has given to the loop and not got back,
// from the first time it is asked on. A warm request allocates nothing, so counting costs nothing.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "pipette/app/serve.h"
#include "pipette/tcp/runtime.h"

#include "tests/support/counted_new.h"

namespace {

using namespace pipette;

struct Arguments {
  std::string port = "0";
  std::size_t threads = 1;
};

// There is nothing to serve TLS with yet: saying so is better than serving plainly what was to be secured.
Arguments parse(int argc, char** argv) {
  Arguments parsed;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--tls") throw std::runtime_error("--tls: not supported yet");
    if (i + 1 == argc) throw std::runtime_error(std::string(option) + ": what is its value?");
    const char* const value = argv[++i];
    if (option == "--port") {
      parsed.port = value;
    } else if (option == "--threads") {
      parsed.threads = std::strtoul(value, nullptr, 10);
    } else {
      throw std::runtime_error(std::string(option) + ": no such option");
    }
  }
  return parsed;
}

void hello(RequestCtx& ctx) {
  (void)ctx.set_content_type("text/plain");
  if (ctx.path() == "/live") {
    ctx.set_body(std::to_string(test::live_bytes()));
  } else {
    ctx.set_body("Hello, World!");
  }
}

void tell(const net::Address& address) {
  std::printf("listening on %s\n", address.to_string().c_str());
  std::fflush(stdout);
}

// A loop of its own beside the others, which share the address. It ends when the process does.
Task<> serve_beside(Runtime& runtime, const Server& server, net::Address address) {
  net::ListenOptions options;
  options.reuse_port = true;
  Result<std::unique_ptr<net::Listener>> listener = runtime.network().listen(address, options);
  if (!listener) throw std::system_error(listener.error(), "listen on " + address.to_string());
  server::Worker worker(server, runtime);
  co_await worker.serve(std::move(*listener));
}

void serve_with_loops(const Server& server, const net::Address& address, std::size_t count) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&server, address] {
      tcp::Runtime runtime;
      runtime.run(serve_beside(runtime, server, address));
    });
  }
  tell(address);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse(argc, argv);
    const std::string address = "127.0.0.1:" + arguments.port;
    const Server server(hello);
    if (arguments.threads > 1) {
      serve_with_loops(server, *net::Address::parse(address), arguments.threads);
    } else {
      ServeOptions options;
      options.on_listening = tell;
      serve_tcp(server, address, options);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
