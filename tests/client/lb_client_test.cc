// Which target a call goes to, what is learnt from how it ends, and what becomes of targets that go meanwhile.
#include "pipette/client/lb_client.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/client/host_client.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/lab/sweep.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using lab::IsError;
using testing::ElementsAre;
using testing::Gt;
using testing::IsEmpty;

// Answers as the test says, and as late as it says.
class FakeCaller final : public Caller {
 public:
  explicit FakeCaller(async::Loop& loop) : loop_(loop) {}
  ~FakeCaller() override {
    if (is_gone != nullptr) *is_gone = true;
  }

  using Caller::call;
  Task<Result<void>> call(const Request& /*request*/, Response& response, const CallOptions& options) override {
    return answer(response, options);
  }
  std::size_t pending() const override { return pending_ + others; }

  static constexpr Duration kLongest = 1h;

  Duration latency{};
  std::error_code error;
  bool throws = false;
  int status = 200;
  std::size_t others = 0;  // calls that somebody else makes
  std::size_t calls = 0;
  std::optional<Duration> last_timeout;
  bool* is_gone = nullptr;

 private:
  struct Visit {
    explicit Visit(std::size_t& of) : count(of) { ++count; }
    ~Visit() { --count; }
    std::size_t& count;
  };

  Task<Result<void>> answer(Response& response, CallOptions options) {
    ++calls;
    last_timeout = options.timeout;
    if (latency > 0ns) {
      const Visit visit(pending_);
      const Duration wait = std::min(latency, options.timeout.value_or(kLongest));
      co_await async::sleep_until(loop_, after(loop_.now(), wait), options.stop);
      if (options.stop.stop_requested()) co_return fail(Errc::operation_canceled);
      if (wait < latency) co_return fail(Errc::timed_out);
    }
    if (throws) throw std::runtime_error("the caller's own");
    if (error) co_return fail(error);
    response.status = status;
    co_return Result<void>();
  }

  async::Loop& loop_;
  std::size_t pending_ = 0;
};

// Fakes that are called "a", "b", …
class LB : public testing::Test {
 protected:
  LBClient& client() { return *client_; }
  LBClient& make(LBOptions options, int targets, const std::vector<unsigned>& weights = {}) {
    client_ = std::make_unique<LBClient>(lab_.runtime(), std::move(options));
    fakes_.clear();
    for (int i = 0; i < targets; ++i) add(i < std::ssize(weights) ? weights[static_cast<std::size_t>(i)] : 1);
    return *client_;
  }
  LBClient& make(int targets, const std::vector<unsigned>& weights = {}) { return make({}, targets, weights); }
  FakeCaller& add(unsigned weight = 1) {
    fakes_.push_back(std::make_shared<FakeCaller>(lab_.runtime().loop()));
    EXPECT_TRUE(client_->add(name_of(fakes_.size() - 1), fakes_.back(), weight));
    return *fakes_.back();
  }
  static std::string name_of(std::size_t index) { return {static_cast<char>('a' + index)}; }

  // Who gets so many calls, one after the other.
  std::string order(int calls) {
    std::string names;
    for (int i = 0; i < calls; ++i) {
      std::vector<std::size_t> before;
      for (const auto& fake : fakes_) before.push_back(fake->calls);
      (void)get();
      for (std::size_t k = 0; k < fakes_.size(); ++k) {
        if (fakes_[k]->calls > before[k]) names += name_of(k);
      }
    }
    return names;
  }
  Result<Response> get(CallOptions options = {}) { return lab_.run(client_->get("/", options)); }
  // Lets calls run beside each other.
  void begin(int calls) {
    for (int i = 0; i < calls; ++i) calls_.spawn(forget(*client_));
    lab_.settle();
  }
  static Task<> forget(LBClient& client) { (void)co_await client.get("/"); }
  // The target gets so many calls that fail, and nobody else gets any.
  void fail_calls(std::size_t index, int calls) {
    std::vector<LBTarget> facts = client_->targets();
    for (const LBTarget& fact : facts) client_->set_weight(fact.name, fact.name == name_of(index) ? 1 : 0);
    const std::error_code before = std::exchange(fakes_[index]->error, make_error_code(Errc::connection_refused));
    for (int i = 0; i < calls; ++i) EXPECT_FALSE(get());
    fakes_[index]->error = before;
    for (const LBTarget& fact : facts) client_->set_weight(fact.name, fact.weight);
  }
  LBTarget facts(std::size_t index = 0) { return client_->targets().at(index); }

