// Each phase of a call has a time: nothing happens a nanosecond before it is over, then its own error, and nothing is
// left.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/server/server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;

const std::string kUrl = "http://app/";
constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";

// A call under way.
class Calling {
 public:
  Calling(Lab& lab, Client& client, Request request = {}) : request_(std::move(request)), tasks_(lab.world().loop()) {
    if (request_.url.empty()) request_.url = kUrl;
    tasks_.spawn(run(client));
    lab.settle();
  }
  const std::optional<Result<void>>& result() const { return result_; }
  const Response& response() const { return response_; }

 private:
  Task<> run(Client& client) { result_ = co_await client.call(request_, response_); }

  Request request_;
  Response response_;
  std::optional<Result<void>> result_;
  async::TaskGroup tasks_;
};

struct Phase {
  std::string name;
  Duration ClientOptions::* time;
  Errc expected;
  std::string_view answer;  // of a server that says no more; "-": that does not even accept
  std::string body;         // of the request
};

std::vector<Phase> phases() {
  return {
      {"Write", &ClientOptions::write_timeout, Errc::write_timeout, "-", std::string(1'000'000, 'x')},
      {"Head", &ClientOptions::response_header_timeout, Errc::response_header_timeout, "", ""},
      {"HalfAHead", &ClientOptions::response_header_timeout, Errc::response_header_timeout, "HTTP/1.1 200 OK\r\n", ""},
      {"Interim", &ClientOptions::response_header_timeout, Errc::response_header_timeout,
       "HTTP/1.1 100 Continue\r\n\r\n", ""},
      {"BodyOfALength", &ClientOptions::body_timeout, Errc::body_timeout,
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHell", ""},
      {"ChunkedBody", &ClientOptions::body_timeout, Errc::body_timeout,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n", ""},
      {"BodyUntilClose", &ClientOptions::body_timeout, Errc::body_timeout, "HTTP/1.1 200 OK\r\n\r\nHello", ""},
      {"Call", &ClientOptions::timeout, Errc::timed_out, "HTTP/1.1 200 OK\r\n\r\nHello", ""},
  };
}

class ClientPhase : public testing::TestWithParam<Phase> {};

TEST_P(ClientPhase, EndsWithItsOwnErrorWhenItsTimeIsOver) {
  const Phase& phase = GetParam();
  Lab lab;
  std::optional<ScriptedServer> server;
  std::unique_ptr<net::Listener> listener;
  if (phase.answer == "-") {
    listener = std::move(*lab.world().host("app").runtime().network().listen(*net::Address::parse("app:80")));
  } else {
    server.emplace(lab, "app:80");
    server->answer(std::string(phase.answer));
  }
  ClientOptions options;
  options.*phase.time = 7s;
  Client client(lab.runtime(), options);
  Request request;
  request.url = kUrl;
  request.body = phase.body;
  if (!request.body.empty()) request.method = http::Method::put;
  const Calling call(lab, client, std::move(request));
  lab.advance(7s - 1ns);
  EXPECT_FALSE(call.result());
  lab.advance(1ns);
  ASSERT_TRUE(call.result());
  EXPECT_EQ(*call.result(), fail(phase.expected));
  EXPECT_EQ(call.result()->error(), std::errc::timed_out);
  EXPECT_EQ(client.open_connections(), 0U);
  EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever) << "no timer is left";
}

INSTANTIATE_TEST_SUITE_P(All, ClientPhase, testing::ValuesIn(phases()),
                         [](const testing::TestParamInfo<Phase>& of) { return of.param.name; });

// Says the beginning of a response, and then an octet every four seconds.
Handler drip(std::string beginning) {
  return [text = std::move(beginning)](RequestCtx& ctx) {
    ctx.hijack_silently([text](HijackedConnection connection) -> Task<> {
      async::Loop& loop = connection.runtime->loop();
      Result<void> went;
      for (Bytes next = text; went; next = "x") {
        const std::array<Bytes, 1> pieces = {next};
        went = co_await connection.stream->write(pieces);
        co_await async::sleep_until(loop, after(loop.now(), 4s));
      }
    });
  };
}

TEST(ClientPhases, AreDeadlinesOfTheHeadAndGapsOfTheBody) {
  struct Case {
    std::string_view beginning;
    Duration strikes;
    Errc expected;
  };
  for (const Case& each : {Case{"HTTP/1.1 200 O", 5s, Errc::response_header_timeout},
                           Case{"HTTP/1.1 200 OK\r\n\r\n", 22s, Errc::timed_out}}) {
    const Server server(drip(std::string(each.beginning)));
    Lab lab;
    lab.serve(server, "app:80");
    ClientOptions options;
    options.response_header_timeout = options.body_timeout = 5s;
    options.timeout = 22s;
    Client client(lab.runtime(), options);
    const Calling call(lab, client);
    lab.advance(each.strikes - 1ns);
    EXPECT_FALSE(call.result());
    lab.advance(1ns);
    ASSERT_TRUE(call.result());
    EXPECT_EQ(*call.result(), fail(each.expected));
    lab.advance(10s);
  }
}

TEST(ClientPhases, BeginWithWaitingForAConnection) {
  struct Case {
    Duration timeout;
    Duration wait;
    Duration strikes;
    Errc expected;
  };
  for (const Case& each : {Case{30s, 7s, 7s, Errc::pool_wait_timeout}, Case{7s, 30s, 7s, Errc::timed_out}}) {
    Lab lab;
    lab.allow_leaks();
    ScriptedServer silent(lab, "app:80");
    ClientOptions options;
    options.max_conns_per_host = 1;
    options.response_header_timeout = Duration::max();
    options.timeout = each.timeout;
    options.pool_wait_timeout = each.wait;
    Client client(lab.runtime(), options);
    const Calling first(lab, client);
    lab.advance(1s);
    const Calling second(lab, client);
    lab.advance(each.strikes - 1s);
    const bool first_is_over = each.timeout == each.strikes;
    EXPECT_EQ(first.result().has_value(), first_is_over);
    if (first_is_over) continue;  // and the second one has its connection
    lab.advance(1s - 1ns);
    EXPECT_FALSE(second.result());
    lab.advance(1ns);
    ASSERT_TRUE(second.result());
    EXPECT_EQ(*second.result(), fail(each.expected));
    EXPECT_EQ(client.open_connections(), 1U) << "that of the first";
  }
}

TEST(ClientPhases, EndADialThatLeadsNowhere) {
  Lab lab;
  inmem::ResolverAnswer silence;
  silence.is_silent = true;
  lab.world().network().set_answer("app", silence);
  ClientOptions options;
  options.dialer.resolve_timeout = 3s;
  Client client(lab.runtime(), options);
  const Calling call(lab, client);
  lab.advance(3s - 1ns);
  EXPECT_FALSE(call.result());
  lab.advance(1ns);
  ASSERT_TRUE(call.result());
  EXPECT_EQ(*call.result(), fail(Errc::resolve_timeout));
  EXPECT_EQ(client.open_connections(), 0U);
}

TEST(ClientPhases, EndTheIdlenessOfAConnection) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(std::string(kHello));
  ClientOptions options;
  options.idle_timeout = 3s;
  Client client(lab.runtime(), options);
  ASSERT_TRUE(lab.run(client.get(kUrl)));
  lab.advance(3s - 1ns);
  EXPECT_EQ(client.idle_connections(), 1U);
  EXPECT_EQ(server.left(), 0U);
  lab.advance(1ns);
  EXPECT_EQ(client.open_connections(), 0U) << "though nobody asks for one";
  EXPECT_EQ(server.left(), 1U);
  EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever);
}

}  // namespace
}  // namespace pipette::client
