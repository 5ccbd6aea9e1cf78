// A kept connection that its server ends as a call begins on it, at every step: the call is answered on a new one, or
// fails with one clear error; and a POST has reached a server whole once at most.
#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/message.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/lab/sweep.h"
#include "pipette/server/server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using http::Method;

const std::string kUrl = "http://app/order";
const std::string kAnswer = "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\ntaken";
constexpr std::size_t kAnswerHead = 43;

// How a server goes away.
enum class End {
  finish,  // it says no more, and reads on
  close,   // as the kernel closes: with a reset where something is unread
  reset,   // a millisecond after its last word, which has arrived then
};

constexpr std::array kEnds = {End::finish, End::close, End::reset};

std::string_view name_of(End end) { return end == End::finish ? "finish" : end == End::close ? "close" : "reset"; }

// The step of an exchange at which a server goes.
struct Step {
  std::size_t request_octets;  // that it has read
  std::size_t answer_octets;   // that it has written
  End end;
};

// Answers each request; but the second one on its first connection only as far as the step.
class Leaver {
 public:
  Leaver(Lab& lab, Step step) : loop_(lab.world().loop()), step_(step), tasks_(lab.world().loop()) {
    const net::Address address = *net::Address::parse("app:80");
    tasks_.spawn(accept(std::move(*lab.runtime_of(address).network().listen(address))));
  }

  std::size_t accepted() const { return accepted_; }
  // Whole requests that have arrived and begin so, whether they were answered or not.
  std::size_t arrived(std::string_view method) const {
    std::size_t count = 0;
    for (const std::string& request : requests_) count += request.starts_with(method) ? 1U : 0U;
    return count;
  }

 private:
  Task<> accept(std::unique_ptr<net::Listener> listener) {
    for (;;) {
      Result<net::Connected> connected = co_await listener->accept();
      if (!connected) co_return;
      tasks_.spawn(serve(std::move(connected->connection), accepted_ == 0));
      ++accepted_;
    }
  }

  Task<> serve(std::unique_ptr<net::Connection> stream, bool leaves) {
    std::string input;
    for (int count = 1; !leaves || count == 1; ++count) {
      const bool is_asked = co_await read_request(*stream, input);
      if (!is_asked) co_return;
      const std::array<Bytes, 1> pieces = {kAnswer};
      const Result<void> went = co_await stream->write(pieces);
      if (!went) co_return;
    }
    co_await net::Readiness(*stream, net::Direction::read);
    co_await read_octets(*stream, input);
    const std::array<Bytes, 1> pieces = {Bytes(kAnswer).substr(0, step_.answer_octets)};
    (void)co_await stream->write(pieces);
    if (step_.end == End::reset) {
      co_await async::sleep_until(loop_, after(loop_.now(), 1ms));
      co_return stream->abort();
    }
    (void)stream->try_close_write();
    if (step_.end == End::finish) (void)co_await read_request(*stream, input);
  }

  // As many octets as the step says, or fewer when the client has left.
  Task<> read_octets(net::Connection& stream, std::string& input) {
    std::array<char, 4096> room;
    while (input.size() < step_.request_octets) {
      const std::size_t want = std::min(room.size(), step_.request_octets - input.size());
      const Result<std::size_t> count = co_await stream.read_some(std::span(room).first(want));
      if (!count || *count == 0) co_return;
      input.append(room.data(), *count);
    }
    take_request(input);
  }

  Task<bool> read_request(net::Connection& stream, std::string& input) {
    std::array<char, 4096> room;
    while (!take_request(input)) {
      const Result<std::size_t> count = co_await stream.read_some(room);
      if (!count || *count == 0) co_return false;
      input.append(room.data(), *count);
    }
    co_return true;
  }

  bool take_request(std::string& input) {
    const std::size_t size = input.empty() ? 0 : lab::request_size(input).value_or(0);
    if (size == 0) return false;
    requests_.push_back(input.substr(0, size));
    input.erase(0, size);
    return true;
  }

  inmem::Loop& loop_;
  Step step_;
  std::size_t accepted_ = 0;
  std::vector<std::string> requests_;
  async::TaskGroup tasks_;
};

struct Kind {
  std::string name;
  Method method;
  std::string body;
  net::ChannelOptions pipe;  // of the requests