  Lab lab_;
  std::vector<std::shared_ptr<FakeCaller>> fakes_;
  std::unique_ptr<LBClient> client_;
  async::TaskGroup calls_{lab_.runtime().loop()};  // last: they use all of the above
};

// ---- the choice

TEST_F(LB, ChoosesTheLeastLoaded) {
  struct Row {
    std::vector<unsigned> weights;
    std::vector<std::size_t> pending;
    std::vector<int> penalties;
    std::string_view order;
  };
  for (const Row& row : {
           Row{{1, 1, 1}, {0, 0, 0}, {0, 0, 0}, "abcabc"},  // ties: the fewest calls, then the first
           Row{{1, 1, 1}, {1, 0, 0}, {0, 0, 0}, "bcbc"},
           Row{{1, 1, 1}, {2, 1, 1}, {0, 0, 0}, "bcbc"},
           Row{{1, 1, 1}, {0, 0, 0}, {0, 1, 0}, "acac"},
           Row{{1, 1, 1}, {2, 0, 2}, {0, 1, 0}, "bb"},        // 2, 1, 2
           Row{{1, 1, 1}, {1, 1, 0}, {0, 0, 1}, "ababcabc"},  // all 2: but "c" has had a call
           Row{{1, 2, 1}, {0, 0, 0}, {0, 0, 0}, "abcbabcb"},  // in proportion to their weights
           Row{{1, 2, 1}, {0, 1, 0}, {0, 0, 0}, "acac"},      // 0, 1/2, 0
           Row{{3, 2, 0}, {5, 3, 0}, {0, 0, 0}, "bbb"},       // 5/3, 3/2, none
           Row{{3, 2, 0}, {3, 1, 0}, {0, 1, 0}, "aabaa"},     // 3/3, 2/2: but "b" has had a call
           Row{{0, 0, 1}, {0, 0, 9}, {0, 0, 9}, "ccc"},
           Row{{4'000'000'000, 1, 1}, {1'000'000'000, 0, 0}, {0, 0, 0}, "bcbc"},
           Row{{4'000'000'000, 1, 1}, {1'000'000'000, 1, 1}, {0, 0, 0}, "aa"},
       }) {
    make(3, row.weights);
    for (std::size_t i = 0; i < 3; ++i) fail_calls(i, row.penalties[i]);
    for (std::size_t i = 0; i < 3; ++i) fakes_[i]->others = row.pending[i];
    EXPECT_EQ(order(static_cast<int>(row.order.size())), row.order);
  }
}

TEST_F(LB, SpreadsCallsThatRunBesideEachOther) {
  make(3, {1, 2, 1});
  for (const auto& fake : fakes_) fake->latency = 1s;
  begin(8);
  EXPECT_THAT(client().targets(),
              ElementsAre(testing::Field(&LBTarget::pending, 2U), testing::Field(&LBTarget::pending, 4U),
                          testing::Field(&LBTarget::pending, 2U)));
  EXPECT_EQ(client().pending(), 8U);
  lab_.advance(1s);
  EXPECT_EQ(client().pending(), 0U);
  EXPECT_EQ(facts(1).calls, 4U);
}

TEST_F(LB, KnowsItsTargets) {
  make(2, {3, 1});
  fail_calls(1, 2);
  fakes_[0]->others = 7;
  const std::vector<LBTarget> targets = client().targets();
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].name, "a");
  EXPECT_EQ(targets[0].weight, 3U);
  EXPECT_EQ(targets[0].pending, 7U);
  EXPECT_EQ(targets[1].calls, 2U);
  EXPECT_EQ(targets[1].failures, 2U);
  EXPECT_EQ(targets[1].penalty, 2U);
  EXPECT_FALSE(targets[1].is_ejected);
  EXPECT_TRUE(targets[1].is_healthy);
}

TEST_F(LB, HasOneTargetOfAName) {
  make(2);
  EXPECT_FALSE(client().add("a", fakes_[1]));
  EXPECT_TRUE(client().remove("a"));
  EXPECT_FALSE(client().remove("a"));
  EXPECT_FALSE(client().set_weight("a", 1));
  EXPECT_TRUE(client().add("a", fakes_[0]));
  EXPECT_EQ(order(3), "bab") << "it comes last now";
  EXPECT_EQ(client().remove_if([](const LBTarget& target) { return target.calls == 1; }), 1U);
  EXPECT_EQ(client().targets().at(0).name, "b");
}

