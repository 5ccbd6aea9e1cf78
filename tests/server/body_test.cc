// Request bodies: framing, limits and 100-continue (RFC 9112 §6, §7; RFC 9110 §10.1.1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::kGet;
using test::ok;
using test::Serving;
using test::statuses;
using testing::ElementsAre;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

void echo(RequestCtx& ctx) { ctx.set_body(ctx.body()); }

std::string with_length(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string hex(std::size_t number) {
  std::string digits;
  for (; number > 0; number /= 16) digits.insert(digits.begin(), "0123456789abcdef"[number % 16]);
  return digits;
}

std::string chunked(std::string_view body, std::size_t chunk_bytes) {
  std::string text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk_bytes, body.size()))) {
    const std::string_view chunk = body.substr(0, chunk_bytes);
    text += hex(chunk.size()) + "\r\n" + std::string(chunk) + "\r\n";
  }
  return text + "0\r\n\r\n";
}

// Octets of which no two runs look alike, so that a hole or a swap is seen.
std::string pattern(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + ",";
  text.resize(size);
  return text;
}

TEST(Session, GivesTheHandlerTheBodyOfAnyMethod) {
  Serving app(echo);
  for (const std::string_view method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "REPORT"}) {
    EXPECT_EQ(app.answer_to(std::string(method) + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"),
              ok("body"));
  }
}

TEST(Session, TakesARequestWithoutFramingForOneWithoutABody) {
  Serving app(
      [](RequestCtx& ctx) { ctx.set_body(std::string(ctx.method_text()) + std::to_string(ctx.body().size())); });
  EXPECT_EQ(app.answer_to("POST / HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet)), ok("POST0") + ok("GET0"));
  EXPECT_EQ(app.answer_to(with_length("") + std::string(kGet)), ok("POST0") + ok("GET0"));
  EXPECT_EQ(app.answer_to(chunked("", 1) + std::string(kGet)), ok("POST0") + ok("GET0"));
}

TEST(Session, ReadsBodiesOfEverySizeWholeAndTheRequestBehindThem) {
  for (const std::size_t size : {1U, 1000U, 4000U, 4096U, 5000U, 70'000U, 1'000'000U}) {
    const std::string body = pattern(size);
    for (const std::string& request : {with_length(body), chunked(body, 1 + size / 7), chunked(body, size)}) {
      Serving app(echo);
      Peer peer = app.connect();
      peer.send(request + with_length("next"));
      const auto found = answers(peer.received());
      ASSERT_EQ(found.size(), 2U) << size;
      EXPECT_TRUE(found[0].body == body) << size;
      EXPECT_EQ(found[1].body, "next") << size;
    }
  }
}

TEST(Session, DropsExtensionsAndTrailers) {
  Serving app([](RequestCtx& ctx) {
    EXPECT_EQ(ctx.header("X-Trailer"), std::nullopt);
    ctx.set_body(ctx.body());
  });
  EXPECT_EQ(app.answer_to("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                          "3;a=b;c=\"d;\\\"e\"\r\nabc\r\n00A\r\n0123456789\r\n0;last\r\nX-Trailer: x\r\nY: z\r\n\r\n" +
                          std::string(kGet)),
            ok("abc0123456789") + ok(""));
}

TEST(Session, ForgetsTheBodyBeforeTheNextRequest) {
  Serving app(echo);
  const std::string large = pattern(200'000);
  Peer peer = app.connect();
  peer.send(with_length(large));
  EXPECT_EQ(answers(peer.take()).at(0).body.size(), large.size());
  peer.send(kGet);
  EXPECT_EQ(peer.take(), ok(""));
}

TEST(Session, AcceptsABodyOfTheLimitAndRefusesOneOctetMore) {
  ServerOptions options;
  options.max_request_body_bytes = 1000;
  Serving app(echo, options);
  const std::string body = pattern(1001);
  for (const std::size_t size : {999U, 1000U, 1001U}) {
    const int status = size <= 1000 ? 200 : 413;
    const std::string_view part = std::string_view(body).substr(0, size);
    EXPECT_THAT(statuses(app.answer_to(with_length(part))), ElementsAre(status)) << size;
    EXPECT_THAT(statuses(app.answer_to(chunked(part, 2000))), ElementsAre(status)) << size << " in one chunk";
    EXPECT_THAT(statuses(app.answer_to(chunked(part, 1))), ElementsAre(status)) << size << " octet by octet";
  }
}

TEST(Session, RefusesABodyThatIsTooLargeBeforeItHasCome) {
  Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; });
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(statuses(peer.received()), ElementsAre(413));
  EXPECT_TRUE(peer.closed());
}

TEST(Session, AllowsNoBodyAtAllWhenTheLimitIsZero) {
  ServerOptions options;
  options.max_request_body_bytes = 0;
  Serving app(echo, options);
  EXPECT_THAT(statuses(app.answer_to(with_length("") + chunked("", 1) + with_length("x"))), ElementsAre(200, 200, 413));
  EXPECT_THAT(statuses(app.answer_to(chunked("x", 1))), ElementsAre(413));
}

// ---- 100-continue ----------------------------------------------------------------------------------------

constexpr std::string_view kExpects = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n";

TEST(Session, AsksForABodyThatIsHeldBack) {
  Serving app(echo);
  Peer peer = app.connect();
  peer.send(kExpects);
  EXPECT_EQ(peer.take(), kContinue);
  peer.send("bo");
  EXPECT_EQ(peer.take(), "");
  peer.send("dy");
  EXPECT_EQ(peer.take(), ok("body"));
}

TEST(Session, AsksForAChunkedBodyThatIsHeldBack) {
  Serving app(echo);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.take(), kContinue);
  peer.send("4\r\nbody\r\n0\r\n\r\n");
  EXPECT_EQ(peer.take(), ok("body"));
}

TEST(Session, DoesNotAskForABodyThatHasBegunToCome) {
  for (const std::string_view begun : {"b", "bod", "body"}) {
    Serving app(echo);
    Peer peer = app.connect();
    peer.send(std::string(kExpects).append(begun));
    peer.send(std::string_view("body").substr(begun.size()));
    EXPECT_EQ(peer.take(), ok("body"));
  }
}

TEST(Session, DoesNotAskForNothing) {
  Serving app(echo);
  EXPECT_EQ(app.answer_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n"), ok(""));
  EXPECT_EQ(app.answer_to("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"), ok(""));
}

TEST(Session, DoesNotAskAnHttp10Client) {
  Serving app(echo);
  Peer peer = app.connect();
  peer.send("POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.take(), "");
  peer.send("body");
  EXPECT_EQ(peer.take(), ok("body", "Connection: close\r\n"));
}

TEST(Session, AnswersWhatCameBeforeInFrontOf100Continue) {
  Serving app(echo);
  Peer peer = app.connect();
  peer.send(with_length("first").append(kExpects));
  EXPECT_EQ(peer.take(), ok("first").append(kContinue));
}

TEST(Session, RefusesAnExpectationItDoesNotKnow) {
  Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; });
  for (const std::string_view expectation : {"200-ok", "100-continue, 200-ok", "100-continue=1"}) {
    EXPECT_THAT(statuses(app.answer_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: " +
                                       std::string(expectation) + "\r\n\r\nbody")),
                ElementsAre(417))
        << expectation;
  }
  EXPECT_THAT(statuses(app.answer_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
                                     "Expect: 200-ok\r\n\r\nbody")),
              ElementsAre(417));
}

}  // namespace
}  // namespace pipette::server
