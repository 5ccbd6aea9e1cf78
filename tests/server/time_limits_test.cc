// Each limit on the time of a connection strikes in its own phase, to the nanosecond, and is counted as what it is.
#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/server/metrics.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::get;
using test::kGet;
using test::Serving;
using test::statuses;
using testing::ElementsAre;

constexpr std::array kTimeOuts = {&Metrics::idle_timeouts,      &Metrics::read_header_timeouts,
                                  &Metrics::read_timeouts,      &Metrics::read_body_rate_timeouts,
                                  &Metrics::handler_timeouts,   &Metrics::write_timeouts,
                                  &Metrics::write_rate_timeouts};

std::uint64_t time_outs_of(const Worker& worker) {
  std::uint64_t sum = 0;
  for (const auto counter : kTimeOuts) sum += (worker.metrics().*counter).get();
  return sum;
}

// Nothing strikes until `time` is over, less a nanosecond; then this does, and nothing else.
void expect_strike(Serving& app, Duration time, Count Metrics::* counter) {
  app.lab().advance(time - 1ns);
  EXPECT_EQ(time_outs_of(app.worker()), 0U);
  EXPECT_EQ(app.worker().open_connections(), 1U);
  app.lab().advance(1ns);
  EXPECT_EQ((app.worker().metrics().*counter).get(), 1U);
  EXPECT_EQ(time_outs_of(app.worker()), 1U) << "nothing else is counted";
}

Task<> act(RequestCtx& ctx) {
  if (ctx.path() == "/slow") co_await ctx.sleep(1h);
  ctx.set_body(std::string(ctx.path() == "/large" ? 100'000 : ctx.path() == "/small" ? 5'000 : 5, 'x'));
}

net::ChannelOptions pipes_of(std::size_t bytes) {
  net::ChannelOptions pipes;
  pipes.with_capacity(bytes);
  return pipes;
}

// ---- every phase -----------------------------------------------------------------------------------------

enum class Ending : std::uint8_t { answered_and_closed, answered, closed, aborted };

struct Phase {
  std::string name;
  Duration limit;
  Count Metrics::* counter;
  Ending ending;
  int status;
  std::string sent;  // and then nothing
  void (*choose)(ServerOptions& options) = [](ServerOptions&) {};
  std::size_t pipe_bytes = 1'000;
};

void forget_rates(ServerOptions& options) { options.read_body_min_rate = options.write_min_rate = 0; }

ServerOptions without_rates() {
  ServerOptions options;
  forget_rates(options);
  return options;
}

std::string post_of(std::size_t declared, std::size_t sent) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(declared) + "\r\n\r\n" +
         std::string(sent, 'b');
}