TEST_F(LB, FailsWithoutATarget) {
  make(0);
  EXPECT_THAT(get(), IsError(Errc::no_available_target));
  add(0);
  EXPECT_THAT(get(), IsError(Errc::no_available_target));
  client().set_weight("a", 1);
  EXPECT_TRUE(get());
  EXPECT_EQ(client().remove_if([](const LBTarget&) { return true; }), 1U);
  EXPECT_THAT(get(), IsError(Errc::no_available_target));
  EXPECT_EQ(client().pending(), 0U);
}

TEST_F(LB, GivesCallsATimeoutWhereTheyHaveNone) {
  make(1);
  (void)get();
  EXPECT_FALSE(fakes_[0]->last_timeout) << "unless told otherwise, that is the target's";
  LBOptions options;
  options.timeout = 2s;
  make(options, 1);
  (void)get();
  EXPECT_EQ(fakes_[0]->last_timeout, 2s);
  CallOptions own;
  own.timeout = 5s;
  (void)get(own);
  EXPECT_EQ(fakes_[0]->last_timeout, 5s);
}

TEST_F(LB, BlamesNobodyForADeadlineThatHasPassed) {
  make(1);
  CallOptions options;
  options.deadline = lab_.now();
  EXPECT_THAT(get(options), IsError(Errc::timed_out));
  EXPECT_EQ(facts().calls, 0U);
}

// ---- penalties

TEST_F(LB, ForgetsAFailureWhenItsTimeIsOver) {
  make(2);
  fail_calls(0, 1);
  lab_.advance(1s);
  fail_calls(0, 1);
  EXPECT_EQ(facts().penalty, 2U);
  lab_.advance(2s - 1ns);
  EXPECT_EQ(facts().penalty, 2U);
  lab_.advance(1ns);
  EXPECT_EQ(facts().penalty, 1U);
  lab_.advance(1s - 1ns);
  EXPECT_EQ(order(3), "bbb");
  lab_.advance(1ns);
  EXPECT_EQ(facts().penalty, 0U);
  EXPECT_EQ(order(1), "a") << "2 calls against 3";
}

TEST_F(LB, BoundsThePenalty) {
  for (const std::size_t most : {0U, 1U, 5U, 300U}) {
    LBOptions options;
    options.max_penalty = most;
    make(options, 1);
    for (int second = 0; second < 3; ++second) {
      fail_calls(0, 150);
      lab_.advance(1s);
    }
    EXPECT_EQ(facts().penalty, std::min<std::size_t>(most, 300)) << "3 s: the first ones are forgotten";
    lab_.advance(1s);
    EXPECT_EQ(facts().penalty, std::min<std::size_t>(most, 150)) << "the last ones were counted";
    lab_.advance(1s);
    EXPECT_EQ(facts().penalty, 0U);
  }
}

TEST_F(LB, ForgetsFailuresInTheirOrderWhileTheyBecomeMore) {
  make(1);
  fail_calls(0, 6);
  lab_.advance(1s);
  fail_calls(0, 2);
  lab_.advance(2s);
  EXPECT_EQ(facts().penalty, 2U);
  fail_calls(0, 20);
  EXPECT_EQ(facts().penalty, 22U);
  lab_.advance(1s);
  EXPECT_EQ(facts().penalty, 20U);
  lab_.advance(2s);
  EXPECT_EQ(facts().penalty, 0U);
}

TEST_F(LB, CountsTheFailuresThatAreTheTargets) {
  struct Row {
    Errc error;
    bool counts;
  };
  for (const Row& row :
       {Row{Errc::connection_refused, true}, Row{Errc::connection_reset, true}, Row{Errc::end_of_stream, true},
        Row{Errc::timed_out, true}, Row{Errc::connect_timeout, true}, Row{Errc::response_header_timeout, true},
        Row{Errc::bad_status, true}, Row{Errc::bad_field_name, true}, Row{Errc::host_not_found, true},
        Row{Errc::pool_wait_timeout, true}, Row{Errc::no_available_target, true}, Row{Errc::operation_canceled, false},
        Row{Errc::bad_uri, false}, Row{Errc::unsupported_scheme, false}, Row{Errc::wrong_body_size, false},
        Row{Errc::too_many_open_files, false}}) {
    make(1);
    fakes_[0]->error = row.error;
    EXPECT_THAT(get(), IsError(row.error));
    EXPECT_EQ(facts().failures, row.counts ? 1U : 0U) << make_error_code(row.error).message();
    EXPECT_EQ(facts().penalty, row.counts ? 1U : 0U) << make_error_code(row.error).message();
  }
}

