// What does a large chunked upload cost whose handler reads it as it comes?
//
// RequestStreamE2E: four clients, one request a connection. A request is a 64 octet head and 128 KiB of digits in 512
// chunks of 1, 2, 3 … octets. Each client dials, writes the request as it stands, reads the head of the response and
// closes; there is no HTTP client. The server streams the body, which its handler joins and compares.

#include <array>
#include <benchmark/benchmark.h>
#include <charconv>
#include <string>

#include "pipette/http/head_parser.h"
#include "pipette/inmem/world.h"
#include "pipette/net/connection.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

constexpr std::size_t kClients = 4;
constexpr std::size_t kBodyBytes = 128 * 1024;

std::string digits(std::size_t count) {
  std::string text(count, '0');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('0' + i % 10);
  return text;
}

std::string in_growing_chunks(std::string_view body) {
  std::string request = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t size = 1; !body.empty(); ++size) {
    const std::string_view chunk = body.substr(0, size);
    std::array<char, 16> hex{};
    char* const end = std::to_chars(hex.data(), hex.data() + hex.size(), chunk.size(), 16).ptr;
    request.append(hex.data(), end).append("\r\n").append(chunk).append("\r\n");
    body.remove_prefix(chunk.size());
  }
  return request.append("0\r\n\r\n");
}

class Uploads {
 public:
  explicit Uploads(inmem::World& world)
      : world_(world),
        server_([this](RequestCtx& ctx) { return receive(ctx); }, options()),
        worker_(server_, world.runtime()),
        tasks_(world.loop()) {
    Result<std::unique_ptr<net::Listener>> listener = world.runtime().network().listen(address_);
    if (listener) tasks_.spawn(worker_.serve(std::move(*listener)));
  }

  Task<> make(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) co_await upload();
  }
  std::size_t done() const { return done_; }

 private:
  static ServerOptions options() {
    ServerOptions options;
    options.name = "fasthttp";  // the same octets as the peer
    options.stream_request_body = true;
    return options;
  }

  Task<> receive(RequestCtx& ctx) {
    std::string received;
    for (;;) {
      Task<Result<std::string_view>> reading = ctx.read_body();
      const Result<std::string_view> piece = co_await reading;
      if (!piece || piece->empty()) break;
      received.append(*piece);
    }
    ctx.set_status(received == body_ ? 200 : 400);
  }

  Task<> upload() {
    Task<Result<net::Connected>> dialing = world_.runtime().network().dial(address_, net::DialOptions());
    Result<net::Connected> dialed = co_await dialing;
    if (!dialed) co_return;
    net::Connection& connection = *dialed->connection;
    const Bytes request = request_;
    const Result<void> sent = co_await connection.write(std::span(&request, 1));
    if (!sent) co_return;
    Buffer in;
    http::ResponseParser parser;
    http::ResponseHead head;
    for (;;) {
      const Result<std::size_t> count = co_await connection.read_some(in.writable(128));
      if (!count || *count == 0) co_return;
      in.commit(*count);
      const Result<std::size_t> size = parser.parse(in.contents(), head);
      if (!size) co_return;
      if (*size > 0) break;
    }
    if (head.status == 200) ++done_;
  }

  inmem::World& world_;
  const net::Address address_ = *net::Address::parse("localhost:80");
  const std::string body_ = digits(kBodyBytes);
  const std::string request_ = in_growing_chunks(body_);
  Server server_;
  server::Worker worker_;
  std::size_t done_ = 0;
  async::TaskGroup tasks_;
};

void upload_in_chunks(benchmark::State& state) {
  inmem::World world;
  world.log().set_recording(false);
  Uploads uploads(world);
  async::TaskGroup clients(world.loop());
  std::size_t wanted = 0;
  const auto start = [&](std::size_t count) {
    wanted += count;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.spawn(uploads.make(count / kClients + (i < count % kClients ? 1 : 0)));
    }
    world.settle();
  };
  start(kClients * 4);  // warm
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(state.max_iterations)) start(static_cast<std::size_t>(state.max_iterations));
  }
  if (uploads.done() != wanted) state.SkipWithError("not every upload was answered well");
}

}  // namespace

void add_upload_benches() { benchmark::RegisterBenchmark("RequestStreamE2E", upload_in_chunks)->UseRealTime(); }

}  // namespace pipette::bench