  bool may_be_repeated() const { return method != Method::post; }
  bool is_narrow() const { return pipe.send_buffer_bytes == 1; }
};

// Two octets are under way at most, so that a server goes while the client is still sending.
net::ChannelOptions narrow() {
  net::ChannelOptions pipes;
  pipes.send_buffer_bytes = pipes.receive_buffer_bytes = 1;
  return pipes;
}

std::vector<Kind> kinds() {
  return {
      {"Get", Method::get, "", {}},
      {"NarrowGet", Method::get, "", narrow()},
      {"Post", Method::post, "order", {}},
      {"NarrowPost", Method::post, "order", narrow()},
      {"EmptyPost", Method::post, "", {}},
      {"Put", Method::put, "order", {}},
      {"NarrowPut", Method::put, "order", narrow()},
  };
}

// What a call on a kept connection came to.
struct Outcome {
  Errc error{};
  Response response;
  std::size_t arrived = 0;
  std::size_t accepted = 0;
};

Outcome call_until(const Kind& kind, Step step) {
  Lab lab;
  lab.link("client", "app").set_options(kind.pipe);
  const Leaver server(lab, step);
  Client client(lab.runtime());
  Request request;
  request.method = Method::delete_;  // not counted
  request.url = kUrl;
  Outcome outcome;
  EXPECT_TRUE(lab.run(client.call(request, outcome.response)));
  EXPECT_EQ(client.idle_connections(), 1U);
  request.method = kind.method;
  request.body = kind.body;
  const Result<void> done = lab.run(client.call(request, outcome.response));
  if (!done) outcome.error = errc_of(done.error());
  EXPECT_EQ(lab.elapsed(), step.end == End::reset && step.answer_octets < kAnswer.size() ? 1ms : 0ms);
  lab.advance(1ms);
  outcome.arrived = server.arrived(http::to_string(kind.method));
  outcome.accepted = server.accepted();
  EXPECT_EQ(client.open_connections(), client.idle_connections());
  EXPECT_TRUE(lab.run(client.post(kUrl, "text/plain", "the next one"))) << "the client goes on";
  client.close_idle();
  lab.settle();
  EXPECT_EQ(client.open_connections(), 0U);
  EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever);
  return outcome;
}

// Of the second request.
std::size_t request_size_of(const Kind& kind) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(kAnswer);
  Client client(lab.runtime());
  Request request;
  request.method = kind.method;
  request.url = kUrl;
  request.body = kind.body;
  Response response;
  EXPECT_TRUE(lab.run(client.call(request, response)));
  return server.requests()[0].size();
}

class Reuse : public testing::TestWithParam<Kind> {};

INSTANTIATE_TEST_SUITE_P(All, Reuse, testing::ValuesIn(kinds()),
                         [](const testing::TestParamInfo<Kind>& of) { return of.param.name; });

TEST_P(Reuse, SurvivesAServerThatGoesBehindEachOctetOfTheRequest) {
  const Kind& kind = GetParam();
  const std::size_t size = request_size_of(kind);
  for (const End end : kEnds) {
    for (std::size_t octets = 0; octets <= size; ++octets) {
      const Outcome outcome = call_until(kind, {octets, 0, end});
      // To a server that has finished nothing more is sent; what is under way arrives.
      const std::size_t under_way = kind.is_narrow() ? 2 : size;
      const bool is_read = octets == size || (end == End::finish && octets + under_way >= size);
      const bool is_close = end == End::finish && kind.is_narrow() && octets < size && octets + under_way + 2 >= size;
      if (kind.may_be_repeated()) {
        EXPECT_EQ(outcome.error, Errc{}) << name_of(end) << " " << octets;
        EXPECT_EQ(outcome.response.body, "taken");
        EXPECT_EQ(outcome.accepted, 2U);
        EXPECT_TRUE(is_close || outcome.arrived == (is_read ? 2U : 1U)) << name_of(end) << " " << octets;
      } else {
        const bool is_in_order = end == End::finish || (end == End::close && octets == size);
        EXPECT_EQ(outcome.error, is_in_order ? Errc::end_of_stream : Errc::connection_reset)
            << name_of(end) << " " << octets;
        EXPECT_EQ(outcome.accepted, 1U);
        EXPECT_TRUE(is_close || outcome.arrived == (is_read ? 1U : 0U)) << name_of(end) << " " << octets;
      }
    }
  }
}

