// Crew: the loops of a server, each on a thread of its own, with nothing between them while they serve.
//
//   Crew crew(server, {.size = 4});                        a runtime and a worker for each; no thread yet
//   crew.add(i, listener)   crew.distribute(listener)      what they listen at
//   report = crew.run(beside);                             the calling thread runs the first one, and `beside` on it
//   crew.end({.grace = 30s});                              on the first loop: each drains, all by one deadline
//
//   `security`, if not null, secures what is accepted there.
//   add()           the loop accepts for itself: where each has a socket of its own
//   distribute()    the first loop accepts, and hands each connection to the loop that has the fewest
//
// Errors    a member whose task throws ends all; run() rethrows that when they have ended. std::system_error when the
//           system has no thread or no descriptor left.
// Lifetime  the server outlives it.
// Threads   the one that made it; end() on the first loop.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/task.h"
#include "pipette/async/task_group.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"
#include "pipette/tcp/runtime.h"

namespace pipette::app {

struct CrewOptions {
  std::size_t size = 1;        // at least 1
  bool pins = false;           // each to a core of its own, as far as there are enough
  std::size_t first_core = 0;  // among those that may be used, over and over: the first loop's
  tcp::ThreadPoolOptions blocking;
};

class Crew {
 public:
  struct Order {
    Duration grace{};
    server::IdleOnes idle = server::IdleOnes::close;
  };

  Crew(const Server& server, const CrewOptions& options);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  std::size_t size() const { return members_.size(); }
  tcp::Runtime& runtime(std::size_t member);
  tcp::Runtime& first() { return runtime(0); }

  void add(std::size_t member, std::unique_ptr<net::Listener> listener, net::Security* security);
  // `listener` is one of the first loop's.
  void distribute(std::unique_ptr<net::Listener> listener, net::Security* security);

  // Returns when every member has ended. `beside` is destroyed then, if it has not ended.
  server::ShutdownReport run(Task<> beside);
  // Ends when each loop has come to it: one that is stuck does not. On the first loop; one at a time.
  Task<> call_the_roll();
  // May be said again: the earlier deadline counts, and the stricter rule for what idles.
  void end(const Order& order);

 private:
  struct Member;
  struct Served;
  class Distributor;

  struct Deadline {
    TimePoint time;
    server::IdleOnes idle;
  };

  void answer_the_roll();

  Task<> lead(Task<> beside);
  Task<> work(Member& member);
  void run_on_thread(Member& member);
  void tell(Member& member, const Deadline& deadline);
  void member_ended();

  const bool pins_;
  const std::size_t first_core_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Distributor*> distributors_;  // each is one of the first member's listeners, until that has ended
  std::size_t at_work_ = 0;                 // on threads of their own; the first loop's to count
  std::optional<async::Event> all_ended_;
  std::size_t silent_ = 0;  // have not answered the roll
  std::optional<async::Event> all_answered_;
};

}  // namespace pipette::app
