#include "pipette/client/lb_client.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/client/request_writer.h"

namespace pipette::client {
namespace {

constexpr Duration kShortestInterval = std::chrono::milliseconds(1);

LBOptions checked(LBOptions options) {
  if (options.ejection) options.ejection->base_ejection = std::max(options.ejection->base_ejection, Duration(1));
  if (options.checks) {
    LBChecks& checks = *options.checks;
    if (checks.request.url.empty()) checks.request.url = "/";
    checks.interval = std::max(checks.interval, kShortestInterval);
    checks.jitter = std::clamp(checks.jitter, Duration::zero(), Duration::max() - Duration(1));
  }
  return options;
}

// Whether `error` was the caller's own doing. Some errors are as well those of what is written as of what is read:
// then the request tells.
bool is_own(std::error_code error, const Request& request) {
  switch (errc_of(error)) {
    case Errc::operation_canceled:
    case Errc::too_many_open_files:
    case Errc::too_many_open_files_in_system:
    case Errc::bad_uri:
    case Errc::unsupported_scheme:
    case Errc::bad_target:
    case Errc::bad_host:
    case Errc::missing_host:
    case Errc::repeated_host:
    case Errc::bad_trailer:
    case Errc::wrong_body_size:
      return true;
    default:
      return !check(request);
  }
}

// Failures that are not forgotten yet, as the moments when they will be. Its room grows to what was ever needed.
class Penalties {
 public:
  std::size_t count() const { return count_; }
  std::size_t count_at(TimePoint now) const {
    std::size_t past = 0;
    while (past < count_ && ends_[(first_ + past) % ends_.size()] <= now) ++past;
    return count_ - past;
  }
  void forget(TimePoint now) {
    while (count_ > 0 && ends_[first_] <= now) forget_first();
  }
  // Where there are `most`, the oldest one is forgotten for it.
  void add(TimePoint end, std::size_t most) {
    if (most == 0) return;
    if (count_ == most) forget_first();
    if (count_ == ends_.size()) grow(most);
    ends_[(first_ + count_) % ends_.size()] = end;
    ++count_;
  }

 private:
  void forget_first() {
    first_ = (first_ + 1) % ends_.size();
    --count_;
  }
  void grow(std::size_t most) {
    std::rotate(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(first_), ends_.end());
    first_ = 0;
    ends_.resize(std::min(most, std::max<std::size_t>(8, 2 * ends_.size())));
  }

  std::vector<TimePoint> ends_;  // a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

// How much a target has to do. The least one gets the next call.
struct Load {
  bool is_ejected;
  std::uint64_t calls_now;
  std::uint64_t weight;
  std::uint64_t calls_ever;

  bool operator<(const Load& other) const {
    if (is_ejected != other.is_ejected) return other.is_ejected;
    const std::uint64_t ours = calls_now * other.weight;
    const std::uint64_t theirs = other.calls_now * weight;
    if (ours != theirs) return ours < theirs;
    return calls_ever * other.weight < other.calls_ever * weight;
  }
};

}  // namespace

struct LBClient::Target {
  Target(std::string called, std::shared_ptr<Caller> of, unsigned heavy)
      : name(std::move(called)), caller(std::move(of)), weight(heavy) {}

  bool is_ejected(TimePoint now) const { return now < ejected_until; }
  Load load(TimePoint now) const {
    return {is_ejected(now), std::uint64_t{caller->pending()} + penalties.count(), weight, calls};
  }
  // A check has come to its end.
  void note_check(bool has_passed, const LBChecks& checks) {
    if (has_passed == is_healthy) {
      against_in_a_row = 0;
    } else if (++against_in_a_row >= (has_passed ? checks.healthy_after : checks.unhealthy_after)) {
      is_healthy = has_passed;
      against_in_a_row = 0;
    }
  }
  void stop_checking() {
    if (until != nullptr) until->request_stop(async::StopReason::canceled);
    until.reset();
    is_healthy = true;
    against_in_a_row = 0;
  }