std::vector<Phase> phases() {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
  const std::string large = get("/large");
  return {
      {"Silence", 10s, &Metrics::read_header_timeouts, Ending::closed, 0, ""},
      {"Head", 10s, &Metrics::read_header_timeouts, Ending::answered_and_closed, 408, "GET / HTTP/1.1\r\nHo"},
      {"HeadBehindARequest", 10s, &Metrics::read_header_timeouts, Ending::answered_and_closed, 408,
       std::string(kGet) + "G"},
      {"Body", 60s, &Metrics::read_timeouts, Ending::answered_and_closed, 408, post_of(5, 2), forget_rates},
      {"ChunkedBody", 60s, &Metrics::read_timeouts, Ending::answered_and_closed, 408, chunked, forget_rates},
      {"NoBody", 5s, &Metrics::read_body_rate_timeouts, Ending::answered_and_closed, 408, post_of(5, 0)},
      {"SlowBody", 10s, &Metrics::read_body_rate_timeouts, Ending::answered_and_closed, 408, post_of(9'999, 2'400),
       [](ServerOptions&) {}, 10'000},
      {"Handler", 30s, &Metrics::handler_timeouts, Ending::answered, 503, get("/slow")},
      {"Write", 60s, &Metrics::write_timeouts, Ending::aborted, 0, large, forget_rates},
      {"WriteOfLittle", 60s, &Metrics::write_timeouts, Ending::aborted, 0, get("/small"), forget_rates},
      {"SlowRead", 5s, &Metrics::write_rate_timeouts, Ending::aborted, 0, large},
      {"SlowReadOfALot", 10s, &Metrics::write_rate_timeouts, Ending::aborted, 0, large, [](ServerOptions&) {}, 2'400},
      {"Idle", 75s, &Metrics::idle_timeouts, Ending::closed, 200, std::string(kGet)},
  };
}

class TimeLimit : public testing::TestWithParam<Phase> {};

TEST_P(TimeLimit, StrikesAtItsTimeAndNotBefore) {
  const Phase& phase = GetParam();
  ServerOptions options;
  phase.choose(options);
  Serving app(act, options, pipes_of(phase.pipe_bytes));
  Peer peer = app.connect();
  peer.send(phase.sent);
  app.lab().settle();
  expect_strike(app, phase.limit, phase.counter);
  EXPECT_EQ(peer.closed(), phase.ending != Ending::answered);
  EXPECT_EQ(peer.was_reset(), phase.ending == Ending::aborted);
  if (phase.ending == Ending::aborted) return;
  const auto found = answers(peer.take());
  EXPECT_EQ(found.empty() ? 0 : found.back().head.status, phase.status);
  if (phase.ending == Ending::answered_and_closed) {
    EXPECT_EQ(found.back().field("connection"), "close");
  }
  peer.close_write();
  app.lab().settle();
  EXPECT_EQ(time_outs_of(app.worker()), 1U) << "nor later";
}

INSTANTIATE_TEST_SUITE_P(OfEveryPhase, TimeLimit, testing::ValuesIn(phases()),
                         [](const testing::TestParamInfo<Phase>& phase) { return phase.param.name; });

// ---- what has no counter ---------------------------------------------------------------------------------

TEST(TimeLimits, EndLingeringSilently) {
  Serving app(act);
  Peer peer = app.connect();
  peer.send(get("/", "Connection: close\r\n"));
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
  EXPECT_TRUE(peer.closed());
  app.lab().advance(5s - 1ns);
  EXPECT_EQ(app.worker().open_connections(), 1U);
  app.lab().advance(1ns);
  EXPECT_EQ(app.worker().open_connections(), 0U);
  EXPECT_EQ(time_outs_of(app.worker()), 0U);
}

TEST(TimeLimits, AnnounceTheCloseOfAConnectionOfAge) {
  for (const bool is_of_age : {false, true}) {
    ServerOptions options;
    options.max_conn_age = 50s;
    Serving app(act, options);
    Peer peer = app.connect();
    peer.send(kGet);
    EXPECT_EQ(answers(peer.take())[0].field("connection"), "(none)");
    app.lab().advance(50s - (is_of_age ? 0ns : 1ns));
    peer.send(kGet);
    EXPECT_EQ(answers(peer.take())[0].field("connection"), is_of_age ? "close" : "(none)");
    EXPECT_EQ(peer.closed(), is_of_age);
  }
}

// ---- limits that do not strike ---------------------------------------------------------------------------

TEST(TimeLimits, ArmNothingWhenThereAreNone) {
  ServerOptions options = without_rates();
  options.read_header_timeout = options.read_timeout = options.idle_timeout = kNoLimit;
  options.handler_timeout = options.write_timeout = options.max_conn_age = kNoLimit;
  Serving app(
      [](RequestCtx& ctx) -> Task<> {
        ctx.set_body(std::string(5'000, 'x'));
        co_return;
      },
      options, pipes_of(1'000));
  Peer peer = app.connect();
  const auto expect_no_timer = [&app](std::string_view when) {
    app.lab().settle();
    EXPECT_EQ(app.lab().world().scheduler().next_deadline(), kNever) << when;
    app.lab().advance(24h);
  };
  expect_no_timer("silent");
  peer.send(post_of(2, 1));
  expect_no_timer("half a body");
  peer.send("b");
  expect_no_timer("an answer that is not read");
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
  expect_no_timer("idle");
  EXPECT_FALSE(peer.closed());
}

TEST(TimeLimits, LetABodyComeThatIsJustFastEnoughAndCutOneThatIsATrifleTooSlow) {
  struct Row {
    std::size_t bytes;  // a second
    int status;
    std::uint64_t time_outs;
  };
  for (const Row& row : {Row{240, 200, 0}, Row{239, 408, 1}}) {
    ServerOptions options;
    options.read_timeout = kNoLimit;
    Serving app(act, options);
    Peer peer = app.connect();
    peer.send(post_of(24'000, 0));
    for (int second = 0; second < 100 && !peer.closed(); ++second) {
      ASSERT_EQ(peer.received(), "") << second;
      peer.send(std::string(row.bytes, 'b'));
      app.lab().advance(1s - 1ns);
    }
    EXPECT_THAT(statuses(peer.received()), ElementsAre(row.status));
    EXPECT_EQ(app.worker().metrics().read_body_rate_timeouts.get(), row.time_outs);
  }
}

TEST(TimeLimits, LetAClientReadThatIsJustFastEnough) {
  ServerOptions options;
  options.write_timeout = kNoLimit;
  Serving app([](RequestCtx& ctx) { ctx.set_body(std::string(24'000, 'x')); }, options, pipes_of(240));
  Peer peer = app.connect();
  peer.send(kGet);
  std::string taken;
  while (app.worker().served() == 0) {
    app.lab().advance(1s);
    taken += peer.take();
    ASSERT_FALSE(peer.was_reset()) << "at " << taken.size();
  }
  EXPECT_THAT(statuses(taken + peer.take()), ElementsAre(200));
}

TEST(TimeLimits, LeaveTheTimeOfAHandlerOutOfThatOfWriting) {
  const auto sleep_and_say_much = [](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(29s);
    ctx.set_body(std::string(5'000, 'x'));
  };
  Serving app(sleep_and_say_much, without_rates(), pipes_of(1'000));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(29s + 60s - 1ns);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
}

TEST(TimeLimits, OfWritingDoNotReachIntoIdling) {
  Serving app(act, without_rates(), pipes_of(1'000));
  Peer peer = app.connect();
  peer.send(get("/large"));
  app.lab().advance(59s);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
  app.lab().advance(75s - 1ns);
  peer.send(get("/large"));
  app.lab().advance(60s - 1ns);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200)) << "a deadline of its own";
  EXPECT_EQ(time_outs_of(app.worker()), 0U);
}

// ---- limits that a handler sets --------------------------------------------------------------------------

TEST(TimeLimits, OfWritingAreThoseThatTheHandlerSetForThisExchangeAlone) {
  const auto limit_the_first = [](RequestCtx& ctx) {
    if (ctx.request_number() == 2) ctx.set_write_deadline(after(ctx.now(), 7s));
    ctx.set_body(std::string(5'000, 'x'));
  };
  Serving app(limit_the_first, without_rates(), pipes_of(1'000));
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(60s - 1ns);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
  peer.send(kGet);
  expect_strike(app, 7s, &Metrics::write_timeouts);
  EXPECT_TRUE(peer.was_reset());
}

TEST(TimeLimits, OfReadingAreThoseThatTheHandlerSetForThisExchangeAlone) {
  ServerOptions options = without_rates();
  options.stream_request_body = true;
  std::vector<std::string> heard;
  const auto read_for_7_seconds = [&heard](RequestCtx& ctx) -> Task<> {
    ctx.set_read_deadline(after(ctx.now(), 7s));
    const Result<std::string_view> more = co_await ctx.read_body();
    heard.push_back(more ? std::string(*more) : more.error().message());
    ctx.set_body("enough");
  };
  Serving app(read_for_7_seconds, options);
  Peer peer = app.connect();
  peer.send(post_of(5, 0));
  app.lab().settle();
  EXPECT_TRUE(heard.empty());
  expect_strike(app, 7s, &Metrics::read_timeouts);
  EXPECT_THAT(heard, ElementsAre(make_error_code(Errc::request_timeout).message()));
  EXPECT_THAT(statuses(peer.received()), ElementsAre(200));
  EXPECT_TRUE(peer.closed()) << "the rest of the body may still come";
}

}  // namespace
}  // namespace pipette::server
