// What docs/guide-client.md shows, line for line, and that it does what it says.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/client/cookie_jar.h"
#include "pipette/client/host_client.h"
#include "pipette/client/lb_client.h"
#include "pipette/coding/coding.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/scripted_server.h"

#include "tests/support/coding.h"

using namespace pipette;
using lab::BodyIs;
using lab::HasStatus;
using namespace std::chrono_literals;

namespace {

Task<std::string> title_of(Caller& caller) {
  const Result<client::Response> page = co_await caller.get("http://app/title");
  if (!page) co_return "none: " + page.error().message();  // a 404 is a response, and no error
  co_return page->body;
}

Task<int> count_to(Caller& caller, int most) {
  client::Request request;
  client::Response response;
  request.method = http::Method::put;
  request.url = "http://app/count";
  for (int i = 1; i <= most; ++i) {
    request.body = std::to_string(i);
    const Result<void> done = co_await caller.call(request, response);
    if (!done || response.status != 200) co_return i;
  }
  co_return most;
}

Task<> ask_for(RequestCtx& ctx, Caller& caller) {
  CallOptions options = ctx.call_options();
  options.timeout = 2s;
  const Result<client::Response> page = co_await caller.get("http://back/price", options);
  if (!page) co_return ctx.error(page.error() == std::errc::timed_out ? 504 : 502, "no price");
  ctx.set_body(page->body);
}

ClientOptions like_a_browser(client::CookieJar& jar) {
  ClientOptions options;
  options.cookies = &jar;
  options.decompresses = true;
  options.retries.on_new_connections = true;  // also what failed on a connection of its own
  return options;
}

Task<std::size_t> count_octets(Client& client, std::string url) {
  client::Request request;
  request.url = std::move(url);
  Result<client::ResponseStream> page = co_await client.stream(request);
  std::size_t count = 0;
  std::array<char, 4096> room;
  while (page) {
    const Result<std::size_t> size = co_await page->read(room);
    if (!size || *size == 0) break;
    count += *size;
  }
  co_return count;
}

Task<> hand_on(RequestCtx& ctx, Client& client) {
  client::Request request;
  request.url = "http://back" + std::string(ctx.path());
  Result<client::ResponseStream> page = co_await client.stream(request, ctx.call_options());
  if (!page) co_return ctx.error(502, "nobody there");
  ctx.set_status(page->status());
  const http::KnownLength length = page->length();
  ctx.set_body_source(std::make_unique<client::ResponseStream>(std::move(*page)), length);
}

void add_backends(client::LBClient& backends, Runtime& runtime) {
  backends.add("a", std::make_unique<HostClient>(runtime, "http://a"));
  backends.add("b", std::make_unique<HostClient>(runtime, "http://b"), /*weight=*/2);
}

client::Trace into(std::vector<std::string>& lines) {
  return [&lines](const client::TraceEvent& event) {
    lines.push_back(std::string(to_string(event.kind)) + (event.error ? " " + event.error.message() : ""));
  };
}

// ---- and what they do

class ClientGuide : public testing::Test {
 protected:
  Lab lab_;
  Client client_{lab_.runtime()};
};

TEST_F(ClientGuide, GetsATitle) {
  lab_.serve([](RequestCtx& ctx) { ctx.set_body("Pipettes"); }, "app:80");
  EXPECT_EQ(lab_.run(title_of(client_)), "Pipettes");
  Lab empty;
  Client lost(empty.runtime());
  EXPECT_EQ(empty.run(title_of(lost)), "none: no address for that name");
}

TEST_F(ClientGuide, CallsAgainAndAgain) {
  std::vector<std::string> bodies;
  lab_.serve([&bodies](RequestCtx& ctx) { bodies.emplace_back(ctx.body()); }, "app:80");
  EXPECT_EQ(lab_.run(count_to(client_, 3)), 3);
  EXPECT_THAT(bodies, testing::ElementsAre("1", "2", "3"));
}

TEST_F(ClientGuide, AsksForTheSakeOfARequest) {
  Client back(lab_.runtime());
  lab_.serve([&back](RequestCtx& ctx) -> Task<> { return ask_for(ctx, back); }, "app:80");
  EXPECT_THAT(lab_.get("http://app/"), HasStatus(502));
  ScriptedServer server(lab_, "back:80");
  server.answer(lab::respond(200, "7"));
  EXPECT_THAT(lab_.get("http://app/"), BodyIs("7"));
  server.answer(Script().wait(2s));
  EXPECT_THAT(lab_.get("http://app/"), HasStatus(504));
  EXPECT_EQ(lab_.elapsed(), 2s);
}

TEST_F(ClientGuide, ActsLikeABrowser) {
  client::CookieJar jar;
  Client client(lab_.runtime(), like_a_browser(jar));
  ScriptedServer server(lab_, "app:80");
  server.reset_next();
  server.answer(
      lab::respond(200, test::encode("Hello", coding::Coding::gzip), "Content-Encoding: gzip\r\nSet-Cookie: a=b\r\n"));
  EXPECT_THAT(lab_.run(client.get("http://app/")).value(), BodyIs("Hello"));
  server.answer(lab::respond(200));
  ASSERT_TRUE(lab_.run(client.get("http://app/")));
  EXPECT_THAT(server.requests().back(), testing::HasSubstr("Cookie: a=b\r\n"));
}

TEST_F(ClientGuide, StreamsAndHandsOn) {
  lab_.serve(
      [](RequestCtx& ctx) -> Task<> {
        for (int i = 0; i < 10; ++i) EXPECT_TRUE(co_await ctx.write(std::string(1000, 'x')));
      },
      "back:80");
  Client proxy(lab_.runtime());
  lab_.serve([&proxy](RequestCtx& ctx) -> Task<> { return hand_on(ctx, proxy); }, "app:80");
  EXPECT_EQ(lab_.run(count_octets(client_, "http://back/")), 10'000U);
  EXPECT_EQ(lab_.run(count_octets(client_, "http://app/")), 10'000U);
}

TEST_F(ClientGuide, SpreadsCalls) {
  ScriptedServer a(lab_, "a:80");
  ScriptedServer b(lab_, "b:80");
  a.on("GET *", lab::respond(200));
  b.on("GET *", lab::respond(200));
  client::LBClient backends(lab_.runtime());
  add_backends(backends, lab_.runtime());
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(lab_.run(backends.get("/")));
  EXPECT_EQ(a.requests().size(), 2U);
  EXPECT_EQ(b.requests().size(), 4U);
}

TEST_F(ClientGuide, Traces) {
  std::vector<std::string> lines;
  const client::Trace trace = into(lines);
  CallOptions options;
  options.trace = &trace;
  (void)lab_.run(client_.get("http://nobody/", options));
  EXPECT_THAT(lines, testing::ElementsAre("get_connection", "resolve_start", "resolve_done no address for that name",
                                          "done no address for that name"));
}

}  // namespace
