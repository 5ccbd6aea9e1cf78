// LBClient: calls spread over targets, each of which is any Caller: a HostClient, a PipelineClient, another LBClient.
//
//   LBClient app(runtime);
//   app.add("a", std::make_unique<HostClient>(runtime, "http://a:8080"));
//   app.add("b", std::make_unique<HostClient>(runtime, "http://b:8080"), /*weight=*/2);
//   Result<client::Response> page = co_await app.get("/things");         // a path goes to whichever it is
//
//   weight 0, or unhealthy by the checks ──> never
//   ejected for failing in a row         ──> when nothing else is left
//   the others                           ──> the least of (pending + penalty) / weight, then of calls / weight, then
//                                            who was added first
//
// Penalty   each failure counts as a call under way for penalty_duration, up to max_penalty of them.
// Ejection  a target that fails consecutive_failures times in a row is left alone, each time for longer; that becomes
//           less by one for each base_ejection in which it was used. No more than max_ejected_percent are ejected at a
//           time, but one may be. It is a suspicion: where only ejected targets are left, they are used, since a call
//           that may fail is better than one that must.
// Checks    requests of the LBClient's own to each target, between start() and stop(). A target is healthy until
//           unhealthy_after of them have failed in a row, and again when healthy_after have passed. stop() forgets what
//           they found.
//
// A call says nothing of its target when it was stopped, when no target could have made it (bad_uri …), or for want of
// descriptors here. One that is late says that the target is slow, whoever set the deadline. None is repeated on
// another target.
//
// Pending is what is under way on the Caller: also the calls that others make on it, and a check. A choice looks at
// every target: tens of them, not thousands.
//
// Errors    no_available_target; those of the targets. What a hook throws ends the call that it was asked about.
// Lifetime  the runtime outlives it; it outlives its calls. A target is kept until it is removed and the last of its
//           calls has ended. Hooks may add and remove targets.
// Threads   the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipette/async/stop.h"
#include "pipette/async/task.h"
#include "pipette/async/task_group.h"
#include "pipette/base/random.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/client/caller.h"
#include "pipette/net/runtime.h"

namespace pipette::client {

struct LBEjection {
  unsigned consecutive_failures = 5;
  Duration base_ejection = std::chrono::seconds(30);  // times how often it was ejected
  Duration max_ejection = std::chrono::minutes(5);
  unsigned max_ejected_percent = 50;  // of the targets; 0: none
};

struct LBChecks {
  Request request;                              // an empty URL is "/"
  Duration interval = std::chrono::seconds(5);  // from the end of one to the next; 1 ms at least
  Duration jitter = std::chrono::seconds(1);    // up to so much more, by chance, and before the first one
  Duration timeout = std::chrono::seconds(2);
  unsigned healthy_after = 2;
  unsigned unhealthy_after = 3;
  std::function<bool(const Response&)> passes;  // null: a status of 2xx or 3xx. To throw is not to pass.
};

struct LBOptions {
  std::optional<Duration> timeout;  // of calls that say none, in place of the target's
  // Whether a call went well; null: it has no error. After an error the response is unspecified.
  std::function<bool(const Request&, const Response&, std::error_code)> is_healthy;
  Duration penalty_duration = std::chrono::seconds(3);
  std::size_t max_penalty = 300;
  std::optional<LBEjection> ejection;
  std::optional<LBChecks> checks;
};

// What is known of a target.
struct LBTarget {
  std::string name;
  unsigned weight = 1;
  std::size_t pending = 0;
  std::uint64_t calls = 0;     // that it was given, those under way included
  std::uint64_t failures = 0;  // of them
  std::size_t penalty = 0;
  bool is_ejected = false;
  bool is_healthy = true;  // as the checks say
};

class LBClient final : public Caller {
 public:
  explicit LBClient(Runtime& runtime) : LBClient(runtime, LBOptions()) {}
  LBClient(Runtime& runtime, LBOptions options);
  ~LBClient() override;

  // False when there is a target of that name.
  bool add(std::string name, std::shared_ptr<Caller> caller, unsigned weight = 1);
  // Calls that it has under way go on. False when there is none of that name.
  bool remove(std::string_view name);
  // How many were removed.
  std::size_t remove_if(const std::function<bool(const LBTarget&)>& predicate);
  // 0: gets no more calls. False when there is none of that name.
  bool set_weight(std::string_view name, unsigned weight);
  // In the order they were added.
  std::vector<LBTarget> targets() const;

  void start();
  void stop();

  using Caller::call;
  Task<Result<void>> call(const Request& request, Response& response, const CallOptions& options) override;
  std::size_t pending() const override { return pending_; }

 private:
  struct Target;
  class Visit;

  std::shared_ptr<Target> choose();
  void judge(Target& target, const Request& request, const Response& response, std::error_code error);
  void eject(Target& target);
  LBTarget facts_of(const Target& target) const;
  Task<Result<void>> call_with(const Request& request, Response& response, CallOptions options);
  Target* find(std::string_view name) const;

  void begin_to_check(const std::shared_ptr<Target>& target);
  Task<> keep_checking(std::shared_ptr<Target> target, std::shared_ptr<async::StopSource> until);
  Task<bool> check(Target& target, Response& response, async::StopToken stop) const;
  TimePoint with_jitter(TimePoint time);

  async::Loop& loop_;
  const LBOptions options_;
  Random random_;
  std::vector<std::shared_ptr<Target>> targets_;
  std::size_t pending_ = 0;
  bool is_started_ = false;
  async::TaskGroup checking_;  // last: its tasks use all of the above
};

}  // namespace pipette::client

namespace pipette {
using client::LBClient;
using client::LBOptions;
}  // namespace pipette
