// One body of tests over every transport: a server and a client, from end to end.
#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/matchers.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"
#include "pipette/tcp/runtime.h"

#include "tests/end_to_end/stage.h"
#include "tests/tls/secured.h"

namespace pipette::test {
namespace {

using namespace std::chrono_literals;
using lab::BodyIs;
using lab::HasHeader;
using lab::HasStatus;
using lab::IsError;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// ---- stages ---------------------------------------------------------------------------------------------------------

class MemoryStage final : public Stage {
 public:
  Runtime& runtime() override { return lab_.runtime(); }
  void run(Task<> task) override { lab_.run(std::move(task)); }

 private:
  Lab lab_;
};

class TcpStage final : public Stage {
 public:
  Runtime& runtime() override { return runtime_; }
  void run(Task<> task) override { runtime_.run(std::move(task)); }

 private:
  tcp::Runtime runtime_;
};

// Any of these, with a certificate for its address.
template <class Plain>
class SecuredStage final : public Stage {
 public:
  Runtime& runtime() override { return plain_.runtime(); }
  void run(Task<> task) override { plain_.run(std::move(task)); }
  net::Security* server_security() override { return &server_; }
  net::Security* client_security() override { return &client_; }

 private:
  static tls::Options for_server() {
    tls::Options options;
    options.identities = {tls::issue_for_good({"127.0.0.1"})};
    return options;
  }
  static tls::Options for_client() {
    tls::Options options;
    options.trust = tls::test_authority().trust();
    return options;
  }

  Plain plain_;
  tls::Security server_{for_server()};
  tls::Security client_{for_client()};
};

template <class S>
StageCase stage_case(std::string name) {
  return {std::move(name), [] { return std::make_unique<S>(); }};
}

// ---- the play -------------------------------------------------------------------------------------------------------

template <class T>
Task<> await_into(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await task);
}

// All that a connection gets that sends `octets`, and finishes then or when the server has.
Task<std::string> converse(Stage& stage, net::Address address, std::string octets, bool finishes) {
  Result<net::Connected> connected = co_await stage.runtime().network().dial(address, kNever);
  if (!connected) throw std::system_error(connected.error(), "dial");
  if (net::Security* const security = stage.client_security()) {
    net::ServerName name{"127.0.0.1"};
    net::Alpn alpn;
    Task<Result<net::Secured>> handshake =
        security->client(stage.runtime(), std::move(connected->connection), std::move(name), std::move(alpn), kNever);
    Result<net::Secured> secured = co_await handshake;
    if (!secured) throw std::system_error(secured.error(), "handshake");
    connected->connection = std::move(secured->connection);
  }
  net::Connection& connection = *connected->connection;
  const Bytes piece = octets;
  const std::span<const Bytes> pieces(&piece, 1);
  (void)co_await connection.write(pieces);
  if (finishes) (void)connection.try_close_write();
  std::string received;
  std::array<char, 4096> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (!count || *count == 0) co_return received;
    received.append(room.data(), *count);
  }
}

// "/" greets, "/echo" gives the body back, "/slow" takes 3 ms, "/big" is large, and there is nothing else.
Task<> play(RequestCtx& ctx) {
  if (ctx.path() == "/slow") {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 3ms));
    ctx.set_body("at last");
  } else if (ctx.path() == "/echo") {
    ctx.set_body(ctx.body());
  } else if (ctx.path() == "/big") {
    ctx.set_body(std::string(3'000'000, 'b'));
  } else if (ctx.path() == "/never") {
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1h));
  } else if (ctx.path() == "/") {
    ctx.set_body("Hello");
  } else {
    ctx.error(404, "no such page");
  }
}

class EndToEnd : public testing::TestWithParam<StageCase> {
 protected:
  EndToEnd() : stage_(GetParam().make()), server_(play) { start(); }

  Client& client() { return client_; }
  server::Worker& worker() { return *worker_; }
  async::Loop& loop() { return stage_->runtime().loop(); }
  std::string url(std::string_view path) {
    const char* const scheme = stage_->client_security() != nullptr ? "https://" : "http://";
    return scheme + address_.to_string() + std::string(path);
  }
  // Of every client here.
  ClientOptions options() {
    ClientOptions options;
    options.security = stage_->client_security();
    return options;
  }

  // At the address of the one before.
  void restart() {
    (void)await(worker_->shutdown(after(loop().now(), 1s)));
    worker_.reset();
    start();
  }

  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    stage_->run(await_into(std::move(task), result));
    return std::move(*result);
  }
  Result<client::Response> get(std::string_view path) { return await(client_.get(url(path))); }
  Result<client::Response> post(std::string_view path, std::string body) {
    return await(client_.post(url(path), "text/plain", std::move(body)));
  }
  Result<client::Response> call(const client::Request& request) {
    client::Response response;
    const Result<void> done = await(client_.call(request, response));
    if (!done) return fail(done.error());
    return response;
  }
  std::string raw(std::string octets, bool finishes = true) {
    return await(converse(*stage_, address_, std::move(octets), finishes));
  }
  Runtime& runtime() { return stage_->runtime(); }

 private:
  void start() {
    const net::Address where = address_.kind() == net::Address::Kind::none ? stage_->any_address() : address_;
    auto listener = stage_->runtime().network().listen(where);
    if (!listener) throw std::system_error(listener.error(), "listen");
    address_ = (*listener)->address();
    worker_ = std::make_unique<server::Worker>(server_, stage_->runtime());
    tasks_.spawn(worker_->serve(std::move(*listener), stage_->server_security()));
  }

  std::unique_ptr<Stage> stage_;
  Server server_;
  net::Address address_;
  std::unique_ptr<server::Worker> worker_;
  async::TaskGroup tasks_{stage_->runtime().loop()};
  Client client_{stage_->runtime(), options()};
};

