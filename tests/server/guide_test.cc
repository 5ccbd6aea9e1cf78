// What docs/guide-server.md shows, line for line, and that it does what it says.
#include <array>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "pipette/async/long_work.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/matchers.h"
#include "pipette/net/close.h"
#include "pipette/server/blocking.h"
#include "pipette/server/timeout.h"

#include "tests/support/serving.h"

using namespace pipette;
using lab::BodyIs;
using namespace std::chrono_literals;

namespace {

void hello(RequestCtx& ctx) { ctx.set_body("Hello, " + ctx.query("name").value_or("world") + "!"); }

Task<> later(RequestCtx& ctx) {
  const async::StopReason why = co_await ctx.sleep(2s);
  if (why != async::StopReason::none) co_return;  // nobody waits any more
  ctx.set_body("at last");
}

std::size_t count_primes_below(std::size_t end) {
  std::vector<bool> is_composite(end);
  std::size_t count = 0;
  for (std::size_t i = 2; i < end; ++i) {
    if (is_composite[i]) continue;
    ++count;
    for (std::size_t multiple = i * i; multiple < end; multiple += i) is_composite[multiple] = true;
  }
  return count;
}

Task<> primes(RequestCtx& ctx) {
  co_await async::LongWork(ctx.runtime().loop());
  ctx.set_body(std::to_string(count_primes_below(100'000)));
}

void report(RequestCtx& ctx, BlockingCtx& wait) {
  if (wait.sleep_for(2s) != async::StopReason::none) return;
  ctx.set_body("a report");
}

Task<> events(RequestCtx& ctx) {
  (void)ctx.set_content_type("text/event-stream");
  for (int i = 1; co_await ctx.sleep(1s) == async::StopReason::none; ++i) {
    const std::string event = "data: " + std::to_string(i) + "\n\n";
    if (!co_await ctx.write(event)) co_return;
    if (!co_await ctx.flush()) co_return;  // the client is gone
  }
}

Task<> count(RequestCtx& ctx) {
  std::size_t octets = 0;
  for (;;) {
    const Result<std::string_view> piece = co_await ctx.read_body();
    if (!piece) co_return ctx.error(400, piece.error().message());
    if (piece->empty()) break;
    octets += piece->size();
  }
  ctx.set_body(std::to_string(octets));
}

Task<> echo(HijackedConnection connection) {
  std::array<char, 1024> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.stream->read_some(room);
    if (!count || *count == 0) break;
    const std::array<Bytes, 1> pieces = {Bytes(room.data(), *count)};
    if (!co_await connection.stream->write(pieces)) co_return;
  }
  (void)co_await net::close(*connection.stream, after(connection.runtime->loop().now(), 5s));
}

void chat(RequestCtx& ctx) { (void)ctx.upgrade("chat", echo); }

ServerOptions with_access_log() {
  ServerOptions options;
  options.on_access = [](const auto& record) { std::cout << to_common_log(record) + '\n'; };
  return options;
}

TEST(ServerGuide, HasThreeKindsOfHandlers) {
  Lab lab;
  lab.serve(hello, "app:80");
  lab.serve(later, "app:81");
  lab.serve(blocking(report), "app:82");
  lab.serve(primes, "app:83");
  EXPECT_EQ(lab.get("http://app/?name=Ada").body, "Hello, Ada!");
  EXPECT_EQ(lab.get("http://app:81/").body, "at last");
  EXPECT_EQ(lab.get("http://app:82/").body, "a report");
  EXPECT_EQ(lab.get("http://app:83/").body, "9592");
  EXPECT_EQ(lab.elapsed(), 4s);
}

TEST(ServerGuide, AnswersInThePlaceOfAHandlerThatIsLate) {
  Lab lab;
  lab.serve(timeout(later, 500ms, "too much to do"), "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  lab.advance(500ms);
  EXPECT_THAT(peer.expect_response(503), BodyIs("too much to do"));
}

TEST(ServerGuide, StreamsEvents) {
  Lab lab;
  lab.serve(events, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  lab.advance(2s);
  EXPECT_THAT(peer.take(), testing::EndsWith("\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n"));
  peer.abort();
  lab.advance(1s);
}

TEST(ServerGuide, ReadsABodyAsItComes) {
  ServerOptions options;
  options.stream_request_body = true;
  options.max_request_body_bytes = 100'000'000;
  Lab lab;
  lab.serve(count, "app:80", options);
  EXPECT_EQ(lab.post("http://app/", "text/plain", std::string(1'000'000, 'x')).body, "1000000");
}

TEST(ServerGuide, HandsAConnectionOver) {
  Lab lab;
  lab.serve(chat, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhi");
  (void)peer.expect_response(101);
  peer.expect("hi");
  peer.close_write();
  lab.settle();
}

TEST(ServerGuide, TellsWhatHappensToConnections) {
  std::vector<std::string> told;
  ServerOptions options;
  options.on_conn_state = [&told](const server::ConnInfo& connection, server::ConnState state) {
    told.push_back(std::to_string(connection.id) + " " + std::string(to_string(state)));
  };
  options.on_access = [&told](const server::AccessRecord& record) {
    told.push_back(std::string(record.method) + " " + std::string(record.target) + " " + std::to_string(record.status));
  };
  {
    Lab lab;
    lab.serve(hello, "app:80", options);
    (void)lab.get("http://app/x");
  }
  EXPECT_THAT(told, testing::ElementsAre("1 accepted", "1 active", "GET /x 200", "1 idle", "1 closed"));
}

TEST(ServerGuide, WritesAnAccessLog) {
  std::ostringstream log;
  std::streambuf* const before = std::cout.rdbuf(log.rdbuf());
  {
    Lab lab;
    lab.serve(hello, "app:80", with_access_log());
    (void)lab.get("http://app/?name=Ada");
  }
  std::cout.rdbuf(before);
  EXPECT_EQ(log.str(), "10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /?name=Ada HTTP/1.1\" 200 11\n");
}

TEST(ServerGuide, SendsAFile) {
  const std::string path = testing::TempDir() + "pipette-guide.txt";
  std::ofstream(path) << "from a file";
  std::filesystem::last_write_time(path, {});  // the same in every run
  Lab lab;
  const auto act = [path](RequestCtx& ctx) {
    if (!ctx.send_file(path + std::string(ctx.path().substr(1)))) ctx.not_found();
  };
  lab.serve(act, "app:80");
  const client::Response response = lab.get("http://app/");
  EXPECT_EQ(response.body, "from a file");
  EXPECT_EQ(response.header("Content-Length"), "11");
  EXPECT_TRUE(response.header("Last-Modified"));
  EXPECT_EQ(lab.get("http://app/none").status, 404);
}

}  // namespace
