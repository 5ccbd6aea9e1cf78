// Lab: a world with servers, clients and scripted peers in it, for tests in plain straight lines.
//
//   TEST(Hello, CutsAClientThatDawdles) {
//     Server server(hello);
//     Lab lab;
//     lab.serve(server, "app:80");
//     Peer peer = lab.connect("app:80");
//     peer.send("GET / HTTP/1.1\r\nHost: a");
//     lab.advance(9999ms);   EXPECT_FALSE(peer.closed());
//     lab.advance(1ms);      EXPECT_TRUE(peer.closed());          // took microseconds, and no socket
//   }
//
// "app" is a host of its own, and so is "client", from which the lab's calls and peers come; between them are two
// links, which may be slow, cut or broken (link()).
//
// Only advance(), run_until and the driven calls (get, post, run, run_blocking) move the clock; they step through every
// deadline on the way. When something is still awaited, nothing can run and no timer is armed, the call throws Stuck at
// once, with a list of who waits for what, and why.
//
// At its end a lab shuts its servers down, lets their exchanges finish and looks for what is left: handlers that never
// return, connections and timers that nobody ends, scripts (script.h) that were not played to their end. finish()
// throws what it finds as Leaked; the destructor tells the test framework (gtest.h, catch2.h, doctest.h), and where
// none is included ends the program with the report. allow_leaks() looks for nothing.
//
// Errors    get() and post() throw CallFailed when the call fails: a test that expects it says so, or uses client().
// Lifetime  servers outlive the lab; the lab outlives its peers.   Threads  one.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipette/async/blocking.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/inmem/fiber.h"
#include "pipette/inmem/transcript.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/peer.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"

namespace pipette::lab {

// Nothing can make progress and something is unfinished.
class Stuck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The lab has ended, and something in it has not.
class Leaked : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What always() was told does not hold.
class BrokenInvariant : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A driven call came to nothing: "GET http://app/: connection reset".
class CallFailed : public std::system_error {
 public:
  using std::system_error::system_error;
};

// Thrown by a sweep out of whatever the test is doing, to see that everything can be destroyed at any step. No
// std::exception: nothing but the sweep catches it.
class Destroyed {};

// How often each condition that was hoped for was seen to hold.
struct Sometimes {
  std::uint64_t seen = 0;
  std::uint64_t held = 0;
};
using SometimesCounts = std::map<std::string, Sometimes>;

// What is decided by an oracle, beside what a world always leaves open.
enum class Freedom : std::uint8_t {
  none,     // first in, first out; whole reads and writes; no faults
  explore,  // the order of what is ready, short reads and writes, tries that come too early
  faults,   // every operation may fail
  both,
};

struct LabOptions {
  std::uint64_t seed = 1;
  Oracle* oracle = nullptr;  // outlives the lab; null: chance, by the seed
  Freedom freedom = Freedom::none;
  unsigned faults_one_in = 256;          // operations, when chance decides
  bool records = false;                  // every decision, for world().decisions().recorded()
  SometimesCounts* sometimes = nullptr;  // where to count; null: in the lab itself
  net::Security* security = nullptr;     // with which the lab's client calls https://; outlives the lab
};

// Options of a server that logs nothing: a sweep makes it tell of the same accept that fails a thousand times.
inline ServerOptions quiet() {
  ServerOptions options;
  options.log = [](std::string_view) {};
  return options;
}

class Lab {
 public:
  explicit Lab(std::uint64_t seed = 1, std::source_location where = std::source_location::current())
      : Lab(LabOptions{.seed = seed}, where) {}
  explicit Lab(const LabOptions& options, std::source_location where = std::source_location::current());
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab();

  // Serves until the lab ends, or until worker(address).shutdown(), on the host that the address names; with
  // `security`, which outlives the lab, https.
  server::Worker& serve(const Server& server, std::string_view address, net::Security* security = nullptr);
  // The same, with a server of the lab's own: for a body that is run again and again, which must not keep one itself.
  server::Worker& serve(Handler handler, std::string_view address, ServerOptions options = {});
  // A connection to `address` with a scripted peer at this end. Throws std::system_error when it is refused. Moves the
  // clock only as far as links with a latency ask for.
  Peer connect(std::string_view address);
  // The same, secured: the peer speaks inside. Throws std::system_error when the handshake fails.
  Peer connect(std::string_view address, net::Security& security);

