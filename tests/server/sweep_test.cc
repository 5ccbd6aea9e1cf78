// One busy server under every failure: each fault at each operation, each cut, each order, each moment of a shutdown.
//
//   seven clients, a connection each, at once     pipelining and early hints · streams both ways · 100-continue, taken
//                                                 and refused · a handler that is late · a hijack · a blocking handler
//
// However a world ends: whatever has arrived is the right answer to the right request, in order, and not an octet of
// it is lost; who has been handled has his answer, unless his connection was cut; and in the end nothing is left, in
// the gauges neither.
#include "pipette/lab/sweep.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/lab/explore.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/message.h"
#include "pipette/net/body_source.h"
#include "pipette/net/close.h"
#include "pipette/server/blocking.h"
#include "pipette/server/timeout.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;

// What a client gives up after; longer than any limit of the server's.
constexpr Duration kPatience = 10min;
// What a hijacker does.
constexpr Duration kHijackTime = 1min;

// ---- the clients -----------------------------------------------------------------------------------------

// Something to send, once `behind` has come.
struct Say {
  std::string_view octets;
  std::string_view behind = "";
};

struct Wanted {
  int status = 200;
  std::string_view body;
  std::string_view ending = "";  // of its octets
};

struct Conversation {
  std::string_view name;
  std::vector<Say> says;
  std::vector<Wanted> wanted;     // final responses
  std::string_view behind = "";   // the last of them
  bool closes_when_done = false;  // itself, once all of that is there; else the server does
};

