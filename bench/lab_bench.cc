// How fast is simulated time: events of the loop, fresh worlds, a fault sweep, an hour of many clients?
//
// Default options, event log and hash on. Rates are of CPU time.
//
//   LabYields, LabPingPong, LabSleeps*  an event is one thing that the scheduler runs: a wake, or a timer that is due.
//                                       Tasks that yield; two that wake each other in turn; so many that sleep, each
//                                       a microsecond longer than the one before, so that nearly every move of the
//                                       clock is for one of them.
//   LabFreshWorld                       a World, made and destroyed.
//   LabFreshLabGet, …Peer               a Lab that serves one request (get(); connect(), send(), read) and ends, leak
//                                       check and all. The Server is made once.
//   LabFaultSweepOf10Exchanges          every fault at every operation, and every step canceled and destroyed, of a
//   test
//                                       that makes ten calls on a kept connection. An iteration is the whole sweep.
//   LabHourOf10KClients                 600,000 requests: one a minute and client, on kept connections. An iteration
//                                       is the whole hour.
//   SlowClients10K                      10,000 clients that drip an octet of a head a second; at 10 s all are cut, and
//                                       told so. An iteration is the whole of it, in wall time.
//   LabFuzzServer                       what fuzz/server.cc does with one input, a short one.

#include <array>
#include <benchmark/benchmark.h>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/async/yield.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/sweep.h"

#include "bench/allocations.h"

namespace pipette::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";

void hello(RequestCtx& ctx) { ctx.set_body("Hello, world!"); }

// Of servers that are made to fail.
ServerOptions silent() {
  ServerOptions options;
  options.log = [](std::string_view) {};
  return options;
}

// ---- events of the loop

constexpr std::size_t kEventsAtOnce = 1'000'000;

Task<> yield_on(async::Loop& loop, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) co_await async::YieldToLoop(loop);
}

Task<> answer_on(async::Event& ours, async::Event& theirs, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    co_await ours.wait();
    ours.reset();
    theirs.set();
  }
}

Task<> sleep_on(async::Loop& loop, Duration pause, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) co_await async::sleep_until(loop, after(loop.now(), pause));
}

// Counts what the scheduler ran.
class Events {
 public:
  Events(benchmark::State& state, inmem::World& world)
      : state_(state), world_(world), before_(world.scheduler().steps()) {}
  ~Events() {
    state_.SetItemsProcessed(static_cast<std::int64_t>(world_.scheduler().steps() - before_));
    const double seconds = std::chrono::duration<double>(world_.now().time_since_epoch()).count();
    if (seconds > 0) state_.counters["simulated_s/s"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
  }

 private:
  benchmark::State& state_;
  inmem::World& world_;
  std::uint64_t before_;
};

void yields(benchmark::State& state) {
  inmem::World world;
  async::TaskGroup tasks(world.loop());
  const Events events(state, world);
  for (auto _ : state) {
    for (int i = 0; i < 2; ++i) tasks.spawn(yield_on(world.loop(), kEventsAtOnce / 2));
    world.settle();
  }
}

void ping_pong(benchmark::State& state) {
  inmem::World world;
  async::Event ping(world.loop());
  async::Event pong(world.loop());
  async::TaskGroup tasks(world.loop());
  const Events events(state, world);
  for (auto _ : state) {
    tasks.spawn(answer_on(ping, pong, kEventsAtOnce / 2));
    tasks.spawn(answer_on(pong, ping, kEventsAtOnce / 2));
    ping.set();
    world.settle();
    pong.reset();
    ping.reset();
  }
}

void sleeps(benchmark::State& state, std::size_t sleepers) {
  inmem::World world;
  async::TaskGroup tasks(world.loop());
  const Events events(state, world);
  for (auto _ : state) {
    for (std::size_t i = 0; i < sleepers; ++i) {
      tasks.spawn(sleep_on(world.loop(), 1s + i * 1us, kEventsAtOnce / sleepers));
    }
    while (world.step()) {
    }
  }
}

// ---- worlds that live for one request

void fresh_world(benchmark::State& state) {
  const AllocationCounter counter(state);
  for (auto _ : state) {
    inmem::World world;
    benchmark::DoNotOptimize(world);
  }
}

void fresh_lab_get(benchmark::State& state) {
  const Server server(hello);
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Lab lab;
    lab.serve(server, "app:80");
    if (lab.get("http://app/").status != 200) state.SkipWithError("not answered");
    lab.finish();
  }
}

void fresh_lab_peer(benchmark::State& state) {
  const Server server(hello);
  const AllocationCounter counter(state);
  for (auto _ : state) {
    Lab lab;
    lab.serve(server, "app:80");
    {
      Peer peer = lab.connect("app:80");
      peer.send(kRequest);
      if (!peer.received().starts_with("HTTP/1.1 200")) state.SkipWithError("not answered");
      peer.close_write();
      if (!peer.closed()) state.SkipWithError("not closed");
    }
    lab.finish();
  }
}

// What fuzz/server.cc does with one input.
void fuzz_server(benchmark::State& state) {
  const Server server(hello, silent());
  const auto answers = [&server](std::size_t piece) {
    Lab lab;
    lab.world().log().set_recording(false);
    lab.serve(server, "app:80");
    Peer peer = lab.connect("app:80");
    for (std::size_t at = 0; at < kRequest.size(); at += piece) peer.send(kRequest.substr(at, piece));
    peer.close_write();
    lab.advance(10min);
    return peer.take();
  };
  const AllocationCounter counter(state);
  for (auto _ : state) {
    if (answers(kRequest.size()) != answers(7)) state.SkipWithError("a split gives another answer");
  }
}

// ---- a sweep