  const std::string name;
  const std::shared_ptr<Caller> caller;
  unsigned weight;
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  Penalties penalties;

  unsigned failures_in_a_row = 0;
  Duration::rep ejections = 0;
  TimePoint ejected_until{};

  std::shared_ptr<async::StopSource> until;  // the stop of its checks; null: there are none
  bool is_healthy = true;
  unsigned against_in_a_row = 0;  // checks that say the opposite
};

// A call under way.
class LBClient::Visit {
 public:
  Visit(LBClient& client, Target& target) : client_(client) {
    ++client_.pending_;
    ++target.calls;
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() { --client_.pending_; }

 private:
  LBClient& client_;
};

LBClient::LBClient(Runtime& runtime, LBOptions options)
    : loop_(runtime.loop()),
      options_(checked(std::move(options))),
      random_(runtime.random("lb_client")),
      checking_(runtime.loop()) {}

LBClient::~LBClient() = default;

// ---- targets

bool LBClient::add(std::string name, std::shared_ptr<Caller> caller, unsigned weight) {
  assert(caller != nullptr);
  if (find(name) != nullptr) return false;
  targets_.push_back(std::make_shared<Target>(std::move(name), std::move(caller), weight));
  if (is_started_) begin_to_check(targets_.back());
  return true;
}

bool LBClient::remove(std::string_view name) {
  const auto found =
      std::ranges::find(targets_, name, [](const auto& target) { return std::string_view(target->name); });
  if (found == targets_.end()) return false;
  const std::shared_ptr<Target> target = *found;  // may be the last one who holds it, and end calls as it goes
  targets_.erase(found);
  target->stop_checking();
  return true;
}

std::size_t LBClient::remove_if(const std::function<bool(const LBTarget&)>& predicate) {
  std::vector<LBTarget> leaving = targets();
  std::erase_if(leaving, [&](const LBTarget& target) { return !predicate(target); });
  return static_cast<std::size_t>(
      std::ranges::count_if(leaving, [this](const LBTarget& target) { return remove(target.name); }));
}

bool LBClient::set_weight(std::string_view name, unsigned weight) {
  Target* const target = find(name);
  if (target != nullptr) target->weight = weight;
  return target != nullptr;
}

std::vector<LBTarget> LBClient::targets() const {
  std::vector<LBTarget> facts;
  facts.reserve(targets_.size());
  for (const std::shared_ptr<Target>& target : targets_) facts.push_back(facts_of(*target));
  return facts;
}

LBTarget LBClient::facts_of(const Target& target) const {
  LBTarget facts;
  facts.name = target.name;
  facts.weight = target.weight;
  facts.pending = target.caller->pending();
  facts.calls = target.calls;
  facts.failures = target.failures;
  facts.penalty = target.penalties.count_at(loop_.now());
  facts.is_ejected = target.is_ejected(loop_.now());
  facts.is_healthy = target.is_healthy;
  return facts;
}

LBClient::Target* LBClient::find(std::string_view name) const {
  for (const std::shared_ptr<Target>& target : targets_) {
    if (target->name == name) return target.get();
  }
  return nullptr;
}

// ---- calls

Task<Result<void>> LBClient::call(const Request& request, Response& response, const CallOptions& options) {
  return call_with(request, response, options);
}

Task<Result<void>> LBClient::call_with(const Request& request, Response& response, CallOptions options) {
  if (options.deadline <= loop_.now()) co_return fail(Errc::timed_out);  // which is nobody's failure
  const std::shared_ptr<Target> target = choose();
  if (target == nullptr) co_return fail(Errc::no_available_target);
  if (!options.timeout) options.timeout = options_.timeout;
  const Visit visit(*this, *target);
  Task<Result<void>> calling = target->caller->call(request, response, options);
  const Result<void> done = co_await calling;
  judge(*target, request, response, done ? std::error_code() : done.error());
  co_return done;
}

std::shared_ptr<LBClient::Target> LBClient::choose() {
  const std::shared_ptr<Target>* best = nullptr;
  Load least{};
  for (const std::shared_ptr<Target>& target : targets_) {
    if (!target->is_healthy || target->weight == 0) continue;
    target->penalties.forget(loop_.now());
    const Load load = target->load(loop_.now());
    if (best != nullptr && !(load < least)) continue;
    best = &target;
    least = load;
  }
  return best != nullptr ? *best : nullptr;
}

void LBClient::judge(Target& target, const Request& request, const Response& response, std::error_code error) {
  if (error && is_own(error, request)) return;
  const bool went_well = options_.is_healthy ? options_.is_healthy(request, response, error) : !error;
  if (went_well) {
    target.failures_in_a_row = 0;
    return;
  }
  ++target.failures;
  target.penalties.forget(loop_.now());
  target.penalties.add(after(loop_.now(), options_.penalty_duration), options_.max_penalty);
  if (!options_.ejection || target.is_ejected(loop_.now())) return;
  if (++target.failures_in_a_row >= options_.ejection->consecutive_failures) eject(target);
}

void LBClient::eject(Target& target) {
  const LBEjection& terms = *options_.ejection;
  const TimePoint now = loop_.now();
  const auto ejected = static_cast<std::size_t>(
      std::ranges::count_if(targets_, [now](const auto& other) { return other->is_ejected(now); }));
  const std::size_t most = std::max<std::size_t>(1, targets_.size() * terms.max_ejected_percent / 100);
  if (terms.max_ejected_percent == 0 || ejected >= most) return;
  target.ejections -= std::min(target.ejections, (now - target.ejected_until) / terms.base_ejection);
  const Duration::rep most_times = terms.max_ejection / terms.base_ejection;  // that fit into the longest one
  if (target.ejections <= most_times) ++target.ejections;
  const bool is_longest = target.ejections > most_times;
  target.ejected_until = after(now, is_longest ? terms.max_ejection : terms.base_ejection * target.ejections);
  target.failures_in_a_row = 0;
}

// ---- checks

void LBClient::start() {
  if (!options_.checks || is_started_) return;
  is_started_ = true;
  for (const std::shared_ptr<Target>& target : targets_) begin_to_check(target);
}

void LBClient::stop() {
  is_started_ = false;
  for (const std::shared_ptr<Target>& target : targets_) target->stop_checking();
}

void LBClient::begin_to_check(const std::shared_ptr<Target>& target) {
  target->until = std::make_shared<async::StopSource>(loop_);
  checking_.spawn(keep_checking(target, target->until));
}

Task<> LBClient::keep_checking(std::shared_ptr<Target> target, std::shared_ptr<async::StopSource> until) {
  const async::StopToken stop = until->token();
  Response response;
  co_await async::sleep_until(loop_, with_jitter(loop_.now()), stop);
  while (!stop.stop_requested()) {
    Task<bool> checking = check(*target, response, stop);
    const bool has_passed = co_await checking;
    if (stop.stop_requested()) break;  // it may have been what ended the check
    target->note_check(has_passed, *options_.checks);
    co_await async::sleep_until(loop_, with_jitter(after(loop_.now(), options_.checks->interval)), stop);
  }
}

Task<bool> LBClient::check(Target& target, Response& response, async::StopToken stop) const {
  const LBChecks& checks = *options_.checks;
  CallOptions options;
  options.timeout = checks.timeout;
  options.stop = stop;
  try {
    Task<Result<void>> calling = target.caller->call(checks.request, response, options);
    const Result<void> done = co_await calling;
    if (!done) co_return false;
    co_return checks.passes ? checks.passes(response) : response.status / 100 == 2 || response.status / 100 == 3;
  } catch (...) {  // nobody else could take it
    co_return false;
  }
}

TimePoint LBClient::with_jitter(TimePoint time) {
  const auto choices = static_cast<std::uint64_t>(options_.checks->jitter.count()) + 1;
  return after(time, Duration(static_cast<Duration::rep>(random_.below(choices))));
}

}  // namespace pipette::client
