// A handler called without a connection: the same octets as over one, and time that passes for it alone.
#include "pipette/lab/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/lab/lab.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Does what its path says.
void act(RequestCtx& ctx) {
  const std::string_view path = ctx.path();
  if (path == "/throw") throw std::runtime_error("out of luck");
  if (path == "/throw-int") throw 42;
  if (path == "/status") ctx.set_status(std::stoi(ctx.query("code").value_or("200")));
  if (path == "/close") ctx.set_connection_close();
  if (path == "/date") (void)ctx.set_header("Date", "yesterday");
  if (path == "/type") (void)ctx.set_content_type("text/html");
  if (path == "/fields") (void)ctx.add_header("X-Host", ctx.host());
  if (path == "/split") (void)ctx.set_header("X", "a\r\nb");
  if (path == "/redirect") return (void)ctx.redirect("/elsewhere");
  if (path == "/empty") return;
  if (path == "/large") return ctx.set_body(std::string(100'000, 'x'));
  ctx.set_body(std::string(ctx.method_text()) + " " + std::string(ctx.target()) + " " + std::string(ctx.body()));
}

Task<> act_later(RequestCtx& ctx) {
  if (ctx.path() == "/wait") co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 90s));
  act(ctx);
}

ServerOptions small_and_quiet() {
  ServerOptions options = quiet();
  options.max_request_body_bytes = 1000;
  return options;
}

// What a connection in a lab gives to somebody who sends `octets`, waits for what he gets, and then finishes.
std::string over_a_connection(const Server& server, const std::string& octets) {
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send(octets);
  lab.advance(octets.find("/wait") == std::string::npos ? 0s : 90s);
  peer.close_write();
  lab.run_until([&] { return peer.closed(); });
  return peer.take();
}

const std::vector<std::string>& exchanges() {
  static const std::vector<std::string> kAll = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a%20b?c=d HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /throw-int HTTP/1.1\r\nHost: a\r\n\r\n",
      "HEAD /throw HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /status?code=204 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /status?code=205 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /status?code=304 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /status?code=404 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /status?code=7 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /status?code=x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /close HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /date HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /type HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /fields HTTP/1.1\r\nHost: a:1\r\n\r\n",
      "GET /split HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /redirect HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbod",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a",
      "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
      "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /close HTTP/1.1\r\nHost: a\r\n\r\nGET / "
      "HT",
      "\r\n",
      "",
  };
  return kAll;
}

TEST(Call, GivesTheSameOctetsAsAConnection) {
  const Server plain(act, small_and_quiet());
  const Server coroutine(act_later, small_and_quiet());
  for (const std::string& octets : exchanges()) {
    EXPECT_EQ(answer_to(plain, octets), over_a_connection(plain, octets)) << octets.substr(0, 200);
    EXPECT_EQ(answer_to(coroutine, octets), over_a_connection(coroutine, octets)) << octets.substr(0, 200);
  }
}

TEST(Call, GivesTheSameOctetsAgainAndAgain) {
  const Server server(act, small_and_quiet());
  Caller caller(server);
  for (int round = 0; round < 2; ++round) {
    for (const std::string& octets : exchanges()) EXPECT_EQ(caller.answer_to(octets), answer_to(server, octets));
  }
}

TEST(Call, GivesTheSameResponseAsAClient) {
  const Server server(act, small_and_quiet());
  Lab lab;
  lab.serve(server, "app:80");
  for (const std::string_view path : {"/", "/large", "/empty", "/throw", "/status?code=204", "/close", "/fields"}) {
    for (const http::Method method : {http::Method::get, http::Method::head, http::Method::post, http::Method::put}) {
      client::Request request;
      request.method = method;
      request.url = "http://app" + std::string(path);
      if (method == http::Method::put) request.body = "body";
      ASSERT_TRUE(request.fields.set("X-Other", "value"));
      client::Response wanted;
      ASSERT_TRUE(lab.run(lab.client().call(request, wanted))) << path;
      const client::Response got = call(server, request);
      EXPECT_EQ(got.status, wanted.status) << path;
      EXPECT_EQ(got.reason, wanted.reason) << path;
      EXPECT_EQ(got.body, wanted.body) << path;
      EXPECT_EQ(got.fields.lines(), wanted.fields.lines()) << path;
    }
  }
}

TEST(Call, TakesAHandlerAndAPath) {
  client::Request request;
  request.url = "/hello?name=Ada";
  const auto hello = [](RequestCtx& ctx) { ctx.set_body("Hello, " + ctx.query("name").value_or("world")); };
  EXPECT_EQ(call(hello, request).body, "Hello, Ada");
  const auto who = [](RequestCtx& ctx) { ctx.set_body(ctx.host()); };
  EXPECT_EQ(call(who, request).body, "app");
  const auto from = [](RequestCtx& ctx) { ctx.set_body(ctx.remote_address().to_string()); };
  EXPECT_EQ(call(from, request).body, "10.0.0.1:49152");
}

TEST(Call, LetsTimePassForACoroutine) {
  ServerOptions options = small_and_quiet();
  options.handler_timeout = server::kNoLimit;
  const Server server(act_later, options);
  client::Request request;
  request.url = "/wait";
  const client::Response response = call(server, request);
  EXPECT_EQ(response.header("Date"), "Thu, 01 Jan 2026 00:01:30 GMT");
  Caller caller(server);
  (void)caller.call(request);
  EXPECT_EQ(caller.call(request).header("Date"), "Thu, 01 Jan 2026 00:03:00 GMT") << "its clock goes on";
}

TEST(Call, ThrowsForARequestThatNobodyCanSend) {
  struct Row {
    std::string url;
    http::Method method = http::Method::get;
    std::string field;
    Errc error;
  };
  for (const Row& row :
       {Row{"", http::Method::get, "X", Errc::bad_uri}, Row{"/a b", http::Method::get, "X", Errc::bad_uri},
        Row{"ftp://a/", http::Method::get, "X", Errc::unsupported_scheme},
        Row{"/", http::Method::connect, "X", Errc::bad_method}, Row{"/", http::Method::other, "X", Errc::bad_method},
        Row{"/", http::Method::get, "Content-Length", Errc::managed_field},
        Row{"/", http::Method::get, "Transfer-Encoding", Errc::managed_field}}) {
    client::Request request;
    request.url = row.url;
    request.method = row.method;
    (void)request.fields.set(row.field, "1");
    try {
      (void)call(act, request);
      ADD_FAILURE() << row.url << row.field;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), row.error) << row.url << row.field;
    }
  }
}

TEST(Call, IsStuckWhenTheHandlerWaitsForWhatNeverComes) {
  client::Request request;
  request.url = "/";
  const auto never = [](RequestCtx& ctx) -> Task<> {
    async::Event event(ctx.runtime().loop());
    co_await event.wait();
  };
  ServerOptions patient;
  patient.handler_timeout = server::kNoLimit;
  EXPECT_THROW((void)call(Server(never, patient), request), Stuck);
  const auto for_ever = [](RequestCtx& ctx) -> Task<> {
    for (;;) co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
  };
  EXPECT_THROW((void)call(Server(for_ever, patient), request), Stuck);
}

}  // namespace
}  // namespace pipette::lab
