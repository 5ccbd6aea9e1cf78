// A call ends at its deadline, whatever it waits for; a call that is destroyed leaves nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "pipette/async/sleep.h"
#include "pipette/client/client.h"
#include "pipette/lab/scripted_server.h"

#include "tests/support/serving.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using test::Serving;

const std::string kUrl = "http://app/";

void expect_timeout_at(Lab& lab, Client& client, Duration wait, const Request& request) {
  const Duration before = lab.elapsed();
  Response response;
  const Result<void> done = lab.run(client.call(request, response));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), std::errc::timed_out);
  EXPECT_EQ(lab.elapsed() - before, wait);
  EXPECT_EQ(client.idle_connections(), 0U);
}

TEST(ClientDeadline, EndsACallThatIsNotAnsweredInTime) {
  Request request;
  request.url = kUrl;
  for (const std::string_view begun :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\n\r\nuntil close", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n"}) {
    Lab lab;
    ScriptedServer server(lab, "app:80");
    server.answer(std::string(begun));
    expect_timeout_at(lab, lab.client(), 30s, request);
    lab.settle();
    EXPECT_EQ(server.left(), 1U) << "the connection is not used again";
  }
}

TEST(ClientDeadline, EndsACallThatCannotBeSentInTime) {
  Lab lab;
  const auto listener = lab.world().host("app").runtime().network().listen(*net::Address::parse("app:80"));
  ASSERT_TRUE(listener);
  Request request;
  request.url = kUrl;
  request.method = http::Method::put;
  request.body = std::string(1'000'000, 'x');
  expect_timeout_at(lab, lab.client(), 30s, request);
}

TEST(ClientDeadline, IsWhatTheOptionsSay) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  ClientOptions options;
  options.timeout = 1234567ns;
  Client client(lab.runtime(), options);
  Request request;
  request.url = kUrl;
  expect_timeout_at(lab, client, 1234567ns, request);
}

TEST(ClientDeadline, IsMetByAnAnswerInTheLastNanosecond) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 30s - 1ns));
    ctx.set_body("in time");
  });
  EXPECT_EQ(app.lab().get(kUrl).body, "in time");
  EXPECT_EQ(app.lab().elapsed(), 30s - 1ns);
}

TEST(ClientDeadline, CountsFromEachCallAnew) {
  Serving app([](RequestCtx& ctx) -> Task<> {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 20s));
    ctx.set_body("x");
  });
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(app.lab().get(kUrl).status, 200);
  EXPECT_EQ(app.lab().elapsed(), 60s);
  EXPECT_EQ(app.lab().client().idle_connections(), 1U);
}

TEST(ClientDeadline, CoversTheRepetitionToo) {
  Lab lab;
  lab.allow_leaks();  // the last request is answered by nobody
  ScriptedServer server(lab, "app:80");
  server.answer("HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_EQ(lab.get(kUrl).status, 204);
  server.reset_next();
  Request request;
  request.url = kUrl;
  expect_timeout_at(lab, lab.client(), 30s, request);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(ClientDeadline, LeavesNothingWhenTheCallIsDestroyed) {
  for (const std::string_view begun : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour"}) {
    Lab lab;
    ScriptedServer server(lab, "app:80");
    server.answer(std::string(begun));
    {
      Task<Result<Response>> call = lab.client().get(kUrl);
      call.start();
      lab.advance(1s);
      EXPECT_EQ(server.requests().size(), 1U);
      EXPECT_FALSE(call.done());
    }
    EXPECT_EQ(lab.client().idle_connections(), 0U);
    lab.settle();
    EXPECT_EQ(server.left(), 1U);
    EXPECT_TRUE(lab.transcript().contains("reset: client is dropped while open"));
    const Duration before = lab.elapsed();
    lab.advance(1h);
    EXPECT_EQ(lab.elapsed() - before, 1h);
  }
}

TEST(ClientDeadline, LeavesNothingWhenTheCallIsNeverStarted) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  {
    const Task<Result<Response>> call = lab.client().get(kUrl);
  }
  lab.settle();
  EXPECT_EQ(server.accepted(), 0U);
}

TEST(Client, ReadsAnAnswerThatComesBeforeItsBodyIsSent) {
  ServerOptions options;
  options.max_request_body_bytes = 1000;
  Serving app([](RequestCtx&) {}, options);
  for (const std::size_t size : {1'001U, 100'000U, 250'000U, 5'000'000U}) {
    EXPECT_EQ(app.lab().post(kUrl, "text/plain", std::string(size, 'x')).status, 413) << size;
  }
  EXPECT_EQ(app.lab().client().idle_connections(), 0U);
}

TEST(Client, TalksToAServerEndToEnd) {
  Serving app([](RequestCtx& ctx) {
    ctx.set_body(std::string(ctx.method_text()) + " " + std::string(ctx.path()) + " " + std::string(ctx.body()));
  });
  EXPECT_EQ(app.lab().get("http://app/a%20b").body, "GET /a b ");
  EXPECT_EQ(app.lab().post(kUrl, "text/plain", "body").body, "POST / body");
  const std::string large(300'000, 'x');
  EXPECT_EQ(app.lab().post(kUrl, "text/plain", large).body, "POST / " + large);
  EXPECT_EQ(app.lab().client().idle_connections(), 1U);
  EXPECT_EQ(app.worker().open_connections(), 1U);
}

}  // namespace
}  // namespace pipette::client