void fault_sweep(benchmark::State& state) {
  const Server server(hello, silent());
  const lab::TestBody body = [&server](Lab& lab) {
    lab.serve(server, "app:80");
    for (int i = 0; i < 10; ++i) {
      if (lab.get("http://app/").body != "Hello, world!") throw lab::Failed("another answer");
    }
  };
  lab::ExceptionProbe probe;
  lab::FaultSweep sweep;
  for (auto _ : state) {
    sweep = lab::for_all_faults({}, body, probe);
    if (sweep.finding) state.SkipWithError(sweep.finding->report.c_str());
  }
  const auto rate = [](std::uint64_t count) {
    return benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["points/s"] = rate(sweep.points);
  state.counters["worlds/s"] = rate(sweep.worlds);
  state.counters["worlds"] = static_cast<double>(sweep.worlds);
}

// ---- an hour

Task<> call_each_minute(Runtime& runtime, Client& client, Duration start, std::size_t& failed) {
  async::Loop& loop = runtime.loop();
  client::Request request;
  request.url = "http://app/";
  client::Response response;
  co_await async::sleep_until(loop, after(loop.now(), start));
  for (int minute = 0; minute < 60; ++minute) {
    const Result<void> done = co_await client.call(request, response);
    if (!done || response.status != 200) ++failed;
    co_await async::sleep_until(loop, after(loop.now(), 1min));
  }
}

void hour_of_clients(benchmark::State& state) {
  constexpr std::size_t kClients = 10'000;
  ServerOptions server_options;
  server_options.idle_timeout = 5min;
  const Server server(hello, server_options);
  ClientOptions client_options;
  client_options.idle_timeout = 5min;
  for (auto _ : state) {
    Lab lab;
    const server::Worker& worker = lab.serve(server, "app:80");
    std::vector<std::unique_ptr<Client>> clients;
    std::size_t failed = 0;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<Client>(lab.runtime(), client_options));
      lab.spawn(call_each_minute(lab.runtime(), *clients.back(), i * 6ms, failed));
    }
    lab.advance(62min);
    if (failed > 0 || worker.served() != 60 * kClients) state.SkipWithError("a call failed");
    state.counters["requests/s"] =
        benchmark::Counter(static_cast<double>(worker.served()), benchmark::Counter::kIsIterationInvariantRate);
    state.counters["simulated_s/s"] = benchmark::Counter(62 * 60, benchmark::Counter::kIsIterationInvariantRate);
    clients.clear();
    lab.finish();
  }
}

// ---- clients that drip

// Sends a head, an octet a second, until there is an answer; takes that, and closes.
Task<> drip(Runtime& runtime, std::size_t& told) {
  async::Loop& loop = runtime.loop();
  Result<net::Connected> connected = co_await runtime.network().dial(*net::Address::parse("app:80"), kNever);
  if (!connected) co_return;
  net::Connection& connection = *connected->connection;
  std::string answer;
  std::array<char, 512> room;
  connection.set_deadline(net::Direction::read, loop.now());
  for (std::size_t sent = 0;;) {
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (count && *count == 0) break;
    if (count) answer.append(room.data(), *count);
    if (!count && count.error() != std::errc::timed_out) co_return;
    if (!answer.empty()) continue;
    const std::array<Bytes, 1> octet = {kRequest.substr(sent++ % kRequest.size(), 1)};
    const Result<void> written = co_await connection.write(octet);
    if (!written) co_return;
    connection.set_deadline(net::Direction::read, after(loop.now(), 1s));
  }
  if (answer.starts_with("HTTP/1.1 408")) ++told;
  (void)connection.try_close_write();
}

void slow_clients(benchmark::State& state) {
  constexpr std::size_t kClients = 10'000;
  constexpr std::size_t kAtOnce = 500;  // fewer than may wait to be accepted
  const Server server(hello, silent());
  for (auto _ : state) {
    Lab lab;
    const server::Worker& worker = lab.serve(server, "app:80");
    std::size_t told = 0;
    for (std::size_t i = 0; i < kClients; ++i) {
      lab.spawn(drip(lab.runtime(), told));
      if (i % kAtOnce == 0) lab.settle();
    }
    lab.advance(10s - 1ns);
    if (worker.open_connections() != kClients || told > 0) state.SkipWithError("cut too early");
    lab.advance(1ns);
    if (worker.metrics().read_header_timeouts.get() != kClients) state.SkipWithError("not cut in time");
    lab.advance(1s);
    if (worker.open_connections() > 0 || told != kClients) state.SkipWithError("not told");
    lab.finish();
  }
  state.counters["clients"] = static_cast<double>(kClients);
}

void add_lab_benches() {
  const auto add = [](const std::string& name, auto run) {
    return benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
  };
  add("LabYields", yields);
  add("LabPingPong", ping_pong);
  for (const std::size_t sleepers : {1U, 100U, 10'000U}) {
    add("LabSleeps" + std::to_string(sleepers), [sleepers](benchmark::State& state) { sleeps(state, sleepers); });
  }
  add("LabFreshWorld", fresh_world);
  add("LabFreshLabGet", fresh_lab_get);
  add("LabFreshLabPeer", fresh_lab_peer);
  add("LabFuzzServer", fuzz_server);
  add("LabFaultSweepOf10Exchanges", fault_sweep)->Unit(benchmark::kMillisecond);
  add("LabHourOf10KClients", hour_of_clients)->Unit(benchmark::kSecond);
  add("SlowClients10K", slow_clients)->Unit(benchmark::kMillisecond)->UseRealTime();
}

}  // namespace
}  // namespace pipette::bench

int main(int argc, char** argv) {
  pipette::bench::add_lab_benches();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
