// Handlers that begin before the body is there: what they read, and what becomes of what they do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kChunkedHead;
using test::post;
using test::Serving;
using test::statuses;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ServerOptions streaming() {
  ServerOptions options;
  options.stream_request_body = true;
  return options;
}

ServerOptions streaming_up_to(std::uint64_t bytes) {
  ServerOptions options = streaming();
  options.max_request_body_bytes = bytes;
  return options;
}

std::string head_of(std::size_t size, std::string_view fields = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n" + std::string(fields) +
         "\r\n";
}

// What a handler has read, piece by piece; an error in words.
using Heard = std::vector<std::string>;

// Reads to the end, or to an error.
Task<> read_all(RequestCtx& ctx, Heard& heard) {
  for (;;) {
    const Result<std::string_view> more = co_await ctx.read_body();
    heard.push_back(more ? std::string(*more) : more.error().message());
    if (!more || more->empty()) break;
  }
  ctx.set_body("read");
}

auto reader(Heard& heard) {
  return [&heard](RequestCtx& ctx) -> Task<> { return read_all(ctx, heard); };
}

auto late_reader(Heard& heard, Duration time) {
  return [&heard, time](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(time);
    co_await read_all(ctx, heard);
  };
}

std::string message_of(Errc error) { return make_error_code(error).message(); }

// ---- reading -------------------------------------------------------------------------------------------------

TEST(RequestStream, ComesPieceByPieceWhileTheHandlerIsAtWork) {
  Heard heard;
  Serving app(reader(heard), streaming());
  Peer peer = app.connect();
  peer.send(head_of(9));
  app.lab().settle();
  EXPECT_THAT(heard, IsEmpty());
  peer.send("one");
  app.lab().settle();
  EXPECT_THAT(heard, ElementsAre("one"));
  peer.send("two");
  peer.expect_nothing();
  peer.send("six" + get("/next"));
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200, 200));
  EXPECT_THAT(heard, ElementsAre("one", "two", "six", "", "")) << "the next request has no body";
}

TEST(RequestStream, GivesWhatIsThereAlreadyAtOnceAndInOnePiece) {
  for (const bool is_streaming : {false, true}) {
    for (const bool is_split : {false, true}) {
      if (is_streaming && is_split) continue;
      Heard heard;
      Serving app(reader(heard), is_streaming ? streaming() : ServerOptions());
      Peer peer = app.connect();
      const std::string request = post("/", "text/plain", "whole");
      peer.send(request.substr(0, request.size() - (is_split ? 2 : 0)));
      app.lab().settle();
      peer.send(request.substr(request.size() - (is_split ? 2 : 0)));
      peer.expect_response(200);
      EXPECT_THAT(heard, ElementsAre("whole", "")) << is_streaming << is_split;
    }
  }
}

TEST(RequestStream, OfChunksEndsWithItsTrailers) {
  Heard heard;
  std::string sum;
  Serving app(
      [&](RequestCtx& ctx) -> Task<> {
        EXPECT_EQ(ctx.trailers().get("X-Sum"), std::nullopt);
        co_await read_all(ctx, heard);
        sum += std::string(ctx.trailers().get("X-Sum").value_or("(none)")) + " ";
      },
      streaming());
  Peer peer = app.connect();
  peer.send(std::string(kChunkedHead) + "3;ext=1\r\none\r\n");
  peer.send("3\r\ntwo\r\n0\r\nX-Sum: 6\r\n");
  peer.send("\r\n" + get("/next"));
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200, 200));
  EXPECT_THAT(heard, ElementsAre("one", "two", "", ""));
  EXPECT_EQ(sum, "6 (none) ");
}

TEST(RequestStream, MayBeEchoedWhileItComes) {
  Serving app(
      [](RequestCtx& ctx) -> Task<> {
        for (;;) {
          const Result<std::string_view> more = co_await ctx.read_body();
          if (!more || more->empty()) break;
          (void)co_await ctx.write(*more);
          (void)co_await ctx.flush();
        }
      },
      streaming());
  Peer peer = app.connect();
  peer.send(kChunkedHead);
  peer.expect_nothing();
  for (const std::string_view word : {"one", "two"}) {
    const std::string chunk = "3\r\n" + std::string(word) + "\r\n";
    peer.send(chunk);
    EXPECT_THAT(peer.take(), EndsWith(chunk));
  }
  peer.send("0\r\n\r\n");
  EXPECT_EQ(peer.take(), "0\r\n\r\n");
  peer.send(get("/"));
  EXPECT_THAT(peer.take(), EndsWith("0\r\n\r\n"));
}

