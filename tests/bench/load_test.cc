// The load generator against servers in memory, on virtual time.
#include "bench/load/load.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/base/errc.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/server/server.h"

namespace pipette::load {
namespace {

using namespace std::chrono_literals;
using inmem::Between;
using inmem::Link;
using net::Toxics;

constexpr double kExactly = 0.005;  // what a histogram may be wrong by

void expect_about(Duration seen, Duration expected) {
  const auto nanoseconds = static_cast<double>(expected.count());
  EXPECT_NEAR(static_cast<double>(seen.count()), nanoseconds, kExactly * nanoseconds);
}

class LoadTest : public testing::Test {
 protected:
  // A round trip takes 2 ms.
  void serve(Handler handler) { worker_ = &lab_.serve(std::move(handler), "app:80"); }
  void serve_greeting() {
    serve([](RequestCtx& ctx) { ctx.set_body("Hello, World!"); });
  }

  Report run(LoadOptions options) {
    options.request.url = "http://app/";
    Load load(lab_.runtime(), std::move(options));
    lab_.run(load.run());
    if (worker_ != nullptr) connections_ = worker_->open_connections();
    return load.report();
  }

  static LoadOptions closed(std::size_t connections, Duration duration) {
    LoadOptions options;
    options.connections = connections;
    options.duration = duration;
    return options;
  }
  static LoadOptions open(std::uint64_t rate, Duration duration) {
    LoadOptions options = closed(8, duration);
    options.rate = rate;
    return options;
  }

  Lab lab_;
  Link::Guard there_ = lab_.link("client", "app").add(Toxics().with_latency(1ms));
  Link::Guard back_ = lab_.link("app", "client").add(Toxics().with_latency(1ms));
  server::Worker* worker_ = nullptr;
  std::size_t connections_ = 0;  // at the end of a run
};

TEST_F(LoadTest, AsksAgainAsSoonAsAnAnswerIsThere) {
  serve_greeting();
  const Report report = run(closed(4, 1s));
  EXPECT_EQ(report.took, 1s);
  EXPECT_EQ(connections_, 4U);
  EXPECT_NEAR(static_cast<double>(report.responses), 4 * 500, 4 * 2);  // but for dialing, and the last ones
  EXPECT_EQ(report.body_bytes, report.responses * 13);
  EXPECT_EQ(report.latency.count(), report.responses);
  EXPECT_EQ(report.error_count(), 0U);
  expect_about(report.latency.quantile(0.5), 2ms);
}

TEST_F(LoadTest, KeepsAsManyInFlightAsThePipelineIsDeep) {
  serve_greeting();
  LoadOptions options = closed(2, 1s);
  options.depth = 16;
  const Report report = run(options);
  EXPECT_EQ(connections_, 2U);
  EXPECT_NEAR(static_cast<double>(report.responses), 2 * 16 * 500, 2 * 16 * 2);
  EXPECT_EQ(report.error_count(), 0U);
  expect_about(report.latency.quantile(0.5), 2ms);
}

TEST_F(LoadTest, KeepsToItsSchedule) {
  serve_greeting();
  const Report report = run(open(100, 10s));
  EXPECT_EQ(report.responses, 1000U);
  EXPECT_EQ(report.unfinished, 0U);
  expect_about(report.latency.quantile(0.5), 2ms);
  EXPECT_LE(report.latency.max(), 5ms);  // with dialing
}

TEST_F(LoadTest, KeepsToARateThatDividesNoSecond) {
  serve_greeting();
  EXPECT_EQ(run(open(7, 10s)).responses, 70U);
}

// What asks again only behind an answer sees a pause of a second as one slow answer for each connection.
TEST_F(LoadTest, AServerThatStandsStillShowsInAnOpenLoopAlone) {
  serve_greeting();
  const Link::Guard pause = lab_.link("client", "app").add(Toxics().with_stall(), Between{4s, 5s});
  const Report report = run(open(100, 10s));
  EXPECT_EQ(report.responses, 1000U);
  EXPECT_GE(report.latency.quantile(0.99), 850ms);
  EXPECT_GE(report.latency.quantile(0.95), 450ms);
  EXPECT_LE(report.latency.quantile(0.89), 10ms);
  expect_about(report.latency.max(), 1s);
}

TEST_F(LoadTest, AClosedLoopHidesIt) {
  serve_greeting();
  const Link::Guard pause = lab_.link("client", "app").add(Toxics().with_stall(), Between{4s, 5s});
  const Report report = run(closed(8, 10s));
  expect_about(report.latency.quantile(0.99), 2ms);
  EXPECT_GE(report.latency.max(), 1s);
}

TEST_F(LoadTest, WhatWasDueAndHasNoAnswerCountsWithItsWait) {
  serve([](RequestCtx& ctx) -> Task<> { co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 20s)); });
  const Report report = run(open(100, 10s));
  EXPECT_EQ(report.responses, 0U);
  EXPECT_EQ(report.unfinished, 1000U);
  expect_about(report.latency.quantile(0.5), 5s);
  EXPECT_EQ(report.latency.max(), 10s);
  lab_.allow_leaks();  // the handlers
}

