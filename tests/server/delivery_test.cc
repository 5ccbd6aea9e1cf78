// However octets are cut on their way, the same answers come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/serving.h"
#include "tests/support/splits.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::for_each_split;
using test::Pieces;
using test::Serving;

void describe_request(RequestCtx& ctx) {
  std::string text = std::string(ctx.method_text()) + " " + std::string(ctx.path()) + "?" + std::string(ctx.query());
  for (std::size_t i = 0; i < ctx.headers().size(); ++i) {
    text.append("\n").append(ctx.headers()[i].name).append("=").append(ctx.headers()[i].value);
  }
  ctx.set_body(text.append("\n\n").append(ctx.body()));
}

Task<> describe_slowly(RequestCtx& ctx) {
  describe_request(ctx);
  co_return;
}

const std::string kConversation =
    "GET /a%20b?q=1 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nAccept: */*\r\n\r\n"
    "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world\r\n"
    "PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\nT: t\r\n\r\n"
    "HEAD /4 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    "POST /5 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    "GET /never HTTP/1.1\r\nHost: a\r\n\r\n";

const std::string kRefused =
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwikiX\r\n0\r\n\r\n"
    "GET /never HTTP/1.1\r\nHost: a\r\n\r\n";

std::string answer_in_pieces(Serving& app, const Pieces& pieces) {
  Peer peer = app.connect();
  for (const std::string_view piece : pieces) {
    peer.send(piece);
    app.lab().settle();
  }
  peer.close_write();
  app.lab().run_until([&] { return peer.closed(); });
  EXPECT_FALSE(peer.was_reset());
  return peer.take();
}

TEST(Session, AnswersTheSameHoweverTheRequestsAreCut) {
  for (const std::string& conversation : {kConversation, kRefused}) {
    Serving app(describe_request);
    const std::string expected = app.answer_to(conversation);
    EXPECT_EQ(
        test::statuses(expected, {http::Method::get, http::Method::get, http::Method::get, http::Method::head}).size(),
        conversation == kRefused ? 2U : 5U);
    for_each_split(conversation, [&](const Pieces& pieces) {
      if (testing::Test::HasFailure()) return;
      EXPECT_EQ(answer_in_pieces(app, pieces), expected) << "the first piece has " << pieces[0].size() << " octets";
    });
  }
}

TEST(Session, AnswersTheSameThroughEveryPipe) {
  const std::string expected = Serving(describe_request).answer_to(kConversation);
  for (const std::size_t bytes : {1U, 2U, 3U, 7U, 100U, 4096U}) {
    net::ChannelOptions narrow;
    narrow.with_capacity(bytes);
    EXPECT_EQ(Serving(describe_request, {}, narrow).answer_to(kConversation), expected) << "capacity " << bytes;
    net::ChannelOptions slow_reads;
    slow_reads.max_read_bytes = bytes;
    EXPECT_EQ(Serving(describe_request, {}, slow_reads).answer_to(kConversation), expected) << "reads of " << bytes;
    net::ChannelOptions slow_writes;
    slow_writes.max_write_bytes = bytes;
    EXPECT_EQ(Serving(describe_request, {}, slow_writes).answer_to(kConversation), expected) << "writes of " << bytes;
  }
}

TEST(Session, AnswersTheSameForEitherKindOfHandlerAndAnyBuffers) {
  const std::string expected = Serving(describe_request).answer_to(kConversation);
  EXPECT_EQ(Serving(describe_slowly).answer_to(kConversation), expected);
  for (const std::size_t bytes : {1U, 16U, 300U, 100'000U}) {
    ServerOptions options;
    options.read_buffer_bytes = bytes;
    options.write_buffer_bytes = bytes;
    EXPECT_EQ(Serving(describe_request, options).answer_to(kConversation), expected) << bytes;
  }
}

TEST(Session, TakesNothingOverFromARequestThatLooksAlike) {
  const std::vector<std::string> requests = {
      "GET /a HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nCookie: c=1\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nCookie: c=1\r\n\r\n",  // the same
      "GET /b HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nCookie: c=1\r\n\r\n",  // another target
      "GET /b HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nCookie: c=2\r\n\r\n",  // another value
      "GET /b HTTP/1.1\r\nHost: a\r\nX-Kez: 1\r\nCookie: c=2\r\n\r\n",  // another name
      "GET /b HTTP/1.1\r\nHost: a\r\nX-Kez: 1\r\n\r\n",                 // less
      "GET /b HTTP/1.1\r\nHost: a\r\nX-Kez: 1\r\nCookie: c=2\r\n\r\n",  // more
      "PUT /b HTTP/1.1\r\nHost: a\r\nX-Kez: 1\r\nCookie: c=2\r\n\r\n",  // another method
      "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
      "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nydob",
      "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nbod",
      "GET /b HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
      "GET /b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"};
  Serving app(describe_request);
  std::string all;
  std::string expected;
  Peer kept = app.connect();
  for (const std::string& request : requests) {
    all += request;
    const std::string alone = app.answer_to(request);
    expected += alone;
    kept.send(request);
    EXPECT_EQ(kept.take(), alone) << request;
  }
  EXPECT_EQ(app.answer_to(all), expected);
}

TEST(Session, RefusesAHeadThatLooksLikeAGoodOneBeforeIt) {
  const std::string good = "GET / HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nY: 2\r\n\r\n";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'\0', '\r', '\n', ' ', ':'}) {
      std::string other = good;
      other[i] = c;
      Serving app(describe_request);
      const std::string alone = app.answer_to(other);
      Peer peer = app.connect();
      peer.send(good);
      peer.take();
      peer.send(other);
      peer.close_write();
      EXPECT_EQ(peer.take(), alone) << other;
    }
  }
}

TEST(Session, SendsALargeBodyThroughAWindowOfOneOctet) {
  net::ChannelOptions narrow;
  narrow.with_capacity(1);
  Serving app([](RequestCtx& ctx) { ctx.set_body(std::string(20'000, 'x')); }, {}, narrow);
  const auto found = test::answers(app.answer_to(test::kGet));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].body, std::string(20'000, 'x'));
}

}  // namespace
}  // namespace pipette::server