const std::vector<Conversation>& conversations() {
  static const std::vector<Conversation> kAll = {
      {"pipelined",
       {{"GET /plain?1 HTTP/1.1\r\nHost: a\r\n\r\nGET /throws HTTP/1.1\r\nHost: a\r\n\r\n"
         "GET /hints HTTP/1.1\r\nHost: a\r\n\r\nGET /plain?2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}},
       {{200, "plain 1"}, {500, "internal server error"}, {200, "hinted"}, {200, "plain 2"}}},
      {"streamed",
       {{"GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /source HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}},
       {{200, "one, two, three", "0\r\nX-Sum: 3\r\n\r\n"}, {200, "from a source"}}},
      {"uploads",
       {{"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
        {"4\r\ndefg\r\n0\r\n\r\nPOST /drain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
         "close\r\n\r\n"
         "5\r\n12345\r\n"},
        {"3\r\n678\r\n0\r\nX-Sum: 8\r\n\r\n"}},
       {{200, "abcdefg"}, {200, "12345678, 8"}}},
      {"expecting",
       {{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"},
        {"abc", "HTTP/1.1 100 Continue\r\n\r\n"},
        {"POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", "\r\n\r\nabc"}},
       {{200, "abc"}, {403, "Forbidden"}}},
      {"late",
       {{"GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET /plain?3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}},
       {{504, "too late"}, {200, "plain 3"}}},
      {"hijacked",
       {{"GET /hijack HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst "},
        {"second", "first "}},
       {{101, ""}},
       "first second",
       true},
      {"blocking", {{"GET /block HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}}, {{200, "blocked"}}},
  };
  return kAll;
}

// One of them, at work, and what became of it.
struct Talk {
  Talk(Runtime& from, const Conversation& said) : runtime(from), conversation(said), news(from.loop()) {}

  bool has_all() const { return !conversation.behind.empty() && received.ends_with(conversation.behind); }

  Runtime& runtime;
  const Conversation& conversation;
  async::Event news;
  net::Connection* connection = nullptr;
  std::uint16_t port = 0;
  std::string received;
  bool is_connected = false;
  bool has_said_all = false;
  bool has_ended = false;     // nothing more comes
  bool was_finished = false;  // in order
};

Task<> say_all(Talk& talk) {
  for (const Say& say : talk.conversation.says) {
    while (!talk.received.contains(say.behind) && !talk.has_ended) {
      co_await talk.news.wait();
      talk.news.reset();
    }
    const std::array<Bytes, 1> pieces = {say.octets};
    const Result<void> said = co_await talk.connection->write(pieces);
    if (!said) co_return;
  }
  talk.has_said_all = true;
}

Task<> hear_all(Talk& talk) {
  std::array<char, 512> room;
  for (;;) {
    const Result<std::size_t> count = co_await talk.connection->read_some(room);
    talk.was_finished = count && *count == 0;
    if (!count || *count == 0) break;
    talk.received.append(room.data(), *count);
    if (talk.conversation.closes_when_done && talk.has_all()) (void)talk.connection->try_close_write();
    talk.news.set();
  }
  talk.has_ended = true;
  talk.news.set();
}

Task<> converse(Talk& talk) {
  const TimePoint deadline = after(talk.runtime.loop().now(), kPatience);
  Result<net::Connected> connected = co_await talk.runtime.network().dial(*net::Address::parse("app:80"), deadline);
  if (!connected) co_return;
  talk.is_connected = true;
  talk.port = connected->local.port();
  const std::unique_ptr<net::Connection> connection = std::move(connected->connection);
  talk.connection = connection.get();
  talk.connection->set_deadline(net::Direction::read, deadline);
  talk.connection->set_deadline(net::Direction::write, deadline);
  async::TaskGroup both(talk.runtime.loop());
  both.spawn(say_all(talk));
  both.spawn(hear_all(talk));
  co_await both.join();
  (void)connection->try_close_write();
}

Task<> converse_all(Runtime& runtime, std::vector<std::unique_ptr<Talk>>& talks) {
  async::TaskGroup tasks(runtime.loop());
  for (const std::unique_ptr<Talk>& talk : talks) tasks.spawn(converse(*talk));
  co_await tasks.join();
}

// ---- the server ------------------------------------------------------------------------------------------

class Words final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    constexpr std::array<std::string_view, 3> kWords = {"from ", "a ", "source"};
    if (next_ == kWords.size()) co_return 0U;
    const std::string_view word = kWords.at(next_++);
    std::ranges::copy(word, into.begin());
    co_return word.size();
  }

 private:
  std::size_t next_ = 0;
};

Task<> stream(RequestCtx& ctx) {
  (void)ctx.add_trailer("X-Sum", "3");
  (void)co_await ctx.write("one, ");
  const Result<void> flushed = co_await ctx.flush();
  if (!flushed) co_return;
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1ms));
  (void)co_await ctx.write("two, ");
  (void)co_await ctx.write("three");
}

Task<> drain(RequestCtx& ctx) {
  std::string body;
  for (;;) {
    const Result<std::string_view> part = co_await ctx.read_body();
    if (!part) co_return ctx.error(400, part.error().message());
    if (part->empty()) break;
    body += *part;
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1ms));
  }
  ctx.set_body(body + ", " + std::string(ctx.trailers().get("X-Sum").value_or("none")));
}

// Does not listen to the stop that it gets.
Task<> be_late(RequestCtx& ctx) {
  co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 2s));
  ctx.set_body("at last");
}

void block(RequestCtx& ctx, BlockingCtx& wait) {
  (void)wait.sleep_for(10ms);
  ctx.set_body("blocked");
}

Task<> echo(HijackedConnection connection) {
  const TimePoint deadline = after(connection.runtime->loop().now(), kHijackTime);  // nobody else sets one
  connection.stream->set_deadline(net::Direction::read, deadline);
  connection.stream->set_deadline(net::Direction::write, deadline);
  std::array<char, 512> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.stream->read_some(room);
    if (!count || *count == 0) break;
    const std::array<Bytes, 1> pieces = {Bytes(room.data(), *count)};
    const Result<void> written = co_await connection.stream->write(pieces);
    if (!written) co_return;
  }
  (void)co_await net::close(*connection.stream, deadline);
}

Task<> route(RequestCtx& ctx) {
  static const Handler kLate = timeout(be_late, 1s, "too late", 504);
  static const Handler kBlocking = blocking(block);
  const std::string_view path = ctx.path();
  if (path == "/plain") ctx.set_body("plain " + std::string(ctx.query()));
  if (path == "/throws") throw std::runtime_error("on purpose");
  if (path == "/hints") {
    (void)ctx.set_header("Link", "</style.css>; rel=preload");
    (void)ctx.send_early_hints();
    ctx.set_body("hinted");
  }
  if (path == "/stream") co_await stream(ctx);
  if (path == "/source") ctx.set_body_source(std::make_unique<Words>());
  if (path == "/echo") ctx.set_body(ctx.body());
  if (path == "/drain") co_await drain(ctx);
  if (path == "/late") co_await (*kLate.coroutine())(ctx);
  if (path == "/hijack") (void)ctx.upgrade("echo", echo);
  if (path == "/block") co_await (*kBlocking.coroutine())(ctx);
}

// How many requests of each client were handled, by its port.
using Handled = std::map<std::uint16_t, std::size_t>;

Handler counting(Handled& handled) {
  return [&handled](RequestCtx& ctx) -> Task<> {
    ++handled[ctx.remote_address().port()];
    return route(ctx);
  };
}

ServerOptions options() {
  ServerOptions options = lab::quiet();
  options.on_header_received = [](RequestCtx& ctx) {
    RequestConfig config;
    config.stream_request_body = ctx.path() == "/drain";
    return config;
  };
  options.on_expect_continue = [](RequestCtx& ctx) { return ctx.path() == "/forbidden" ? 403 : 100; };
  return options;
}

// ---- what must be so -------------------------------------------------------------------------------------

enum class Peace : std::uint8_t {
  all,      // nothing has gone wrong: everything is as it should be
  closing,  // the server has shut down and had time: what it has begun, it has finished
  hurried,  // the same, while requests that it has not read were on their way
  none,     // something has: what has come is right as far as it goes
};

// What has come of one client's answers.
struct Heard {
  std::size_t answers = 0;  // whole ones
  bool closes = false;      // so said the last of them
  bool is_hijacked = false;
  Bytes rest;  // behind them
};

bool is_refusal(const client::Response& response) {
  const int status = response.status;
  return (status == 400 || status == 408 || status == 503) && response.header("Connection") == "close";
}

// Each answer is the right one, up to the last one that is whole.
Heard check_answers(const Talk& talk, Peace peace) {
  Heard heard;
  heard.rest = talk.received;
  for (;;) {
    const Result<lab::FoundResponse> found = lab::find_response(heard.rest, http::Method::get, false);
    EXPECT_TRUE(found) << heard.rest;
    if (!found || found->size == 0) return heard;
    const client::Response& response = found->response;
    const Bytes octets = heard.rest.substr(0, found->size);
    heard.rest.remove_prefix(found->size);
    if (response.status == 100 || response.status == 103) continue;
    EXPECT_FALSE(heard.closes) << "an answer behind the last one: " << octets;
    if (heard.answers == talk.conversation.wanted.size()) {
      ADD_FAILURE() << "an answer too many: " << octets;
      return heard;
    }
    heard.closes = response.header("Connection") == "close";
    const Wanted& want = talk.conversation.wanted.at(heard.answers++);
    if (peace == Peace::none && is_refusal(response)) continue;
    EXPECT_EQ(response.status, want.status) << octets;
    EXPECT_EQ(response.body, want.body) << octets;
    EXPECT_TRUE(octets.ends_with(want.ending)) << octets;
    heard.is_hijacked = response.status == 101;
    if (heard.is_hijacked) return heard;
  }
}

// What has come of a body that was cut short is the beginning of the right one.
void check_cut_answer(const Talk& talk, const Heard& heard) {
  std::string octets(heard.rest);
  http::ResponseParser parser;
  http::ResponseHead head;
  const Result<std::size_t> size = parser.parse(octets, head);
  if (!size || *size == 0 || heard.answers == talk.conversation.wanted.size()) return;
  const Wanted& want = talk.conversation.wanted.at(heard.answers);
  if (head.status != want.status) return;
  const Result<http::BodyLength> length = http::body_length(head, http::Method::get);
  ASSERT_TRUE(length) << octets;
  http::BodyReader reader(*length, http::BodyLimits());
  std::string body;
  for (Bytes left = Bytes(octets).substr(*size); !left.empty();) {
    const Result<http::BodyReader::Step> step = reader.next(left);
    ASSERT_TRUE(step) << octets;
    if (step->consumed == 0) break;
    body += step->data;
    left.remove_prefix(step->consumed);
  }
  EXPECT_TRUE(want.body.starts_with(body)) << octets;
}

// Nobody was forgotten who has been handled, and who can know that his requests have been read knows their fate.
void check_closing(const Talk& talk, Peace peace, const Heard& heard, std::size_t handled) {
  const bool is_done = heard.answers == talk.conversation.wanted.size();
  EXPECT_GE(heard.answers, handled) << talk.received;
  if (talk.received.empty()) return;
  EXPECT_TRUE(talk.was_finished) << "cut: " << talk.received;
  if (heard.is_hijacked) return;
  EXPECT_EQ(heard.rest, "");
  const bool is_all_there = peace == Peace::closing && talk.conversation.says.size() == 1;
  if (is_all_there) {
    EXPECT_TRUE(is_done || heard.closes) << talk.received;
  }
}

void check(const Talk& talk, Peace peace, std::size_t handled) {
  const testing::ScopedTrace trace(__FILE__, __LINE__, talk.conversation.name);
  const Heard heard = check_answers(talk, peace);
  if (heard.is_hijacked) {
    EXPECT_TRUE(talk.conversation.behind.starts_with(heard.rest)) << heard.rest;
  } else {
    check_cut_answer(talk, heard);
  }
  if (peace == Peace::closing || peace == Peace::hurried) check_closing(talk, peace, heard, handled);
  if (peace != Peace::all) return;
  EXPECT_TRUE(talk.is_connected && talk.has_said_all && talk.was_finished);
  EXPECT_EQ(heard.answers, talk.conversation.wanted.size()) << talk.received;
  EXPECT_EQ(heard.rest, talk.conversation.behind);
}

void check_gauges(const MetricsSnapshot& metrics) {
  EXPECT_EQ(metrics.open_connections, 0U);
  EXPECT_EQ(metrics.active_connections, 0U);
  EXPECT_EQ(metrics.handlers_overdue, 0U);
  EXPECT_EQ(metrics.hijacked, 0U);
}

// ---- the scene -------------------------------------------------------------------------------------------

// The clients of one world.
class Clients {
 public:
  explicit Clients(Lab& lab) : runtime_(lab.runtime()) {
    for (const Conversation& conversation : conversations()) {
      talks_.push_back(std::make_unique<Talk>(runtime_, conversation));
    }
  }

  Task<> converse() {
    co_await converse_all(runtime_, talks_);
    are_done_ = true;
  }
  bool are_done() const { return are_done_; }

  void check(Peace peace, const Handled& handled) const {
    for (const std::unique_ptr<Talk>& talk : talks_) {
      const auto found = handled.find(talk->port);
      server::check(*talk, peace, found == handled.end() ? 0 : found->second);
    }
  }

 private:
  Runtime& runtime_;
  std::vector<std::unique_ptr<Talk>> talks_;
  bool are_done_ = false;
};

// No shutdown waits for hijackers, but a test does that is destroyed.
class Patience {
 public:
  explicit Patience(Lab& lab) : lab_(lab) {}
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
  ~Patience() {
    if (std::uncaught_exceptions() == 0) return;
    lab_.world().faults().stop_offering();
    lab_.advance(kHijackTime);
  }

 private:
  Lab& lab_;
};

class ServerSweep : public testing::Test {
 protected:
  // The whole of it, in a world that may do what it likes.
  void run(Lab& lab) {
    handled_.clear();
    const Patience patience(lab);
    Clients clients(lab);
    lab.serve(server_, "app:80");
    try {
      lab.run(clients.converse());
    } catch (const lab::CallFailed&) {
      EXPECT_GT(lab.world().faults().struck(), 0U) << "they were canceled";
    }
    clients.check(lab.world().faults().struck() == 0 ? Peace::all : Peace::none, handled_);
    lab.advance(kHijackTime);
    lab.finish();
    check_gauges(server_.metrics());
  }

  // Shuts down after so many steps; false: the clients are done before.
  bool shut_down_after(std::uint64_t steps, Duration time) {
    Lab lab;
    return shut_down_after(lab, steps, time, time == 1h ? Peace::closing : Peace::none);
  }
  bool shut_down_after(Lab& lab, std::uint64_t steps, Duration time, Peace peace) {
    handled_.clear();
    Clients clients(lab);
    Worker& worker = lab.serve(server_, "app:80");
    lab.spawn(clients.converse());
    for (std::uint64_t i = 0; i < steps && !clients.are_done(); ++i) lab.world().step();
    if (clients.are_done()) return false;
    const TimePoint deadline = after(lab.now(), time);
    lab.run(worker.shutdown(deadline));
    EXPECT_LE(lab.now(), after(deadline, 100ms));
    EXPECT_EQ(worker.open_connections(), 0U);
    lab.run_until([&clients] { return clients.are_done(); });
    clients.check(peace, handled_);
    lab.advance(kHijackTime);
    lab.finish();
    check_gauges(server_.metrics());
    return true;
  }

  Handled handled_;
  const Server server_{counting(handled_), options()};
};

TEST_F(ServerSweep, AnswersEverybodyInAQuietWorld) {
  Lab lab;
  run(lab);
}

// ---- bad networks ----------------------------------------------------------------------------------------

struct Narrow {
  const char* what;
  net::ChannelOptions pipes;
};

std::vector<Narrow> narrow_connections() {
  net::ChannelOptions reads, writes, window, segments, all;
  all.max_read_bytes = reads.max_read_bytes = 1;
  all.max_write_bytes = writes.max_write_bytes = 1;
  all.with_capacity(1);
  window.with_capacity(1);
  all.mss = segments.mss = 1;
  all.coalesce = segments.coalesce = false;
  return {{"reads of one octet", reads},
          {"writes of one octet", writes},
          {"a window of one octet", window},
          {"segments of one octet", segments},
          {"all of this", all}};
}

TEST_F(ServerSweep, LosesNothingInTheNarrowestConnections) {
  for (const Narrow& narrow : narrow_connections()) {
    SCOPED_TRACE(narrow.what);
    Lab lab;
    lab.world().network().set_pipe_options(narrow.pipes);
    run(lab);
  }
}

TEST_F(ServerSweep, LosesNothingHoweverItIsCut) {
  const lab::SplitSweep sweep = lab::for_each_split([this](Lab& lab) { run(lab); });
  EXPECT_GT(sweep.places, 500U);
}

TEST_F(ServerSweep, LosesNothingInAnyOrder) {
  lab::explore(1000, [this](Lab& lab) { run(lab); });
}

TEST_F(ServerSweep, LosesNothingInAnyOrderAndTheNarrowestConnections) {
  lab::explore(100, [this](Lab& lab) {
    lab.world().network().set_pipe_options(narrow_connections().back().pipes);
    run(lab);
  });
}

TEST_F(ServerSweep, IsRightAsFarAsItGoesUnderEachFault) {
  lab::SweepOptions options;
  options.pairs = 300;
  const lab::FaultSweep sweep = lab::for_all_faults(options, [this](Lab& lab) { run(lab); });
  EXPECT_GT(sweep.points, 200U);
  EXPECT_FALSE(sweep.is_cut);
}

TEST_F(ServerSweep, IsRightAsFarAsItGoesWhereManyThingsFailInAnyOrder) {
  lab::ExploreOptions options;
  options.worlds = 1000;
  options.faults = true;
  const lab::Exploration found = lab::explore(options, [this](Lab& lab) { run(lab); });
  EXPECT_GT(found.faults, options.worlds);
}

// ---- shutdowns -------------------------------------------------------------------------------------------

TEST_F(ServerSweep, FinishesWhatItHasBegunWheneverItShutsDown) {
  std::uint64_t steps = 0;
  while (!HasFailure() && shut_down_after(steps, 1h)) ++steps;
  EXPECT_GT(steps, 50U);
}

TEST_F(ServerSweep, EndsInTimeWheneverItShutsDown) {
  for (const Duration time : {0ms, 500ms, 1500ms}) {
    std::uint64_t steps = 0;
    while (!HasFailure() && shut_down_after(steps, time)) ++steps;
    EXPECT_GT(steps, 50U);
  }
}

TEST_F(ServerSweep, FinishesWhatItHasBegunOctetByOctet) {
  std::uint64_t steps = 0;
  const auto shut_down_narrow = [this](std::uint64_t after_steps) {
    Lab lab;
    lab.world().network().set_pipe_options(narrow_connections().back().pipes);
    return shut_down_after(lab, after_steps, 1h, Peace::hurried);
  };
  while (!HasFailure() && shut_down_narrow(steps)) steps += 37;
  EXPECT_GT(steps, 1000U);
}

TEST_F(ServerSweep, FinishesWhatItHasBegunInAnyOrder) {
  lab::explore(1000, [this](Lab& lab) {
    shut_down_after(lab, lab.choose("steps before the shutdown", 200), 1h, Peace::closing);
  });
}

TEST_F(ServerSweep, EndsInTimeInAnyOrder) {
  lab::explore(500, [this](Lab& lab) {
    const std::uint64_t steps = lab.choose("steps before the shutdown", 200);
    shut_down_after(lab, steps, lab.choose("tenths of a second", 20) * 100ms, Peace::none);
  });
}

// ---- two loops -------------------------------------------------------------------------------------------

// A worker, on a loop of its own, at the address that both share.
struct Loop {
  Loop(const Server& server, Runtime& of) : runtime(of), worker(server, of), serving(of.loop()) {
    net::ListenOptions shared;
    shared.reuse_port = true;
    serving.spawn(worker.serve(*runtime.network().listen(*net::Address::parse("app:80"), shared)));
  }
  Runtime& runtime;
  Worker worker;
  async::TaskGroup serving;
};

class ServerOnTwoLoops : public ServerSweep {
 protected:
  enum class Which : std::uint8_t { first, second, both };

  bool shut_down_after(std::uint64_t steps, Which which, Duration time) {
    handled_.clear();
    Lab lab(steps + 1);  // who gets which connection is chance
    Clients clients(lab);
    Loop first(server_, lab.host("app").runtime());
    Loop second(server_, lab.host("app").add_runtime());
    lab.spawn(clients.converse());
    for (std::uint64_t i = 0; i < steps && !clients.are_done(); ++i) lab.world().step();
    if (clients.are_done()) return false;
    const TimePoint deadline = after(lab.now(), time);
    async::TaskGroup shutdowns(lab.runtime().loop());
    for (Loop* loop : {&first, &second}) {
      const bool is_meant = which == Which::both || (which == Which::first) == (loop == &first);
      if (is_meant) shutdowns.spawn(shut_down(loop->worker, deadline));
    }
    lab.run_until([&] { return shutdowns.empty(); });
    EXPECT_LE(lab.now(), after(deadline, 100ms));
    lab.run_until([&] { return clients.are_done(); });
    clients.check(time == 1h ? Peace::closing : Peace::none, handled_);
    for (Loop* loop : {&first, &second}) lab.run(shut_down(loop->worker, after(lab.now(), 1h)));
    lab.settle();
    check_gauges(server_.metrics());
    lab.finish();
    return true;
  }

  static Task<> shut_down(Worker& worker, TimePoint deadline) { (void)co_await worker.shutdown(deadline); }
};

TEST_F(ServerOnTwoLoops, FinishesWhatItHasBegunWhicheverShutsDown) {
  for (const Which which : {Which::first, Which::second, Which::both}) {
    std::uint64_t steps = 0;
    while (!HasFailure() && shut_down_after(steps, which, 1h)) ++steps;
    EXPECT_GT(steps, 50U);
  }
}

TEST_F(ServerOnTwoLoops, EndsAtOnceWhicheverMust) {
  for (const Which which : {Which::first, Which::both}) {
    std::uint64_t steps = 0;
    while (!HasFailure() && shut_down_after(steps, which, 0s)) steps += 3;
    EXPECT_GT(steps, 50U);
  }
}

}  // namespace
}  // namespace pipette::server