TEST_P(EndToEnd, Gets) {
  EXPECT_THAT(get("/"), AllOf(HasStatus(200), HasHeader("Content-Length", "5"), BodyIs("Hello")));
}

TEST_P(EndToEnd, Posts) { EXPECT_THAT(post("/echo", "round trip"), AllOf(HasStatus(200), BodyIs("round trip"))); }

TEST_P(EndToEnd, KeepsTheConnection) {
  for (int i = 0; i < 3; ++i) EXPECT_THAT(get("/"), HasStatus(200));
  EXPECT_EQ(worker().open_connections(), 1U);
  EXPECT_EQ(worker().served(), 3U);
}

TEST_P(EndToEnd, AnswersPipelinedRequestsInOrder) {
  const std::string answers =
      raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
          "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
          "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlast");
  EXPECT_THAT(answers, AllOf(HasSubstr("\r\n\r\nHelloHTTP/1.1 200 OK\r\n"),
                             HasSubstr("\r\n\r\nat lastHTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nlast")));
}

TEST_P(EndToEnd, AnswersAHeadWithoutTheBody) {
  client::Request request;
  request.method = http::Method::head;
  request.url = url("/");
  EXPECT_THAT(call(request), AllOf(HasStatus(200), HasHeader("Content-Length", "5"), BodyIs("")));
  EXPECT_THAT(get("/"), BodyIs("Hello")) << "on the same connection";
  EXPECT_EQ(worker().open_connections(), 1U);
}

TEST_P(EndToEnd, TakesAChunkedRequest) {
  const std::string answer =
      raw("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nabcdefg")));
}

TEST_P(EndToEnd, AnswersWhatIsNotThere) {
  EXPECT_THAT(get("/nowhere"), AllOf(HasStatus(404), BodyIs(HasSubstr("no such page"))));
}

TEST_P(EndToEnd, RefusesWhatIsNotHttp) {
  EXPECT_THAT(raw("hello there\r\n\r\n", /*finishes=*/false), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_P(EndToEnd, CarriesALargeBodyDown) {
  EXPECT_THAT(get("/big"), AllOf(HasStatus(200), BodyIs(std::string(3'000'000, 'b'))));
}

TEST_P(EndToEnd, CarriesALargeBodyUpAndDown) {
  std::string body;
  for (int i = 0; i < 300'000; ++i) body += std::to_string(i % 1000);
  EXPECT_THAT(post("/echo", body), AllOf(HasStatus(200), BodyIs(body)));
}

TEST_P(EndToEnd, AnswersAClientThatHasFinishedSending) {
  EXPECT_THAT(raw("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"), EndsWith("at last"));
}

TEST_P(EndToEnd, WaitsForASlowHandler) {
  const TimePoint start = loop().now();
  EXPECT_THAT(get("/slow"), BodyIs("at last"));
  EXPECT_GE(loop().now(), start + 3ms);
}

TEST_P(EndToEnd, GivesUpAtTheDeadlineOfACall) {
  ClientOptions impatient = options();
  impatient.timeout = 20ms;
  Client hasty(runtime(), impatient);
  const TimePoint start = loop().now();
  EXPECT_THAT(await(hasty.get(url("/never"))), IsError(Errc::timed_out));
  EXPECT_GE(loop().now(), start + 20ms);
}

TEST_P(EndToEnd, GoesOnWithAServerThatIsStartedAgain) {
  EXPECT_THAT(get("/"), HasStatus(200));
  restart();
  EXPECT_THAT(get("/"), HasStatus(200)) << "the connection that was kept is gone, and not used";
  EXPECT_EQ(worker().served(), 1U);
}

TEST_P(EndToEnd, IsRefusedByAServerThatHasStopped) {
  EXPECT_THAT(get("/"), HasStatus(200));
  (void)await(worker().shutdown(after(loop().now(), 1s)));
  EXPECT_THAT(get("/"), IsError(Errc::connection_refused));
}

INSTANTIATE_TEST_SUITE_P(Over, EndToEnd,
                         testing::Values(stage_case<MemoryStage>("memory"), stage_case<TcpStage>("tcp"),
                                         stage_case<SecuredStage<MemoryStage>>("tls_in_memory"),
                                         stage_case<SecuredStage<TcpStage>>("tls_over_tcp")),
                         [](const auto& stage) { return stage.param.name; });

}  // namespace
}  // namespace pipette::test
