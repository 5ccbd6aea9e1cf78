// Responses that are read piece by piece.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/client/client.h"
#include "pipette/client/host_client.h"
#include "pipette/client/response_stream.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/server/server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nSum: 7\r\n\r\n";

Request to(std::string path = "/", http::Method method = http::Method::get) {
  Request request;
  request.method = method;
  request.url = "http://app" + std::move(path);
  return request;
}

class Streaming : public testing::Test {
 protected:
  Result<ResponseStream> open(CallOptions options = {}) { return lab_.run(client_.stream(to(), options)); }
  Result<std::string> read(ResponseStream& stream, std::size_t room) {
    std::string into(room, '?');
    const Result<std::size_t> size = lab_.run(stream.read(into));
    if (!size) return fail(size.error());
    return into.substr(0, *size);
  }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  Client client_{lab_.runtime()};
};

TEST_F(Streaming, GiveTheHeadFirstAndTheBodyInPieces) {
  server_.answer(lab::respond(200, "Hello", "X: y\r\n"));
  Result<ResponseStream> stream = open();
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->status(), 200);
  EXPECT_EQ(stream->response().header("x"), "y");
  EXPECT_EQ(stream->response().body, "");
  EXPECT_EQ(stream->length(), http::KnownLength(5));
  EXPECT_EQ(client_.pending(), 1U);
  EXPECT_EQ(read(*stream, 3), "Hel");
  EXPECT_EQ(client_.idle_connections(), 0U);
  EXPECT_EQ(read(*stream, 3), "lo");
  EXPECT_EQ(client_.idle_connections(), 1U) << "before the end has been asked for";
  EXPECT_EQ(client_.pending(), 0U);
  EXPECT_EQ(read(*stream, 3), "");
  EXPECT_EQ(read(*stream, 3), "");
}

TEST_F(Streaming, ReadEveryFramingWithAnyRoom) {
  struct Row {
    std::string_view octets;
    std::string_view body;
    bool is_kept;
  };
  for (const Row& row :
       {Row{"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg", "abcdefg", true},
        Row{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true}, Row{"HTTP/1.1 204 No Content\r\n\r\n", "", true},
        Row{kChunked, "abcdefg", true}, Row{"HTTP/1.1 200 OK\r\n\r\nabcdefg", "abcdefg", false}}) {
    for (std::size_t room = 1; room < 12; ++room) {
      client_.close_idle();
      server_.answer_and_close(std::string(row.octets));
      Result<ResponseStream> stream = open();
      ASSERT_TRUE(stream);
      std::string body;
      for (Result<std::string> piece = read(*stream, room); !piece || !piece->empty(); piece = read(*stream, room)) {
        ASSERT_TRUE(piece) << row.octets << room;
        body += *piece;
      }
      EXPECT_EQ(body, row.body) << row.octets << room;
      EXPECT_EQ(client_.idle_connections(), row.is_kept ? 1U : 0U);
      EXPECT_EQ(stream->response().trailers.size(), row.octets == kChunked ? 1U : 0U);
    }
  }
}

TEST_F(Streaming, GiveTheTrailersBehindTheBody) {
  server_.answer(std::string(kChunked));
  Result<ResponseStream> stream = open();
  ASSERT_TRUE(stream);
  EXPECT_FALSE(stream->length().is_known());
  EXPECT_EQ(read(*stream, 3), "abc");
  EXPECT_TRUE(stream->response().trailers.empty());
  EXPECT_EQ(lab_.run(stream->read_all(100)), "defg");
  EXPECT_EQ(stream->response().trailers.get("sum"), "7");
}

TEST_F(Streaming, ReadAllIsBounded) {
  server_.answer(lab::respond(200, "Hello"));
  Result<ResponseStream> stream = open();
  ASSERT_TRUE(stream);
  EXPECT_EQ(lab_.run(stream->read_all(4)), fail(Errc::body_too_large));
}

