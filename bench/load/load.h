// Load: asks one URL again and again, for so long, and sees how long the answers take.
//
//   Load load(runtime, options);
//   co_await load.run();
//   load.report().latency.quantile(0.99)
//
// Closed, without a rate: each of connections * depth askers asks again as soon as it has its answer. That finds out
// how much a server can do. It says little about how long users wait: while the server stands still nobody asks, so one
// pause of a second counts as one slow answer for each asker, however many it would have met.
//
// Open, with a rate: request n is due at n / rate, as if by users who know nothing of each other, and its latency
// counts from then, whether or not an asker was free ("coordinated omission" is what this avoids). What was due and has
// no answer at the end, or was given up for its time-out, counts with the time it has waited: it is that long at least.
//
//   due     |   |   |   |   |   |   |   |      the rate
//   asked   |   |      (server stands) ||||||  as soon as somebody is free
//   latency └───┘   └─────────────────┘        from due to answered
//
// A depth of 1 is a HostClient with so many connections; beyond, each connection is a PipelineClient of its own. An
// asker that has met an error pauses for 10 ms, so that a server that is gone is not asked a million times.
//
// Errors    of calls are counted by kind.   Bounds  connections * depth calls at a time.
// Lifetime  the runtime and the security outlive it. Calls that are under way at the end are cancelled.
// Threads   the loop's; one Load a runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/client/caller.h"
#include "pipette/client/pipeline_options.h"
#include "pipette/client/request.h"
#include "pipette/client/response.h"
#include "pipette/net/runtime.h"
#include "pipette/net/security.h"

#include "bench/load/report.h"

namespace pipette::load {

struct LoadOptions {
  client::Request request;  // with an absolute URL
  std::size_t connections = 64;
  std::size_t depth = 1;   // requests in flight on each connection
  std::uint64_t rate = 0;  // requests a second, of all connections; 0: closed
  Duration duration = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(30);  // of a call
  net::Security* security = nullptr;            // for https
};

class Load {
 public:
  static constexpr Duration kPauseAfterError = std::chrono::milliseconds(10);

  Load(Runtime& runtime, LoadOptions options);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Once.
  Task<> run();
  const Report& report() const { return report_; }

 private:
  // Who asks, one request at a time.
  struct Asker {
    Caller* client;
    client::Response response;
    TimePoint asks_since = kNever;  // kNever: does not ask
  };

  void add_askers();
  client::PipelineOptions client_options() const;
  Task<> ask_again_and_again(Asker& asker);
  Task<> keep_to_schedule(Asker& asker);
  Task<bool> ask(Asker& asker, TimePoint since);
  void count_failure(std::error_code error, Duration waited);
  void count_unfinished();
  TimePoint due(std::uint64_t number) const;

  Runtime& runtime_;
  const LoadOptions options_;
  std::vector<std::unique_ptr<Caller>> clients_;
  std::vector<Asker> askers_;
  TimePoint begin_{};
  TimePoint end_{};
  std::uint64_t next_ = 0;  // request, of the schedule
  Report report_;
};

}  // namespace pipette::load
