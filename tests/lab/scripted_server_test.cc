// A server that says what a test gives it: in order, by pattern, late, wrong, or not at all.
#include "pipette/lab/scripted_server.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <system_error>

#include "pipette/lab/gtest.h"
#include "pipette/lab/oracles.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ScriptedServerTest : public testing::Test {
 protected:
  Result<client::Response> get(std::string_view path = "/") {
    return lab_.run(lab_.client().get("http://app" + std::string(path)));
  }
  // How verify() fails, without the place; empty when it does not.
  std::string complaint() {
    const std::string failure = GTestProbe().run([this] { server_.verify(); }).value_or("");
    return failure.substr(std::min(failure.find('\n') + 1, failure.size()));
  }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
};

TEST_F(ScriptedServerTest, AnswersInOrderWhicheverConnectionAsks) {
  server_.answer(respond(200, "one"));
  server_.answer(respond(404, "two", "X: y\r\n"));
  EXPECT_EQ(get("/1").value().body, "one");
  lab_.client().close_idle();
  const auto second = get("/2");
  EXPECT_EQ(second.value().status, 404);
  EXPECT_EQ(second.value().header("x"), "y");
  EXPECT_EQ(server_.accepted(), 2U);
  EXPECT_EQ(server_.left(), 1U);
  EXPECT_THAT(server_.requests(), ElementsAre("GET /1 HTTP/1.1\r\nHost: app\r\nUser-Agent: pipette\r\n\r\n",
                                              "GET /2 HTTP/1.1\r\nHost: app\r\nUser-Agent: pipette\r\n\r\n"));
  server_.verify();
}

TEST_F(ScriptedServerTest, AnswersByTheFirstPatternThatMatches) {
  server_.on("GET /a*", respond(200, "a"), 1);
  server_.on("GET /a*", respond(200, "a again"));
  server_.on("GET * HTTP/1.1\r\n*Host: app\r\n", respond(200, "any"));
  server_.answer(respond(200, "never"));
  EXPECT_EQ(get("/b").value().body, "any");
  EXPECT_EQ(get("/a").value().body, "a");
  EXPECT_EQ(get("/a").value().body, "a again");
  EXPECT_EQ(get("/ab").value().body, "a again");
  EXPECT_EQ(complaint(), "1 answers were not asked for\n");
}

TEST_F(ScriptedServerTest, TakesTheNextAnswerWhenNoPatternMatches) {
  server_.on("POST *", respond(200, "post"));
  server_.answer(respond(200, "next"));
  EXPECT_EQ(get().value().body, "next");
  server_.verify();
}

TEST_F(ScriptedServerTest, EndsARequestAsItsFramingSays) {
  server_.on("POST *", respond(204));
  Peer peer = lab_.connect("app:80");
  const std::string one = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  const std::string two = "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
  peer.send(one + two.substr(0, 70));
  peer.expect_response(204);
  peer.expect_nothing();
  peer.send(two.substr(70));
  peer.expect_response(204);
  EXPECT_THAT(server_.requests(), ElementsAre(one, two));
  peer.send("POST no request\r\n\r\n");
  peer.expect_response(204);
  EXPECT_THAT(server_.requests(), SizeIs(3)) << "what makes no sense ends with its head";
}

TEST_F(ScriptedServerTest, AnswersLate) {
  server_.answer(Script().wait(3s).send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").send_slowly("Hello", 1s));
  EXPECT_EQ(get().value().body, "Hello");
  EXPECT_EQ(lab_.elapsed(), 7s);
}

TEST_F(ScriptedServerTest, AnswersWrongly) {
  struct Row {
    Script script;
    std::error_condition error;
  };
  const std::string begun = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHel";
  for (const Row& row : {
           Row{Script().send(begun).close_write(), make_error_code(Errc::incomplete_message).default_error_condition()},
           Row{Script().send(begun).close(), make_error_code(Errc::incomplete_message).default_error_condition()},
           Row{Script().send(begun).abort(), std::errc::connection_reset},
           Row{Script().abort(), std::errc::connection_reset},
           Row{Script().send(begun), std::errc::timed_out},
           Row{Script().send("no response\r\n\r\n"), make_error_code(Errc::bad_status).default_error_condition()},
       }) {
    lab_.client().close_idle();
    server_.answer(row.script);
    const auto response = get();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().default_error_condition(), row.error) << response.error().message();
  }
}

