// What a server tells its application, and asks it, in the course of a connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/timeout.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::kGet;
using test::Serving;
using testing::ElementsAre;

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

std::string head_of(std::size_t size, std::string_view fields = "", std::string_view path = "/") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n" +
         std::string(fields) + "\r\n";
}

// ---- on_header_received --------------------------------------------------------------------------------------

// What "/own" gets; everything else stays as the server has it.
ServerOptions with_config(const RequestConfig& config) {
  ServerOptions options;
  options.read_body_min_rate = options.write_min_rate = 0;
  options.on_header_received = [config](RequestCtx& ctx) {
    EXPECT_EQ(ctx.body(), "");
    EXPECT_NE(ctx.remote_ip(), "");
    return ctx.path() == "/own" ? config : RequestConfig();
  };
  return options;
}

TEST(OnHeaderReceived, LimitsTheReadingOfOneRequestFromThenOn) {
  RequestConfig config;
  config.read_timeout = 3s;
  for (const bool is_own : {true, false}) {
    Serving app(greet, with_config(config));
    Peer peer = app.connect();
    app.lab().advance(9s);
    peer.send(head_of(5, "", is_own ? "/own" : "/"));
    app.lab().advance((is_own ? 3s : 51s) - 1ns);
    peer.expect_nothing();
    app.lab().advance(1ns);
    peer.expect_response(408);
    EXPECT_EQ(app.worker().metrics().read_timeouts.get(), 1U);
  }
}

