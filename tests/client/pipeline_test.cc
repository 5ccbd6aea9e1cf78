// Calls back to back on few connections, and what becomes of them when something goes wrong (RFC 9112 §9.3.2).
#include <array>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/stop.h"
#include "pipette/client/pipeline_client.h"
#include "pipette/inmem/event_log.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/lab/sweep.h"
#include "pipette/server/server.h"

#include "tests/support/printers.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using http::Method;
using lab::respond;
using testing::ElementsAre;
using testing::StartsWith;

const std::string kBase = "http://app";

Request request_of(std::string url, Method method = Method::get) {
  Request request;
  request.method = method;
  request.url = std::move(url);
  return request;
}

// A call that has begun, in this very turn.
class Asked {
 public:
  Asked(Caller& caller, Request request, CallOptions options = {}) : request_(std::move(request)) {
    task_ = run(caller, options);
    task_.start();
  }
  bool has_ended() const { return result_.has_value(); }
  // Once it has.
  std::error_code error() const {
    if (!has_ended()) return make_error_code(Errc::would_block);
    return *result_ ? std::error_code() : result_->error();
  }
  const std::string& body() const { return response_.body; }
  const Response& response() const { return response_; }
  void destroy() { task_ = {}; }

 private:
  Task<> run(Caller& caller, CallOptions options) { result_ = co_await caller.call(request_, response_, options); }

  Request request_;
  Response response_;
  std::optional<Result<void>> result_;
  Task<> task_;
};

class Pipeline : public testing::Test {
 protected:
  // With the options as they are when it is first asked for.
  PipelineClient& app() {
    if (!app_) app_.emplace(lab_.runtime(), kBase, options_);
    return *app_;
  }
  Asked& ask(const std::string& path, Method method = Method::get, const CallOptions& options = {}) {
    return ask(request_of(path, method), options);
  }
  Asked& ask(Request request, const CallOptions& options = {}) {
    return asked_.emplace_back(app(), std::move(request), options);
  }
  Result<Response> get(const std::string& path) { return lab_.run(app().get(path)); }
  // Paths of what has arrived, in order.
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const std::string& request : server_->requests()) {
      const std::size_t begin = request.find(' ') + 1;
      all.push_back(request.substr(begin, request.find(' ', begin) - begin));
    }
    return all;
  }
  void listen() { server_.emplace(lab_, "app:80"); }
  ScriptedServer& server() {
    if (!server_) listen();
    return *server_;
  }
  // How often the client has written.
  std::size_t writes() {
    std::size_t count = 0;
    const inmem::EventLog& log = lab_.log();
    for (std::size_t i = 0; i < log.size(); ++i) {
      count += log[i].kind == inmem::EventKind::sent && log[i].side == 0 ? 1U : 0U;
    }
    return count;
  }

  Lab lab_;
  PipelineOptions options_;
  std::optional<ScriptedServer> server_;
  std::optional<PipelineClient> app_;
  std::deque<Asked> asked_;
};

// ---- when all is well ------------------------------------------------------------------------------------

TEST_F(Pipeline, AsksOneAfterTheOtherOnOneConnection) {
  options_.max_connections = 3;
  for (const std::string path : {"/a", "/b", "/c"}) {
    server().answer(respond(200, path));
    EXPECT_EQ(get(path).value().body, path);
  }
  EXPECT_EQ(server().accepted(), 1U);
  EXPECT_EQ(app().counts().dials, 1U);
  EXPECT_EQ(app().counts().reused, 2U);
  EXPECT_EQ(app().pending(), 0U);
}

TEST_F(Pipeline, SendsWhatIsAskedInOneTurnInOneWrite) {
  server();
  for (int i = 0; i < 100; ++i) {
    server().answer(respond(200, std::to_string(i)));
    ask("/" + std::to_string(i));
  }
  EXPECT_EQ(app().pending(), 100U);
  lab_.settle();
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(asked_[i].body(), std::to_string(i));
  EXPECT_EQ(writes(), 1U);
  EXPECT_EQ(server().accepted(), 1U);
  for (int i = 0; i < 100; ++i) {
    server().answer(respond(200));
    ask("/again");
  }
  lab_.settle();
  EXPECT_EQ(writes(), 2U);
  EXPECT_EQ(app().pending(), 0U);
}