TEST_F(LB, CountsNoRequestThatCannotBeSent) {
  make(0);
  client().add("real", std::make_shared<HostClient>(lab_.runtime(), "http://app"));
  Request request;
  request.url = "/";
  ASSERT_TRUE(request.fields.set("Content-Length", "1"));
  EXPECT_THAT(lab_.run(client().call(request)), IsError(Errc::managed_field));
  request.fields.clear();
  request.url = "http://elsewhere/";
  EXPECT_THAT(lab_.run(client().call(request)), IsError(Errc::bad_uri));
  EXPECT_EQ(facts().failures, 0U);
  request.url = "/";
  EXPECT_THAT(lab_.run(client().call(request)), IsError(Errc::host_not_found));
  EXPECT_EQ(facts().failures, 1U);
}

TEST_F(LB, AsksItsHook) {
  LBOptions options;
  std::vector<std::string> asked;
  options.is_healthy = [&](const Request& request, const Response& response, std::error_code error) {
    asked.push_back(request.url + ": " + (error ? error.message() : std::to_string(response.status)));
    return !error && response.status < 500;
  };
  make(options, 1);
  (void)get();
  fakes_[0]->status = 503;
  EXPECT_EQ(get().value().status, 503);
  EXPECT_EQ(facts().failures, 1U);
  fakes_[0]->error = Errc::connection_reset;
  (void)get();
  EXPECT_EQ(facts().failures, 2U);
  fakes_[0]->error = Errc::operation_canceled;
  (void)get();
  EXPECT_THAT(asked, ElementsAre("/: 200", "/: 503", "/: " + make_error_code(Errc::connection_reset).message()));
}

Task<std::string> exception_of(LBClient& client) {
  try {
    const Result<Response> page = co_await client.get("/");
    co_return page ? "none" : page.error().message();
  } catch (const std::exception& error) {
    co_return error.what();
  }
}

TEST_F(LB, PassesOnWhatItsHookThrows) {
  LBOptions options;
  bool throws = true;
  options.is_healthy = [&](const Request&, const Response&, std::error_code) {
    if (throws) throw std::runtime_error("hook");
    return true;
  };
  make(options, 2);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lab_.run(exception_of(client())), "hook");
  EXPECT_EQ(client().pending(), 0U);
  EXPECT_EQ(facts().failures, 0U);
  throws = false;
  EXPECT_EQ(lab_.run(exception_of(client())), "none");
  EXPECT_EQ(order(2), "ab");
}

TEST_F(LB, LetsItsHookChangeTheTargets) {
  LBOptions options;
  options.is_healthy = [&](const Request&, const Response&, std::error_code) {
    client().remove("a");
    client().add("new", fakes_[1]);
    return false;
  };
  make(options, 2);
  EXPECT_EQ(order(2), "ab");
  EXPECT_EQ(client().targets().size(), 2U);
}

// ---- how calls end

TEST_F(LB, CountsCallsDownHoweverTheyEnd) {
  make(1);
  FakeCaller& fake = *fakes_[0];
  fake.latency = 1s;
  const auto has_ended = [&] { return client().pending() == 0 && facts().pending == 0; };

  begin(1);
  EXPECT_FALSE(has_ended());
  lab_.advance(1s);
  EXPECT_TRUE(has_ended()) << "well";

  fake.error = Errc::connection_reset;
  EXPECT_FALSE(get());
  EXPECT_TRUE(has_ended()) << "with an error";

  fake.error = {};
  fake.throws = true;
  EXPECT_EQ(lab_.run(exception_of(client())), "the caller's own");
  EXPECT_TRUE(has_ended()) << "with an exception";
  fake.throws = false;

  async::StopSource stop(lab_.runtime().loop());
  CallOptions options;
  options.stop = stop.token();
  auto page = std::make_unique<Result<Response>>(fail(Errc::would_block));
  lab_.spawn([](LBClient& of, CallOptions with, Result<Response>& into) -> Task<> {
    into = co_await of.get("/", with);
  }(client(), options, *page));
  lab_.settle();
  EXPECT_FALSE(has_ended());
  stop.request_stop(async::StopReason::canceled);
  lab_.settle();
  EXPECT_THAT(*page, IsError(Errc::operation_canceled));
  EXPECT_TRUE(has_ended()) << "stopped";

  {
    async::TaskGroup group(lab_.runtime().loop());
    group.spawn(forget(client()));
    lab_.settle();
    EXPECT_FALSE(has_ended());
  }
  EXPECT_TRUE(has_ended()) << "destroyed";
  EXPECT_EQ(facts().failures, 1U) << "the error alone";
}

