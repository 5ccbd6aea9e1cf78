// Connections that are kept for the next call, and what is asked once more (RFC 9112 §9.3, RFC 9110 §9.2.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";
const std::string kUrl = "http://app/";

class Pool : public testing::Test {
 protected:
  Result<Response> get() { return lab_.run(lab_.client().get(kUrl)); }
  Result<void> call(http::Method method) {
    Request request;
    request.method = method;
    request.url = kUrl;
    Response response;
    return lab_.run(lab_.client().call(request, response));
  }
  std::size_t idle() { return lab_.client().idle_connections(); }
  void answer(std::string_view octets) { server_.answer(std::string(octets)); }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
};

TEST_F(Pool, UsesAConnectionAgain) {
  for (int i = 0; i < 3; ++i) {
    answer(kHello);
    EXPECT_EQ(get().value().body, "Hello");
    EXPECT_EQ(idle(), 1U);
  }
  EXPECT_EQ(server_.accepted(), 1U);
}

TEST_F(Pool, UsesNoConnectionAgainThatCannotBe) {
  for (const std::string_view octets :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxjunk",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nforge",
        "HTTP/1.1 204 No Content\r\n\r\njunk",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\njunk"}) {
    answer(octets);
    EXPECT_TRUE(get()) << octets;
    EXPECT_EQ(idle(), 0U) << octets;
    lab_.settle();
    EXPECT_EQ(server_.left(), server_.accepted()) << octets;
  }
}

TEST_F(Pool, UsesNoConnectionAgainWhoseResponseEndedWithIt) {
  server_.answer_and_close("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  EXPECT_EQ(get().value().body, "until the end");
  EXPECT_EQ(idle(), 0U);
}

TEST_F(Pool, KeepsAnHttp10ConnectionThatSaysSo) {
  answer("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(get());
  EXPECT_EQ(idle(), 1U);
}

TEST_F(Pool, KeepsNothingAfterARequestThatSaidClose) {
  Request request;
  request.url = kUrl;
  ASSERT_TRUE(request.fields.set("Connection", "close"));
  Response response;
  answer(kHello);
  EXPECT_TRUE(lab_.run(lab_.client().call(request, response)));
  EXPECT_EQ(idle(), 0U);
}

TEST_F(Pool, NoticesAConnectionThatWasClosedMeanwhile) {
  answer(kHello);
  ASSERT_TRUE(get());
  server_.close(0);
  lab_.settle();
  answer(kHello);
  EXPECT_TRUE(call(http::Method::post)) << "also for a request that must not be repeated";
  EXPECT_EQ(server_.accepted(), 2U);
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(Pool, TrustsNoConnectionThatSpeaksUnasked) {
  answer(kHello);
  ASSERT_TRUE(get());
  server_.say(0, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  answer(kHello);
  EXPECT_EQ(get().value().body, "Hello");
  EXPECT_EQ(server_.accepted(), 2U);
}

TEST_F(Pool, LetsConnectionsGoThatHaveIdledTooLong) {
  answer(kHello);
  ASSERT_TRUE(get());
  lab_.advance(10s - 1ns);
  answer(kHello);
  ASSERT_TRUE(get());
  EXPECT_EQ(server_.accepted(), 1U);
  lab_.advance(10s);
  answer(kHello);
  ASSERT_TRUE(get());
  EXPECT_EQ(server_.accepted(), 2U);
}

TEST_F(Pool, AsksOnceMoreWhenTheServerClosesAsTheCallBegins) {
  for (const http::Method method : {http::Method::get, http::Method::head, http::Method::put, http::Method::delete_,
                                    http::Method::options, http::Method::trace}) {
    for (const auto then : {ScriptedServer::Then::close, ScriptedServer::Then::reset}) {
      lab_.client().close_idle();
      answer(kHello);
      ASSERT_TRUE(get());
      const std::size_t accepted = server_.accepted();
      server_.answer("", then);
      answer("HTTP/1.1 204 No Content\r\n\r\n");
      EXPECT_TRUE(call(method)) << http::to_string(method);
      EXPECT_EQ(server_.accepted(), accepted + 1);
    }
  }
}

TEST_F(Pool, AsksOnceMoreOnANewConnectionAndNotOnAnotherKeptOne) {
  async::TaskGroup group(lab_.world().loop());
  const auto discard = [](Task<Result<Response>> task) -> Task<> { (void)co_await task; };
  for (int i = 0; i < 3; ++i) {
    answer(kHello);
    group.spawn(discard(lab_.client().get(kUrl)));
  }
  lab_.settle();
  ASSERT_EQ(idle(), 3U);
  server_.reset_next();  // and any other kept connection would be as dead
  answer(kHello);
  EXPECT_TRUE(get());
  EXPECT_EQ(server_.accepted(), 4U);
}

TEST_F(Pool, NeverRepeatsAPostOrAPatch) {
  for (const http::Method method : {http::Method::post, http::Method::patch}) {
    lab_.client().close_idle();
    answer(kHello);
    ASSERT_TRUE(get());
    const std::size_t requests = server_.requests().size();
    server_.reset_next();
    EXPECT_EQ(call(method).error(), std::errc::connection_reset);
    EXPECT_EQ(server_.requests().size(), requests + 1);
  }
}

TEST_F(Pool, RepeatsNothingOnANewConnection) {
  server_.reset_next();
  EXPECT_EQ(get().error(), std::errc::connection_reset);
  server_.answer_and_close("");
  EXPECT_EQ(get().error(), Errc::end_of_stream);
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(Pool, RepeatsNothingOnceAResponseHasBegun) {
  answer(kHello);
  ASSERT_TRUE(get());
  server_.answer_and_close("HTTP/1.1 2");
  EXPECT_EQ(get().error(), Errc::end_of_stream);
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(Pool, RepeatsNothingTwice) {
  answer(kHello);
  ASSERT_TRUE(get());
  server_.reset_next();
  server_.reset_next();
  EXPECT_EQ(get().error(), std::errc::connection_reset);
  EXPECT_EQ(server_.requests().size(), 3U);
}

TEST_F(Pool, KeepsNoMoreConnectionsThanItMay) {
  ClientOptions options;
  options.max_idle_per_host = 2;
  Client client(lab_.runtime(), options);
  async::TaskGroup group(lab_.world().loop());
  const auto discard = [](Task<Result<Response>> task) -> Task<> { (void)co_await task; };
  for (int i = 0; i < 5; ++i) {
    answer(kHello);
    group.spawn(discard(client.get(kUrl)));
  }
  lab_.settle();
  EXPECT_EQ(server_.accepted(), 5U);
  EXPECT_EQ(client.idle_connections(), 2U);
  client.close_idle();
  EXPECT_EQ(client.idle_connections(), 0U);
  lab_.settle();
  EXPECT_EQ(server_.left(), 5U);
}

TEST_F(Pool, KeepsConnectionsToDifferentAuthoritiesApart) {
  ScriptedServer other(lab_, "app:81");
  answer(kHello);
  other.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
  EXPECT_EQ(get().value().body, "Hello");
  EXPECT_EQ(lab_.get("http://app:81/").body, "other");
  EXPECT_EQ(idle(), 2U);
}

}  // namespace
}  // namespace pipette::client