TEST_P(Reuse, SurvivesAServerThatGoesBehindEachOctetOfTheAnswer) {
  const Kind& kind = GetParam();
  const std::size_t size = request_size_of(kind);
  for (const End end : kEnds) {
    for (std::size_t octets = 1; octets <= kAnswer.size(); ++octets) {
      const Outcome outcome = call_until(kind, {size, octets, end});
      const Errc cut = end == End::reset      ? Errc::connection_reset
                       : octets < kAnswerHead ? Errc::end_of_stream
                                              : Errc::incomplete_message;
      EXPECT_EQ(outcome.error, octets == kAnswer.size() ? Errc{} : cut) << name_of(end) << " " << octets;
      EXPECT_EQ(outcome.accepted, 1U) << "who has begun to answer has the request";
      EXPECT_EQ(outcome.arrived, 1U);
    }
  }
}

// The server answers at once, and reads on.
TEST_P(Reuse, TakesAnAnswerThatComesBeforeTheRequestIsWhole) {
  const Kind& kind = GetParam();
  const std::size_t size = request_size_of(kind);
  for (std::size_t octets = 0; octets <= size; ++octets) {
    const Outcome outcome = call_until(kind, {octets, kAnswer.size(), End::finish});
    EXPECT_EQ(outcome.error, Errc{}) << octets;
    EXPECT_EQ(outcome.accepted, 1U);
    EXPECT_EQ(outcome.arrived, 1U);
  }
}

// And a large body, which goes out by itself: at its ends, and here and there.
TEST(ReuseWithALargeBody, SurvivesAServerThatGoesInTheMiddleOfIt) {
  for (const Method method : {Method::post, Method::put}) {
    for (const std::size_t body : {16U * 1024, 200U * 1024}) {
      const Kind kind{"", method, std::string(body, 'x'), {}};
      const std::size_t size = request_size_of(kind);
      for (const std::size_t octets : {std::size_t{0}, size - body, size - body + 1, size / 2, size - 1, size}) {
        for (const End end : kEnds) {
          const Outcome outcome = call_until(kind, {octets, 0, end});
          EXPECT_EQ(outcome.error == Errc{}, kind.may_be_repeated()) << name_of(end) << " " << octets;
          EXPECT_LE(outcome.arrived, kind.may_be_repeated() ? 2U : 1U);
          EXPECT_GE(outcome.arrived, kind.may_be_repeated() ? 1U : 0U);
        }
      }
    }
  }
}

// ---- before, and at the same instant ---------------------------------------------------------------------

// The server goes, or speaks, before the client has looked; nothing else happens in between.
TEST(ReuseInTheSameInstant, IsNoneWhenTheServerGoesFirst) {
  for (const Method method : {Method::get, Method::post, Method::put}) {
    for (const bool settles : {false, true}) {
      Lab lab;
      ScriptedServer server(lab, "app:80");
      Client client(lab.runtime());
      server.answer(kAnswer);
      ASSERT_TRUE(lab.run(client.get(kUrl)));
      server.close(0);
      if (settles) lab.settle();
      server.answer(kAnswer);
      Request request;
      request.method = method;
      request.url = kUrl;
      Response response;
      EXPECT_TRUE(lab.run(client.call(request, response))) << http::to_string(method);
      EXPECT_EQ(server.requests().size(), 2U);
      EXPECT_EQ(server.accepted(), 2U);
      EXPECT_EQ(client.counts().repeated, 0U) << "nothing was sent in vain";
    }
  }
}

