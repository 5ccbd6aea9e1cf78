// What is refused, with which status; and that nothing behind it is answered (RFC 9112 §3, §6, §11; RFC 9110 §15).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::Answer;
using test::answers;
using test::kGet;
using test::ok;
using test::Serving;
using test::statuses;
using testing::ElementsAre;

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\n";
constexpr std::string_view kChunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Refused {
  int status;
  std::string octets;
};

std::string post(std::string_view rest) { return std::string(kPost).append(rest); }
std::string chunked(std::string_view body) { return std::string(kChunked).append(body); }

std::vector<Refused> refused_requests() {
  const std::string long_target = "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string long_field = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'v') + "\r\n\r\n";
  std::string many_fields = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 100; ++i) many_fields += "X: y\r\n";
  std::string large_head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 7; ++i) large_head += "X: " + std::string(10'000, 'v') + "\r\n";
  return {
      // The start line.
      {400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\r\n\r\n"},
      {400, "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET http:\\\\a\\ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\nHost: a\n\n"},
      {414, long_target},
      {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
      {421, "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {421, "GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {501, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"},
      // Fields.
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n"},
      {400, std::string("GET / HTTP/1.1\r\nHost: a\r\nX: ") + '\0' + "\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"},
      {431, long_field},
      {431, many_fields},
      {431, large_head},
      {417, "GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n"},
      // Framing.
      {400, post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
      {400, post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")},
      {400, post("Content-Length: 1\r\nContent-Length: 1\r\n\r\nx")},
      {400, post("Content-Length: 1, 1\r\n\r\nx")},
      {400, post("Content-Length: +1\r\n\r\nx")},
      {400, post("Content-Length: 0x1\r\n\r\nx")},
      {400, post("Content-Length: -1\r\n\r\nx")},
      {400, post("Content-Length:\r\n\r\n")},
      {400, post("Content-Length: 99999999999999999999\r\n\r\nx")},
      {400, post("Content-Length: 18446744073709551617\r\n\r\nx")},
      {400, post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
      {400, post("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")},
      {400, post("Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n")},
      {501, post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
      {400, "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, post("Transfer-Encoding:\r\n\r\n0\r\n\r\n")},
      {501, post("Transfer-Encoding: gzip\r\n\r\n")},
      {501, post("Transfer-Encoding: identity\r\n\r\n")},
      {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {413, post("Content-Length: 4194305\r\n\r\n")},
      // Chunks.
      {400, chunked("x\r\n")},
      {400, chunked("\r\n0\r\n\r\n")},
      {400, chunked("3\nabc\r\n0\r\n\r\n")},
      {400, chunked("3\r\nabcd\r\n0\r\n\r\n")},
      {400, chunked("3\r\nabc0\r\n\r\n")},
      {400, chunked("3 \r\nabc\r\n0\r\n\r\n")},
      {400, chunked("-3\r\nabc\r\n0\r\n\r\n")},
      {400, chunked("11111111111111111\r\n")},
      {413, chunked("ffffffffffffffff\r\n")},
      {413, chunked("400001\r\n")},
      {400, chunked("0\r\nbad trailer\r\n\r\n")},
      {400, chunked("1;" + std::string(20'000, 'e') + "\r\nx\r\n0\r\n\r\n")},
  };
}

TEST(Session, RefusesWhatItCannotServeAndClosesAndAnswersNothingBehindIt) {
  for (const Refused& request : refused_requests()) {
    Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; });
    Peer peer = app.connect();
    peer.send(request.octets + std::string(kGet));
    const auto found = answers(peer.received());
    ASSERT_EQ(found.size(), 1U) << request.octets;
    EXPECT_EQ(found[0].head.status, request.status) << request.octets << "\n" << found[0].body;
    EXPECT_EQ(found[0].field("connection"), "close") << request.octets;
    EXPECT_NE(found[0].body, "") << request.octets;
    EXPECT_TRUE(peer.closed()) << request.octets;
    EXPECT_FALSE(peer.was_reset()) << request.octets;
    peer.close_write();
    app.lab().settle();
    EXPECT_EQ(app.worker().open_connections(), 0U) << request.octets;
  }
}

TEST(Session, AnswersWhatStandsInFrontOfARefusedRequest) {
  for (const Refused& request : refused_requests()) {
    Serving app([](RequestCtx&) {});
    Peer peer = app.connect();
    peer.send(std::string(kGet) + request.octets + std::string(kGet));
    EXPECT_THAT(statuses(peer.received()), ElementsAre(200, request.status)) << request.octets;
  }
}

TEST(Session, RefusesARequestThatEndsTooEarly) {
  for (const std::string_view octets :
       {"G", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfour",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n"}) {
    Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; });
    const auto found = answers(app.answer_to(octets));
    ASSERT_EQ(found.size(), 1U) << octets;
    EXPECT_EQ(found[0].head.status, 400) << octets;
    EXPECT_EQ(found[0].field("connection"), "close") << octets;
  }
}

TEST(Session, LetsTheAbsoluteTargetsAuthorityWin) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(std::string(ctx.host()) + " " + std::string(ctx.path())); });
  EXPECT_EQ(app.answer_to("GET http://real:81/x?y HTTP/1.1\r\nHost: other\r\n\r\n"), ok("real:81 /x"));
}

TEST(Session, AcceptsHeadsUpToTheirLimitsAndNotBeyond) {
  ServerOptions options;
  options.head.max_target_bytes = 100;
  options.head.max_fields = 3;
  options.head.max_field_bytes = 200;
  Serving app([](RequestCtx&) {}, options);
  const auto status_of = [&](const std::string& request) { return statuses(app.answer_to(request)); };
  EXPECT_THAT(status_of("GET /" + std::string(99, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), ElementsAre(200));
  EXPECT_THAT(status_of("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), ElementsAre(414));
  EXPECT_THAT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n"), ElementsAre(200));
  EXPECT_THAT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n"), ElementsAre(431));
  EXPECT_THAT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(195, 'v') + "\r\n\r\n"), ElementsAre(200));
  EXPECT_THAT(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(196, 'v') + "\r\n\r\n"), ElementsAre(431));
}

TEST(Session, RefusesAnEndlessHeadWithoutWaitingForItsEnd) {
  Serving app([](RequestCtx&) {});
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'v'));
  EXPECT_THAT(statuses(peer.received()), ElementsAre(431));
  Peer other = app.connect();
  other.send("GET /" + std::string(9'000, 'v'));
  EXPECT_THAT(statuses(other.received()), ElementsAre(414));
}

TEST(Session, RefusesAHeadRequestWithoutABody) {
  Serving app([](RequestCtx&) {});
  const std::string answer = app.answer_to("HEAD / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n");
  const auto found = answers(answer, {http::Method::head});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].head.status, 417);
}

}  // namespace
}  // namespace pipette::server