TEST_F(LoadTest, EndsInTimeWhateverTheServerDoes) {
  serve([](RequestCtx& ctx) -> Task<> { co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 20s)); });
  const Report report = run(closed(4, 3s));
  EXPECT_EQ(report.took, 3s);
  EXPECT_EQ(report.responses, 0U);
  EXPECT_EQ(report.unfinished, 4U);
  EXPECT_EQ(report.latency.count(), 0U);
  lab_.allow_leaks();
}

TEST_F(LoadTest, CountsStatusesThatAreErrors) {
  serve([](RequestCtx& ctx) { ctx.set_status(ctx.header("Fine") ? 204 : 503); });
  const Report bad = run(closed(1, 1s));
  EXPECT_EQ(bad.errors.at("status 503"), bad.responses);
  EXPECT_EQ(bad.error_count(), bad.responses);
  LoadOptions fine = closed(1, 1s);
  ASSERT_TRUE(fine.request.fields.set("Fine", "yes"));
  EXPECT_EQ(run(fine).error_count(), 0U);
}

TEST_F(LoadTest, CountsWhatGoesWrongByKindAndPauses) {
  const Report report = run(closed(2, 1s));
  EXPECT_EQ(report.responses, 0U);
  ASSERT_EQ(report.errors.size(), 1U);
  EXPECT_EQ(report.errors.begin()->first, make_error_code(Errc::connection_refused).message());
  EXPECT_GE(report.error_count(), 2U * 50);
  EXPECT_LE(report.error_count(), 2U * 100);
}

TEST_F(LoadTest, WhatIsGivenUpCountsWithItsWaitToo) {
  serve([](RequestCtx& ctx) -> Task<> { co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 2s)); });
  LoadOptions options = closed(1, 1s);
  options.timeout = 300ms;
  const Report report = run(options);
  EXPECT_EQ(report.error_count(), 3U);
  EXPECT_EQ(report.latency.count(), 3U);
  expect_about(report.latency.quantile(0.5), 300ms);
  lab_.allow_leaks();
}

TEST_F(LoadTest, SendsWhatItIsTold) {
  std::string seen;
  serve([&seen](RequestCtx& ctx) {
    seen = std::string(ctx.method_text()) + " " + std::string(ctx.header("X-Kind").value_or("")) + " " +
           std::string(ctx.body());
  });
  LoadOptions options = closed(1, 10ms);
  options.request.method = http::Method::put;
  options.request.body = "a thing";
  ASSERT_TRUE(options.request.fields.add("X-Kind", "odd"));
  EXPECT_GT(run(options).responses, 0U);
  EXPECT_EQ(seen, "PUT odd a thing");
}

}  // namespace
}  // namespace pipette::load