TEST_F(LB, KeepsATargetUntilItsLastCallHasEnded) {
  make(1);
  bool is_gone = false;
  fakes_[0]->is_gone = &is_gone;
  fakes_[0]->latency = 2s;
  begin(1);
  lab_.advance(1s);
  begin(1);
  ASSERT_EQ(facts().pending, 2U);
  fakes_.erase(fakes_.begin());
  EXPECT_TRUE(client().remove("a"));
  EXPECT_EQ(client().pending(), 2U);
  lab_.advance(1s);
  EXPECT_FALSE(is_gone);
  EXPECT_EQ(client().pending(), 1U);
  lab_.advance(1s - 1ns);
  EXPECT_FALSE(is_gone);
  lab_.advance(1ns);
  EXPECT_TRUE(is_gone);
  EXPECT_EQ(client().pending(), 0U);
}

TEST_F(LB, DropsATargetWithItsLastCallThatIsDestroyed) {
  make(1);
  bool is_gone = false;
  fakes_[0]->is_gone = &is_gone;
  fakes_[0]->latency = 2s;
  {
    async::TaskGroup group(lab_.runtime().loop());
    group.spawn(forget(client()));
    lab_.settle();
    fakes_.clear();
    client().remove("a");
    EXPECT_FALSE(is_gone);
  }
  EXPECT_TRUE(is_gone);
}

// ---- ejection

class Ejection : public LB {
 protected:
  LBClient& make_ejecting(int targets, unsigned max_percent = 50) {
    LBOptions options;
    options.ejection.emplace();
    options.ejection->consecutive_failures = 3;
    options.ejection->base_ejection = 10s;
    options.ejection->max_ejection = 35s;
    options.ejection->max_ejected_percent = max_percent;
    options.penalty_duration = 0s;
    return make(options, targets);
  }
  // For how long the target is ejected from now on.
  Duration ejected_for(std::size_t index = 0) {
    const TimePoint before = lab_.now();
    while (facts(index).is_ejected) lab_.advance(1s);
    return lab_.now() - before;
  }
};

TEST_F(Ejection, ComesOfFailuresInARow) {
  make_ejecting(2);
  fail_calls(0, 2);
  EXPECT_FALSE(facts().is_ejected);
  client().set_weight("b", 0);
  EXPECT_TRUE(get());
  client().set_weight("b", 1);
  fail_calls(0, 2);
  EXPECT_FALSE(facts().is_ejected) << "one in between went well";
  fail_calls(0, 1);
  EXPECT_TRUE(facts().is_ejected);
  EXPECT_EQ(order(8), "bbbbbbbb");
  lab_.advance(10s - 1ns);
  EXPECT_TRUE(facts().is_ejected);
  EXPECT_EQ(order(1), "b");
  lab_.advance(1ns);
  EXPECT_FALSE(facts().is_ejected);
  EXPECT_EQ(order(1), "a");
}

TEST_F(Ejection, LastsLongerEachTime) {
  make_ejecting(2);
  for (const Duration expected : {10s, 20s, 30s, 35s, 35s}) {
    fail_calls(0, 3);
    EXPECT_EQ(ejected_for(), expected);
  }
  lab_.advance(30s - 1ns);  // each 10 s make it less again
  fail_calls(0, 3);
  EXPECT_EQ(ejected_for(), 30s);
  lab_.advance(20s);
  fail_calls(0, 3);
  EXPECT_EQ(ejected_for(), 20s);
  lab_.advance(1h);
  fail_calls(0, 3);
  EXPECT_EQ(ejected_for(), 10s);
}

TEST_F(Ejection, IsNotMadeLongerByCallsOfBefore) {
  make_ejecting(1);
  fail_calls(0, 3);
  lab_.advance(5s);
  fail_calls(0, 20);
  lab_.advance(5s);
  EXPECT_FALSE(facts().is_ejected);
  fail_calls(0, 2);
  EXPECT_FALSE(facts().is_ejected);
}

