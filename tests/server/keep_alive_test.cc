// Which connections stay and which close, and how that is announced (RFC 9112 §9.3, §9.6).
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

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

TEST(Session, KeepsAnHttp11ConnectionWithoutSayingSo) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(kGet);
  EXPECT_EQ(peer.take(), ok("Hello"));
  app.lab().advance(10s);
  peer.send(kGet);
  EXPECT_THAT(statuses(peer.take()), ElementsAre(200));
  EXPECT_FALSE(peer.closed());
}

TEST(Session, ClosesWhenAConnectionFieldOfTheRequestListsClose) {
  for (const std::string_view value : {"close", "Close", "CLOSE", "te, close", "keep-alive,close", " ,\tcLoSe , x"}) {
    Serving app(greet);
    Peer peer = app.connect();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: " + std::string(value) + "\r\n\r\n");
    EXPECT_EQ(peer.received(), ok("Hello", "Connection: close\r\n")) << value;
    EXPECT_TRUE(peer.closed()) << value;
  }
}

TEST(Session, LooksIntoEveryConnectionFieldForClose) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nconnection: close\r\n\r\n");
  EXPECT_EQ(peer.received(), ok("Hello", "Connection: close\r\n"));
  EXPECT_TRUE(peer.closed());
}

TEST(Session, IsNotMisledByWordsThatContainClose) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, x-close\r\n\r\n");
  EXPECT_EQ(peer.received(), ok("Hello"));
  EXPECT_FALSE(peer.closed());
}

TEST(Session, ClosesAnHttp10ConnectionUnlessAskedOtherwise) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(peer.received(), ok("Hello", "Connection: close\r\n"));
  EXPECT_TRUE(peer.closed());
}

TEST(Session, KeepsAnHttp10ConnectionThatAsksForItAndEchoesThat) {
  Serving app(greet);
  Peer peer = app.connect();
  for (const std::string_view value : {"keep-alive", "Keep-Alive", "x, KEEP-ALIVE"}) {
    peer.send("GET / HTTP/1.0\r\nConnection: " + std::string(value) + "\r\n\r\n");
    EXPECT_EQ(peer.take(), ok("Hello", "Connection: keep-alive\r\n")) << value;
    EXPECT_FALSE(peer.closed()) << value;
  }
  peer.send("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n");
  EXPECT_EQ(peer.take(), ok("Hello", "Connection: close\r\n"));
  EXPECT_TRUE(peer.closed());
}

TEST(Session, TreatsALaterMinorVersionAs11) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.7\r\nHost: a\r\n\r\n");
  EXPECT_EQ(peer.received(), ok("Hello"));
  EXPECT_FALSE(peer.closed());
}

TEST(Session, AnswersNothingBehindARequestThatCloses) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(peer.received(), ok("Hello", "Connection: close\r\n"));
  EXPECT_EQ(app.worker().served(), 1U);
}

TEST(Session, ClosesWhenTheHandlerSaysSo) {
  Serving app([](RequestCtx& ctx) {
    if (ctx.path() == "/verb") return ctx.set_connection_close();
    EXPECT_TRUE(ctx.set_header("Connection", "close"));
  });
  for (const std::string_view path : {"/field", "/verb"}) {
    Peer peer = app.connect();
    peer.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet));
    EXPECT_EQ(peer.received(), ok("", "Connection: close\r\n"));
    EXPECT_TRUE(peer.closed());
  }
}

TEST(Session, AnswersHeadWithTheLengthAndNoBody) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(std::string(ctx.path() == "/large" ? 100'000 : 5, 'x')); });
  EXPECT_EQ(app.answer_to("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet)),
            "HTTP/1.1 200 OK\r\nServer: pipette\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n" +
                ok("xxxxx"));
  const std::string large = app.answer_to("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto found = answers(large, {http::Method::head});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].field("content-length"), "100000");
}

TEST(Session, SendsNoBodyWith205) {
  Serving app([](RequestCtx& ctx) {
    ctx.set_status(205);
    ctx.set_body("dropped");
  });
  const std::string answer = app.answer_to(kGet);
  EXPECT_THAT(answer, testing::HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST(Session, SendsNeitherLengthNorBodyWith204And304) {
  for (const int status : {204, 304}) {
    for (const std::size_t size : {0U, 5U, 100'000U}) {
      Serving app([&](RequestCtx& ctx) {
        ctx.set_status(ctx.path() == "/" ? 200 : status);
        ctx.set_body(std::string(ctx.path() == "/" ? 1 : size, 'x'));
      });
      const auto found = answers(app.answer_to("GET /none HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet)));
      ASSERT_EQ(found.size(), 2U) << status << " with a body of " << size;
      EXPECT_EQ(found[0].head.status, status);
      EXPECT_EQ(found[0].field("content-length"), "(none)");
      EXPECT_EQ(found[0].field("transfer-encoding"), "(none)");
      EXPECT_EQ(found[1].body, "x");
    }
  }
}

TEST(Session, ClosesAfterTheAnswerWhenTheClientHasFinished) {
  Serving app(greet);
  Peer peer = app.connect();
  peer.send(kGet);
  peer.close_write();
  EXPECT_EQ(peer.received(), ok("Hello"));
  EXPECT_TRUE(peer.closed());
  EXPECT_FALSE(peer.was_reset());
  EXPECT_EQ(app.worker().open_connections(), 0U);
}

TEST(Session, SaysNothingToAClientThatFinishesWithoutARequest) {
  Serving app(greet);
  EXPECT_EQ(app.answer_to(""), "");
  EXPECT_EQ(app.answer_to("\r\n\r\n"), "");
  EXPECT_EQ(app.answer_to(std::string(kGet) + "\r\n"), ok("Hello"));
  EXPECT_EQ(app.worker().open_connections(), 0U);
}

TEST(Session, SkipsEmptyLinesInFrontOfARequest) {
  Serving app(greet);
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx\r\n";
  EXPECT_EQ(app.answer_to("\r\n" + post + "\r\n" + std::string(kGet)), ok("Hello") + ok("Hello"));
}

}  // namespace
}  // namespace pipette::server
