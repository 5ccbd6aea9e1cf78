// Answers that come too early, and connections that go from one call to one that waits.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

}  // namespace
}  // namespace pipette::client
