// What a call tells of its way.
#include "pipette/client/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class Tracing : public testing::Test {
 protected:
  Tracing() {
    trace_ = [this](const TraceEvent& event) {
      std::string line(to_string(event.kind));
      if (event.status != 0) line += " " + std::to_string(event.status);
      if (event.is_reused) line += " reused after " + std::to_string(event.idle_for / 1s);
      if (event.error) line += " " + event.error.message();
      if (event.at != TimePoint()) line += " +" + std::to_string((event.at - TimePoint()) / 1s);
      told_.push_back(std::move(line));
    };
    options_.trace = &trace_;
  }
  std::vector<std::string> of_get(std::string url = "http://app/") {
    (void)lab_.run(client_.get(std::move(url), options_));
    return std::exchange(told_, {});
  }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  Client client_{lab_.runtime()};
  Trace trace_;
  CallOptions options_;
  std::vector<std::string> told_;
};

TEST_F(Tracing, TellsOfEachStep) {
  server_.answer(Script().wait(2s).send("HTTP/1.1 103 Early Hints\r\n\r\n").wait(1s).send(lab::respond(200, "Hello")));
  EXPECT_THAT(of_get(), ElementsAre("get_connection", "resolve_start", "resolve_done", "connect_start", "connect_done",
                                    "got_connection", "wrote_head", "wrote_request", "first_byte +2", "interim 103 +2",
                                    "got_head 200 +3", "done +3"));
  lab_.advance(4s);
  server_.answer(lab::respond(404));
  EXPECT_THAT(of_get(), ElementsAre("get_connection +7", "got_connection reused after 4 +7", "wrote_head +7",
                                    "wrote_request +7", "first_byte +7", "got_head 404 +7", "done +7"));
}

TEST_F(Tracing, TellsOfWhatFails) {
  EXPECT_THAT(of_get("http://app:81/"),
              ElementsAre("get_connection", "resolve_start", "resolve_done", "connect_start",
                          "connect_done nobody listens at that address", "done nobody listens at that address"));
  EXPECT_THAT(of_get("http://nobody/"),
              ElementsAre("get_connection", "resolve_start", "resolve_done no address for that name",
                          "done no address for that name"));
  EXPECT_THAT(of_get("x"), ElementsAre("done malformed URI"));
}

TEST_F(Tracing, TellsOfRepetitionsAndRedirects) {
  server_.answer(lab::respond(200));
  (void)of_get();
  server_.answer("", ScriptedServer::Then::close);
  server_.answer(lab::respond(302, "", "Location: /there\r\n"));
  server_.answer(lab::respond(200));
  EXPECT_THAT(of_get(), ElementsAre("get_connection", "got_connection reused after 0", "wrote_head", "wrote_request",
                                    "repeat the peer has finished sending", "get_connection", "connect_start",
                                    "connect_done", "got_connection", "wrote_head", "wrote_request", "first_byte",
                                    "got_head 302", "redirect 302", "get_connection", "got_connection reused after 0",
                                    "wrote_head", "wrote_request", "first_byte", "got_head 200", "done"));
}

TEST_F(Tracing, TellsAlsoTheClientsOwn) {
  ClientOptions options;
  options.trace = trace_;
  Client client(lab_.runtime(), options);
  server_.answer(lab::respond(200));
  ASSERT_TRUE(lab_.run(client.get("http://app/")));
  EXPECT_EQ(told_.size(), 11U);
  EXPECT_EQ(told_.back(), "done");
}

TEST_F(Tracing, HasANameForEachKind) {
  for (int i = 0; i <= static_cast<int>(TraceKind::done); ++i) {
    EXPECT_NE(to_string(static_cast<TraceKind>(i)), "") << i;
  }
}

}  // namespace
}  // namespace pipette::client
