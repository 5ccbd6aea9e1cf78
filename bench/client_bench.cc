// What does a call cost: the client alone, and client and server together in memory?
//
// ClientDoFastServer calls a fake server that answers each write with 77 canned octets. ClientGetEndToEnd*Inmemory
// gets http://unused.host/foo/bar?baz=123 from an echo server over pipes, so many calls at a time, each on a kept
// connection of its own. ClientEndToEndBigResponse*Inmemory gets 1 MiB of digits the same way; what of that is copying
// and comparing, CopyTwiceAndCompare1MiB shows: in memory each octet is copied by the writer and by the reader.
// Pipeline* gets "foobar", so many calls at a time on one connection.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "pipette/client/pipeline_client.h"
#include "pipette/inmem/fiber.h"
#include "pipette/inmem/world.h"

#include "bench/allocations.h"
#include "bench/benches.h"
#include "bench/end_to_end.h"
#include "bench/fake_connection.h"

namespace pipette::bench {
namespace {

constexpr std::string_view kCannedResponse =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 12\r\n"
    "\r\n"
    "012345678912";

// A network on which every dial reaches a CannedServer.
class CannedNetwork final : public net::Network {
 public:
  explicit CannedNetwork(async::Loop& loop) : loop_(loop) {}

  Result<std::unique_ptr<net::Listener>> listen(const net::Address&, const net::ListenOptions&) override {
    return fail(Errc::not_supported);
  }
  Task<Result<net::Connected>> dial(net::Address address, net::DialOptions) override {
    co_return net::Connected{std::make_unique<CannedServer>(loop_, kCannedResponse), {}, address};
  }
  Task<Result<std::vector<net::Address>>> resolve(std::string, std::uint16_t port, TimePoint) override {
    co_return std::vector<net::Address>(1, net::Address::ipv4({1, 2, 3, 4}, port));
  }

 private:
  async::Loop& loop_;
};

class CannedRuntime final : public net::Runtime {
 public:
  explicit CannedRuntime(async::Loop& loop) : loop_(loop), network_(loop) {}
  async::Loop& loop() override { return loop_; }
  net::Network& network() override { return network_; }
  async::Blocking& blocking() override { return fibers_; }
  Random random(std::string_view stream) override { return {1, stream}; }

 private:
  async::Loop& loop_;
  CannedNetwork network_;
  inmem::Fibers fibers_{loop_};
};

void call_fast_server(benchmark::State& state) {
  inmem::World world;
  CannedRuntime runtime(world.loop());
  ClientOptions options;
  options.user_agent = "fasthttp";
  Client client(runtime, options);
  Calls calls(client, "http://foobar1.com/aaa/bbb", "012345678912");
  async::TaskGroup tasks(world.loop());
  tasks.spawn(calls.make(100));  // warm
  world.settle();
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(state.max_iterations)) {
      tasks.spawn(calls.make(static_cast<std::size_t>(state.max_iterations)));
      world.settle();
    }
  }
  if (calls.failed() > 0) state.SkipWithError("a call failed");
}

void get_end_to_end(benchmark::State& state, std::size_t concurrency) {
  inmem::World world;
  world.log().set_recording(false);
  EndToEnd bench(world.runtime(), "unused.host:80", concurrency);
  bench.start("http://unused.host/foo/bar?baz=123", concurrency * 10);  // warm
  world.settle();
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(state.max_iterations)) {
      bench.start("http://unused.host/foo/bar?baz=123", static_cast<std::size_t>(state.max_iterations));
      world.settle();
    }
  }
  if (!bench.is_complete()) state.SkipWithError("a call failed or did not end");
}

void pipeline(benchmark::State& state, std::size_t concurrency) {
  inmem::World world;
  world.log().set_recording(false);
  ServerOptions server_options;
  server_options.name = "fasthttp";  // the same octets as the peer
  server_options.max_requests_per_conn = UINT64_MAX;
  const Server server([](RequestCtx& ctx) { ctx.set_body("foobar"); }, server_options);
  server::Worker worker(server, world.runtime());
  async::TaskGroup tasks(world.loop());
  tasks.spawn(worker.serve(*world.runtime().network().listen(*net::Address::parse("unused.host:80"))));
  PipelineOptions options;
  options.user_agent = "fasthttp";
  options.max_pending_per_connection = concurrency;
  PipelineClient client(world.runtime(), "http://unused.host", options);
  std::vector<std::unique_ptr<Calls>> callers;
  for (std::size_t i = 0; i < concurrency; ++i) {
    callers.push_back(std::make_unique<Calls>(client, "http://unused.host/foo/bar?baz=123", "foobar"));
  }
  const auto call = [&](std::size_t calls) {
    for (std::size_t i = 0; i < concurrency; ++i) {
      tasks.spawn(callers[i]->make(calls / concurrency + (i < calls % concurrency ? 1 : 0)));
    }
    world.settle();
  };
  call(concurrency * 10);  // warm
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(state.max_iterations)) call(static_cast<std::size_t>(state.max_iterations));
  }
  for (const std::unique_ptr<Calls>& each : callers) {
    if (each->failed() > 0) state.SkipWithError("a call failed");
  }
  if (client.pending() > 0 || client.counts().dials != 1) state.SkipWithError("not one connection for all");
}

std::string big_body() {
  std::string body(1024 * 1024, '0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('0' + i % 10);
  return body;
}

void get_big_response(benchmark::State& state, std::size_t concurrency) {
  const std::string url = "http://unused.host/foo/bar?baz=123";
  const std::string body = big_body();
  inmem::World world;
  world.log().set_recording(false);
  EndToEnd bench(world.runtime(), "unused.host:80", concurrency, body);
  bench.start(url, concurrency * 10);  // warm
  world.settle();
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(state.max_iterations)) {
      bench.start(url, static_cast<std::size_t>(state.max_iterations));
      world.settle();
    }
  }
  if (!bench.is_complete()) state.SkipWithError("a call failed or did not end");
}

void copy_twice_and_compare(benchmark::State& state) {
  const std::string body = big_body();
  std::string pipe(body.size(), '\0');
  std::string copy(body.size(), '\0');
  for (auto _ : state) {
    std::memcpy(pipe.data(), body.data(), body.size());
    benchmark::ClobberMemory();
    std::memcpy(copy.data(), pipe.data(), pipe.size());
    benchmark::ClobberMemory();
    const bool is_equal = copy == body;
    benchmark::DoNotOptimize(is_equal);
  }
}

}  // namespace

void add_client_benches() {
  benchmark::RegisterBenchmark("ClientDoFastServer", call_fast_server)->UseRealTime();
  for (const std::size_t concurrency : {1U, 10U, 100U, 1000U}) {
    const std::string name = "ClientGetEndToEnd" + std::to_string(concurrency) + "Inmemory";
    const auto run = [concurrency](benchmark::State& state) { get_end_to_end(state, concurrency); };
    benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
  }
  for (const std::size_t concurrency : {1U, 10U, 100U, 1000U}) {
    const std::string name = "Pipeline" + std::to_string(concurrency);
    const auto run = [concurrency](benchmark::State& state) { pipeline(state, concurrency); };
    benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
  }
  for (const std::size_t concurrency : {1U, 10U}) {
    const std::string name = "ClientEndToEndBigResponse" + std::to_string(concurrency) + "Inmemory";
    const auto run = [concurrency](benchmark::State& state) { get_big_response(state, concurrency); };
    benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
  }
  benchmark::RegisterBenchmark("CopyTwiceAndCompare1MiB", copy_twice_and_compare)->UseRealTime();
}

}  // namespace pipette::bench
