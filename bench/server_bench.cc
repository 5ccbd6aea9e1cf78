// What does the server spend on one request, when the connection costs nothing?
//
// Each row serves requests from fake connections: reads fill the whole buffer with copies of the request, so that they
// arrive pipelined; writes are discarded; every default limit and deadline is on.

#include <benchmark/benchmark.h>
#include <memory>
#include <string>

#include "pipette/inmem/world.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

#include "bench/allocations.h"
#include "bench/benches.h"
#include "bench/fake_connection.h"
#include "bench/inputs.h"

namespace pipette::bench {
namespace {

constexpr std::string_view kPost =
    "POST /foobar?baz HTTP/1.1\r\n"
    "Host: google.com\r\n"
    "Content-Type: foo/bar\r\n"
    "Content-Length: 13\r\n"
    "User-Agent: Opera Chrome MSIE Firefox and other/1.2.34\r\n"
    "Referer: http://google.com/aaaa/bbb/ccc\r\n"
    "Cookie: foo=bar; baz=baraz; aa=aakslsdweriwereowriewroire\r\n"
    "\r\n"
    "Hello, world!";

constexpr std::string_view kBody = "Hello, world!";
constexpr std::size_t kManyClients = 10'000;

void serve(benchmark::State& state, std::string_view requests, std::size_t request_bytes, bool is_post,
           std::size_t per_connection, std::size_t clients) {
  inmem::World world;
  world.log().set_recording(false);
  ServerOptions options;
  options.name = "fasthttp";  // the same octets as the peer
  std::size_t served = 0;
  const Server server(
      [&, per_connection, is_post](RequestCtx& ctx) {
        if (is_post ? !ctx.is_post() || ctx.body() != kBody : !ctx.is_get()) return;
        (void)ctx.set_content_type("text/plain");
        ctx.set_body(is_post ? ctx.body() : kBody);
        if (per_connection == 1) ctx.set_connection_close();
        ++served;
      },
      options);
  server::Worker worker(server, world.runtime());
  auto owned = std::make_unique<FakeListener>(world.loop(), requests, request_bytes, per_connection, clients);
  FakeListener& listener = *owned;
  async::TaskGroup tasks(world.loop());
  tasks.spawn(worker.serve(std::move(owned)));
  listener.add_budget(clients * 2 * std::min<std::size_t>(per_connection, 10));  // warm
  world.settle();

  served = 0;
  {
    const AllocationCounter counter(state);
    const auto wanted = static_cast<std::size_t>(state.max_iterations);
    while (state.KeepRunningBatch(state.max_iterations)) {
      listener.add_budget(wanted);
      world.settle();
    }
  }
  if (served != static_cast<std::size_t>(state.iterations())) state.SkipWithError("not every request was served");
}

void add(const std::string& name, std::string_view request, std::size_t per_connection, std::size_t clients) {
  const bool is_post = request.starts_with("POST");
  const auto run = [=](benchmark::State& state) {
    serve(state, request, request.size(), is_post, per_connection, clients);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
}

// The GET with another cookie each time, so that no request repeats the fields of the last one.
std::string gets_with_other_fields() {
  std::string requests;
  for (const char c : std::string_view("abcdefghijklmnop")) {
    requests += kGet;
    requests[requests.size() - 5] = c;
  }
  return requests;
}

}  // namespace

void add_server_benches() {
  struct Row {
    const char* name;
    std::size_t requests;
  };
  for (const Row& row : {Row{"1", 1}, Row{"2", 2}, Row{"10", 10}, Row{"10K", 10'000}}) {
    add(std::string("ServerGet") + row.name + "ReqPerConn", kGet, row.requests, 1);
    add(std::string("ServerPost") + row.name + "ReqPerConn", kPost, row.requests, 1);
  }
  for (const Row& row : {Row{"1", 1}, Row{"2", 2}, Row{"10", 10}, Row{"100", 100}}) {
    add(std::string("ServerGet") + row.name + "ReqPerConn10KClients", kGet, row.requests, kManyClients);
  }
  const auto other_fields = [](benchmark::State& state) {
    serve(state, gets_with_other_fields(), kGet.size(), false, 10'000, 1);
  };
  benchmark::RegisterBenchmark("ServerGet10KReqPerConnOtherFields", other_fields)->UseRealTime();
}

}  // namespace pipette::bench