TEST(RequestStream, IsReadAheadToALimitOnly) {
  ServerOptions options = streaming();
  options.max_read_ahead_bytes = 2'000;
  net::ChannelOptions pipes;
  pipes.with_capacity(1'000);
  std::size_t size = 0;
  Serving app(
      [&size](RequestCtx& ctx) -> Task<> {
        co_await ctx.sleep(20s);
        for (;;) {
          const Result<std::string_view> more = co_await ctx.read_body();
          if (!more || more->empty()) break;
          size += more->size();
        }
      },
      options, pipes);
  Peer peer = app.connect();
  peer.send(head_of(100'000) + std::string(100'000, 'b'));
  app.lab().advance(20s - 1ns);
  EXPECT_GE(peer.unsent(), 100'000U - 1'000 - 2'000 - 4'096);
  app.lab().advance(1ns);
  for (int i = 0; i < 200 && peer.unsent() > 0; ++i) app.lab().settle();
  EXPECT_EQ(peer.unsent(), 0U);
  peer.expect_response(200);
  EXPECT_EQ(size, 100'000U);
}

TEST(RequestStream, DoesNotBlameTheClientForTheTimeOfTheHandler) {
  Heard heard;
  Serving app(late_reader(heard, 20s), streaming());
  Peer peer = app.connect();
  peer.send(head_of(3));
  app.lab().advance(20s + 5s - 1ns);
  peer.send("one");
  peer.expect_response(200);
  EXPECT_THAT(heard, ElementsAre("one", ""));
}

// ---- bodies that go wrong ------------------------------------------------------------------------------------

struct Wrong {
  std::string name;
  std::string sent;
  void (*then)(Serving& app, Peer& peer);
  Errc error;
};

void wait_a_minute(Serving& app, Peer& /*peer*/) { app.lab().advance(1min); }
void finish(Serving& /*app*/, Peer& peer) { peer.close_write(); }
void reset(Serving& /*app*/, Peer& peer) { peer.abort(); }
void leave(Serving& /*app*/, Peer& /*peer*/) {}

class WrongStream : public testing::TestWithParam<Wrong> {};

TEST_P(WrongStream, IsTheHandlersErrorAndTheConnectionsEnd) {
  Heard heard;
  Serving app(reader(heard), streaming_up_to(10));
  Peer peer = app.connect();
  peer.send(GetParam().sent);
  app.lab().settle();
  GetParam().then(app, peer);
  app.lab().settle();
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.back(), message_of(GetParam().error));
  const Metrics& metrics = app.worker().metrics();
  EXPECT_EQ(metrics.read_timeouts.get() + metrics.read_body_rate_timeouts.get(),
            GetParam().error == Errc::request_timeout ? 1U : 0U);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(app.worker().served(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    OfAClient, WrongStream,
    testing::Values(Wrong{"TooSlow", head_of(5) + "ab", wait_a_minute, Errc::request_timeout},
                    Wrong{"Incomplete", head_of(5) + "ab", finish, Errc::incomplete_message},
                    Wrong{"Reset", head_of(5) + "ab", reset, Errc::connection_reset},
                    Wrong{"TooLarge", std::string(kChunkedHead) + "a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", leave,
                          Errc::body_too_large},
                    Wrong{"Malformed", std::string(kChunkedHead) + "3\r\nonetwo\r\n0\r\n\r\n", leave, Errc::bad_chunk}),
    [](const testing::TestParamInfo<Wrong>& wrong) { return wrong.param.name; });

TEST(RequestStream, ThatIsTooLargeByItsLengthIsRefusedWithoutAHandler) {
  Heard heard;
  Serving app(reader(heard), streaming_up_to(10));
  Peer peer = app.connect();
  peer.send(head_of(11));
  peer.expect_response(413);
  peer.expect_closed();
  EXPECT_THAT(heard, IsEmpty());
}

// ---- bodies that nobody reads --------------------------------------------------------------------------------

TEST(RequestStream, ThatNobodyReadsIsNeverTakenForTheNextRequest) {
  const std::string smuggled = get("/smuggled");
  const std::string length = head_of(smuggled.size()) + smuggled;
  ASSERT_EQ(smuggled.size(), 0x23U);
  const std::string chunked = std::string(kChunkedHead) + "23\r\n" + smuggled + "\r\n0\r\n\r\n";
  for (const std::string& body : {length, chunked}) {
    for (std::size_t cut = body.find("\r\n\r\n") + 4; cut <= body.size(); ++cut) {
      std::vector<std::string> paths;
      Serving app([&](RequestCtx& ctx) { paths.emplace_back(ctx.path()); }, streaming());
      Peer peer = app.connect();
      peer.send(body.substr(0, cut));
      app.lab().advance(1s);
      peer.send(body.substr(cut) + get("/next"));
      EXPECT_THAT(statuses(peer.take()), ElementsAre(200, 200));
      EXPECT_THAT(paths, ElementsAre("/", "/next")) << cut;
    }
  }
}

TEST(RequestStream, ThatNobodyReadsIsAnsweredBeforeItHasCome) {
  Serving app([](RequestCtx& ctx) { ctx.set_body("no, thanks"); }, streaming());
  Peer peer = app.connect();
  peer.send(head_of(1'000));
  EXPECT_EQ(peer.expect_response(200).body, "no, thanks");
  peer.send(std::string(1'000, 'b') + get("/"));
  peer.expect_response(200);
}

TEST(RequestStream, ThatIsTooLongToBeDroppedClosesTheConnection) {
  ServerOptions options = streaming();
  options.max_drain_bytes = 1'000;
  for (const std::size_t size : {1'000U, 50'000U}) {
    Serving app([](RequestCtx&) {}, options);
    Peer peer = app.connect();
    peer.send(head_of(size) + std::string(size, 'b') + get("/"));
    EXPECT_THAT(statuses(peer.take()).size(), size == 1'000 ? 2U : 1U) << size;
    EXPECT_EQ(peer.closed(), size != 1'000) << size;
    EXPECT_FALSE(peer.was_reset());
  }
}

TEST(RequestStream, ThatNeverComesIsNotWaitedForLongerThanABodyMayTake) {
  Serving app([](RequestCtx&) {}, streaming());
  Peer peer = app.connect();
  peer.send(head_of(1'000));
  peer.expect_response(200);
  app.lab().advance(5s - 1ns);
  EXPECT_FALSE(peer.closed());
  app.lab().advance(1ns);
  peer.expect_closed();
  EXPECT_EQ(app.worker().metrics().read_body_rate_timeouts.get(), 1U);
}

// ---- 100-continue --------------------------------------------------------------------------------------------

TEST(RequestStream, IsAskedForWhenItIsRead) {
  Heard heard;
  Serving app(late_reader(heard, 1s), streaming());
  Peer peer = app.connect();
  peer.send(head_of(3, "Expect: 100-continue\r\n"));
  peer.expect_nothing();
  app.lab().advance(1s);
  peer.expect_response(100);
  peer.send("one" + get("/next"));
  EXPECT_EQ(peer.expect_response(200).body, "read");
  app.lab().advance(1s);
  peer.expect_response(200);
}

TEST(RequestStream, ThatIsNeverAskedForClosesTheConnection) {
  Serving app([](RequestCtx& ctx) { ctx.error(403, "no"); }, streaming());
  Peer peer = app.connect();
  peer.send(head_of(1'000, "Expect: 100-continue\r\n"));
  EXPECT_EQ(peer.expect_response(403).header("Connection"), "close");
  peer.expect_closed();
}

TEST(RequestStream, IsNotAskedForInTheMiddleOfAResponse) {
  Heard heard;
  Serving app(
      [&](RequestCtx& ctx) -> Task<> {
        (void)co_await ctx.write("early");
        (void)co_await ctx.flush();
        co_await read_all(ctx, heard);
      },
      streaming());
  Peer peer = app.connect();
  peer.send(head_of(3, "Expect: 100-continue\r\n"));
  app.lab().settle();
  peer.send("one");
  EXPECT_THAT(peer.received(), Not(HasSubstr("100 Continue")));
  EXPECT_THAT(peer.received(), EndsWith("\r\n\r\n5\r\nearly\r\n0\r\n\r\n"));
  EXPECT_THAT(heard, ElementsAre("one", ""));
}

}  // namespace
}  // namespace pipette::server
