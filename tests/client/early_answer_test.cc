// Answers that come too early, and connections that go from one call to one that waits.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;

const std::string kUrl = "http://app/";

Task<> keep(Task<Result<Response>> task, std::vector<std::string>& into) {
  const Result<Response> page = co_await task;
  into.push_back(page ? page->body : page.error().message());
}

// What two calls come to that share one connection, so that the second one waits for it.
std::vector<std::string> answers_to_two(const Script& first, const net::ChannelOptions& pipes = {}) {
  Lab lab;
  lab.world().network().set_pipe_options(pipes);
  ScriptedServer server(lab, "app:80");
  server.answer(first);
  server.answer(lab::respond(200, "second"));
  ClientOptions options;
  options.max_conns_per_host = 1;
  Client client(lab.runtime(), options);
  std::vector<std::string> bodies;
  async::TaskGroup group(lab.world().loop());
  group.spawn(keep(client.get(kUrl), bodies));
  group.spawn(keep(client.post(kUrl, "text/plain", "order"), bodies));
  lab.settle();
  EXPECT_EQ(server.accepted(), 2U);
  client.close_idle();
  return bodies;
}

TEST(WhoWaits, GetsNoConnectionThatHasSpokenUnasked) {
  net::ChannelOptions pipes;
  pipes.coalesce = false;  // as if the two came in two segments
  const Script first = Script().send(lab::respond(200, "first")).send(lab::respond(200, "forged"));
  EXPECT_THAT(answers_to_two(first, pipes), testing::ElementsAre("first", "second"));
}

// On plain pipes: the first response ends where a read of 4096 octets does.
TEST(WhoWaits, GetsNoConnectionWithAForgedResponseBehindAFullRead) {
  const std::size_t head = lab::respond(200, std::string(4000, 'x')).size() - 4000;
  const std::string first = lab::respond(200, std::string(4096 - head, 'x'));
  ASSERT_EQ(first.size(), 4096U);
  EXPECT_EQ(answers_to_two(Script().send(first + lab::respond(200, "forged"))).back(), "second");
}

TEST(WhoWaits, GetsNoConnectionThatWasClosedMeanwhile) {
  const Script first = Script().send(lab::respond(200, "first")).close_write();
  EXPECT_THAT(answers_to_two(first), testing::ElementsAre("first", "second"));
}

// Answers after `count` octets of the request, and reads no more.
class Refuser {
 public:
  Refuser(Lab& lab, std::string answer, bool closes)
      : answer_(std::move(answer)), closes_(closes), tasks_(lab.world().loop()) {
    const net::Address address = *net::Address::parse("app:80");
    tasks_.spawn(serve(std::move(*lab.runtime_of(address).network().listen(address))));
  }

 private:
  Task<> serve(std::unique_ptr<net::Listener> listener) {
    Result<net::Connected> connected = co_await listener->accept();
    stream_ = std::move(connected->connection);
    std::array<char, 100> room;
    (void)co_await stream_->read_some(room);
    const std::array<Bytes, 1> pieces = {answer_};
    (void)co_await stream_->write(pieces);
    if (closes_) (void)stream_->try_close_write();
  }

  std::string answer_;
  bool closes_;
  std::unique_ptr<net::Connection> stream_;
  async::TaskGroup tasks_;
};

// RFC 9112 §9.5: the client watches for it.
TEST(EarlyAnswer, IsTakenWhileTheBodyCannotBeSent) {
  for (const bool closes : {false, true}) {
    for (const std::size_t size : {10'000U, 60'000U, 100'000U, 1'000'000U}) {
      Lab lab;
      lab.allow_leaks();
      const Refuser server(lab, "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", closes);
      Client client(lab.runtime());
      const Result<Response> page = lab.run(client.post(kUrl, "text/plain", std::string(size, 'x')));
      EXPECT_TRUE(page) << size << ": " << page.error().message();
      EXPECT_EQ(lab.elapsed(), 0s) << size;
    }
  }
}

// A body that comes when the test says so.
class OnDemand final : public BodySource {
 public:
  explicit OnDemand(async::Loop& loop) : go(loop) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (pieces_ == 1) co_await go.wait();
    if (pieces_++ > 3) co_return std::size_t{0};
    co_return std::string_view("x").copy(into.data(), into.size());
  }

  async::Event go;

 private:
  int pieces_ = 0;
};

