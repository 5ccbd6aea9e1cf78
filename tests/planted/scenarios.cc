#include "tests/planted/scenarios.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/yield.h"
#include "pipette/lab/explore.h"
#include "pipette/lab/fuzz.h"
#include "pipette/lab/sweep.h"

namespace pipette::planted {
namespace {

using namespace std::chrono_literals;
using lab::FuzzInput;
using lab::FuzzStep;

// A failure that no framework has a part in, so that reports are the same everywhere.
void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

void echo(RequestCtx& ctx) { ctx.set_body(ctx.body().empty() ? Bytes("nothing") : ctx.body()); }

// ---- the tools -------------------------------------------------------------------------------------------

Hunt found(std::uint64_t worlds, const std::optional<lab::Finding>& finding) {
  if (!finding) return {worlds, false, 0, ""};
  return {worlds, true, finding->choices.size(), finding->report};
}

Hunt sweep(const lab::TestBody& body) {
  lab::ExceptionProbe probe;
  const lab::FaultSweep result = lab::for_all_faults(lab::SweepOptions(), body, probe);
  return found(result.worlds, result.finding);
}

Hunt split(const lab::TestBody& body) {
  lab::ExceptionProbe probe;
  const lab::SplitSweep result = lab::for_each_split(body, probe);
  return found(result.worlds, result.finding);
}

Hunt explore(const lab::TestBody& body) {
  lab::ExceptionProbe probe;
  lab::ExploreOptions options;
  options.worlds = 200;
  const lab::Exploration result = lab::explore(options, body, probe);
  return found(result.worlds, result.finding);
}

// ---- a fuzzer without a guide ----------------------------------------------------------------------------

constexpr unsigned kFuzzedInputs = 200;

// What a client does, by chance: whole messages and octets of them, cuts, waits, ends.
FuzzStep random_step(Random& random) {
  constexpr std::array kVerbs = {FuzzStep::Verb::message, FuzzStep::Verb::message, FuzzStep::Verb::after,
                                 FuzzStep::Verb::cut,     FuzzStep::Verb::finish,  FuzzStep::Verb::connection};
  constexpr unsigned kRequests = 8;  // of kFuzzMessages
  FuzzStep step;
  step.verb = kVerbs.at(random.below(kVerbs.size()));
  const auto number = static_cast<unsigned>(random.below(kRequests));
  if (step.verb == FuzzStep::Verb::message) step.number = number;
  if (step.verb == FuzzStep::Verb::cut) step.number = number;
  if (step.verb == FuzzStep::Verb::connection) step.number = 1 + number % 2;
  if (step.verb == FuzzStep::Verb::after) step.wait = (1 + number) * 10s;
  return step;
}

std::optional<std::string> fuzz_once(const Server& server, const FuzzInput& input) {
  try {
    lab::fuzz(server, input.to_octets());
    return std::nullopt;
  } catch (const lab::FuzzFailed& failed) {
    return failed.what();
  }
}

// Takes away whatever the failure does not need, a step at a time.
FuzzInput shrunk(const Server& server, FuzzInput input) {
  for (std::size_t at = 0; at < input.steps().size();) {
    std::vector<FuzzStep> steps = input.steps();
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(at));
    const FuzzInput smaller(std::move(steps));
    if (fuzz_once(server, smaller)) {
      input = smaller;
      at = 0;
    } else {
      ++at;
    }
  }
  return input;
}

Hunt fuzz(const Server& server) {
  Random random(1, "inputs");
  for (unsigned i = 1; i <= kFuzzedInputs; ++i) {
    std::vector<FuzzStep> steps(1 + random.below(12));
    for (FuzzStep& step : steps) step = random_step(random);
    const FuzzInput input(std::move(steps));
    if (!fuzz_once(server, input)) continue;
    const FuzzInput small = shrunk(server, input);
    return {i, true, small.steps().size(), fuzz_once(server, small).value_or("not again")};
  }
  return {kFuzzedInputs, false, 0, ""};
}

// ---- what the fault sweep finds --------------------------------------------------------------------------

// What is ordered is ordered once, whatever becomes of the connection.
Hunt repeats_a_post() {
  int orders = 0;
  const Server shop([&](RequestCtx& ctx) { orders += ctx.is_post() ? 1 : 0; }, lab::quiet());
  return sweep([&](Lab& lab) {
    orders = 0;
    lab.serve(shop, "shop:80");
    (void)lab.run(lab.client().get("http://shop/"));
    (void)lab.run(lab.client().post("http://shop/", "text/plain", "a book"));
    require(orders <= 1, "one order was placed, and " + std::to_string(orders) + " came");
  });
}

// A body that comes is whole.
Hunt takes_half_a_body_for_whole() {
  constexpr std::size_t kSize = 10'000;
  const Server server([](RequestCtx& ctx) { ctx.set_body(std::string(kSize, 'x')); }, lab::quiet());
  return sweep([&](Lab& lab) {
    lab.serve(server, "app:80");
    const Result<client::Response> page = lab.run(lab.client().get("http://app/"));
    if (page) require(page->body.size() == kSize, std::to_string(page->body.size()) + " octets of 10000, and no error");
  });
}

// When all is well again, so is the server.
Hunt stops_accepting_after_emfile() {
  const Server server(echo, lab::quiet());
  return sweep([&](Lab& lab) {
    lab.serve(server, "app:80");
    (void)lab.run(lab.client().get("http://app/"));
    lab.expect_liveness();
    const Result<client::Response> page = lab.run(lab.client().get("http://app/"));
    require(page.has_value(), "no answer, though nothing is wrong any more");
  });
}

// What a handler has begun it ends, whether or not anybody waits for it.
Hunt drops_a_handler_whose_peer_is_gone() {
  int begun = 0;
  int ended = 0;
  lab::TestBody body;
  Lab* world = nullptr;
  const auto work = [&](RequestCtx& ctx) -> Task<> {
    if (!ctx.is_post()) co_return;
    ++begun;
    co_await async::sleep_until(world->world().loop(), after(world->now(), 1s));
    ++ended;
  };
  const Server server(work, lab::quiet());
  return sweep([&](Lab& lab) {
    begun = ended = 0;
    world = &lab;
    lab.serve(server, "app:80");
    Peer peer = lab.connect("app:80");
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    lab.advance(10s);
    require(begun == ended, "a handler has begun and not ended");
  });
}

// ---- what the explorer finds -----------------------------------------------------------------------------

Hunt takes_a_short_write_for_whole() {
  const Server server(echo, lab::quiet());
  return explore([&](Lab& lab) {
    lab.serve(server, "app:80");
    for (int i = 0; i < 3; ++i) (void)lab.get("http://app/");
  });
}

// A shutdown waits for no connection on which nothing was ever said.
Hunt misses_the_drain() {
  const Server server(echo, lab::quiet());
  const auto shut_down_soon = [](Lab& lab, server::Worker& worker, server::ShutdownReport& report) -> Task<> {
    for (int i = 0; i < 3; ++i) co_await async::YieldToLoop(lab.world().loop());
    report = co_await worker.shutdown(after(lab.now(), 5s));
  };
  const auto dial = [](Lab& lab, std::unique_ptr<net::Connection>& connection) -> Task<> {
    Result<net::Connected> dialed = lab.world().dial_now(*net::Address::parse("app:80"));
    if (dialed) connection = std::move(dialed->connection);
    co_return;
  };
  return explore([&](Lab& lab) {
    server::Worker& worker = lab.serve(server, "app:80");
    std::unique_ptr<net::Connection> connection;
    server::ShutdownReport report;
    lab.spawn(dial(lab, connection));
    lab.spawn(shut_down_soon(lab, worker, report));
    lab.advance(10s);
    require(report.cut == 0, "the shutdown had to cut an idle connection");
  });
}

// A limit holds at every moment.
Hunt counts_connections_late() {
  ServerOptions options = lab::quiet();
  options.concurrency = 1;
  const Server server(echo, std::move(options));
  const auto dial_later = [](Lab& lab, int turns, std::unique_ptr<net::Connection>& connection) -> Task<> {
    for (int i = 0; i < turns; ++i) co_await async::YieldToLoop(lab.world().loop());
    Result<net::Connected> dialed = lab.world().dial_now(*net::Address::parse("app:80"));
    if (dialed) connection = std::move(dialed->connection);
  };
  return explore([&](Lab& lab) {
    const server::Worker& worker = lab.serve(server, "app:80");
    std::array<std::unique_ptr<net::Connection>, 2> connections;
    lab.spawn(dial_later(lab, 0, connections[0]));
    lab.spawn(dial_later(lab, 2, connections[1]));
    lab.settle();
    require(worker.open_connections() <= 1,
            std::to_string(worker.open_connections()) + " connections, and 1 is allowed");
  });
}

// ---- what splits find ------------------------------------------------------------------------------------

Hunt drops_what_follows_a_body() {
  const Server server(echo, lab::quiet());
  return split([&](Lab& lab) {
    lab.serve(server, "app:80");
    Peer peer = lab.connect("app:80");
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nAdaGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    require(peer.take().ends_with("\r\n\r\nnothing"), "the second request was not answered");
  });
}

// The time that a head may take begins with its first octet.
Hunt keeps_the_first_deadline() {
  const Server server(echo, lab::quiet());
  return split([&](Lab& lab) {
    lab.serve(server, "app:80");
    Peer peer = lab.connect("app:80");
    for (int i = 1; i <= 2; ++i) {
      peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      require(peer.take().starts_with("HTTP/1.1 200 OK\r\n"), "request " + std::to_string(i) + " was refused");
      lab.advance(20s);
    }
  });
}

// ---- what the fuzzer finds -------------------------------------------------------------------------------

Hunt fuzzed() { return fuzz(Server(echo, lab::quiet())); }

struct Scenario {
  std::string_view name;
  Hunt (*hunt)();
};

constexpr std::array kScenarios = {
    Scenario{"counts_connections_late", counts_connections_late},
    Scenario{"drops_a_handler_whose_peer_is_gone", drops_a_handler_whose_peer_is_gone},
    Scenario{"drops_what_follows_a_body", drops_what_follows_a_body},
    Scenario{"forgets_the_idle_deadline", fuzzed},
    Scenario{"keeps_the_first_deadline", keeps_the_first_deadline},
    Scenario{"lies_about_the_third_length", fuzzed},
    Scenario{"misses_the_drain", misses_the_drain},
    Scenario{"repeats_a_post", repeats_a_post},
    Scenario{"stops_accepting_after_emfile", stops_accepting_after_emfile},
    Scenario{"takes_a_short_write_for_whole", takes_a_short_write_for_whole},
    Scenario{"takes_half_a_body_for_whole", takes_half_a_body_for_whole},
};

}  // namespace

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const Scenario& scenario : kScenarios) all.push_back(scenario.name);
  return all;
}

Hunt hunt(std::string_view name) {
  const auto known = std::ranges::find(kScenarios, name, &Scenario::name);
  if (known == kScenarios.end()) throw std::out_of_range("no such scenario: " + std::string(name));
  return known->hunt();
}

}  // namespace pipette::planted