  client::Response get(std::string url);
  client::Response post(std::string url, std::string content_type, std::string body);
  client::Response call(const client::Request& request);
  // The client behind get() and post(). It follows no redirects: a test sees what its server says.
  Client& client() { return client_; }

  // Runs `task` to its end, moving the clock as far as it needs.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    drive(await_into(std::move(task), result), "a task of the test");
    return std::move(*result);
  }
  void run(Task<> task) { drive(std::move(task), "a task of the test"); }
  // Runs a function that may sleep and wait: virtual time passes for it.
  void run_blocking(async::Blocking::Function function);
  // Lets `task` run beside the test. It has to end before the lab does; what it throws, finish() throws.
  void spawn(Task<> task, std::source_location where = std::source_location::current()) {
    tasks_.spawn(keep_exception(std::move(task)), where);
  }

  // Lets everything run that can; the clock stands still.
  void settle() { world_.settle(); }
  void advance(Duration wait);
  // Moves the clock until `condition` holds; throws Stuck when it never can.
  void run_until(const std::function<bool()>& condition);

  TimePoint now() { return world_.now(); }
  // Since the lab began.
  Duration elapsed() { return now().time_since_epoch(); }

  // ---- what may go wrong
  inmem::Host& host(std::string_view name) { return world_.host(name); }
  inmem::Link& link(std::string_view from, std::string_view to) { return world_.link(from, to); }
  // Both directions between two hosts are a black hole, until the guard dies.
  struct [[nodiscard]] Partition {
    inmem::Link::Guard there;
    inmem::Link::Guard back;
  };
  Partition partition(std::string_view one, std::string_view other);
  // A decision of the test's own: below n, 0 unless an oracle says otherwise. `site` is a literal: its name is kept.
  unsigned choose(std::string_view site, unsigned n);

  // ---- what must be so
  // Checked after every step; throws BrokenInvariant, out of whatever drives the lab.
  void always(std::string what, std::function<bool()> condition);
  // Counts how often it holds. In an exploration that ends without one time it is warned of.
  void sometimes(std::string_view what, bool condition);
  const SometimesCounts& sometimes_counts() const { return *sometimes_; }
  // Ends every fault and heals every link; then what is under way must end within `time`. Throws Stuck with who has
  // not.
  void expect_liveness(Duration time = std::chrono::minutes(10));
  // Ends the lab: throws what a spawned task has thrown, or Leaked when something is left.
  void finish();
  void allow_leaks() { allows_leaks_ = true; }

  // ---- what is to be seen
  inmem::World& world() { return world_; }
  // Of the client's host, and of the host that an address names.
  Runtime& runtime() { return world_.runtime(); }
  Runtime& runtime_of(const net::Address& address);
  const inmem::EventLog& log() const { return world_.log(); }
  std::string transcript() { return inmem::transcript(world_.log()); }
  // Every listener and every end of a connection, as a table.
  std::string netstat();
  // Who waits for what, and why: the body of a Stuck report.
  std::string describe_waits();
  void note(std::string_view text) { world_.log().note(now(), text); }
  // A line of a key log: what was secured with it can be read in a capture (pcap.h). For tls::Options::on_key_log.
  void keep_keys(std::string_view line) { world_.log().add({.time = now(), .kind = inmem::EventKind::keys}, line); }

 private:
  template <class T>
  static Task<> await_into(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await task);
  }
  Task<> keep_exception(Task<> task);
  std::unique_ptr<net::Connection> dial(std::string_view address);
  void drive(Task<> task, std::string_view what);
  client::Response driven(Task<Result<client::Response>> call, const std::string& what);
  void take_liberties(const LabOptions& options);
  void strike_step();
  bool is_quiet() const;
  std::string find_leaks();
  void leave_artefacts();
  [[noreturn]] void throw_stuck(std::string_view what);

  std::source_location where_;
  inmem::World world_;
  SometimesCounts own_sometimes_;
  SometimesCounts* sometimes_;
  Client client_;  // outlives the calls that fibers, handlers and tasks have under way
  inmem::Fibers fibers_;
  std::vector<std::unique_ptr<Server>> own_servers_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
  std::vector<std::string> addresses_;  // of the workers
  bool is_driving_ = false;
  bool is_call_canceled_ = false;
  bool is_finished_ = false;
  bool allows_leaks_ = false;
  std::exception_ptr spawned_exception_;  // the first one that a spawned task threw
  async::TaskGroup serving_;
  async::TaskGroup tasks_;
};

}  // namespace pipette::lab

namespace pipette {
using lab::Lab;
using lab::Peer;
}  // namespace pipette