TEST_F(Ejection, IsOfSoManyTargetsAtATime) {
  struct Row {
    int targets;
    unsigned percent;
    std::ptrdiff_t ejected;
  };
  for (const Row& row : {Row{4, 50, 2}, Row{4, 100, 4}, Row{4, 10, 1}, Row{5, 50, 2}, Row{1, 50, 1}, Row{4, 0, 0},
                         Row{4, 74, 2}, Row{4, 75, 3}}) {
    make_ejecting(row.targets, row.percent);
    for (int i = 0; i < row.targets; ++i) fail_calls(static_cast<std::size_t>(i), 3);
    EXPECT_EQ(std::ranges::count_if(client().targets(), &LBTarget::is_ejected), row.ejected) << row.percent;
  }
}

TEST_F(Ejection, OfAllOfThemIsNone) {
  make_ejecting(2, 100);
  fail_calls(0, 3);
  fail_calls(1, 3);
  EXPECT_TRUE(facts(0).is_ejected);
  EXPECT_TRUE(facts(1).is_ejected);
  EXPECT_EQ(order(4), "abab");
  add();
  EXPECT_EQ(order(2), "cc");
}

// ---- checks

LBOptions checking() {
  LBOptions options;
  options.checks.emplace();
  options.checks->interval = 10s;
  options.checks->jitter = 0s;
  options.checks->timeout = 1s;
  options.checks->request.url = "/health";
  return options;
}

TEST_F(LB, ChecksBetweenStartAndStop) {
  make(checking(), 2);
  const auto calls = [&] { return fakes_[0]->calls; };
  lab_.advance(1min);
  EXPECT_EQ(calls(), 0U);
  client().start();
  client().start();
  lab_.settle();
  EXPECT_EQ(calls(), 1U) << "at once";
  lab_.advance(10s - 1ns);
  EXPECT_EQ(calls(), 1U);
  lab_.advance(1ns);
  EXPECT_EQ(calls(), 2U);
  EXPECT_EQ(fakes_[0]->last_timeout, 1s);
  EXPECT_EQ(facts().calls, 0U) << "of its own are not counted";
  client().stop();
  client().start();
  lab_.settle();
  EXPECT_EQ(calls(), 3U);
  lab_.advance(10s);
  EXPECT_EQ(calls(), 4U) << "and not twice as often";
  client().stop();
  lab_.advance(1h);
  EXPECT_EQ(calls(), 4U);
}

TEST_F(LB, ChecksTargetsThatCome) {
  make(checking(), 1).start();
  lab_.advance(5s);
  const FakeCaller& added = add();
  lab_.advance(10s);
  EXPECT_EQ(added.calls, 2U);
  EXPECT_EQ(fakes_[0]->calls, 2U);
}

TEST_F(LB, EndsTheCheckOfATargetThatGoes) {
  make(checking(), 2).start();
  bool is_gone = false;
  fakes_[0]->is_gone = &is_gone;
  lab_.advance(5s);
  fakes_.erase(fakes_.begin());
  client().remove("a");
  lab_.settle();
  EXPECT_TRUE(is_gone) << "between two of them";

  fakes_[0]->is_gone = &(is_gone = false);
  fakes_[0]->latency = 500ms;
  lab_.advance(5s + 250ms);
  fakes_.clear();
  client().remove("b");
  EXPECT_FALSE(is_gone);
  lab_.settle();
  EXPECT_TRUE(is_gone) << "in the middle of one";
}

TEST_F(LB, UsesNoTargetWhoseChecksFail) {
  make(checking(), 2).start();
  fakes_[0]->status = 503;
  lab_.advance(20s - 1ns);
  EXPECT_TRUE(facts().is_healthy) << "two have failed";
  lab_.advance(1ns);
  EXPECT_FALSE(facts().is_healthy);
  EXPECT_EQ(order(3), "bbb");
  fakes_[0]->status = 302;
  lab_.advance(10s);
  fakes_[0]->status = 500;
  lab_.advance(10s);
  fakes_[0]->status = 204;
  lab_.advance(10s);
  EXPECT_FALSE(facts().is_healthy) << "not two in a row";
  lab_.advance(10s);
  EXPECT_TRUE(facts().is_healthy);
  EXPECT_EQ(order(1), "a");
}

