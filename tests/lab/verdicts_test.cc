// The lab's verdicts: that nobody can go on, that something is left, that something does not hold; and in which words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/yield.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/oracles.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

template <class Verdict, class F>
std::string verdict(F&& body) {
  try {
    body();
  } catch (const Verdict& thrown) {
    return thrown.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

std::string leaks_of(Lab& lab) {
  return verdict<Leaked>([&] { lab.finish(); });
}

Task<> wait_for(async::Event& event) { co_await event.wait(); }

// Lets handlers take their time.
ServerOptions patient() {
  ServerOptions options;
  options.handler_timeout = server::kNoLimit;
  return options;
}

// A lab with a handler that waits until it is told to end.
class VerdictsTest : public testing::Test {
 protected:
  VerdictsTest() {
    end_ = std::make_unique<async::Event>(lab_.world().loop());
    lab_.serve(server_, "app:80");
  }

  std::unique_ptr<async::Event> end_;
  const Server server_{[this](RequestCtx& ctx) -> Task<> {
                         if (ctx.path() == "/wait") co_await end_->wait();
                         ctx.set_body("Hello");
                       },
                       patient()};
  Lab lab_;
};

// ---- stuck -----------------------------------------------------------------------------------------------

TEST(Verdicts, TellWhoWaitsForWhatAndWhy) {
  Lab lab;
  const ScriptedServer silent(lab, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("POST /x HTTP/1.1\r\nHost: app\r\nContent-Length: 100\r\n\r\n0123456789");
  EXPECT_EQ(verdict<Stuck>([&] { lab.run_until([&] { return peer.closed(); }); }),
            R"(nobody can make progress at +0.000000000
  the test waits for the test's condition
  listener app:80 waits for a connection
  conn 1: app waits to read
  conn 1: app waits for 90 more body bytes of POST /x; client has sent 10 of 100
last events:
  +0.000000000  listening on app:80
  +0.000000000  conn 1  client dials app:80
  +0.000000000  conn 1  app accepts
  +0.000000000  conn 1  client -> app  POST /x HTTP/1.1 (2 fields, 10 of 100 body bytes)
)");
}

TEST(Verdicts, KnowALivelockWhereverTheLabIsDriven) {
  Lab lab;
  lab.world().scheduler().set_max_steps_at_one_time(100);
  const auto spin = [](Lab& owner, const bool& is_over) -> Task<> {
    while (!is_over) co_await async::YieldToLoop(owner.world().loop());
  };
  bool is_over = false;
  EXPECT_THROW(lab.run(spin(lab, is_over)), inmem::Livelock);
  lab.spawn(spin(lab, is_over));
  EXPECT_THROW(lab.settle(), inmem::Livelock);
  EXPECT_THROW(lab.advance(1s), inmem::Livelock);
  is_over = true;
  lab.advance(1s);
}

TEST(Verdicts, TellWhichInvariantBrokeAndWhen) {
  Lab lab;
  Duration most = 1h;
  lab.always("it is early", [&] { return lab.elapsed() < most; });
  lab.advance(59min);
  EXPECT_THAT(verdict<BrokenInvariant>([&] { lab.advance(10min); }),
              StartsWith("not always: it is early, at +4140.000000000\nlast events:\n"));
  most = 2h;
  lab.advance(1s);
}

TEST(Verdicts, CountWhatSometimesHolds) {
  SometimesCounts counts;
  for (const bool held : {true, false, false}) {
    Lab lab({.sometimes = &counts});
    lab.sometimes("lucky", held);
    EXPECT_EQ(&lab.sometimes_counts(), &counts);
  }
  EXPECT_EQ(counts["lucky"].seen, 3U);
  EXPECT_EQ(counts["lucky"].held, 1U);
  Lab alone;
  alone.sometimes("x", false);
  EXPECT_EQ(alone.sometimes_counts().at("x").held, 0U);
}

TEST_F(VerdictsTest, ExpectLifeToGoOnWhenNothingIsWrong) {
  Peer peer = lab_.connect("app:80");
  peer.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  lab_.settle();
  const std::string report = verdict<Stuck>([&] { lab_.expect_liveness(5s); });
  EXPECT_THAT(report, AllOf(HasSubstr("the test waits for its end\n"), HasSubstr("GET /wait")));
  end_->set();
  peer.abort();
  lab_.expect_liveness(5s);
}

TEST_F(VerdictsTest, ExpectLifeToGoOnWhenWhatWasWrongIsHealed) {
  LenientReplay oracle(Choices::parse("fault.read/3/0=5"));
  Lab lab({.oracle = &oracle, .freedom = Freedom::faults});
  lab.serve([](RequestCtx& ctx) { ctx.set_body("Hello"); }, "app:80");
  std::optional<Peer> peer(lab.connect("app:80"));
  peer->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  lab.settle();
  ASSERT_EQ(lab.world().faults().struck(inmem::Operation::read, inmem::Fault::stall), 1U);
  EXPECT_EQ(peer->received(), "") << "what it sends does not arrive";
  peer->close_write();
  lab.expect_liveness(5s);
  EXPECT_THAT(peer->received(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(VerdictsTest, ExpectLifeToGoOnWithoutTheTriggersThatWaited) {
  const auto trap = lab_.link("client", "app").add(net::Toxics().with_black_hole(), [] {
    return std::make_unique<net::AfterBytes>(41);
  });
  Peer peer = lab_.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  (void)peer.expect_response(200);
  lab_.world().network().heal();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  (void)peer.expect_response(200);
}

// ---- leaks -----------------------------------------------------------------------------------------------

TEST_F(VerdictsTest, FindAHandlerThatNeverReturns) {
  std::optional<Peer> peer(lab_.connect("app:80"));
  peer->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  lab_.settle();
  peer.reset();
  const std::string leaks = leaks_of(lab_);
  EXPECT_THAT(leaks, StartsWith("the lab has ended, and this has not:\n  1 handler at app:80\n"));
  EXPECT_THAT(leaks, HasSubstr("last events:\n"));
  EXPECT_NO_THROW(lab_.finish()) << "it is told once";
  end_->set();
  lab_.settle();
}

TEST(Verdicts, FindATaskThatTheTestHasSpawned) {
  Lab lab;
  async::Event never(lab.world().loop());
  constexpr int spawned = __LINE__ + 1;
  lab.spawn(wait_for(never));
  EXPECT_THAT(leaks_of(lab), AllOf(StartsWith("the lab has ended, and this has not:\n"
                                              "  1 task that the test has spawned\n    at "),
                                   HasSubstr("verdicts_test.cc:" + std::to_string(spawned) + "\n")));
  never.set();
  lab.settle();
}

TEST(Verdicts, FindAConnectionThatIsStillHeld) {
  Lab lab;
  const ScriptedServer silent(lab, "app:80");
  const Peer peer = lab.connect("app:80");
  EXPECT_THAT(leaks_of(lab), HasSubstr(R"(  2 ends of connections:
    conn 1, dialed at +0.000000000: nothing was sent
    client 10.0.0.1:49152 -> 10.0.1.1:80 ESTABLISHED
    app 10.0.1.1:80 -> 10.0.0.1:49152 ESTABLISHED, waits to read
)"));
}

TEST(Verdicts, FindATimerThatNobodyEnds) {
  struct Silent final : async::Timer {
    void run() override {}
  };
  Lab lab;
  Silent timer;
  lab.world().loop().arm(timer, TimePoint(100h));
  EXPECT_THAT(leaks_of(lab), HasSubstr("  a timer, armed for +360000.000000000\n"));
}

TEST_F(VerdictsTest, FindAScriptThatWasNotPlayedToItsEnd) {
  const Play play(lab_.connect("app:80"), Script().wait(1s).close());
  EXPECT_THAT(leaks_of(lab_), ContainsRegex(R"(
  a script was not played to its end; what is left of its 2 steps:
    verdicts_test.cc:[0-9]+: wait 1 s
    verdicts_test.cc:[0-9]+: close
)"));
}

TEST(Verdicts, FindARequestForWhichAScriptedServerHadNoAnswer) {
  Lab lab;
  {
    ScriptedServer server(lab, "app:80");
    server.on("GET /other *", respond(200));
    EXPECT_THROW(lab.get("http://app/"), CallFailed);
  }
  EXPECT_THAT(leaks_of(lab),
              AllOf(HasSubstr("  nobody has an answer to \"GET / HTTP/1.1"), HasSubstr("verdicts_test.cc:")));
}

TEST(Verdicts, FindAnAnswerThatHasFailed) {
  Lab lab;
  {
    ScriptedServer server(lab, "app:80");
    server.answer(Script().expect("more").send(respond(200)));
    Peer peer = lab.connect("app:80");
    peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\nless");
    lab.settle();
  }
  EXPECT_THAT(leaks_of(lab), ContainsRegex("verdicts_test.cc:[0-9]+: step 1 of 2 failed"));
}

TEST_F(VerdictsTest, TellTheFrameworkWhenTheLabEndsOfItself) {
  GTestProbe probe;
  const auto leave = [](bool allows) {
    Lab lab;
    async::Event never(lab.world().loop());
    if (allows) lab.allow_leaks();
    lab.spawn([](Lab& owner) -> Task<> { co_await async::sleep_until(owner.world().loop(), TimePoint(100h)); }(lab));
  };
  const std::optional<std::string> failure = probe.run([&] { leave(false); });
  ASSERT_TRUE(failure);
  EXPECT_THAT(*failure, AllOf(HasSubstr("verdicts_test.cc:"), HasSubstr("1 task that the test has spawned")));
  EXPECT_FALSE(probe.run([&] { leave(true); }));
  EXPECT_FALSE(probe.run([] { Lab lab; }));
}

TEST(Verdicts, SayNothingOnTopOfAnotherException) {
  const auto fail_meanwhile = [] {
    Lab lab;
    Peer peer = lab.connect("nobody:80");
  };
  EXPECT_THROW(fail_meanwhile(), std::system_error);
}

// ---- what is to be seen, and driven ----------------------------------------------------------------------

TEST_F(VerdictsTest, ShowWhoIsConnectedWithWhom) {
  Peer peer = lab_.connect("app:80");
  peer.send("GET /wait HTTP/1.1\r\n");
  lab_.settle();
  EXPECT_EQ(lab_.netstat(),
            R"(State        Host      Local               Remote              Recv-Q  Send-Q  Waits
LISTEN       app       10.0.1.1:80         *                   0       0       to accept
ESTABLISHED  client    10.0.0.1:49152      10.0.1.1:80         0       0
ESTABLISHED  app       10.0.1.1:80         10.0.0.1:49152      0       0       to read, until +10.000000000
)");
  peer.close_write();
  lab_.settle();
  EXPECT_THAT(lab_.netstat(), Not(HasSubstr("ESTABLISHED  client")));
}

TEST(Verdicts, AskTheOracleForDecisionsOfTheTest) {
  class Two final : public Oracle {
   public:
    unsigned answer(const Question& question) override { return question.site.name() == "menu" ? 2 : 0; }
  } oracle;
  Lab lab({.oracle = &oracle});
  EXPECT_EQ(lab.choose("menu", 3), 2U);
  EXPECT_EQ(lab.choose("menu", 1), 0U) << "nothing to choose";
  EXPECT_EQ(lab.choose("other", 3), 0U);
}

TEST(Verdicts, DriveBlockingFunctionsInVirtualTime) {
  Lab lab;
  int ran = 0;
  lab.run_blocking([&](async::BlockingCtx& blocking) {
    blocking.sleep_for(2h);
    ++ran;
  });
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(lab.elapsed(), 2h);
}

}  // namespace
}  // namespace pipette::lab