// Reads the beginning of a request, answers it, has the rest of its body made, and reads on.
Task<> answer_early(std::unique_ptr<net::Listener> listener, std::unique_ptr<net::Connection>& stream, OnDemand& body) {
  Result<net::Connected> connected = co_await listener->accept();
  stream = std::move(connected->connection);
  std::array<char, 1000> room;
  (void)co_await stream->read_some(room);
  const std::array<Bytes, 1> pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"};
  (void)co_await stream->write(pieces);
  body.go.set();
  for (Result<std::size_t> size = 1; size && *size > 0;) size = co_await stream->read_some(room);
}

// What the request is sent under must outlive the call that has opened the stream.
TEST(EarlyAnswer, OfAStreamFindsTheTermsOfItsCall) {
  Lab lab;
  lab.allow_leaks();
  OnDemand body(lab.world().loop());
  std::unique_ptr<net::Connection> stream;
  const net::Address address = *net::Address::parse("app:80");
  async::TaskGroup tasks(lab.world().loop());
  tasks.spawn(answer_early(std::move(*lab.runtime_of(address).network().listen(address)), stream, body));
  Client client(lab.runtime());
  async::StopSource stop(lab.world().loop());
  Request request;
  request.method = http::Method::put;
  request.url = kUrl;
  request.body_source = &body;
  CallOptions options;
  options.stop = stop.token();
  const Result<ResponseStream> page = lab.run(client.stream(request, options));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status(), 200);
}

Task<> say_in_a_second(async::Loop& loop, ScriptedServer& server, std::string octets) {
  co_await async::sleep_until(loop, TimePoint(1s));
  server.say(0, octets);
}

// A call whose body never comes, and whose answer is there after a second: ends with `error` after `time`.
void expect_end(Lab& lab, const CallOptions& options, bool is_streamed, Errc error, Duration time) {
  ScriptedServer server(lab, "app:80");
  OnDemand never(lab.world().loop());
  Client client(lab.runtime());
  Request request;
  request.method = http::Method::put;
  request.url = kUrl;
  request.body_source = &never;
  lab.spawn(say_in_a_second(lab.world().loop(), server, lab::respond(200, "early")));
  if (is_streamed) {
    Result<ResponseStream> page = lab.run(client.stream(request, options));
    ASSERT_TRUE(page);
    EXPECT_EQ(lab.run(page->read_all(100)), fail(error));
  } else {
    EXPECT_EQ(lab.run(client.call(request, options)), fail(error));
  }
  EXPECT_EQ(lab.elapsed(), time);
  EXPECT_EQ(client.open_connections(), 0U);
}

TEST(EarlyAnswer, DoesNotOutliveTheDeadlineOfItsCall) {
  for (const bool is_streamed : {false, true}) {
    Lab lab;
    lab.allow_leaks();
    CallOptions options;
    options.deadline = TimePoint(5s);
    expect_end(lab, options, is_streamed, Errc::timed_out, 5s);
  }
}

Task<> stop_in_two_seconds(async::Loop& loop, async::StopSource& stop) {
  co_await async::sleep_until(loop, TimePoint(2s));
  stop.request_stop(async::StopReason::canceled);
}

TEST(EarlyAnswer, EndsAtTheStopOfItsCall) {
  for (const bool is_streamed : {false, true}) {
    Lab lab;
    lab.allow_leaks();
    async::StopSource stop(lab.world().loop());
    lab.spawn(stop_in_two_seconds(lab.world().loop(), stop));
    CallOptions options;
    options.stop = stop.token();
    expect_end(lab, options, is_streamed, Errc::operation_canceled, 2s);
  }
}

TEST(EarlyAnswer, ThatSwitchesBehindHalfARequestIsNone) {
  Lab lab;
  lab.allow_leaks();
  ScriptedServer server(lab, "app:80");
  OnDemand never(lab.world().loop());
  Client client(lab.runtime());
  Request request;
  request.method = http::Method::post;
  request.url = kUrl;
  request.body_source = &never;
  ASSERT_TRUE(request.fields.set("Upgrade", "echo"));
  const std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n";
  lab.spawn(say_in_a_second(lab.world().loop(), server, answer));
  EXPECT_EQ(lab.run(client.upgrade(request)).error(), Errc::unexpected_response);
  EXPECT_EQ(client.open_connections(), 0U);
}

}  // namespace
}  // namespace pipette::client