TEST_F(LB, FailsWhenNoTargetIsHealthy) {
  make(checking(), 2).start();
  for (const auto& fake : fakes_) fake->error = Errc::connection_refused;
  lab_.advance(20s);
  EXPECT_THAT(get(), IsError(Errc::no_available_target));
  client().stop();
  EXPECT_TRUE(facts().is_healthy) << "nobody would find out that it is again";
  EXPECT_THAT(get(), IsError(Errc::connection_refused));
}

TEST_F(LB, TakesAChecksTimeFromItsEndOn) {
  make(checking(), 1).start();
  fakes_[0]->latency = 1h;
  lab_.advance(2 * 11s + 1s - 1ns);
  EXPECT_TRUE(facts().is_healthy);
  lab_.advance(1ns);
  EXPECT_FALSE(facts().is_healthy) << "three have taken too long";
  EXPECT_EQ(fakes_[0]->calls, 3U);
}

TEST_F(LB, LetsTheUserSayWhatPasses) {
  LBOptions options = checking();
  options.checks->unhealthy_after = 1;
  options.checks->healthy_after = 1;
  options.checks->passes = [](const Response& response) {
    if (response.status == 201) throw std::runtime_error("hook");
    return response.status == 404;
  };
  make(options, 1);
  for (const auto& [status, is_healthy] : {std::pair(404, true), std::pair(200, false), std::pair(404, true),
                                           std::pair(201, false), std::pair(404, true)}) {
    fakes_[0]->status = status;
    client().start();
    lab_.advance(10s);
    EXPECT_EQ(facts().is_healthy, is_healthy) << status;
  }
}

TEST_F(LB, ChecksAtTimesOfChance) {
  LBOptions options = checking();
  options.checks->jitter = 2s;
  make(options, 3).start();
  std::vector<Duration> pauses;
  TimePoint last = lab_.now();
  std::size_t calls = 0;
  for (int i = 0; i < 20; ++i) {
    lab_.run_until([&] { return fakes_[0]->calls > calls; });
    ++calls;
    pauses.push_back(lab_.now() - std::exchange(last, lab_.now()));
  }
  EXPECT_LE(pauses.front(), 2s);
  pauses.erase(pauses.begin());
  EXPECT_GE(*std::ranges::min_element(pauses), 10s);
  EXPECT_LE(*std::ranges::max_element(pauses), 12s);
  EXPECT_THAT(*std::ranges::max_element(pauses) - *std::ranges::min_element(pauses), Gt(1s));
}

TEST_F(LB, LearnsNothingFromACheckThatItStops) {
  LBOptions options = checking();
  options.checks->unhealthy_after = 1;
  make(options, 1).start();
  fakes_[0]->latency = 500ms;
  lab_.advance(250ms);
  client().stop();
  lab_.settle();
  EXPECT_EQ(facts().pending, 0U);
  EXPECT_TRUE(facts().is_healthy);
}

TEST_F(LB, IsStoppedByItsOwnCheck) {
  LBOptions options = checking();
  options.checks->passes = [&](const Response&) {
    client().stop();
    client().remove("a");
    return false;
  };
  make(options, 1).start();
  lab_.advance(1min);
  EXPECT_THAT(client().targets(), IsEmpty());
  EXPECT_EQ(fakes_[0]->calls, 1U);
}

// ---- real targets

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";

TEST(LBClient, CallsRealHosts) {
  Lab lab;
  LBClient client(lab.runtime(), checking());
  for (const std::string name : {"one", "two", "three"}) {
    lab.serve([name](RequestCtx& ctx) { ctx.set_body(name); }, name + ":80");
    client.add(name, std::make_unique<HostClient>(lab.runtime(), "http://" + name));
  }
  client.start();
  std::string said;
  for (int i = 0; i < 6; ++i) said += lab.run(client.get("/")).value().body + " ";
  EXPECT_EQ(said, "one two three one two three ");
  EXPECT_TRUE(client.remove("one"));
  EXPECT_EQ(lab.run(client.get("/")).value().body, "two");
  lab.advance(1min);
}

