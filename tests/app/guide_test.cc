// What docs/guide-deploy.md shows.
#include <chrono>
#include <gtest/gtest.h>
#include <stop_token>
#include <string>
#include <utility>

#include "pipette/app/fetch.h"
#include "pipette/app/serve.h"

namespace pipette::app {
namespace {

using namespace std::chrono_literals;

void hello(RequestCtx& ctx) { ctx.set_body("Hello"); }
void read_certificates_again() {}

ServeOptions deployed() {
  ServeOptions options;
  options.threads = 0;                          // a loop for each core
  options.on_reload = read_certificates_again;  // at SIGHUP
  options.hand_over.emplace();                  // at SIGUSR2 the next version takes over
  options.shutdown_grace = 30s;
  return options;
}

server::ShutdownReport serve(const Server& server, std::string address, std::string path, const ServeOptions& options) {
  return serve_tcp(server, {{std::move(address)}, {"unix:" + std::move(path)}}, options);
}

TEST(DeployGuide, ServesAtTwoAddressesUntilItIsStopped) {
  std::stop_source stop;
  ServeOptions options = deployed();
  options.stop = stop.get_token();
  options.on_listening = [&stop](const net::Address&) { stop.request_stop(); };
  const Server server(hello);
  EXPECT_EQ(serve(server, "127.0.0.1:0", testing::TempDir() + "pipette-guide.sock", options).cut, 0U);
}

}  // namespace
}  // namespace pipette::app
