#include "pipette/app/serve.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>

#include "pipette/tcp/internal/endpoint.h"

namespace pipette::app {
namespace {

using namespace std::chrono_literals;

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

// Of silence until a probe, in seconds; 0: there are no probes.
int probed_after(int fd) {
  return option_of(fd, SOL_SOCKET, SO_KEEPALIVE) == 0 ? 0 : option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE);
}

// The descriptor that listens at `address`; -1: none.
int listening_descriptor(const net::Address& address) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 && tcp::local_address(fd) == address) return fd;
  }
  return -1;
}

// Thrown where a test has seen enough.
struct Enough {};

TEST(ServeTcp, HasClientsProbedAsItsServerWasTold) {
  struct Case {
    Duration keep_alive;
    int seconds;
  };
  for (const Case& each : {Case{server::ServerOptions().tcp_keepalive, 15}, Case{7s, 7}, Case{0s, 0}}) {
    server::ServerOptions options;
    options.tcp_keepalive = each.keep_alive;
    const Server server([](RequestCtx&) {}, options);
    ServeOptions serving;
    serving.on_listening = [&each](const net::Address& address) {
      EXPECT_EQ(probed_after(listening_descriptor(address)), each.seconds);
      throw Enough();
    };
    EXPECT_THROW(serve_tcp(server, "127.0.0.1:0", serving), Enough);
  }
}

}  // namespace
}  // namespace pipette::app
