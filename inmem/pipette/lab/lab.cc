#include "pipette/lab/lab.h"

#include <system_error>

namespace pipette::lab {
namespace {

constexpr std::size_t kShownEvents = 20;

net::Address parse_address(std::string_view text) {
  const Result<net::Address> address = net::Address::parse(text);
  if (!address) throw std::system_error(address.error(), std::string(text));
  return *address;
}

// Notes that a task has ended, and how.
struct Outcome {
  bool is_done = false;
  std::exception_ptr exception;
};

Task<> watch(Task<> task, Outcome& outcome) {
  try {
    co_await task;
  } catch (...) {
    outcome.exception = std::current_exception();
  }
  outcome.is_done = true;
}

}  // namespace

Lab::Lab(std::uint64_t seed) : world_(seed), tasks_(world_.loop()), client_(world_.runtime()) {}

Lab::~Lab() = default;

server::Worker& Lab::serve(const Server& server, std::string_view address) {
  Result<std::unique_ptr<net::Listener>> listener = world_.network().listen(parse_address(address));
  if (!listener) throw std::system_error(listener.error(), "listen on " + std::string(address));
  workers_.push_back(std::make_unique<server::Worker>(server, world_.runtime()));
  tasks_.spawn(workers_.back()->serve(std::move(*listener)));
  settle();
  return *workers_.back();
}

Peer Lab::connect(std::string_view address) {
  settle();
  Result<net::Connected> connected = world_.network().dial_now(parse_address(address));
  if (!connected) throw std::system_error(connected.error(), "connect to " + std::string(address));
  settle();
  return {world_, std::move(connected->connection)};
}

client::Response Lab::get(std::string url) {
  const std::string what = "GET " + url;
  std::optional<Result<client::Response>> response;
  drive(await_into(client_.get(std::move(url)), response), what);
  if (!*response) throw std::system_error(response->error(), what);
  return std::move(**response);
}

client::Response Lab::post(std::string url, std::string content_type, std::string body) {
  const std::string what = "POST " + url;
  std::optional<Result<client::Response>> response;
  drive(await_into(client_.post(std::move(url), std::move(content_type), std::move(body)), response), what);
  if (!*response) throw std::system_error(response->error(), what);
  return std::move(**response);
}

void Lab::advance(Duration wait) { world_.loop().advance_to(after(now(), wait)); }

void Lab::run_until(const std::function<bool()>& condition) {
  while (!condition()) {
    if (!world_.loop().step()) throw_stuck("the test's condition");
  }
}

void Lab::drive(Task<> task, std::string_view what) {
  Outcome outcome;
  async::TaskGroup group(world_.loop());
  group.spawn(watch(std::move(task), outcome));
  while (!outcome.is_done) {
    if (!world_.loop().step()) throw_stuck(what);
  }
  if (outcome.exception) std::rethrow_exception(outcome.exception);
}

void Lab::throw_stuck(std::string_view what) {
  std::string report = "nobody can make progress at " + inmem::format_time(now()) + "\n";
  report += "  the test waits for " + std::string(what) + "\n";
  report += world_.network().describe_waits();
  report += "last events:\n" + world_.transcript().tail(kShownEvents);
  throw Stuck(report);
}

}  // namespace pipette::lab
