// pipette_hello [--port N] [--threads N] [--tls CERT KEY]: ours, with every default limit and deadline on.
//
// Answers "Hello, World!" to everything, and to /live with what operator new has given to the loop and not got back,
// from the first time it is asked on. A warm request allocates nothing, so counting costs nothing.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/app/serve.h"
#include "pipette/tls/security.h"

#include "tests/support/counted_new.h"

namespace {

using namespace pipette;

struct Arguments {
  std::string port = "0";
  std::size_t threads = 1;
  std::unique_ptr<tls::Security> security;
};

Arguments parse(int argc, char** argv) {
  Arguments parsed;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (i + 1 == argc) throw std::runtime_error(std::string(option) + ": what is its value?");
    const char* const value = argv[++i];
    if (option == "--port") {
      parsed.port = value;
    } else if (option == "--threads") {
      parsed.threads = std::strtoul(value, nullptr, 10);
    } else if (option == "--tls" && i + 1 < argc) {
      tls::Options options;
      options.identities.push_back(tls::Identity::from_files(value, argv[++i]));
      parsed.security = std::make_unique<tls::Security>(std::move(options));
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

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse(argc, argv);
    const Server server(hello);
    ServeOptions options;
    options.threads = arguments.threads;
    options.on_listening = tell;
    serve_tcp(server, {{.address = "127.0.0.1:" + arguments.port, .security = arguments.security.get()}}, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