TEST_F(Pipeline, WaitsForOthersAsLongAsItMay) {
  options_.max_batch_delay = 5ms;
  server().answer(respond(200));
  ask("/first");
  lab_.settle();
  EXPECT_TRUE(asked_[0].has_ended()) << "nobody waits behind a dial";
  for (int i = 0; i < 4; ++i) {
    server().answer(respond(200));
    ask("/next");
    lab_.advance(1ms);
  }
  lab_.advance(1ms - 1ns);
  EXPECT_EQ(server().requests().size(), 1U);
  lab_.advance(1ns);
  EXPECT_EQ(server().requests().size(), 5U);
  EXPECT_EQ(writes(), 2U);
  Request large = request_of("/large", Method::put);
  large.body = std::string(65'536, 'x');
  server().answer(respond(200));
  ask(large);
  lab_.settle();
  EXPECT_EQ(server().requests().size(), 6U) << "enough for a write of its own";
}

TEST_F(Pipeline, KeepsTheOrderHoweverTheServerAnswers) {
  const std::string answers =
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + respond(200, "one") +
      "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" +
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthr\r\n2\r\nee\r\n0\r\nT: x\r\n\r\n" +
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" + respond(200, "five");
  for (std::size_t cut = 0; cut <= answers.size(); ++cut) {
    Lab lab;
    ScriptedServer server(lab, "app:80");
    PipelineClient app(lab.runtime(), kBase);
    for (int i = 0; i < 4; ++i) server.answer("");
    Script script;
    server.answer(script.send(answers.substr(0, cut)).wait(1ms).send(answers.substr(cut)));
    std::deque<Asked> asked;
    asked.emplace_back(app, request_of("/1"));
    asked.emplace_back(app, request_of("/2", Method::head));
    asked.emplace_back(app, request_of("/3", Method::post));
    asked.emplace_back(app, request_of("/4", Method::put));
    asked.emplace_back(app, request_of("/5"));
    lab.advance(1ms);
    std::vector<std::string> bodies;
    for (const Asked& each : asked) bodies.push_back(each.has_ended() ? each.body() : "none");
    EXPECT_THAT(bodies, ElementsAre("one", "", "three", "", "five")) << "cut at " << cut;
    EXPECT_EQ(asked[2].response().trailers.get("T"), "x");
    EXPECT_EQ(server.accepted(), 1U);
  }
}

TEST_F(Pipeline, AsksWhereTheFewestWait) {
  options_.max_connections = 3;
  server().on("GET *", "");
  for (int i = 0; i < 3; ++i) {
    ask("/" + std::to_string(i));
    lab_.settle();
    EXPECT_EQ(server().accepted(), static_cast<std::size_t>(i) + 1) << "all others are busy";
  }
  for (int i = 0; i < 3; ++i) ask("/more");
  lab_.settle();
  server().say(1, respond(200) + respond(200));
  lab_.settle();
  ask("/fewest");
  lab_.settle();
  server().say(1, respond(200, "here"));
  lab_.settle();
  EXPECT_EQ(asked_.back().body(), "here");
  EXPECT_EQ(app().open_connections(), 3U);
  app().close();
  lab_.settle();
}

TEST_F(Pipeline, SendsLargeBodiesToo) {
  const std::array<std::size_t, 4> sizes = {0, 16 * 1024 - 1, 16 * 1024, 1'000'000};
  lab_.serve([](RequestCtx& ctx) { ctx.set_body(ctx.body()); }, "app:80");
  for (const std::size_t size : sizes) {
    Request request = request_of("/", Method::post);
    request.body = std::string(size, 'a');
    ask(request);
  }
  lab_.settle();
  for (std::size_t i = 0; i < sizes.size(); ++i) EXPECT_EQ(asked_[i].body(), std::string(sizes[i], 'a'));
}

TEST_F(Pipeline, AsksAProxyWithWholeUrls) {
  ScriptedServer proxy(lab_, "proxy:3128");
  ProxySettings settings;
  settings.http_proxy = "http://proxy:3128";
  options_.proxies = ProxyRules::from(settings).value();
  proxy.answer(respond(200));
  EXPECT_TRUE(get("/x"));
  EXPECT_THAT(proxy.requests(), ElementsAre(StartsWith("GET http://app/x HTTP/1.1\r\n")));
}

// ---- what is refused -------------------------------------------------------------------------------------

TEST_F(Pipeline, RefusesWhatDoesNotGoWithOthers) {
  class NoBody final : public BodySource {
    Task<Result<std::size_t>> read(MutableBytes) override { co_return std::size_t{0}; }
  } source;
  Request with_source = request_of("/", Method::post);
  with_source.body_source = &source;
  Request upgrade = request_of("/");
  ASSERT_TRUE(upgrade.fields.set("Upgrade", "websocket"));
  Request close = request_of("/");
  ASSERT_TRUE(close.fields.set("Connection", "close"));
  CallOptions expecting;
  expecting.expects_continue = true;
  CallOptions closing;
  closing.fields = &close.fields;
  EXPECT_EQ(ask(with_source).error(), Errc::not_supported);
  EXPECT_EQ(ask(upgrade).error(), Errc::not_supported);
  EXPECT_EQ(ask("/", Method::put, expecting).error(), Errc::not_supported);
  EXPECT_EQ(ask(close).error(), Errc::managed_field);
  EXPECT_EQ(ask("/", Method::get, closing).error(), Errc::managed_field);
  EXPECT_EQ(ask("/", Method::connect).error(), Errc::bad_method);
  EXPECT_EQ(ask("http://other/").error(), Errc::bad_uri);
  EXPECT_EQ(ask("http://app:81/").error(), Errc::bad_uri);
  EXPECT_EQ(ask("/a b").error(), Errc::bad_uri);
  EXPECT_EQ(app().pending(), 0U);
  EXPECT_EQ(app().counts().dials, 0U);
  PipelineClient nowhere(lab_.runtime(), "app");
  EXPECT_FALSE(lab_.run(nowhere.get("/")));
}

TEST_F(Pipeline, TakesNoMoreCallsThanItMay) {
  options_.max_connections = 2;
  options_.max_pending_per_connection = 3;
  server().on("GET *", "");
  for (int i = 0; i < 6; ++i) ask("/");
  Asked& seventh = ask("/");
  EXPECT_EQ(seventh.error(), Errc::pipeline_overflow);
  lab_.settle();
  server().say(0, respond(200));
  lab_.settle();
  EXPECT_FALSE(ask("/").has_ended());
  EXPECT_TRUE(ask("/").has_ended());
  app().close();
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(lab_.run(app().get("http://x/")).error(), Errc::bad_uri);
  lab_.settle();
  EXPECT_EQ(asked_[1].error(), std::errc::operation_canceled);
}

TEST_F(Pipeline, TakesNoMoreOctetsThanItMay) {
  options_.max_unsent_bytes = 100'000;
  server();
  const auto stall = lab_.link("client", "app").add(net::Toxics().with_stall());
  Request large = request_of("/", Method::put);
  large.body = std::string(1'000'000, 'x');
  ask(large);
  EXPECT_EQ(ask("/").error(), Errc::pipeline_overflow);
  asked_[0].destroy();
  EXPECT_EQ(ask("/").error(), Errc::pipeline_overflow) << "what is written is not taken back before its turn";
  lab_.allow_leaks();
}

// ---- calls that leave early ------------------------------------------------------------------------------

TEST_F(Pipeline, StaysSaneWhenACallLeaves) {
  enum class How { late, stopped, destroyed };
  for (const How how : {How::late, How::stopped, How::destroyed}) {
    for (const bool in_body : {false, true}) {
      Lab lab;
      ScriptedServer server(lab, "app:80");
      PipelineClient app(lab.runtime(), kBase);
      async::StopSource source(lab.world().loop());
      CallOptions options;
      if (how == How::late) options.timeout = 1s;
      if (how == How::stopped) options.stop = source.token();
      const std::string first = respond(200, "first");
      const std::size_t early = in_body ? first.size() - 2 : 0;
      server.answer(Script().send(first.substr(0, early)).wait(2s).send(first.substr(early)));
      server.answer(respond(200, "second"));
      Asked one(app, request_of("/1", Method::post), options);
      lab.settle();
      Asked two(app, request_of("/2"));
      lab.advance(1s - 1ns);
      EXPECT_FALSE(one.has_ended());
      lab.advance(1ns);
      if (how == How::stopped) source.request_stop(async::StopReason::canceled);
      if (how == How::destroyed) one.destroy();
      lab.settle();
      const Errc expected = how == How::late      ? Errc::timed_out
                            : how == How::stopped ? Errc::operation_canceled
                                                  : Errc::would_block;
      EXPECT_EQ(one.error(), expected);
      EXPECT_EQ(app.pending(), 1U);
      lab.advance(1s);
      EXPECT_EQ(two.body(), "second");
      EXPECT_EQ(server.accepted(), 1U);
    }
  }
}

TEST_F(Pipeline, TakesAlongWhatHasNotGoneOut) {
  options_.max_batch_delay = 10ms;
  server().on("GET *", respond(200));
  ask("/0");
  lab_.settle();
  for (int i = 1; i <= 5; ++i) ask("/" + std::to_string(i));
  asked_[1].destroy();
  asked_[3].destroy();
  asked_[5].destroy();
  ask("/6");
  lab_.advance(10ms);
  EXPECT_THAT(paths(), ElementsAre("/0", "/2", "/4", "/6"));
  for (const std::size_t i : {2U, 4U, 6U}) EXPECT_EQ(asked_[i].response().status, 200);
  EXPECT_EQ(app().pending(), 0U);
}

TEST_F(Pipeline, KnowsWhoIsWhoBehindThoseThatLeft) {
  options_.max_batch_delay = 10ms;
  server().answer(respond(200));
  ASSERT_TRUE(get("/"));
  for (int i = 0; i < 3; ++i) server().answer("");
  for (int i = 0; i < 5; ++i) ask("/" + std::to_string(i));
  asked_[0].destroy();
  asked_[2].destroy();
  lab_.advance(10ms);
  asked_[3].destroy();
  server().say(0, respond(200, "one") + respond(200, "three") + respond(200, "four"));
  lab_.settle();
  EXPECT_EQ(asked_[1].body(), "one");
  EXPECT_EQ(asked_[4].body(), "four");
}

TEST_F(Pipeline, SendsNothingForCallsThatEndBeforeTheDial) {
  options_.max_pending_per_connection = 2;
  server();
  const auto slow = lab_.link("client", "app").add(net::Toxics().with_latency(1s));
  CallOptions hurried;
  hurried.timeout = 500ms;
  ask("/late", Method::post, hurried);
  ask("/late", Method::post, hurried);
  lab_.advance(500ms);
  EXPECT_EQ(asked_[0].error(), Errc::timed_out);
  server().answer(respond(200));
  ask("/in time");
  ask("/in");
  lab_.advance(10s);
  EXPECT_THAT(paths(), ElementsAre("/in"));
}

TEST_F(Pipeline, DropsAnyBodyThatNobodyWaitsFor) {
  const std::array<std::string, 4> answers = {
      respond(200, std::string(20'000, 'x')),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  };
  server();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    server().answer("");
    server().answer("");
    Asked& dropped = ask("/dropped");
    ask("/kept");
    lab_.settle();
    dropped.destroy();
  }
  std::string all;
  for (const std::string& answer : answers) all += answer + respond(200, "kept");
  server().say(0, all);
  lab_.settle();
  for (std::size_t i = 1; i < asked_.size(); i += 2) EXPECT_EQ(asked_[i].body(), "kept") << i;
}

// ---- connections that end --------------------------------------------------------------------------------

TEST_F(Pipeline, ClosesWhatIdlesAndOpensAnotherOne) {
  options_.idle_timeout = 10s;
  server().answer(respond(200));
  ASSERT_TRUE(get("/"));
  lab_.advance(10s - 1ns);
  EXPECT_EQ(app().open_connections(), 1U);
  lab_.advance(1ns);
  EXPECT_EQ(app().open_connections(), 0U);
  EXPECT_EQ(server().left(), 1U);
  server().answer(respond(200));
  EXPECT_TRUE(get("/"));
  EXPECT_EQ(server().accepted(), 2U);
  app().close_idle();
  EXPECT_EQ(app().open_connections(), 0U);
}

TEST_F(Pipeline, UsesNoConnectionThatIsTooOld) {
  options_.max_conn_age = 5s;
  for (int i = 0; i < 2; ++i) {
    server().answer(respond(200));
    ASSERT_TRUE(get("/"));
    lab_.advance(5s);
  }
  EXPECT_EQ(server().accepted(), 2U);
}

TEST_F(Pipeline, RecoversFromAConnectionThatBreaks) {
  for (const auto then : {ScriptedServer::Then::close, ScriptedServer::Then::reset}) {
    for (int i = 0; i < 3; ++i) ask("/");
    server().answer("", then);
    for (int i = 0; i < 2; ++i) server().answer("");
    lab_.settle();
    for (const Asked& each : asked_) {
      EXPECT_TRUE(each.error() == Errc::end_of_stream || each.error() == Errc::connection_reset) << each.error();
    }
    asked_.clear();
    server().answer(respond(200, "again"));
    EXPECT_EQ(get("/").value().body, "again");
    app().close_idle();
  }
  EXPECT_EQ(app().counts().repeated, 0U) << "what may have been done";
}

TEST_F(Pipeline, NoticesAConnectionThatWasClosedMeanwhile) {
  server().answer(respond(200));
  ASSERT_TRUE(get("/"));
  server().close(0);
  server().answer(respond(200, "new"));
  ask("/", Method::post);  // before anybody could have looked
  lab_.settle();
  EXPECT_EQ(asked_[0].body(), "new");
  EXPECT_EQ(server().requests().size(), 2U);
}

TEST_F(Pipeline, ClosesAConnectionThatSpeaksUnasked) {
  for (const bool waits : {false, true}) {
    server().answer(respond(200));
    ASSERT_TRUE(get("/"));
    const std::size_t accepted = server().accepted();
    server().say(accepted - 1, respond(200, "forged"));
    if (waits) lab_.settle();
    server().answer(respond(200, "asked for"));
    EXPECT_EQ(get("/").value().body, "asked for");
    EXPECT_EQ(server().accepted(), accepted + 1);
    app().close_idle();
  }
}

TEST_F(Pipeline, BelievesNoAnswerThatComesBeforeItsRequest) {
  options_.max_batch_delay = 1s;
  server().answer(respond(200));
  ASSERT_TRUE(get("/"));
  ask("/", Method::post);
  server().say(0, respond(200, "forged"));
  server().answer(respond(200, "true"));
  lab_.settle();
  EXPECT_EQ(asked_[0].body(), "true");
  EXPECT_EQ(server().accepted(), 2U);
}

TEST_F(Pipeline, ClosesAtEveryOctetOfTheSecondResponse) {
  const std::string second = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
  for (std::size_t size = 0; size <= second.size(); ++size) {
    for (const auto then : {ScriptedServer::Then::close, ScriptedServer::Then::reset}) {
      Lab lab;
      ScriptedServer server(lab, "app:80");
      PipelineClient app(lab.runtime(), kBase);
      server.answer("");
      server.answer("");
      server.answer(respond(200, "first") + second.substr(0, size), then);
      Asked one(app, request_of("/1"));
      Asked two(app, request_of("/2"));
      Asked three(app, request_of("/3"));
      lab.settle();
      EXPECT_EQ(one.body(), "first");
      EXPECT_TRUE(two.has_ended() && three.has_ended());
      EXPECT_EQ(!two.error(), size == second.size()) << size;
      EXPECT_TRUE(three.error());
      EXPECT_EQ(app.pending(), 0U);
      EXPECT_EQ(app.open_connections(), 0U);
      EXPECT_EQ(server.requests().size(), 3U) << "nothing is repeated";
    }
  }
}

TEST_F(Pipeline, AsksOnceMoreBehindAnAnnouncedEnd) {
  server().answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  for (int i = 0; i < 5; ++i) server().answer("");
  ask("/1");
  ask("/2", Method::post);
  ask("/3", Method::put);
  ask("/4");
  lab_.settle();
  EXPECT_EQ(asked_[0].body(), "ok");
  EXPECT_EQ(asked_[1].error(), Errc::end_of_stream) << "it may have been done";
  EXPECT_THAT(paths(), ElementsAre("/1", "/2", "/3", "/4", "/3", "/4"));
  server().say(1, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nput");
  lab_.settle();
  EXPECT_EQ(asked_[2].body(), "put");
  EXPECT_EQ(asked_[3].error(), Errc::end_of_stream) << "once is enough";
  EXPECT_EQ(app().counts().repeated, 2U);
}

TEST_F(Pipeline, AsksNothingTwiceThatItMustNot) {
  options_.retries.max_attempts = 1;
  server().answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  server().answer("");
  ask("/1");
  ask("/2");
  lab_.settle();
  EXPECT_EQ(asked_[1].error(), Errc::end_of_stream);
  EXPECT_EQ(server().requests().size(), 2U);
}

TEST_F(Pipeline, TakesABodyThatEndsWithTheConnection) {
  server().answer_and_close("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  server().answer("");
  ask("/1");
  lab_.settle();
  EXPECT_EQ(asked_[0].body(), "until the end");
  EXPECT_EQ(app().open_connections(), 0U);
}

TEST_F(Pipeline, MovesWhatHasNotGoneOutToANewConnection) {
  options_.max_batch_delay = 1s;
  server().answer("");
  ask("/sent", Method::post);
  lab_.settle();
  ask("/unsent", Method::post);
  server().close(0);
  server().answer(respond(200, "moved"));
  lab_.settle();
  EXPECT_EQ(asked_[0].error(), Errc::end_of_stream);
  EXPECT_EQ(asked_[1].body(), "moved");
  EXPECT_THAT(paths(), ElementsAre("/sent", "/unsent"));
}

TEST_F(Pipeline, TakesWhatWasSaidBeforeItCouldNotWrite) {
  options_.max_batch_delay = 1s;
  server().answer(Script().wait(1s).send(respond(200, "said")).abort());
  ask("/1", Method::post);
  lab_.settle();
  server().answer(respond(200, "moved"));
  ask("/2", Method::post);
  lab_.advance(1s);  // the server first, then who writes
  EXPECT_EQ(asked_[0].body(), "said");
  EXPECT_EQ(asked_[1].body(), "moved");
}

TEST_F(Pipeline, SharesTheFailureOfADial) {
  for (int i = 0; i < 3; ++i) ask("/");
  lab_.settle();
  for (const Asked& each : asked_) EXPECT_EQ(each.error(), Errc::host_not_found);
  EXPECT_EQ(app().counts().dials, 1U);
  server().answer(respond(200));
  EXPECT_TRUE(get("/"));
}

TEST_F(Pipeline, EndsWhatIsUnderWayWhenItIsClosed) {
  server().on("GET *", "");
  ask("/dialing");
  app().close();
  lab_.settle();
  EXPECT_EQ(asked_[0].error(), std::errc::operation_canceled);
  ask("/waiting");
  lab_.settle();
  app().close();
  ask("/next");
  lab_.settle();
  EXPECT_EQ(asked_[1].error(), std::errc::operation_canceled);
  server().say(1, respond(200));
  lab_.settle();
  EXPECT_EQ(asked_[2].error(), std::error_code());
}

// ---- what takes too long, or is too much -----------------------------------------------------------------

TEST_F(Pipeline, BreaksWhatAnswersTooLate) {
  options_.response_header_timeout = 10s;
  options_.body_timeout = 1s;
  options_.timeout = 1min;
  server().on("GET /head", "");
  ask("/head");
  lab_.advance(5s);
  ask("/head");
  lab_.advance(4s);
  server().say(0, respond(200));
  lab_.advance(5s);
  ask("/head");
  lab_.advance(5s - 1ns);
  EXPECT_FALSE(asked_[1].has_ended()) << "its time begins when it is the oldest";
  lab_.advance(1ns);
  EXPECT_EQ(asked_[1].error(), Errc::response_header_timeout);
  EXPECT_EQ(app().open_connections(), 0U);
  server().on("GET /body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  Asked& half = ask("/body");
  lab_.advance(1s - 1ns);
  ask("/head");
  lab_.settle();
  EXPECT_FALSE(half.has_ended());
  lab_.advance(1ns);
  EXPECT_EQ(half.error(), Errc::body_timeout);
  EXPECT_EQ(asked_.back().error(), Errc::body_timeout);
  ask("/head");
  lab_.advance(10s);
  EXPECT_EQ(asked_.back().error(), Errc::response_header_timeout) << "on each connection";
}

TEST_F(Pipeline, GivesEachWriteItsTime) {
  options_.write_timeout = 5s;
  options_.idle_timeout = 1min;
  server().answer(respond(200));
  ASSERT_TRUE(get("/"));
  Request large = request_of("/", Method::put);
  large.body = std::string(500'000, 'x');
  server().answer(respond(200));
  {
    const auto stall = lab_.link("client", "app").add(net::Toxics().with_stall());
    ask(large);
    lab_.advance(4s);
  }
  lab_.advance(6s);
  EXPECT_EQ(asked_[0].error(), std::error_code());
  server().answer(respond(200));
  EXPECT_TRUE(get("/"));
  EXPECT_EQ(server().accepted(), 1U);
}

TEST_F(Pipeline, BreaksWhatTakesTooLong) {
  options_.write_timeout = 5s;
  options_.timeout = 1min;
  server().answer(respond(200));
  ASSERT_TRUE(get("/"));
  const auto stall = lab_.link("client", "app").add(net::Toxics().with_stall());
  Request large = request_of("/", Method::put);
  large.body = std::string(500'000, 'x');
  ask(large);
  lab_.advance(5s - 1ns);
  EXPECT_FALSE(asked_[0].has_ended());
  lab_.advance(1ns);
  EXPECT_EQ(asked_[0].error(), Errc::write_timeout);
  lab_.allow_leaks();
}

TEST_F(Pipeline, TakesNoResponseThatIsTooLarge) {
  CallOptions few;
  few.max_response_body_bytes = 3;
  server().answer(respond(200, "four"));
  server().answer("");
  ask("/", Method::get, few);
  ask("/");
  lab_.settle();
  EXPECT_EQ(asked_[0].error(), Errc::body_too_large);
  EXPECT_EQ(asked_[1].error(), Errc::body_too_large);
  EXPECT_EQ(app().open_connections(), 0U);
}

TEST_F(Pipeline, LetsEachCallHaveItsDeadline) {
  server().on("GET *", "");
  const std::array<Duration, 4> timeouts = {40s, 10s, 30s, 20s};
  options_.response_header_timeout = Duration::max();
  for (const Duration timeout : timeouts) {
    CallOptions options;
    options.timeout = timeout;
    ask("/", Method::get, options);
  }
  ask("/usual");  // 30 s
  for (const Duration now : {10s, 20s, 30s, 40s}) {
    lab_.advance(10s - 1ns);
    for (std::size_t i = 0; i < timeouts.size(); ++i) EXPECT_EQ(asked_[i].has_ended(), timeouts[i] < now);
    EXPECT_EQ(asked_.back().has_ended(), 30s < now);
    lab_.advance(1ns);
    for (std::size_t i = 0; i < timeouts.size(); ++i) EXPECT_EQ(asked_[i].has_ended(), timeouts[i] <= now);
    EXPECT_EQ(asked_.back().has_ended(), 30s <= now);
  }
  ask("/usual");
  lab_.advance(1s);
  ask("/usual");
  lab_.advance(29s);
  EXPECT_EQ(asked_[5].error(), Errc::timed_out);
  EXPECT_FALSE(asked_[6].has_ended());
  lab_.advance(1s);
  EXPECT_EQ(asked_[6].error(), Errc::timed_out);
  app().close();
}

TEST_F(Pipeline, TellsOfItsCalls) {
  std::vector<std::string> kinds;
  const Trace trace = [&](const TraceEvent& event) { kinds.emplace_back(to_string(event.kind)); };
  CallOptions options;
  options.trace = &trace;
  server().answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  server().answer("");
  server().answer(respond(200));
  ask("/1");
  ask("/2", Method::get, options);
  lab_.settle();
  EXPECT_THAT(kinds, ElementsAre(to_string(TraceKind::get_connection), to_string(TraceKind::got_connection),
                                 to_string(TraceKind::repeat), to_string(TraceKind::get_connection),
                                 to_string(TraceKind::got_connection), to_string(TraceKind::done)));
}

// ---- all that can go wrong -------------------------------------------------------------------------------

Task<> call_into(Caller& caller, Request request, std::optional<Result<Response>>& result) {
  Response response;
  const Result<void> done = co_await caller.call(request, response);
  if (done) {
    result = std::move(response);
  } else {
    result = fail(done.error());
  }
}

// Three calls beside each other, one after them: each has its own answer, or an error, and nothing is done twice.
void ask_three_and_one(Lab& lab, const Server& server, std::vector<int>& done) {
  lab.serve(server, "app:80");
  PipelineClient app(lab.runtime(), kBase);
  done.assign(4, 0);
  std::array<std::optional<Result<Response>>, 4> results;
  async::TaskGroup calls(lab.world().loop());
  for (std::size_t i = 0; i < 3; ++i) {
    calls.spawn(call_into(app, request_of("/" + std::to_string(i), Method::post), results[i]));
  }
  const auto join = [](async::TaskGroup& group) -> Task<> { co_await group.join(); };
  lab.run(join(calls));
  calls.spawn(call_into(app, request_of("/3", Method::post), results[3]));
  lab.run(join(calls));
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_LE(done[i], 1);
    const bool is_answered = results[i] && *results[i];
    EXPECT_TRUE(!is_answered || (*results[i])->body == "/" + std::to_string(i));
  }
  EXPECT_EQ(app.pending(), 0U);
}

TEST(PipelineSweep, AnswersOnceOrFails) {
  std::vector<int> done;
  const Server server(
      [&](RequestCtx& ctx) {
        ++done.at(static_cast<std::size_t>(ctx.path().back() - '0'));
        ctx.set_body(ctx.path());
      },
      lab::quiet());
  const lab::FaultSweep faults = lab::for_all_faults([&](Lab& lab) { ask_three_and_one(lab, server, done); });
  EXPECT_GT(faults.worlds, 100U);
  const lab::SplitSweep splits = lab::for_each_split([&](Lab& lab) { ask_three_and_one(lab, server, done); });
  EXPECT_GT(splits.worlds, 100U);
}

}  // namespace
}  // namespace pipette::client