TEST_F(Streaming, ThatEndEarlyNeverPoisonThePool) {
  for (const std::size_t pieces : {0U, 1U, 2U}) {
    server_.answer(Script().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").expect_reset());
    server_.answer(lab::respond(200, "other"));
    {
      Result<ResponseStream> stream = open();
      ASSERT_TRUE(stream);
      for (std::size_t i = 0; i < pieces; ++i) ASSERT_TRUE(read(*stream, 2));
    }
    EXPECT_EQ(client_.open_connections(), 0U) << "what is to come would be taken for the next response";
    EXPECT_EQ(lab_.run(client_.get("http://app/"))->body, "other");
    client_.close_idle();
    lab_.advance(2s);
  }
}

TEST_F(Streaming, ThatEndWhereTheRestIsThereAreKept) {
  server_.answer(lab::respond(200, "Hello"));
  {
    ASSERT_TRUE(open());
  }
  EXPECT_EQ(client_.idle_connections(), 1U);
  server_.answer(std::string(kChunked));
  {
    Result<ResponseStream> stream = open();
    ASSERT_TRUE(stream);
    EXPECT_EQ(read(*stream, 1), "a");
  }
  EXPECT_EQ(client_.idle_connections(), 1U);
  EXPECT_EQ(server_.accepted(), 1U);
}

TEST_F(Streaming, BreakWhereTheConnectionDoes) {
  server_.answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  Result<ResponseStream> stream = open();
  ASSERT_TRUE(stream);
  EXPECT_EQ(read(*stream, 9), "abc");
  EXPECT_EQ(read(*stream, 9), fail(Errc::incomplete_message));
  EXPECT_EQ(read(*stream, 9), fail(Errc::incomplete_message)) << "and stay so";
  EXPECT_EQ(client_.open_connections(), 0U);
}

TEST_F(Streaming, HaveATimeBetweenTwoReadsAndNoneForAll) {
  std::string octets = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
  Script script;
  script.send(octets).send_slowly(std::string(10, 'x'), 20s).wait(1h);
  server_.answer(script);
  lab_.allow_leaks();
  Result<ResponseStream> stream = open();  // the client's 30 s have nothing to do with the body
  ASSERT_TRUE(stream);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(read(*stream, 1), "x");
  EXPECT_EQ(lab_.elapsed(), 180s);
  EXPECT_EQ(read(*stream, 1), fail(Errc::body_timeout));
  EXPECT_EQ(lab_.elapsed(), 210s);
}

TEST_F(Streaming, EndAtTheDeadlineOfTheCall) {
  server_.answer(Script().send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").wait(1h));
  lab_.allow_leaks();
  CallOptions options;
  options.deadline = TimePoint(5s);
  Result<ResponseStream> stream = open(options);
  ASSERT_TRUE(stream);
  EXPECT_EQ(read(*stream, 9), "ab");
  EXPECT_EQ(read(*stream, 9), fail(Errc::timed_out));
  EXPECT_EQ(lab_.elapsed(), 5s);
}

TEST_F(Streaming, EndAtTheStopOfTheCall) {
  server_.answer(Script().send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").wait(1h));
  lab_.allow_leaks();
  async::StopSource source(lab_.world().loop());
  CallOptions options;
  options.stop = source.token();
  Result<ResponseStream> stream = open(options);
  ASSERT_TRUE(stream);
  EXPECT_EQ(read(*stream, 9), "ab");
  lab_.spawn([](async::Loop& loop, async::StopSource& stop) -> Task<> {
    co_await async::sleep_until(loop, TimePoint(2s));
    stop.request_stop(async::StopReason::canceled);
  }(lab_.world().loop(), source));
  EXPECT_EQ(read(*stream, 9), fail(Errc::operation_canceled));
  EXPECT_EQ(lab_.elapsed(), 2s);
  EXPECT_EQ(client_.open_connections(), 0U);
}

TEST_F(Streaming, HaveTheBodyLimitOfTheCall) {
  server_.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  CallOptions options;
  options.max_response_body_bytes = 5;
  Result<ResponseStream> stream = open(options);
  ASSERT_TRUE(stream);
  EXPECT_EQ(lab_.run(stream->read_all(100)), fail(Errc::body_too_large));
}

TEST_F(Streaming, FollowRedirects) {
  server_.answer(lab::respond(302, "elsewhere", "Location: /there\r\n"));
  server_.answer(lab::respond(200, "Hello"));
  Result<ResponseStream> stream = open();
  ASSERT_TRUE(stream);
  EXPECT_EQ(lab_.run(stream->read_all(100)), "Hello");
  EXPECT_EQ(server_.accepted(), 1U) << "the body of the redirect was there, so its connection is kept";
  EXPECT_EQ(client_.counts().redirected, 1U);
}

TEST_F(Streaming, SayWhenThereIsNoResponse) {
  server_.answer_and_close("");
  EXPECT_EQ(open(), fail(Errc::end_of_stream));
  EXPECT_EQ(client_.open_connections(), 0U);
  EXPECT_EQ(lab_.run(client_.stream(to("/ "))), fail(Errc::bad_uri));
}

TEST(ResponseStream, HoldsBackAServerThatIsFasterThanItsReader) {
  std::size_t written = 0;
  Server server([&written](RequestCtx& ctx) -> Task<> {
    const std::string piece(10'000, 'x');
    for (int i = 0; i < 100; ++i) {
      if (const Result<void> sent = co_await ctx.write(piece); !sent) co_return;
      written += piece.size();
    }
  });
  Lab lab;
  net::ChannelOptions pipes;
  pipes.with_capacity(16 * 1024);
  lab.world().network().set_pipe_options(pipes);
  lab.serve(server, "app:80");
  Client client(lab.runtime());
  Result<ResponseStream> stream = lab.run(client.stream(to()));
  ASSERT_TRUE(stream);
  lab.advance(1s);
  EXPECT_LT(written, 100'000U);
  const Result<std::string> body = lab.run(stream->read_all(2'000'000));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->size(), 1'000'000U);
  EXPECT_EQ(written, 1'000'000U);
}

// The read that is given up waits for the request to go, whose end must not look for it.
TEST(ResponseStream, ForgetsAReadThatIsGivenUp) {
  class Slow final : public BodySource {
   public:
    explicit Slow(async::Loop& loop) : loop_(loop) {}
    Task<Result<std::size_t>> read(MutableBytes into) override {
      if (is_over_) co_return std::size_t{0};
      is_over_ = true;
      co_await async::sleep_until(loop_, TimePoint(2s));
      co_return std::string_view("late").copy(into.data(), into.size());
    }

   private:
    async::Loop& loop_;
    bool is_over_ = false;
  };
  Lab lab;
  ScriptedServer server(lab, "app:80");
  Client client(lab.runtime());
  Slow slow(lab.world().loop());
  Request request = to("/", http::Method::post);
  request.body_source = &slow;
  Task<Result<ResponseStream>> opening = client.stream(request);
  opening.start();
  lab.settle();
  server.say(0, lab::respond(200, "Hello"));
  Result<ResponseStream> stream = lab.run(std::move(opening));
  ASSERT_TRUE(stream);
  std::array<char, 100> room;
  EXPECT_EQ(lab.run(stream->read(room)), 5U);
  {
    Task<Result<std::size_t>> rest = stream->read(room);
    rest.start();
    EXPECT_FALSE(rest.done());
  }
  lab.advance(3s);
  EXPECT_EQ(lab.run(stream->read(room)), 0U);
  EXPECT_EQ(client.idle_connections(), 1U);
}

// What a reverse proxy does.
TEST(ResponseStream, IsABodySourceForAnotherResponse) {
  Lab lab;
  ScriptedServer origin(lab, "origin:80");
  origin.answer(lab::respond(200, "from afar"));
  Client client(lab.runtime());
  Handler proxy = [&client](RequestCtx& ctx) -> Task<> {
    Request request;
    request.url = "http://origin/";
    Result<ResponseStream> stream = co_await client.stream(request, ctx.call_options());
    if (!stream) co_return ctx.error(502, "no origin");
    const http::KnownLength length = stream->length();
    ctx.set_body_source(std::make_unique<ResponseStream>(std::move(*stream)), length);
  };
  lab.serve(std::move(proxy), "app:80");
  const Response page = lab.get("http://app/");
  EXPECT_EQ(page.body, "from afar");
  EXPECT_EQ(page.header("content-length"), "9");
  EXPECT_EQ(client.idle_connections(), 1U);
}

TEST(ResponseStream, OfAHostClient) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(std::string(kChunked));
  HostClient client(lab.runtime(), "http://app");
  Request request;
  request.url = "/a";
  Result<ResponseStream> stream = lab.run(client.stream(request));
  ASSERT_TRUE(stream);
  EXPECT_EQ(client.pending(), 1U);
  EXPECT_EQ(lab.run(stream->read_all(100)), "abcdefg");
  EXPECT_EQ(client.pending(), 0U);
  EXPECT_EQ(client.idle_connections(), 1U);
}

}  // namespace
}  // namespace pipette::client
