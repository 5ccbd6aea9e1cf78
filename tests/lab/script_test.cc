// Scripts: peers that act by themselves, and what is said of steps that fail or are never reached.
#include "pipette/lab/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class PlayTest : public testing::Test {
 protected:
  PlayTest() { lab_.serve(server_, "app:80"); }
  // What a play of `script` has to say in the end.
  std::string report(const Script& script, Duration wait = 0s) {
    Play play(lab_.connect("app:80"), script);
    lab_.advance(wait);
    const std::string text = play.report();
    EXPECT_EQ(play.is_done(), text.empty());
    if (!text.empty()) {
      EXPECT_EQ(GTestProbe().run([&] { play.finish(); }).value_or("").ends_with(": Failed\n" + text), true);
    }
    return text;
  }

  const Server server_{[](RequestCtx& ctx) -> Task<> {
    ctx.set_body("Hello");
    if (ctx.path() == "/slow") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 3s));
  }};
  Lab lab_;
};

TEST_F(PlayTest, ActsByItselfWhileTheTestDoesSomethingElse) {
  Script script;
  script.send("GET / HTTP/1.1\r\n").wait(5s).send("Host: a\r\n\r\n").expect_response(200);
  script.send("HEAD /slow HTTP/1.1\r\nHost: a\r\n\r\n").expect_response(200);
  script.send(kGet).expect_response(200).close_write().expect_closed();
  Play play(lab_.connect("app:80"), script);
  EXPECT_FALSE(play.is_done());
  EXPECT_EQ(lab_.get("http://app/slow").status, 200);
  lab_.advance(5s - 1ns);
  EXPECT_FALSE(play.is_done());
  lab_.advance(1ns);
  EXPECT_TRUE(play.is_done());
  play.finish();
  EXPECT_EQ(play.report(), "");
  EXPECT_EQ(lab_.elapsed(), 8s);
}

TEST_F(PlayTest, SendsSlowly) {
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  Script script;
  script.send_slowly(request, 100ms).expect_response(200).expect_closed();
  Play play(lab_.connect("app:80"), script);
  const Duration last = (static_cast<int>(request.size()) - 1) * 100ms;
  lab_.advance(last - 1ns);
  EXPECT_FALSE(play.is_done());
  lab_.advance(1ns);
  EXPECT_TRUE(play.is_done());
}

TEST_F(PlayTest, GoesOnFromWhatItsPeerHasReceived) {
  Peer peer = lab_.connect("app:80");
  peer.send(kGet);
  ASSERT_NE(peer.received(), "");
  Script script;
  script.expect("HTTP/1.1 200 OK\r\n").expect_matching("*\r\n\r\nHello").send(kGet).expect_response(200);
  Play play(std::move(peer), script);
  play.finish();
}

TEST_F(PlayTest, ClosesAndResets) {
  EXPECT_EQ(report(Script().close()), "");
  EXPECT_EQ(report(Script().abort()), "");
  EXPECT_EQ(report(Script().send("GET / HTT").expect_response(408).expect_closed(), 10s), "");
  EXPECT_EQ(report(Script().send("x\r\n").expect_response(400).wait(1h).expect_closed(), 1h), "");
}

TEST_F(PlayTest, SaysWhatHasFailed) {
  struct Row {
    Script script;
    std::string where;
    std::string why;
  };
  const std::string last = "GET / HTTP/1.0\r\n\r\n";
  for (const Row& row : {
           Row{Script().send(kGet).expect("HTTP/1.1 404"),
               "step 2 of 2 failed, at +0.000000000\n  expect \"HTTP/1.1 404\"\n",
               "something else came at octet 9\n  expected  \"HTTP/1.1 404\"\n  received  \"HTTP/1.1 200 OK"},
           Row{Script().send(kGet).expect_matching("HTTP/1.1 4{rest}\r\n"), "step 2 of 2",
               "something else came at octet 9\n"},
           Row{Script().send(kGet).expect_response(404), "step 2 of 2", "a response 200 came\n"},
           Row{Script().send("x\r\n").expect_closed(), "step 2 of 2", "there is more to read\n"},
           Row{Script().send(last).expect_response(200).expect_reset(), "step 3 of 3", "has finished in order"},
           Row{Script().send(last).expect_response(200).expect("x"), "step 3 of 3", "octet 0, and nothing more will\n"},
           Row{Script().send(last).expect_response(200).expect_response(200), "step 3 of 3", "no response: "},
           Row{Script().close().send("x"), "step 2 of 2", "the script has closed the connection"},
           Row{Script().abort().send("x"), "step 2 of 2", "it could not be sent: "},
       }) {
    EXPECT_THAT(report(row.script), AllOf(HasSubstr("script_test.cc:"), HasSubstr(row.where), HasSubstr(row.why)));
  }
}

TEST_F(PlayTest, SaysWhichStepsWereNeverReached) {
  EXPECT_THAT(report(Script().send("GET").expect_response(200).wait(1500ms).close_write()),
              MatchesRegex(R"(a script was not played to its end; what is left of its 4 steps:
  script_test.cc:[0-9]+: expect a response 200
  script_test.cc:[0-9]+: wait 1.5 s
  script_test.cc:[0-9]+: finish sending
)"));
}

TEST_F(PlayTest, IsMissedByTheLabWhenItDiesUnfinished) {
  {
    const Play whole(lab_.connect("app:80"), Script().send(kGet).expect_response(200));
  }
  EXPECT_EQ(lab_.world().unfinished(), "");
  {
    const Play unfinished(lab_.connect("app:80"), Script().wait(1s));
  }
  try {
    lab_.finish();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Leaked& leaked) {
    EXPECT_THAT(leaked.what(), ContainsRegex(R"(
  a script was not played to its end; what is left of its 1 steps:
    script_test.cc:[0-9]+: wait 1 s
)"));
  }
}

TEST_F(PlayTest, ThrowsNothingOnTopOfAnotherException) {
  const auto fail_meanwhile = [&] {
    const Play play(lab_.connect("app:80"), Script().wait(1s));
    throw std::runtime_error("something else");
  };
  EXPECT_THROW(fail_meanwhile(), std::runtime_error);
}

TEST_F(PlayTest, RefusesAPeerThatIsStillSending) {
  Peer peer = lab_.connect("app:80");
  peer.send_slowly(kGet, 1s);
  EXPECT_THROW(Play(std::move(peer), Script()), std::logic_error);
}

}  // namespace
}  // namespace pipette::lab
