// Request bodies that are large, or come from a source, or wait until the server wants them.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/server/server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// "ab" again and again, with a pause before each, then an end of its choice.
class Pieces final : public BodySource {
 public:
  enum class End { good, error, exception };

  Pieces(async::Loop& loop, int count, Duration pause = 0s, End end = End::good)
      : loop_(loop), left_(count), pause_(pause), end_(end) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    ++reads;
    if (pause_ > 0s) co_await async::sleep_until(loop_, after(loop_.now(), pause_));
    if (left_-- > 0) co_return std::string_view("ab").copy(into.data(), into.size());
    if (end_ == End::error) co_return fail(Errc::connection_refused);
    if (end_ == End::exception) throw std::runtime_error("no more rows");
    co_return std::size_t{0};
  }

  int reads = 0;

 private:
  async::Loop& loop_;
  int left_;
  Duration pause_;
  End end_;
};

Request post_of(BodySource& source, http::KnownLength length = {}) {
  Request request;
  request.method = http::Method::post;
  request.url = "http://app/";
  request.body_source = &source;
  request.body_length = length;
  return request;
}

class Sending : public testing::Test {
 protected:
  Result<void> call(const Request& request, CallOptions options = {}) {
    return lab_.run(client_.call(request, response_, options));
  }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  Client client_{lab_.runtime()};
  Response response_;
};

