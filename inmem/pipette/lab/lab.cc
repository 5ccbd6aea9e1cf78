#include "pipette/lab/lab.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/inmem/text.h"
#include "pipette/lab/artefacts.h"
#include "pipette/lab/diagram.h"
#include "pipette/lab/failure.h"
#include "pipette/lab/pcap.h"
#include "pipette/lab/story.h"

namespace pipette::lab {
namespace {

using inmem::column;
using inmem::counted;
using inmem::indented;

constexpr std::size_t kShownEvents = 20;
constexpr Duration kDialTimeout = std::chrono::seconds(30);
// How long servers may take to end, in virtual time: longer than anything that ends by itself.
constexpr Duration kShutdownTime = std::chrono::hours(24);

constexpr Site kOrder("explore.order");
constexpr Site kShortReads("explore.short reads");
constexpr Site kShortWrites("explore.short writes");
constexpr Site kNotYet("explore.not yet");

net::Address parse_address(std::string_view text) {
  const Result<net::Address> address = net::Address::parse(text);
  if (!address) throw std::system_error(address.error(), std::string(text));
  return *address;
}

// The host that an address names; a server without a name of its own is on the host "server".
std::string_view host_of(const net::Address& address) {
  const bool has_name = address.kind() == net::Address::Kind::name && address.text() != "localhost";
  return has_name ? std::string_view(address.text()) : "server";
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

Task<Result<client::Response>> call_with(Client& client, const client::Request& request) {
  client::Response response;
  const Result<void> done = co_await client.call(request, response);
  if (!done) co_return fail(done.error());
  co_return response;
}

Task<> shut_down(server::Worker& worker, TimePoint deadline, server::ShutdownReport& report) {
  report = co_await worker.shutdown(deadline);
}

// A test sees what its server says, redirects too.
client::ClientOptions as_told(net::Security* security) {
  client::ClientOptions options;
  options.security = security;
  options.redirects.max = 0;
  return options;
}

}  // namespace

Lab::Lab(const LabOptions& options, std::source_location where)
    : where_(where),
      world_(options.oracle, options.seed),
      sometimes_(options.sometimes != nullptr ? options.sometimes : &own_sometimes_),
      client_(world_.runtime(), as_told(options.security)),
      fibers_(world_.loop()),
      serving_(world_.loop()),
      tasks_(world_.loop()) {
  take_liberties(options);
}

Lab::~Lab() {
  try {
    if (!allows_leaks_ && std::uncaught_exceptions() == 0) finish();
  } catch (const std::exception& error) {
    if (framework_probe != nullptr) {
      framework_probe().report(error.what(), where_);
    } else {
      std::fprintf(stderr, "%s:%u: %s\nInclude pipette/lab/gtest.h, or another adapter, to have this fail one test.\n",
                   where_.file_name(), static_cast<unsigned>(where_.line()), error.what());
      std::abort();
    }
  } catch (const Destroyed&) {
    // There is nothing left to be destroyed.
  }
  leave_artefacts();
}

void Lab::leave_artefacts() {
  Artefacts* const artefacts = Artefacts::current();
  if (artefacts == nullptr || !artefacts->is_wanted()) return;
  artefacts->add({"transcript.txt", text_with_octets(log())});
  std::ostringstream packets;
  write_pcapng(log(), packets);
  artefacts->add({"packets.pcapng", packets.str()});
  artefacts->add({"diagram.html", sequence_diagram(log())});
}

// Which liberties a world takes is a choice too: a swarm of worlds with a few strong ones each finds more than one kind
// with all of them.
void Lab::take_liberties(const LabOptions& options) {
  world_.decisions().set_recording(options.records);
  const bool explores = options.freedom == Freedom::explore || options.freedom == Freedom::both;
  if (explores) {
    Decisions& decisions = world_.decisions();
    constexpr std::array kOrders = {inmem::Order::fifo, inmem::Order::random, inmem::Order::priority};
    world_.scheduler().set_order(kOrders.at(decisions.choose(kOrder, 0, 3)));
    inmem::Leeway leeway;
    leeway.short_reads = decisions.choose(kShortReads, 0, 2) == 1;
    leeway.short_writes = decisions.choose(kShortWrites, 0, 2) == 1;
    leeway.not_yet = decisions.choose(kNotYet, 0, 2) == 1;
    world_.network().set_leeway(leeway);
  }
  if (options.freedom == Freedom::faults || options.freedom == Freedom::both) {
    world_.faults().offer(options.faults_one_in);
    world_.scheduler().add_observer([this] { strike_step(); });
  }
}

void Lab::strike_step() {
  if (!world_.faults().is_offering()) return;
  if (world_.faults().strike(inmem::Operation::step) == inmem::Fault::destroy) {
    world_.faults().stop_offering();
    throw Destroyed();
  }
  if (is_driving_) is_call_canceled_ = world_.faults().strike(inmem::Operation::call) == inmem::Fault::cancel;
}

// ---- servers, peers and calls --------------------------------------------------------------------------

Runtime& Lab::runtime_of(const net::Address& address) { return world_.host(host_of(address)).runtime(); }

server::Worker& Lab::serve(const Server& server, std::string_view address, net::Security* security) {
  const net::Address where = parse_address(address);
  net::Runtime& runtime = runtime_of(where);
  Result<std::unique_ptr<net::Listener>> listener = runtime.network().listen(where);
  if (!listener) throw std::system_error(listener.error(), "listen on " + std::string(address));
  workers_.push_back(std::make_unique<server::Worker>(server, runtime));
  addresses_.emplace_back(address);
  serving_.spawn(workers_.back()->serve(std::move(*listener), security));
  settle();
  return *workers_.back();
}

server::Worker& Lab::serve(Handler handler, std::string_view address, ServerOptions options) {
  own_servers_.push_back(std::make_unique<Server>(std::move(handler), std::move(options)));
  return serve(*own_servers_.back(), address);
}

Peer Lab::connect(std::string_view address) {
  settle();
  std::unique_ptr<net::Connection> connection = dial(address);
  settle();
  return {world_, std::move(connection)};
}

Peer Lab::connect(std::string_view address, net::Security& security) {
  settle();
  std::unique_ptr<net::Connection> connection = dial(address);
  std::optional<Result<net::Secured>> secured;
  Task<Result<net::Secured>> handshake = security.client(
      runtime(), std::move(connection), {parse_address(address).text()}, {{"http/1.1"}}, after(now(), kDialTimeout));
  drive(await_into(std::move(handshake), secured), "a handshake with " + std::string(address));
  if (!*secured) throw std::system_error(secured->error(), "the handshake with " + std::string(address));
  settle();
  return {world_, std::move((*secured)->connection)};
}

std::unique_ptr<net::Connection> Lab::dial(std::string_view address) {
  std::optional<Result<net::Connected>> connected;
  Task<Result<net::Connected>> dialing = runtime().network().dial(parse_address(address), after(now(), kDialTimeout));
  drive(await_into(std::move(dialing), connected), "a connection to " + std::string(address));
  if (!*connected) throw std::system_error(connected->error(), "connect to " + std::string(address));
  return std::move((*connected)->connection);
}

client::Response Lab::get(std::string url) {
  const std::string what = "GET " + url;
  return driven(client_.get(std::move(url)), what);
}

client::Response Lab::post(std::string url, std::string content_type, std::string body) {
  const std::string what = "POST " + url;
  return driven(client_.post(std::move(url), std::move(content_type), std::move(body)), what);
}

client::Response Lab::call(const client::Request& request) {
  return driven(call_with(client_, request), std::string(http::to_string(request.method)) + " " + request.url);
}

client::Response Lab::driven(Task<Result<client::Response>> call, const std::string& what) {
  std::optional<Result<client::Response>> response;
  drive(await_into(std::move(call), response), what);
  if (!*response) throw CallFailed(response->error(), what);
  return std::move(**response);
}

void Lab::run_blocking(async::Blocking::Function function) {
  drive(fibers_.run(std::move(function), {}, kNever), "a blocking function of the test");
}

void Lab::advance(Duration wait) { world_.advance_to(after(now(), wait)); }

void Lab::run_until(const std::function<bool()>& condition) {
  world_.scheduler().forget_steps();
  while (!condition()) {
    if (!world_.step()) throw_stuck("the test's condition");
  }
}

Task<> Lab::keep_exception(Task<> task) {
  try {
    co_await task;
  } catch (...) {
    if (!spawned_exception_) spawned_exception_ = std::current_exception();
  }
}

void Lab::drive(Task<> task, std::string_view what) {
  Outcome outcome;
  async::TaskGroup group(world_.loop());
  group.spawn(watch(std::move(task), outcome));
  world_.scheduler().forget_steps();
  is_call_canceled_ = false;
  is_driving_ = true;
  struct Driving {
    bool& is_on;
    ~Driving() { is_on = false; }
  } const driving{is_driving_};
  while (!outcome.is_done) {
    if (!world_.step()) throw_stuck(what);
    // Dropping the task is what cancels it.
    if (is_call_canceled_ && !outcome.is_done) {
      throw CallFailed(make_error_code(Errc::operation_canceled), std::string(what));
    }
  }
  if (outcome.exception) std::rethrow_exception(outcome.exception);
}

// ---- what may go wrong, and what must be so ------------------------------------------------------------

Lab::Partition Lab::partition(std::string_view one, std::string_view other) {
  inmem::Link::Guard there = link(one, other).add(net::Toxics().with_black_hole());
  inmem::Link::Guard back = link(other, one).add(net::Toxics().with_black_hole());
  return {std::move(there), std::move(back)};
}

unsigned Lab::choose(std::string_view site, unsigned n) { return world_.decisions().choose(Site(site), 0, n); }

void Lab::always(std::string what, std::function<bool()> condition) {
  world_.scheduler().add_observer([this, text = std::move(what), holds = std::move(condition)] {
    if (holds()) return;
    throw BrokenInvariant("not always: " + text + ", at " + inmem::format_time(now()) + "\nlast events:\n" +
                          tail(log(), kShownEvents));
  });
}

void Lab::sometimes(std::string_view what, bool condition) {
  Sometimes& counts = (*sometimes_)[std::string(what)];
  ++counts.seen;
  if (condition) ++counts.held;
}

bool Lab::is_quiet() const {
  return tasks_.empty() && std::ranges::all_of(workers_, [](const std::unique_ptr<server::Worker>& worker) {
           return worker->open_connections() == 0;
         });
}

void Lab::expect_liveness(Duration time) {
  world_.faults().stop_offering();
  world_.network().heal();
  client_.close_idle();
  const TimePoint deadline = after(now(), time);
  while (!is_quiet()) {
    const bool is_late = now() > deadline;
    if (is_late || !world_.step()) throw_stuck(is_late ? "its end, longer than it may" : "its end");
  }
}

void Lab::finish() {
  if (std::exchange(is_finished_, true)) return;
  world_.faults().stop_offering();
  const std::string leaks = find_leaks();
  world_.decisions().rethrow();
  if (spawned_exception_) std::rethrow_exception(spawned_exception_);
  if (leaks.empty()) return;
  throw Leaked("the lab has ended, and this has not:\n" + leaks + "last events:\n" + tail(log(), kShownEvents));
}

namespace {

// "    conn 1, dialed at +0.000000000: idle after 1 exchange"
std::string describe_origin(const inmem::EventLog& log, std::uint32_t connection) {
  std::string text = "    " + log.connection(connection).label;
  for (std::size_t i = 0; i < log.size(); ++i) {
    const inmem::Event event = log[i];
    if (event.connection != connection || event.kind != inmem::EventKind::dial) continue;
    text += ", dialed at " + inmem::format_time(event.time);
    break;
  }
  const std::string progress = describe_progress(log, connection);
  return text + (progress.empty() ? "" : ": " + progress) + "\n";
}

}  // namespace

std::string Lab::find_leaks() {
  std::string leaks;
  client_.close_idle();
  settle();
  leaks += indented(world_.unfinished());
  if (!tasks_.empty()) {
    world_.advance_to(after(now(), kShutdownTime));
    if (!tasks_.empty()) leaks += "  " + counted(tasks_.size(), "task") + " that the test has spawned\n";
    for (const std::source_location& where : tasks_.origins()) {
      leaks += "    at " + std::string(where.file_name()) + ":" + std::to_string(where.line()) + "\n";
    }
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    server::ShutdownReport report;
    Outcome outcome;
    async::TaskGroup group(world_.loop());
    group.spawn(watch(shut_down(*workers_[i], after(now(), kShutdownTime), report), outcome));
    while (!outcome.is_done && world_.step()) {
    }
    if (report.overdue > 0) leaks += "  " + counted(report.overdue, "handler") + " at " + addresses_[i] + "\n";
  }
  settle();
  std::size_t open = 0;
  std::string lines;
  std::uint32_t told = 0;
  for (const inmem::SocketRow& row : world_.network().sockets()) {
    if (row.state == "LISTEN") continue;
    if (std::exchange(told, row.connection) != row.connection) lines += describe_origin(log(), row.connection);
    ++open;
    lines += "    " + row.host + " " + row.local + " -> " + row.remote + " " + row.state;
    lines += row.waits.empty() ? "\n" : ", waits " + row.waits + "\n";
  }
  if (open > 0) leaks += "  " + counted(open, "end") + " of connections:\n" + lines;
  if (world_.scheduler().next_deadline() != kNever) {
    leaks += "  a timer, armed for " + inmem::format_time(world_.scheduler().next_deadline()) + "\n";
  }
  return leaks;
}

// ---- what is to be seen --------------------------------------------------------------------------------

std::string Lab::netstat() {
  std::string table = column("State", 13) + column("Host", 10) + column("Local", 20) + column("Remote", 20) +
                      column("Recv-Q", 8) + column("Send-Q", 8) + "Waits\n";
  for (const inmem::SocketRow& row : world_.network().sockets()) {
    std::string line = column(row.state, 13) + column(row.host, 10) + column(row.local, 20) +
                       column(row.remote.empty() ? "*" : row.remote, 20) +
                       column(std::to_string(row.receive_queue), 8) + column(std::to_string(row.send_queue), 8) +
                       row.waits;
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + "\n";
  }
  return table;
}

std::string Lab::describe_waits() {
  std::string text = world_.network().describe_waits();
  for (const std::uint32_t number : world_.network().open_connections()) {
    const std::string progress = describe_progress(log(), number);
    if (!progress.empty()) text += "  " + log().connection(number).label + ": " + progress + "\n";
  }
  return text;
}

void Lab::throw_stuck(std::string_view what) {
  std::string report = "nobody can make progress at " + inmem::format_time(now()) + "\n";
  report += "  the test waits for " + std::string(what) + "\n";
  report += describe_waits();
  report += "last events:\n" + tail(log(), kShownEvents);
  throw Stuck(report);
}

}  // namespace pipette::lab