TEST(LBClient, FollowsAServerThatGoesAndComes) {
  Lab lab;
  LBClient client(lab.runtime(), checking());
  const auto serve = [&](std::string name) -> server::Worker& {
    return lab.serve([name](RequestCtx& ctx) { ctx.set_body(name); }, name + ":80");
  };
  for (const std::string name : {"one", "two"}) {
    serve(name);
    client.add(name, std::make_unique<HostClient>(lab.runtime(), "http://" + name));
  }
  client.start();
  lab.advance(1min);
  {
    const Lab::Partition cut = lab.partition("client", "one");
    lab.advance(33s);
    EXPECT_FALSE(client.targets()[0].is_healthy);
    EXPECT_TRUE(client.targets()[1].is_healthy);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(lab.run(client.get("/")).value().body, "two");
  }
  lab.advance(33s);
  EXPECT_TRUE(client.targets()[0].is_healthy);
  EXPECT_EQ(lab.run(client.get("/")).value().body, "one");
}

// With nothing left of a host behind the last of its calls, wherever in its work that ends.
TEST(LBClient, DropsARealHostInTheMiddleOfItsCall) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.on("GET /slow *", Script().wait(5s).send(std::string(kHello)));
  LBClient client(lab.runtime());
  client.add("app", std::make_unique<HostClient>(lab.runtime(), "http://app"));
  Result<Response> page = fail(Errc::would_block);
  lab.spawn([](LBClient& of, Result<Response>& into) -> Task<> { into = co_await of.get("/slow"); }(client, page));
  lab.advance(1s);
  EXPECT_TRUE(client.remove("app"));
  EXPECT_THAT(lab.run(client.get("/slow")), IsError(Errc::no_available_target));
  lab.advance(4s);
  EXPECT_THAT(page, lab::BodyIs("Hello"));
  lab.settle();
  EXPECT_EQ(server.left(), 1U) << "its connections are closed";
}

// The lab would tell of timers and connections.
TEST(LBClient, LeavesNothingWhenItDies) {
  for (const Duration when : {0ms, 250ms, 500ms, 10'250ms}) {
    Lab lab;
    const server::Worker& worker = lab.serve(
        [](RequestCtx& ctx) -> Task<> {
          co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 500ms));
          ctx.set_body("well");
        },
        "app:80", lab::quiet());
    auto client = std::make_unique<LBClient>(lab.runtime(), checking());
    client->add("app", std::make_unique<HostClient>(lab.runtime(), "http://app"));
    client->start();
    lab.advance(when);
    EXPECT_EQ(worker.open_connections(), 1U);
    client.reset();
    lab.advance(1s);
    EXPECT_EQ(worker.open_connections(), 0U);
    lab.finish();
  }
}

TEST(LBClient, IsATargetItself) {
  Lab lab;
  const auto inner = std::make_shared<LBClient>(lab.runtime());
  LBClient outer(lab.runtime());
  for (const std::string name : {"one", "two", "three"}) {
    lab.serve([name](RequestCtx& ctx) { ctx.set_body(name); }, name + ":80");
    auto host = std::make_unique<HostClient>(lab.runtime(), "http://" + name);
    if (name == "three") {
      outer.add(name, std::move(host));
    } else {
      inner->add(name, std::move(host));
    }
  }
  outer.add("pair", inner);
  std::string said;
  for (int i = 0; i < 6; ++i) said += lab.run(outer.get("/")).value().body + " ";
  EXPECT_EQ(said, "three one three two three one ");
  inner->remove_if([](const LBTarget&) { return true; });
  EXPECT_TRUE(lab.run(outer.get("/")));
  said.clear();
  for (int i = 0; i < 4; ++i) {
    const Result<Response> page = lab.run(outer.get("/"));
    said += page ? page->body + " " : page.error().message() + " ";
  }
  EXPECT_EQ(outer.targets()[1].failures, 1U) << said;
}

TEST(LBClient, SurvivesEveryFault) {
  const lab::FaultSweep sweep = lab::for_all_faults([](Lab& lab) {
    LBOptions options = checking();
    options.ejection.emplace().consecutive_failures = 1;
    LBClient client(lab.runtime(), options);
    for (const std::string name : {"one", "two"}) {
      lab.serve([](RequestCtx& ctx) { ctx.set_body("Hello"); }, name + ":80", lab::quiet());
      client.add(name, std::make_unique<HostClient>(lab.runtime(), "http://" + name));
    }
    client.start();
    for (int i = 0; i < 2; ++i) {
      const Result<Response> page = lab.run(client.get("/"));
      EXPECT_EQ(page ? page->body : "Hello", "Hello");
      EXPECT_EQ(client.pending(), 0U);
    }
  });
  EXPECT_GT(sweep.worlds, 100U);
}

}  // namespace
}  // namespace pipette::client
