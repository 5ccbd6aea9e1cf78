// What a server writes into its log, and what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/lab/gtest.h"
#include "pipette/server/timeout.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::Serving;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Log, IsOfLinesWhateverAnExceptionSays) {
  Serving app([](RequestCtx&) { throw std::runtime_error("no\r\nadmin logged in\x7f \xc3\xa4"); });
  app.answer_to(get("/a"));
  EXPECT_THAT(app.log(), ElementsAre("handler of GET /a threw: no\\x0D\\x0Aadmin logged in\\x7F \xc3\xa4"));
}

TEST(Log, TakesLinesOfHandlersBehindWhoAsks) {
  Serving app([](RequestCtx& ctx) { ctx.log("three\nlines"); });
  Peer peer = app.connect();
  peer.send(get("/a?b"));
  peer.expect_response(200);
  ASSERT_EQ(app.log().size(), 1U);
  EXPECT_THAT(app.log()[0], testing::EndsWith(" - three\\x0Alines"));
  EXPECT_THAT(app.log()[0], testing::HasSubstr("/a?b"));
}

TEST(Log, TellsOfConnectionsThatBreakWhenAllErrorsAreWanted) {
  struct Case {
    bool logs_all;
    bool is_secure;
    std::string_view sent;
    std::string_view expected;  // nothing: no line
  };
  for (const Case& each : {
           Case{false, false, "", ""},
           Case{true, false, "", "the connection of 10.0.0.1:"},
           Case{true, false, "GET / HT", "the connection of 10.0.0.1:"},
           Case{true, true, "GET / HT", "the connection of a client broke"},
       }) {
    ServerOptions options;
    options.log_all_errors = each.logs_all;
    options.secure_error_log_message = each.is_secure;
    Serving app([](RequestCtx&) {}, options);
    Peer peer = app.connect();
    peer.send(std::string(kGet) + std::string(each.sent));
    peer.expect_response(200);
    peer.abort();
    app.lab().settle();
    if (each.expected.empty()) {
      EXPECT_THAT(app.log(), IsEmpty());
    } else {
      ASSERT_EQ(app.log().size(), 1U);
      EXPECT_THAT(app.log()[0], StartsWith(std::string(each.expected)));
      EXPECT_EQ(app.log()[0].ends_with("idled"), each.sent.empty());
    }
  }
}

TEST(Log, OfAnEndInOrderHasNoLineEvenThen) {
  ServerOptions options;
  options.log_all_errors = true;
  Serving app([](RequestCtx&) {}, options);
  app.answer_to(kGet);
  EXPECT_THAT(app.log(), IsEmpty());
}

// ---- the answer in a late handler's place ----------------------------------------------------------------------

TEST(LateAnswer, HasFieldsOfItsOwnButNotThoseThatTheServerManages) {
  LateAnswer answer{.status = 504, .message = R"({"error":"later"})"};
  ASSERT_TRUE(answer.fields.set("Content-Type", "application/json"));
  ASSERT_TRUE(answer.fields.set("Retry-After", "7"));
  ASSERT_TRUE(answer.fields.set("Content-Length", "1"));
  const auto sleep = [](RequestCtx& ctx) -> Task<> {
    (void)ctx.set_header("X-Never", "sent");
    co_await ctx.sleep(1h);
  };
  const auto give_up = [answer](RequestCtx& ctx) -> Task<> {
    ctx.timeout_error(answer);
    co_await ctx.sleep(1h);
  };
  for (const bool gives_up : {false, true}) {
    Serving app(gives_up ? Handler(give_up) : timeout(sleep, 1s, answer));
    Peer peer = app.connect();
    peer.send(kGet);
    app.lab().advance(1s);
    const auto found = test::answers(peer.take());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].head.status, 504);
    EXPECT_EQ(found[0].body, R"({"error":"later"})");
    EXPECT_EQ(found[0].field("content-type"), "application/json");
    EXPECT_EQ(found[0].field("retry-after"), "7");
    EXPECT_EQ(found[0].field("x-never"), "(none)");
  }
}

TEST(LateAnswer, IsLoggedForWhomTheHandlerSaysItWas) {
  std::vector<std::string> seen;
  ServerOptions options;
  options.on_access = [&seen](const AccessRecord& of) { seen.push_back(of.remote.to_string()); };
  const auto act = [](RequestCtx& ctx) -> Task<> {
    ctx.set_remote_address(*net::Address::parse("192.0.2.7:1"));
    co_await ctx.sleep(1h);
  };
  Serving app(timeout(act, 1s), options);
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().advance(1s);
  peer.expect_response(503);
  EXPECT_THAT(seen, ElementsAre("192.0.2.7:1"));
}

// ---- an answer that starts over --------------------------------------------------------------------------------

TEST(Hijack, IsForgottenByAnErrorThatIsSetLater) {
  for (const bool resets : {false, true}) {
    Serving app([resets](RequestCtx& ctx) {
      ASSERT_TRUE(ctx.upgrade("echo", [](HijackedConnection) -> Task<> {
        ADD_FAILURE() << "hijacked";
        co_return;
      }));
      resets ? ctx.reset_response() : ctx.error(403, "not you");
    });
    Peer peer = app.connect();
    peer.send(get("/", "Connection: Upgrade\r\nUpgrade: echo\r\n") + std::string(kGet));
    peer.expect_response(resets ? 200 : 403);
    peer.expect_response(resets ? 200 : 403);
  }
}

}  // namespace
}  // namespace pipette::server