// Its octets cross the request: five milliseconds each way, and the server goes this much earlier or later than the
// client begins.
TEST(ReuseInTheSameInstant, IsDecidedByWhatHasArrived) {
  struct Row {
    Duration gone;  // since the call began
    bool is_seen;   // by the client, before it sends
  };
  for (const Row& row : {Row{-20ms, true}, Row{-6ms, true}, Row{-4ms, false}, Row{-1ns, false}, Row{0ns, false},
                         Row{1ns, false}, Row{4ms, false}}) {
    for (const Method method : {Method::get, Method::post, Method::put}) {
      Lab lab;
      const auto there = lab.link("client", "app").add(net::Toxics().with_latency(5ms));
      const auto back = lab.link("app", "client").add(net::Toxics().with_latency(5ms));
      ScriptedServer server(lab, "app:80");
      Client client(lab.runtime());
      server.answer(Script().send(kAnswer).wait(100ms + row.gone).close());
      server.answer(kAnswer);
      ASSERT_TRUE(lab.run(client.get(kUrl)));
      lab.advance(95ms);  // it was answered five milliseconds ago
      Request request;
      request.method = method;
      request.url = kUrl;
      Response response;
      const Result<void> done = lab.run(client.call(request, response));
      const bool is_answered = row.is_seen || method != Method::post;
      EXPECT_EQ(done.has_value(), is_answered) << http::to_string(method) << " " << row.gone.count();
      EXPECT_EQ(server.requests().size(), is_answered ? 2U : 1U);
      EXPECT_EQ(client.counts().repeated, row.is_seen || !is_answered ? 0U : 1U);
      EXPECT_EQ(client.open_connections(), is_answered ? 1U : 0U);
    }
  }
}

// Two calls find two connections that have just gone: each is repeated by itself, on a new one.
TEST(ReuseInTheSameInstant, IsOfEachCallAlone) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  Client client(lab.runtime());
  async::TaskGroup group(lab.world().loop());
  std::vector<std::string> bodies;
  const auto keep = [](Task<Result<Response>> task, std::vector<std::string>& into) -> Task<> {
    const Result<Response> page = co_await task;
    into.push_back(page ? page->body : page.error().message());
  };
  for (int i = 0; i < 2; ++i) {
    server.answer(kAnswer);
    group.spawn(keep(client.get(kUrl), bodies));
  }
  lab.settle();
  ASSERT_EQ(client.idle_connections(), 2U);
  for (int i = 0; i < 2; ++i) server.answer(Script().close());
  for (int i = 0; i < 2; ++i) server.answer(kAnswer);
  for (int i = 0; i < 2; ++i) group.spawn(keep(client.put(kUrl, "text/plain", "x"), bodies));
  lab.settle();
  EXPECT_THAT(bodies, testing::ElementsAre("taken", "taken", "taken", "taken"));
  EXPECT_EQ(server.accepted(), 4U);
  EXPECT_EQ(server.requests().size(), 6U);
}

// ---- whatever happens ------------------------------------------------------------------------------------

// A server that closes behind each answer without a word of it, and every fault a network has.
TEST(ReuseUnderFaults, NeverHasAPostDoneTwice) {
  std::vector<std::string> orders;
  const Server server(
      [&](RequestCtx& ctx) {
        if (ctx.is_get()) return;
        if (ctx.is_post()) orders.emplace_back(ctx.body());
        ctx.hijack_silently([](HijackedConnection connection) -> Task<> {
          const std::array<Bytes, 1> pieces = {kAnswer};
          (void)co_await connection.stream->write(pieces);
          (void)connection.stream->try_close_write();
        });
      },
      lab::quiet());
  int answered = 0;
  int failed = 0;
  const lab::FaultSweep sweep = lab::for_all_faults([&](Lab& lab) {
    lab.serve(server, "app:80");
    orders.clear();
    Client client(lab.runtime());
    for (const std::string order : {"the first", "another"}) {
      (void)lab.run(client.get(kUrl));
      const Result<Response> put = lab.run(client.put(kUrl, "text/plain", "x"));
      EXPECT_EQ(put ? put->body : "taken", "taken");
      (void)lab.run(client.get(kUrl));
      const Result<Response> post = lab.run(client.post(kUrl, "text/plain", order));
      EXPECT_EQ(post ? post->body : "taken", "taken");
      const auto arrived = std::ranges::count(orders, order);
      EXPECT_LE(arrived, 1);
      EXPECT_GE(arrived, post ? 1 : 0);
      ++(post ? answered : failed);
    }
  });
  EXPECT_GT(answered, failed);
  EXPECT_GT(failed, 10);
  EXPECT_GT(sweep.worlds, 100U);
}

}  // namespace
}  // namespace pipette::client