TEST(OnHeaderReceived, LimitsTheWritingOfOneResponse) {
  RequestConfig config;
  config.write_timeout = 3s;
  for (const std::size_t size : {5'000U, 100'000U}) {
    net::ChannelOptions narrow;
    narrow.with_capacity(1'000);
    Serving app([size](RequestCtx& ctx) { ctx.set_body(std::string(size, 'x')); }, with_config(config), narrow);
    Peer peer = app.connect();
    peer.send(get("/"));
    app.lab().advance(60s - 1ns);
    peer.expect_response(200);
    peer.send(get("/own"));
    app.lab().advance(3s - 1ns);
    EXPECT_EQ(app.worker().metrics().write_timeouts.get(), 0U);
    app.lab().advance(1ns);
    EXPECT_EQ(app.worker().metrics().write_timeouts.get(), 1U) << size;
    EXPECT_TRUE(peer.was_reset());
  }
}

TEST(OnHeaderReceived, LimitsTheWritingOfOneResponseAlone) {
  RequestConfig config;
  config.write_timeout = 3s;
  net::ChannelOptions narrow;
  narrow.with_capacity(1'000);
  Serving app([](RequestCtx& ctx) { ctx.set_body(std::string(5'000, 'x')); }, with_config(config), narrow);
  Peer peer = app.connect();
  peer.send(get("/own"));
  app.lab().advance(3s - 1ns);
  peer.expect_response(200);
  peer.send(get("/"));
  app.lab().advance(60s - 1ns);
  peer.expect_response(200);
}

TEST(OnHeaderReceived, LimitsTheHandler) {
  RequestConfig config;
  config.handler_timeout = 3s;
  Serving app([](RequestCtx& ctx) -> Task<> { co_await ctx.sleep(1h); }, with_config(config));
  Peer peer = app.connect();
  peer.send(get("/own") + get("/"));
  app.lab().advance(3s - 1ns);
  peer.expect_nothing();
  app.lab().advance(1ns);
  peer.expect_response(503);
  app.lab().advance(30s - 1ns);
  peer.expect_nothing();
  app.lab().advance(1ns);
  peer.expect_response(503);
}

TEST(OnHeaderReceived, LimitsTheBodyUpAndDown) {
  for (const std::uint64_t most : {2U, 10'000'000U}) {
    RequestConfig config;
    config.max_request_body_bytes = most;
    ServerOptions options = with_config(config);
    options.max_request_body_bytes = 1'000;
    Serving app(greet, options);
    Peer own = app.connect();
    own.send(head_of(most + 1, "", "/own"));
    own.expect_response(413);
    Peer also_own = app.connect();
    also_own.send(head_of(2, "", "/own") + "ab");
    also_own.expect_response(200);
    Peer other = app.connect();
    other.send(head_of(1'001));
    other.expect_response(413);
  }
}

TEST(OnHeaderReceived, HasOneBodyStreamed) {
  RequestConfig config;
  config.stream_request_body = true;
  std::vector<std::string> begun;
  Serving app([&](RequestCtx& ctx) { begun.emplace_back(ctx.path()); }, with_config(config));
  Peer peer = app.connect();
  peer.send(head_of(5, "", "/own"));
  peer.expect_response(200);
  peer.send("12345" + head_of(5));
  peer.expect_nothing();
  EXPECT_THAT(begun, ElementsAre("/own"));
}

// ---- on_error ------------------------------------------------------------------------------------------------

TEST(OnError, ShapesTheAnswerToWhatCannotBeServed) {
  struct Case {
    std::string_view request;
    Errc error;
    int status;
  };
  for (const Case& each :
       {Case{"GET / HTTP/1.1\r\n\r\n", Errc::missing_host, 400},
        Case{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", Errc::bad_field_name, 400},
        Case{"GET / HTTP/1.1\r\nHo", Errc::incomplete_message, 400},
        Case{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab", Errc::incomplete_message, 400},
        Case{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", Errc::body_too_large, 413},
        Case{"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", Errc::tunnel_not_supported, 501}}) {
    std::vector<Errc> errors;
    ServerOptions options;
    options.max_request_body_bytes = 10;
    options.on_error = [&](RequestCtx& ctx, Errc error) {
      errors.push_back(error);
      EXPECT_EQ(ctx.status(), each.status);
      EXPECT_EQ(ctx.response_body(), errc_row(error).message);
      (void)ctx.set_header("X-Error", "1");
      ctx.set_body("{}");
    };
    Serving app([](RequestCtx&) { ADD_FAILURE() << "the handler was called"; }, options);
    Peer peer = app.connect();
    peer.send(each.request);
    peer.close_write();
    const client::Response answer = peer.expect_response(each.status);
    EXPECT_EQ(answer.body, "{}");
    EXPECT_EQ(answer.header("X-Error"), "1");
    EXPECT_EQ(answer.header("Connection"), "close");
    peer.expect_closed();
    EXPECT_THAT(errors, ElementsAre(each.error)) << each.request;
  }
}

TEST(OnError, IsToldOfRequestsThatAreTooLate) {
  std::vector<Errc> errors;
  ServerOptions options;
  options.on_error = [&](RequestCtx&, Errc error) { errors.push_back(error); };
  Serving app(greet, options);
  Peer peer = app.connect();
  peer.send("GET / HT");
  app.lab().advance(10s);
  peer.expect_response(408);
  EXPECT_THAT(errors, ElementsAre(Errc::request_timeout));
}

// ---- on_conn_state -------------------------------------------------------------------------------------------

TEST(OnConnState, MayEvictTheConnectionThatItIsToldOf) {
  for (const ConnState at : {ConnState::accepted, ConnState::active, ConnState::idle}) {
    Worker* worker = nullptr;
    bool has_evicted = false;
    ServerOptions options;
    options.on_conn_state = [&](const ConnInfo& of, ConnState state) {
      if (state == at) has_evicted = worker->evict(of.id);
    };
    Serving app(greet, options);
    worker = &app.worker();
    Peer peer = app.connect();
    peer.send(kGet);
    app.lab().settle();
    EXPECT_TRUE(has_evicted);
    EXPECT_TRUE(peer.closed()) << to_string(at);
    EXPECT_EQ(peer.received().empty(), at == ConnState::accepted);
    EXPECT_EQ(app.worker().metrics().evicted.get(), 1U);
  }
}

class ConnStates : public testing::Test {
 protected:
  ServerOptions options() {
    ServerOptions options;
    options.on_conn_state = [this](const ConnInfo& of, ConnState state) {
      EXPECT_EQ(of.local, *net::Address::parse("10.0.1.1:80"));
      states_.push_back(std::to_string(of.id) + " " + std::string(to_string(state)));
    };
    return options;
  }
  std::vector<std::string> take() { return std::exchange(states_, {}); }

  std::vector<std::string> states_;
};

TEST_F(ConnStates, GoFromAcceptedOverActiveAndIdleToClosed) {
  Serving app(greet, options());
  Peer peer = app.connect();
  app.lab().settle();
  EXPECT_THAT(take(), ElementsAre("1 accepted"));
  peer.send("\r\nG");
  app.lab().settle();
  EXPECT_THAT(take(), ElementsAre("1 active"));
  peer.send("ET / HTTP/1.1\r\nHost: a\r\n\r\n");
  app.lab().settle();
  EXPECT_THAT(take(), ElementsAre("1 idle"));
  peer.send(std::string(kGet) + std::string(kGet));
  app.lab().settle();
  EXPECT_THAT(take(), ElementsAre("1 active", "1 idle"));
  peer.close_write();
  app.lab().settle();
  EXPECT_THAT(take(), ElementsAre("1 closed"));
}

TEST_F(ConnStates, EndWithHijackedForOneThatIs) {
  Serving app([](RequestCtx& ctx) { ctx.hijack([](HijackedConnection) -> Task<> { co_return; }); }, options());
  Peer peer = app.connect();
  peer.send(kGet);
  app.lab().settle();
  EXPECT_THAT(take(), ElementsAre("1 accepted", "1 active", "1 hijacked"));
}

TEST_F(ConnStates, AreOneEachForAConnectionThatSaysNothingOrNonsense) {
  Serving app(greet, options());
  Peer silent = app.connect();
  silent.close_write();
  Peer nonsense = app.connect();
  nonsense.send("nonsense\r\n\r\n");
  Peer gone = app.connect();
  gone.send("GET");
  app.lab().settle();
  gone.abort();
  app.lab().settle();
  EXPECT_THAT(take(), testing::UnorderedElementsAre("1 accepted", "1 closed", "2 accepted", "2 active", "2 closed",
                                                    "3 accepted", "3 active", "3 closed"));
}

// ---- on_access -----------------------------------------------------------------------------------------------

TEST(OnAccess, TellsOfEveryExchange) {
  std::vector<std::string> lines;
  ServerOptions options;
  options.on_access = [&](const AccessRecord& of) {
    lines.push_back(std::to_string(of.connection_id) + "/" + std::to_string(of.request_number) + " " +
                    of.remote.to_string().substr(0, 8) + " " + std::string(of.method) + " " + std::string(of.target) +
                    (of.is_http_1_0 ? " 1.0 " : " 1.1 ") + std::string(of.referer) + "|" + std::string(of.user_agent) +
                    " " + std::to_string(of.status) + " " + std::to_string(of.response_body_bytes) + " +" +
                    std::to_string((of.time - inmem::kWorldStart) / 1s) + "s " + std::to_string(of.took / 1ms) + "ms");
  };
  const auto act = [](RequestCtx& ctx) -> Task<> {
    if (ctx.path() == "/throws") throw std::runtime_error("no");
    if (ctx.path() == "/slow") co_await ctx.sleep(500ms);
    if (ctx.path() == "/late") co_await ctx.sleep(1h);
    if (ctx.path() == "/stream") {
      (void)co_await ctx.write("one");
      (void)co_await ctx.write("two");
    }
    ctx.set_body(std::string(ctx.path() == "/large" ? 100'000 : 5, 'x'));
  };
  Serving app(timeout(act, 2s, "late"), options);
  Peer peer = app.connect();
  app.lab().advance(1s);
  peer.send(get("/a?b=c", "Referer: http://r/\r\nUser-Agent: curl\r\n") + "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" +
            get("/slow") + get("/large") + get("/stream") + get("/throws"));
  app.lab().advance(1s);
  peer.take();
  peer.send("POST /late HTTP/1.0\r\nUser-Agent: old\r\nContent-Length: 2\r\n\r\nab");
  app.lab().advance(2s);
  peer.take();
  EXPECT_THAT(lines, ElementsAre("1/1 10.0.0.1 GET /a?b=c 1.1 http://r/|curl 200 5 +1s 0ms",  //
                                 "1/2 10.0.0.1 HEAD / 1.1 | 200 0 +1s 0ms",                   //
                                 "1/3 10.0.0.1 GET /slow 1.1 | 200 5 +1s 500ms",              //
                                 "1/4 10.0.0.1 GET /large 1.1 | 200 100000 +1s 500ms",        //
                                 "1/5 10.0.0.1 GET /stream 1.1 | 200 6 +2s 0ms",              //
                                 "1/6 10.0.0.1 GET /throws 1.1 | 500 21 +2s 0ms",             //
                                 "1/7 10.0.0.1 POST /late 1.0 |old 503 4 +2s 2000ms"));
}

TEST(OnAccess, TellsOfWhatWasRefusedAsFarAsItWasUnderstood) {
  std::vector<std::string> lines;
  ServerOptions options;
  options.max_request_body_bytes = 3;
  options.on_access = [&](const AccessRecord& of) {
    lines.push_back(std::to_string(of.connection_id) + "/" + std::to_string(of.request_number) + " " +
                    std::string(of.method) + " " + std::string(of.target) + "|" + std::string(of.user_agent) + " " +
                    std::to_string(of.status) + " +" + std::to_string((of.time - inmem::kWorldStart) / 1s) + "s");
  };
  Serving app([](RequestCtx&) {}, options);
  const std::string good = get("/good", "User-Agent: curl\r\n");
  for (const std::string& second :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"), std::string("GET /cut HTT"),
        std::string("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"),
        std::string("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")}) {
    Peer peer = app.connect();
    peer.send(good + second);
    app.lab().advance(60s);
  }
  EXPECT_THAT(lines, ElementsAre("1/1 GET /good|curl 200 +0s", "1/2  | 400 +0s",                //
                                 "2/1 GET /good|curl 200 +60s", "2/2  | 408 +70s",              //
                                 "3/1 GET /good|curl 200 +120s", "3/2 POST /large| 413 +120s",  //
                                 "4/1 GET /good|curl 200 +180s", "4/2 POST /late| 408 +180s"));
  EXPECT_EQ(app.worker().metrics().responses[4].get(), 4U);
  EXPECT_EQ(app.worker().served(), 4U);
}

}  // namespace
}  // namespace pipette::server
