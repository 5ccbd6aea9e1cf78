// What does the machine itself take for a call over loopback TCP? The raw loop of bench/peers/raw, and beside it on the
// same epoll a client that writes the same octets each time and looks at what comes back.

#include <arpa/inet.h>
#include <array>
#include <benchmark/benchmark.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/allocations.h"
#include "bench/benches.h"
#include "bench/peers/raw/server.h"

namespace pipette::bench {
namespace {

// What our client writes for the row without "/raw".
constexpr std::string_view kRequest =
    "GET /foo/bar?baz=123 HTTP/1.1\r\nUser-Agent: fasthttp\r\nHost: 127.0.0.1:12345\r\n\r\n";
constexpr std::string_view kTarget = "/foo/bar?baz=123";

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to the raw loop");
    }
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  int socket() const { return socket_; }
  bool send() const {
    return ::send(socket_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kRequest.size());
  }
  // Whether the response is there, in one piece, and is the right one.
  bool receive() {
    std::array<char, 4096> octets;
    const auto count = ::recv(socket_, octets.data(), octets.size(), 0);
    if (count <= 0) return false;
    const std::string_view input(octets.data(), static_cast<std::size_t>(count));
    const int size = response_.parse(input);
    return size > 0 && response_.status == 200 && input.substr(static_cast<std::size_t>(size)) == kTarget;
  }

 private:
  int socket_;
  PicoResponse<phr_parse_response> response_;
};

bool call(raw::Server& server, RawClient& client) {
  if (!client.send()) return false;
  while (!server.turn()) {
  }
  return client.receive();
}

void get_end_to_end_raw(benchmark::State& state) {
  const auto echo = [](std::string_view target) { return target; };
  const auto server = std::make_unique<raw::Server>(echo, std::uint16_t{0});
  RawClient client(server->port());
  server->watch(client.socket());
  bool is_right = call(*server, client);  // warm
  {
    const AllocationCounter counter(state);
    for (auto _ : state) is_right = call(*server, client) && is_right;
  }
  if (!is_right) state.SkipWithError("a call failed");
}

}  // namespace

void add_raw_tcp_benches() {
  benchmark::RegisterBenchmark("ClientGetEndToEnd1TCP/raw", get_end_to_end_raw)->UseRealTime();
}

}  // namespace pipette::bench
