// The lab: what moves its clock, what it tells when nothing can move, and that it is the same every time.
#include "pipette/lab/lab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void greet(RequestCtx& ctx) { ctx.set_body("Hello, " + std::string(ctx.body())); }

Task<> sleep(Lab& lab, Duration wait) { co_await async::sleep_until(lab.world().loop(), after(lab.now(), wait)); }

Task<int> answer_after(Lab& lab, Duration wait, int answer) {
  co_await sleep(lab, wait);
  co_return answer;
}

Task<> wait_for(async::Event& event) { co_await event.wait(); }

Task<> fail_after(Lab& lab, Duration wait) {
  co_await sleep(lab, wait);
  throw std::out_of_range("too far");
}

// What `call` throws when it is stuck.
template <class F>
std::string stuck_report(F&& call) {
  try {
    call();
  } catch (const Stuck& stuck) {
    return stuck.what();
  }
  ADD_FAILURE() << "not stuck";
  return "";
}

TEST(Lab, GetsAndPosts) {
  const Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "Hello, ");
  EXPECT_EQ(lab.post("http://app/", "text/plain", "Ada").body, "Hello, Ada");
  EXPECT_EQ(lab.elapsed(), 0s);
}

TEST(Lab, ThrowsWhenACallFails) {
  Lab lab;
  try {
    lab.get("http://nowhere/");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), Errc::host_not_found);
    EXPECT_THAT(error.what(), HasSubstr("GET http://nowhere/"));
  }
  EXPECT_THROW(lab.post("http://nowhere/", "text/plain", ""), std::system_error);
  EXPECT_THROW(lab.connect("nowhere:80"), std::system_error);
  EXPECT_THROW(lab.connect("no address"), std::system_error);
}

TEST(Lab, ServesEachAddressOnce) {
  const Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  lab.serve(server, "app:81");
  EXPECT_THROW(lab.serve(server, "app:80"), std::system_error);
  EXPECT_THROW(lab.serve(server, "no address"), std::system_error);
  EXPECT_EQ(lab.get("http://app:81/").status, 200);
}

// ---- the clock -------------------------------------------------------------------------------------------

TEST(Lab, AdvancesAsFarAsItIsTold) {
  Lab lab;
  EXPECT_EQ(lab.elapsed(), 0s);
  lab.advance(1ns);
  lab.advance(1h);
  lab.advance(0s);
  EXPECT_EQ(lab.elapsed(), 1h + 1ns);
}

TEST(Lab, StepsThroughEveryDeadlineOnTheWay) {
  Lab lab;
  std::string seen;
  const auto note = [](Lab& owner, std::string& into, Duration wait) -> Task<> {
    co_await sleep(owner, wait);
    into += std::to_string(owner.elapsed() / 1s) + " ";
    co_await sleep(owner, 10s);
    into += std::to_string(owner.elapsed() / 1s) + " ";
  };
  async::TaskGroup group(lab.world().loop());
  for (const Duration wait : {7s, 3s, 20s}) group.spawn(note(lab, seen, wait));
  lab.settle();
  lab.advance(20s);
  EXPECT_EQ(seen, "3 7 13 17 20 ") << "those at its end included";
  lab.advance(10s);
  EXPECT_EQ(seen, "3 7 13 17 20 30 ");
}

TEST(Lab, StandsStillWhileItSettles) {
  Lab lab;
  Task<int> task = answer_after(lab, 1ns, 42);
  task.start();
  lab.settle();
  EXPECT_FALSE(task.done());
  EXPECT_EQ(lab.elapsed(), 0s);
  lab.advance(1ns);
  EXPECT_EQ(task.await_resume(), 42);
}

TEST(Lab, RunsATaskAndMovesTheClockNoFurtherThanItNeeds) {
  Lab lab;
  EXPECT_EQ(lab.run(answer_after(lab, 90min, 42)), 42);
  EXPECT_EQ(lab.elapsed(), 90min);
  lab.run(sleep(lab, 1min));
  EXPECT_EQ(lab.elapsed(), 91min);
}

TEST(Lab, PassesOnWhatATaskThrows) {
  Lab lab;
  const auto fail_later = [](Lab& owner) -> Task<> {
    co_await sleep(owner, 1s);
    throw std::runtime_error("out of luck");
  };
  EXPECT_THROW(lab.run(fail_later(lab)), std::runtime_error);
  EXPECT_EQ(lab.elapsed(), 1s);
}

TEST(Lab, RunsUntilAConditionHolds) {
  const Server server([](RequestCtx&) {});
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\n");
  lab.run_until([&] { return peer.closed(); });
  EXPECT_EQ(lab.elapsed(), 10s);
  lab.run_until([] { return true; });
  EXPECT_EQ(lab.elapsed(), 10s);
}

// ---- stuck -----------------------------------------------------------------------------------------------

