// Functions that hold the loop for longer than they may: nobody can cut them, but the server counts them.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/inmem/pipe.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/timeout.h"
#include "pipette/server/worker.h"

#include "tests/support/borrowed_runtime.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::statuses;
using testing::ElementsAre;
using testing::HasSubstr;

// A loop whose clock goes on while a function computes, and which sees that when it looks, as one on a real clock does.
class SlowLoop final : public async::Loop {
 public:
  SlowLoop() { set_wall_start(inmem::kWorldStart); }
  void refresh_now() override { set_now(clock_); }
  void post(Work /*work*/) override { ADD_FAILURE() << "nobody posts here"; }

  // What a function does that takes so long.
  void compute(Duration time) { clock_ = after(clock_, time); }
  void settle() {
    do {
      refresh_now();
      take_due_timers();
    } while (run_one());
  }

 private:
  TimePoint clock_{};
};

// A worker on such a loop, and one client.
class SlowServing {
 public:
  SlowServing(SlowLoop& loop, Handler handler)
      : loop_(loop), server_(std::move(handler), options()), runtime_(lab_.runtime(), loop), sessions_(loop) {
    auto [here, there] = inmem::make_pipe(loop);
    client_ = std::move(here);
    net::Connected connected{std::move(there), *net::Address::parse("[::1]:80"), *net::Address::parse("[::1]:9")};
    sessions_.spawn(worker_.serve_connection(std::move(connected)));
  }

  const Metrics& metrics() const { return worker_.metrics(); }
  const std::vector<std::string>& log() const { return log_; }
  // Of each exchange, as the access log has it.
  const std::vector<Duration>& took() const { return took_; }

  std::string answer_to(std::string_view request) {
    const std::array<Bytes, 1> pieces = {request};
    EXPECT_EQ(client_->try_write(pieces), request.size());
    loop_.settle();
    std::array<char, 4096> room;
    return {room.data(), client_->try_read(room).value_or(0)};
  }

 private:
  ServerOptions options() {
    ServerOptions options;
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    options.on_access = [this](const AccessRecord& record) { took_.push_back(record.took); };
    return options;
  }

  SlowLoop& loop_;
  std::vector<std::string> log_;
  std::vector<Duration> took_;
  Lab lab_;  // which lends what is no loop
  Server server_;
  test::BorrowedRuntime runtime_;
  Worker worker_{server_, runtime_};
  std::unique_ptr<net::Connection> client_;
  async::TaskGroup sessions_;
};

struct Kind {
  std::string name;
  Handler (*make)(SlowLoop& loop, Duration time);  // which it takes, for "/slow"
  Duration limit;                                  // and has
};

Handler compute_plainly(SlowLoop& loop, Duration time) {
  return [&loop, time](RequestCtx& ctx) {
    if (ctx.path() == "/slow") loop.compute(time);
    ctx.set_body("done");
  };
}

Handler compute_in_a_coroutine(SlowLoop& loop, Duration time) {
  return [&loop, time](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/slow") loop.compute(time);
    ctx.set_body("done");
    co_return;
  };
}

class Overrun : public testing::TestWithParam<Kind> {};

TEST_P(Overrun, IsCountedAndTheResponseIsTheHandlersAllTheSame) {
  const Duration limit = GetParam().limit;
  for (const Duration time : {limit - 1ns, limit, limit + 1h}) {
    SlowLoop loop;
    SlowServing app(loop, GetParam().make(loop, time));
    const std::string answer = app.answer_to(get("/slow") + get("/quick"));
    const auto found = test::answers(answer);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].head.status, 200);
    EXPECT_EQ(found[0].body, "done");
    EXPECT_EQ(found[0].field("connection"), "(none)");
    EXPECT_EQ(app.metrics().handlers_overran.get(), time < limit ? 0U : 1U);
    EXPECT_EQ(app.metrics().handler_timeouts.get() + app.metrics().handlers_overdue.get(), 0U);
    EXPECT_THAT(app.took(), ElementsAre(time, 0s)) << "the next one begins when this one has ended";
  }
}

INSTANTIATE_TEST_SUITE_P(
    OfAHandler, Overrun,
    testing::Values(Kind{"Plain", compute_plainly, 30s}, Kind{"Coroutine", compute_in_a_coroutine, 30s},
                    Kind{"PlainOfLessTime",
                         [](SlowLoop& loop, Duration time) { return timeout(compute_plainly(loop, time), 2s); }, 2s},
                    Kind{"CoroutineOfLessTime",
                         [](SlowLoop& loop, Duration time) { return timeout(compute_in_a_coroutine(loop, time), 2s); },
                         2s}),
    [](const testing::TestParamInfo<Kind>& kind) { return kind.param.name; });

TEST(Overruns, OfAFunctionThatThrowsIsCountedToo) {
  SlowLoop loop;
  const auto compute_and_throw = [&loop](RequestCtx&) {
    loop.compute(1min);
    throw std::runtime_error("overflow");
  };
  SlowServing app(loop, compute_and_throw);
  EXPECT_THAT(statuses(app.answer_to(kGet)), ElementsAre(500));
  EXPECT_EQ(app.metrics().handlers_overran.get(), 1U);
  EXPECT_EQ(app.metrics().handlers_threw.get(), 1U);
  EXPECT_THAT(app.log(), ElementsAre(HasSubstr("overflow")));
}

// What suspends can be cut as soon as it does.
TEST(Overruns, OfACoroutineThatThenSuspendsIsATimeOut) {
  SlowLoop loop;
  const auto compute_and_sleep = [&loop](RequestCtx& ctx) -> Task<> {
    loop.compute(1min);
    co_await ctx.sleep(1h);
    ctx.set_body("never seen");
  };
  SlowServing app(loop, compute_and_sleep);
  EXPECT_THAT(statuses(app.answer_to(kGet)), ElementsAre(503));
  EXPECT_EQ(app.metrics().handlers_overran.get(), 0U);
  EXPECT_EQ(app.metrics().handler_timeouts.get(), 1U);
  EXPECT_EQ(app.metrics().handlers_overdue.get(), 0U) << "it was told, and has returned";
}

}  // namespace
}  // namespace pipette::server