TEST_F(ScriptedServerTest, ReadsOnInTheMiddleOfAnAnswer) {
  Script script;
  script.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  script.expect_matching("{word}\n").send("and hello to you\n").expect_closed();
  server_.on("GET /chat *", script);
  Peer peer = lab_.connect("app:80");
  peer.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  peer.expect_response(101);
  EXPECT_THAT(complaint(), HasSubstr("a script was not played to its end"));
  peer.send("hello\n");
  peer.expect("and hello to you\n");
  peer.close_write();
  server_.verify();
}

TEST_F(ScriptedServerTest, SaysWhichPatternsCameNearest) {
  server_.on("POST /x *", respond(200));
  server_.on("GET /users/1 *", respond(200), 1);
  server_.on("GET /users *", respond(200));
  server_.on("DELETE *", respond(200));
  Peer peer = lab_.connect("app:80");
  peer.send("GET /users/2 HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.expect_nothing();
  ASSERT_THAT(server_.unmatched(), SizeIs(1));
  const std::string& report = server_.unmatched()[0];
  EXPECT_THAT(report, HasSubstr("nobody has an answer to \"GET /users/2 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"\n"));
  EXPECT_THAT(report, HasSubstr("scripted_server_test.cc:"));
  EXPECT_THAT(report, HasSubstr(": \"GET /users/1 *\" matches up to octet 11\n"
                                "  expected  \"GET /users/1 \"\n"
                                "  received  \"GET /users/2 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"\n"
                                "                        ^\n"));
  EXPECT_LT(report.find("GET /users/1 *"), report.find("GET /users *"));
  EXPECT_LT(report.find("GET /users *"), report.find("POST /x *"));
  EXPECT_EQ(report.find("DELETE"), std::string::npos) << "three are enough";
  EXPECT_THAT(complaint(), AllOf(HasSubstr(report), HasSubstr("\"GET /users/1 *\" was expected 1 times more\n")));
}

TEST_F(ScriptedServerTest, SaysThatAPatternIsUsedUp) {
  lab_.allow_leaks();  // the unmatched request
  server_.on("GET *", respond(200), 1);
  EXPECT_TRUE(get());
  EXPECT_EQ(get().error(), std::errc::timed_out);
  ASSERT_THAT(server_.unmatched(), SizeIs(1));
  EXPECT_THAT(server_.unmatched()[0], HasSubstr("\"GET *\" matches, and is used up"));
}

TEST_F(ScriptedServerTest, SaysWhichStepOfAnAnswerFailed) {
  server_.answer(Script().expect("more").send(respond(200)));
  Peer peer = lab_.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nless");
  EXPECT_THAT(complaint(), HasSubstr("step 1 of 2 failed"));
}

TEST_F(ScriptedServerTest, ThrowsWhereItCannotListen) {
  EXPECT_THROW(ScriptedServer(lab_, "app:80"), std::system_error);
  EXPECT_THROW(ScriptedServer(lab_, "no address"), std::system_error);
}

TEST_F(ScriptedServerTest, GoesOnWhenAnAcceptHasFailed) {
  server_.answer(respond(200));
  lab_.world().network().fail_accept(*net::Address::parse("app:80"), Errc::too_many_open_files, 3);
  EXPECT_TRUE(get());
}

TEST(ScriptedServer, LetsOthersRunWhileItsAcceptsFail) {
  LenientReplay oracle(Choices::parse("fault.accept/0/0=4"));  // EMFILE, from then on
  LabOptions options;
  options.oracle = &oracle;
  options.freedom = Freedom::faults;
  Lab lab(options);
  const ScriptedServer server(lab, "app:80");
  EXPECT_EQ(lab.run(lab.client().get("http://app/")).error(), std::errc::timed_out);
  EXPECT_EQ(server.accepted(), 0U);
}

TEST_F(ScriptedServerTest, HasNothingToSayOfAConnectionItHasClosed) {
  server_.answer(Script().send(respond(200)).close());
  EXPECT_TRUE(get());
  EXPECT_THROW(server_.say(0, "x"), std::logic_error);
  EXPECT_THROW(server_.say(1, "x"), std::out_of_range);
}

}  // namespace
}  // namespace pipette::lab