TEST(Lab, SaysAtOnceThatAConditionCanNeverHold) {
  const Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  lab.advance(1500ms);
  const std::string report = stuck_report([&] { lab.run_until([] { return false; }); });
  EXPECT_THAT(report, HasSubstr("nobody can make progress at +1.500000000"));
  EXPECT_THAT(report, HasSubstr("the test waits for the test's condition"));
  EXPECT_THAT(report, HasSubstr("listener app:80 waits for a connection"));
  EXPECT_EQ(lab.elapsed(), 1500ms);
}

TEST(Lab, SaysWhoWaitsWhenAHandlerNeverReturns) {
  std::unique_ptr<async::Event> never;
  ServerOptions options;
  options.handler_timeout = server::kNoLimit;
  const Server server([&never](RequestCtx&) -> Task<> { co_await never->wait(); }, options);
  Lab lab;
  lab.allow_leaks();
  never = std::make_unique<async::Event>(lab.world().loop());
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  const std::string report = stuck_report([&] { lab.run_until([&] { return !peer.received().empty(); }); });
  EXPECT_THAT(report, HasSubstr("nobody can make progress at +0.000000000"));
  EXPECT_THAT(report, HasSubstr("conn 1: request 1, GET /, has been sent whole; no response yet"));
  EXPECT_EQ(lab.elapsed(), 0s);
}

TEST(Lab, SaysWhoWaitsWhenAServerNeverAnswers) {
  Lab lab;
  const ScriptedServer silent(lab, "app:80");
  client::ClientOptions options;
  options.timeout = options.response_header_timeout = Duration::max();
  Client patient(lab.runtime(), options);
  const std::string report = stuck_report([&] { lab.run(patient.get("http://app/")); });
  EXPECT_THAT(report, AllOf(HasSubstr("the test waits for a task of the test"),
                            HasSubstr("conn 1: client waits to read\n"), HasSubstr("conn 1: app waits to read\n")));
  lab.settle();
  EXPECT_EQ(silent.left(), 1U) << "the task is gone, and its connection";
}

TEST(Lab, IsNotStuckWhileATimerIsArmed) {
  Lab lab;
  const ScriptedServer silent(lab, "app:80");
  EXPECT_THROW(lab.get("http://app/"), std::system_error) << "the client has a deadline";
  EXPECT_EQ(lab.elapsed(), 30s);
}

TEST(Lab, IsStuckWhenATaskWaitsForNobody) {
  Lab lab;
  async::Event never(lab.world().loop());
  EXPECT_THROW(lab.run(wait_for(never)), Stuck);
  async::Event soon(lab.world().loop());
  soon.set();
  lab.run(wait_for(soon));
}

TEST(Lab, ShowsTheLastEventsWhenItIsStuck) {
  const Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  for (int i = 0; i < 30; ++i) lab.get("http://app/" + std::to_string(i));
  const std::string report = stuck_report([&] {
    lab.advance(1h);  // else idle connections would let it go on
    lab.run_until([] { return false; });
  });
  EXPECT_THAT(report, AllOf(HasSubstr("earlier events"), HasSubstr("GET /29 "), Not(HasSubstr("GET /3 "))));
}

// ---- determinism -----------------------------------------------------------------------------------------

std::string run_a_busy_minute(std::uint64_t seed) {
  const Server server([](RequestCtx& ctx) -> Task<> {
    Random random = ctx.runtime().random("delay");
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), Duration(1 + random.below(1'000'000))));
    ctx.set_body(std::string(1000, 'x'));
  });
  Lab lab(seed);
  net::ChannelOptions narrow;
  narrow.with_capacity(300);
  lab.world().network().set_pipe_options(narrow);
  lab.serve(server, "app:80");
  async::TaskGroup group(lab.world().loop());
  const auto call = [](Lab& owner, int number) -> Task<> {
    co_await sleep(owner, Duration(number % 7));
    (void)co_await owner.client().get("http://app/" + std::to_string(number));
  };
  for (int i = 0; i < 50; ++i) group.spawn(call(lab, i));
  lab.advance(1min);
  EXPECT_TRUE(group.empty());
  return lab.transcript();
}

TEST(Lab, GivesTheSameTranscriptForTheSameSeed) {
  const std::string first = run_a_busy_minute(1);
  EXPECT_EQ(run_a_busy_minute(1), first);
  EXPECT_NE(run_a_busy_minute(2), first);
}

TEST(Lab, EndsWithEverythingUnderWay) {
  const Server server(
      [](RequestCtx& ctx) -> Task<> { co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h)); });
  Lab lab;
  lab.serve(server, "app:80");
  Task<Result<client::Response>> call = lab.client().get("http://app/");
  call.start();
  lab.advance(1s);
  EXPECT_FALSE(call.done());
}

TEST(Lab, ThrowsAtItsEndWhatASpawnedTaskHasThrown) {
  Lab lab;
  lab.spawn(fail_after(lab, 1s));
  lab.spawn(sleep(lab, 2s));
  lab.advance(2s);
  EXPECT_THROW(lab.finish(), std::out_of_range);
}

}  // namespace
}  // namespace pipette::lab