TEST_F(Sending, ChunksWhatASourceGives) {
  server_.answer(lab::respond(200));
  Pieces pieces(lab_.world().loop(), 2);
  EXPECT_TRUE(call(post_of(pieces)));
  ASSERT_EQ(server_.requests().size(), 1U);
  EXPECT_THAT(server_.requests()[0], HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(server_.requests()[0], EndsWith("\r\n\r\n2\r\nab\r\n2\r\nab\r\n0\r\n\r\n"));
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(Sending, DeclaresTheLengthThatIsKnown) {
  server_.answer(lab::respond(200));
  Pieces pieces(lab_.world().loop(), 2);
  EXPECT_TRUE(call(post_of(pieces, 4)));
  EXPECT_THAT(server_.requests(), ElementsAre(AllOf(HasSubstr("Content-Length: 4\r\n"), EndsWith("\r\n\r\nabab"))));
}

TEST_F(Sending, RefusesASourceThatGivesAnotherLength) {
  lab_.allow_leaks();
  for (const std::uint64_t length : {3U, 5U}) {
    Pieces pieces(lab_.world().loop(), 2);
    EXPECT_EQ(call(post_of(pieces, length)), fail(Errc::wrong_body_size));
    EXPECT_EQ(client_.open_connections(), 0U);
  }
}

TEST_F(Sending, PutsTrailersBehindTheChunks) {
  server_.answer(lab::respond(200));
  Pieces pieces(lab_.world().loop(), 1);
  Request request = post_of(pieces);
  ASSERT_TRUE(request.trailers.set("Sum", "1"));
  EXPECT_TRUE(call(request));
  EXPECT_THAT(server_.requests(), ElementsAre(EndsWith("2\r\nab\r\n0\r\nSum: 1\r\n\r\n")));
}

TEST_F(Sending, EndsTheCallWithWhatTheSourceFailsWith) {
  lab_.allow_leaks();
  for (const Duration pause : {Duration(0s), Duration(1s)}) {
    Pieces broken(lab_.world().loop(), 1, pause, Pieces::End::error);
    EXPECT_EQ(call(post_of(broken)), fail(Errc::connection_refused));
    Pieces throwing(lab_.world().loop(), 1, pause, Pieces::End::exception);
    EXPECT_THROW((void)call(post_of(throwing)), std::runtime_error);
    EXPECT_EQ(client_.open_connections(), 0U);
    EXPECT_EQ(lab_.world().scheduler().next_deadline(), kNever);
  }
}

TEST_F(Sending, NeverRepeatsASource) {
  server_.answer(lab::respond(200));
  ASSERT_TRUE(lab_.run(client_.get("http://app/")));
  server_.reset_next();
  Pieces pieces(lab_.world().loop(), 1);
  Request request = post_of(pieces);
  request.method = http::Method::put;
  EXPECT_EQ(call(request), fail(Errc::connection_reset));
  EXPECT_EQ(client_.counts().requests, 2U);
}

TEST_F(Sending, LeavesARedirectThatWantsTheSourceAgainAsItIs) {
  server_.answer(lab::respond(307, "", "Location: /there\r\n"));
  Pieces pieces(lab_.world().loop(), 1);
  EXPECT_TRUE(call(post_of(pieces)));
  EXPECT_EQ(response_.status, 307);
  server_.answer(lab::respond(303, "", "Location: /there\r\n"));
  server_.answer(lab::respond(200));
  Pieces others(lab_.world().loop(), 1);
  EXPECT_TRUE(call(post_of(others)));
  EXPECT_EQ(response_.status, 200);
  EXPECT_THAT(server_.requests().back(), testing::StartsWith("GET /there"));
}

// ---- beside the response -----------------------------------------------------------------------------------

TEST(ClientSend, TakesAnEchoThatIsLargerThanAllBuffers) {
  ServerOptions streaming;
  streaming.stream_request_body = true;
  Server server(
      [](RequestCtx& ctx) -> Task<> {
        for (;;) {
          const Result<std::string_view> piece = co_await ctx.read_body();
          if (!piece || piece->empty()) co_return;
          const std::string copy(*piece);
          if (const Result<void> sent = co_await ctx.write(copy); !sent) co_return;
        }
      },
      streaming);
  for (const bool from_source : {false, true}) {
    Lab lab;
    net::ChannelOptions pipes;
    pipes.with_capacity(1000);
    lab.world().network().set_pipe_options(pipes);
    lab.serve(server, "app:80");
    Client client(lab.runtime());
    Pieces pieces(lab.world().loop(), 20'000);
    Request request = post_of(pieces);
    if (!from_source) {
      request.body_source = nullptr;
      for (int i = 0; i < 20'000; ++i) request.body += "ab";
    }
    Response response;
    ASSERT_TRUE(lab.run(client.call(request, response)));
    EXPECT_EQ(response.body.size(), 40'000U);
    EXPECT_EQ(lab.elapsed(), 0s) << "nobody waited for a time-out";
    EXPECT_EQ(client.idle_connections(), 1U);
  }
}

TEST(ClientSend, StopsWhereTheServerHasRefused) {
  Lab lab;
  ScriptedServer silent(lab, "app:80");
  Client client(lab.runtime());
  Pieces pieces(lab.world().loop(), 1000, 1s);
  const Request request = post_of(pieces);
  std::optional<Result<void>> done;
  Response response;
  lab.spawn([](Client& caller, const Request& what, Response& into, std::optional<Result<void>>& result) -> Task<> {
    result = co_await caller.call(what, into);
  }(client, request, response, done));
  lab.advance(10500ms);
  EXPECT_FALSE(done);
  silent.say(0, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  lab.settle();
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(pieces.reads, 11);
  EXPECT_EQ(client.open_connections(), 0U) << "half a request went out on it";
  EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever);
}

TEST(ClientSend, GivesEachPieceOfABodyItsTime) {
  ServerOptions patient;
  patient.read_timeout = Duration::max();
  patient.read_body_min_rate = 0;
  Server server([](RequestCtx& ctx) { ctx.set_body(std::to_string(ctx.body().size())); }, patient);
  Lab lab;
  lab.serve(server, "app:80");
  ClientOptions options;
  options.write_timeout = 3s;
  options.timeout = 1h;
  options.response_header_timeout = 5s;  // begins when all has been sent
  Client client(lab.runtime(), options);
  Pieces slow(lab.world().loop(), 5, 2s);
  Response response;
  const Request request = post_of(slow);
  ASSERT_TRUE(lab.run(client.call(request, response)));
  EXPECT_EQ(response.body, "10");
  EXPECT_EQ(lab.elapsed(), 12s);
}

TEST(ClientSend, AlsoToAServerThatAnswersBeforeItHasReadAll) {
  Server server([](RequestCtx& ctx) { ctx.error(403, "no"); });
  Lab lab;
  lab.serve(server, "app:80");
  Client client(lab.runtime());
  Request request;
  request.method = http::Method::post;
  request.url = "http://app/";
  request.body.assign(10'000'000, 'x');  // more than the server takes
  Response response;
  ASSERT_TRUE(lab.run(client.call(request, response)));
  EXPECT_EQ(response.status, 413);
}

// ---- 100-continue ------------------------------------------------------------------------------------------

class Expecting : public Sending {
 protected:
  Result<void> post(Client& client) {
    Request request;
    request.method = http::Method::post;
    request.url = "http://app/";
    request.body = "Hello";
    CallOptions options;
    options.expects_continue = true;
    return lab_.run(client.call(request, response_, options));
  }
};

TEST_F(Expecting, WaitsForTheServerToWantTheBody) {
  lab_.serve([](RequestCtx& ctx) { ctx.set_body(ctx.body()); }, "other:80");
  Request request;
  request.method = http::Method::post;
  request.url = "http://other/";
  request.body = "Hello";
  CallOptions options;
  options.expects_continue = true;
  EXPECT_TRUE(call(request, options));
  EXPECT_EQ(response_.body, "Hello");
  EXPECT_EQ(lab_.elapsed(), 0s);
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(Expecting, SendsTheBodyAllTheSameWhenItsTimeIsOver) {
  server_.answer(lab::respond(200));
  EXPECT_TRUE(post(client_));
  EXPECT_EQ(lab_.elapsed(), 1s);
  EXPECT_THAT(server_.requests(), ElementsAre(AllOf(HasSubstr("Expect: 100-continue\r\n"), EndsWith("Hello"))));
}

TEST_F(Expecting, FailsThenWhereAContinueIsRequired) {
  lab_.allow_leaks();
  ClientOptions options;
  options.requires_continue = true;
  options.expect_continue_timeout = 7s;
  Client client(lab_.runtime(), options);
  EXPECT_EQ(post(client), fail(Errc::expect_continue_timeout));
  EXPECT_EQ(lab_.elapsed(), 7s);
  EXPECT_EQ(client.open_connections(), 0U);
}

// To a hair, as every phase.
TEST(ClientExpect, FailsOnTimeAndLeavesNothing) {
  for (const Duration timeout : {Duration(7s), Duration(1h)}) {
    Lab lab;
    lab.allow_leaks();
    ScriptedServer silent(lab, "app:80");
    ClientOptions options;
    options.requires_continue = true;
    options.expect_continue_timeout = 7s;
    options.timeout = timeout;
    Client client(lab.runtime(), options);
    Pieces pieces(lab.world().loop(), 1);
    const Request request = post_of(pieces);
    Response response;
    CallOptions call;
    call.expects_continue = true;
    std::optional<Result<void>> done;
    lab.spawn([](Task<Result<void>> task, std::optional<Result<void>>& result) -> Task<> {
      result = co_await task;
    }(client.call(request, response, call), done));
    lab.advance(7s - 1ns);
    EXPECT_FALSE(done);
    lab.advance(1ns);
    ASSERT_TRUE(done);
    EXPECT_EQ(*done, fail(timeout == 7s ? Errc::timed_out : Errc::expect_continue_timeout));
    EXPECT_EQ(pieces.reads, 0);
    EXPECT_EQ(client.open_connections(), 0U);
    EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever) << "no timer is left";
  }
}

// A call that is stopped, or whose task dies, at each moment of a phase leaves nothing.
TEST(ClientSend, IsEndedByItsStopWhileASourceIsRead) {
  Lab lab;
  lab.allow_leaks();
  ScriptedServer silent(lab, "app:80");
  Client client(lab.runtime());
  async::StopSource stop(lab.world().loop());
  Pieces slow(lab.world().loop(), 1000, 1s);
  const Request request = post_of(slow);
  Response response;
  CallOptions call;
  call.stop = stop.token();
  std::optional<Result<void>> done;
  lab.spawn([](Task<Result<void>> task, std::optional<Result<void>>& result) -> Task<> {
    result = co_await task;
  }(client.call(request, response, call), done));
  lab.advance(3500ms);
  stop.request_stop(async::StopReason::canceled);
  lab.settle();
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, fail(Errc::operation_canceled));
  EXPECT_EQ(slow.reads, 4);
  EXPECT_EQ(client.open_connections(), 0U);
  EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever);
}

TEST(ClientExpect, SendsNoBodyThatTheServerRefuses) {
  ServerOptions strict;
  strict.max_request_body_bytes = 3;
  Server server([](RequestCtx& ctx) { ctx.set_body(ctx.body()); }, strict);
  Lab lab;
  lab.serve(server, "app:80");
  Client client(lab.runtime());
  Pieces pieces(lab.world().loop(), 2);
  const Request request = post_of(pieces, 4);
  CallOptions options;
  options.expects_continue = true;
  Response response;
  ASSERT_TRUE(lab.run(client.call(request, response, options)));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(pieces.reads, 0);
  EXPECT_EQ(client.open_connections(), 0U) << "the server still waits for the body that was declared";
}

}  // namespace
}  // namespace pipette::client
