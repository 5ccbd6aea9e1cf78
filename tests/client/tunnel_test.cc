// Tunnels through proxies that say exactly what a test gives them.
#include "pipette/client/tunnel.h"

#include <array>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/script.h"
#include "pipette/lab/sweep.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using lab::IsError;
using lab::Script;
using net::Address;
using testing::ElementsAre;

Address address(std::string_view text) { return *Address::parse(text); }

// Plays a script on each connection it accepts, one after the other, and holds them until it dies.
class ScriptedProxy {
 public:
  ScriptedProxy(Lab& lab, std::deque<Script> scripts)
      : runtime_(lab.host("proxy").runtime()), scripts_(std::move(scripts)), tasks_(runtime_.loop()) {
    tasks_.spawn(serve(*runtime_.network().listen(address("proxy:1080"))));
  }

  std::size_t accepted() const { return visits_.size(); }
  // What has failed, or is still to come, of those that have begun.
  std::string report() const {
    std::string text;
    for (const Visit& visit : visits_) text += visit.run.report();
    return text;
  }

 private:
  struct Visit {
    Visit(async::Loop& loop, Script script) : run(loop, std::move(script)) {}
    std::unique_ptr<net::Connection> connection;
    std::string input;
    lab::ScriptRun run;
  };

  Task<> serve(std::unique_ptr<net::Listener> listener) {
    while (!scripts_.empty()) {
      Result<net::Connected> accepted = co_await listener->accept();
      if (!accepted) co_return;
      Visit& visit = visits_.emplace_back(runtime_.loop(), std::move(scripts_.front()));
      scripts_.pop_front();
      visit.connection = std::move(accepted->connection);
      tasks_.spawn(visit.run.play(visit.connection, visit.input));
    }
  }

  Runtime& runtime_;
  std::deque<Script> scripts_;
  std::list<Visit> visits_;
  async::TaskGroup tasks_;
};

// One tunnel through one proxy.
struct Trial {
  explicit Trial(std::string_view url, std::deque<Script> scripts)
      : server(lab, std::move(scripts)), proxy(*Proxy::parse(url)), dialer(lab.runtime()) {
    options.answer = &answer;
  }
  explicit Trial(std::string_view url, const Script& script) : Trial(url, std::deque<Script>(1, script)) {}

  Task<Result<net::Connected>> dial(Address target, Duration timeout = 1h) {
    return dial_through(lab.runtime(), dialer, proxy, std::move(target), after(lab.now(), timeout), options);
  }
  Result<net::Connected> run(std::string_view target) { return lab.run(dial(address(target))); }
  void expect_nothing_left() {
    lab.settle();
    EXPECT_EQ(lab.world().scheduler().next_deadline(), kNever);
    EXPECT_EQ(dialer.dialing(), 0U);
  }

  Lab lab;
  ScriptedProxy server;
  Proxy proxy;
  Dialer dialer;
  ProxyAnswer answer;
  TunnelOptions options;
};

Task<std::string> read(net::Connection& connection, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const Result<std::size_t> count = co_await connection.read_some(std::span(text).subspan(have));
    if (!count || *count == 0) break;
    have += *count;
  }
  text.resize(have);
  co_return text;
}

Task<Result<void>> write(net::Connection& connection, std::string text) {
  const std::array<Bytes, 1> pieces = {text};
  co_return co_await connection.write(pieces);
}

const std::string kConnect = "CONNECT app:443 HTTP/1.1\r\nHost: app:443\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\n\r\n";

// A greeting without credentials and its answer, then a request for app:443.
const std::string kHello = "\5\1\0"s;
const std::string kNoAuth = "\5\0"s;
const std::string kSocksConnect = "\5\1\0\3\3app\1\xbb"s;
const std::string kSocksOk = "\5\0\0\1\0\0\0\0\0\0"s;

// ---- CONNECT -----------------------------------------------------------------------------------------------

TEST(Tunnel, IsOpenedWithConnect) {
  Trial trial("http://proxy:1080", Script().expect(kConnect).send(kOk + "early").expect("ping").send("pong"));
  const Result<net::Connected> tunnel = trial.run("app:443");
  ASSERT_TRUE(tunnel);
  EXPECT_EQ(trial.answer.status, 200);
  EXPECT_EQ(tunnel->remote.port(), 1080);
  EXPECT_EQ(trial.lab.run(read(*tunnel->connection, 5)), "early");
  EXPECT_TRUE(trial.lab.run(write(*tunnel->connection, "ping")));
  EXPECT_EQ(trial.lab.run(read(*tunnel->connection, 4)), "pong");
  EXPECT_EQ(trial.server.report(), "");
  trial.lab.advance(24h);
  EXPECT_EQ(trial.lab.world().scheduler().next_deadline(), kNever) << "it has no deadline";
}

TEST(Tunnel, SaysWhoAsksAndWhatElseItIsTold) {
  Trial trial("http://Aladdin:open%20sesame@proxy:1080",
              Script()
                  .expect("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nX-Trace: 7\r\n"
                          "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n")
                  .send(kOk));
  http::OwnedFields fields;
  ASSERT_TRUE(fields.set("X-Trace", "7"));
  trial.options.fields = &fields;
  EXPECT_TRUE(trial.run("[2001:db8::1]:8443"));
  EXPECT_EQ(trial.server.report(), "");
}

TEST(Tunnel, IsWhatTheProxyAnswers) {
  struct Row {
    std::string answer;
    Errc error = Errc{};
    int status = 0;
    std::string rest = "";
  };
  const Row kRows[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", Errc{}, 200},
      {"HTTP/1.0 200 Connection established\r\n\r\n", Errc{}, 200},
      {"HTTP/1.1 299 \r\nVia: x\r\n\r\nabc", Errc{}, 299, "abc"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Errc{}, 200, "abc"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Errc{}, 200, "0\r\n\r\n"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", Errc{}, 200, "x"},
      {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", Errc::proxy_unauthorized,
       407},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", Errc::proxy_refused, 403},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", Errc::proxy_refused, 502},
      {"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n\r\n", Errc::proxy_refused, 302},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", Errc::unexpected_response},
      {"HTTP/1.1 2000 OK\r\n\r\n", Errc::bad_status},
      {"SSH-2.0-OpenSSH\r\n", Errc::bad_version},
      {"HTTP/1.1 200 OK\nA: b\n\n", Errc::bad_line_end},
      {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", Errc::bad_field_name},
      {"HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x'), Errc::field_too_large},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.answer.substr(0, 60));
    Trial trial("http://proxy:1080", Script().expect(kConnect).send(row.answer));
    const Result<net::Connected> tunnel = trial.run("app:443");
    EXPECT_EQ(tunnel ? Errc{} : errc_of(tunnel.error()), row.error);
    EXPECT_EQ(trial.answer.status, row.status);
    if (tunnel) {
      EXPECT_EQ(trial.lab.run(read(*tunnel->connection, row.rest.size())), row.rest);
    }
    trial.expect_nothing_left();
  }
}

TEST(Tunnel, IsNoneWhenTheProxySaysTooMuchBeforehand) {
  std::string interim;
  for (int i = 0; i < 102; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  Trial trial("http://proxy:1080", Script().expect(kConnect).send(interim + kOk));
  EXPECT_THAT(trial.run("app:443"), IsError(Errc::too_many_interim_responses));
}

TEST(Tunnel, IsNoneWhenTheProxyLeaves) {
  for (const std::string_view url : {"http://proxy:1080", "socks5h://proxy:1080"}) {
    Trial closes(url, Script().close_write());
    EXPECT_THAT(closes.run("app:443"), IsError(Errc::end_of_stream)) << url;
    Trial resets(url, Script().abort());
    EXPECT_THAT(resets.run("app:443"), IsError(Errc::connection_reset)) << url;
  }
  Trial halfway("http://proxy:1080", Script().expect(kConnect).send("HTTP/1.1 200 O").close_write());
  EXPECT_THAT(halfway.run("app:443"), IsError(Errc::end_of_stream));
}

TEST(Tunnel, AsksForNothingButAHostAndAPort) {
  struct Row {
    Address target;
    Errc error;
  };
  const Row kRows[] = {
      {Address::name("app\r\nX: y", 443), Errc::bad_host},
      {Address::name("app HTTP/1.1\r\n\r\n", 443), Errc::bad_host},
      {Address::name("app\n", 443), Errc::bad_host},
      {Address::name("app\0x"s, 443), Errc::bad_host},
      {Address::name("u@app", 443), Errc::bad_host},
      {Address::name("app/path", 443), Errc::bad_host},
      {Address::name("a b", 443), Errc::bad_host},
      {Address::name("", 443), Errc::bad_host},
      {Address::name("app", 0), Errc::bad_target},
      {Address::unix_path("/run/app"), Errc::bad_target},
      {Address(), Errc::bad_target},
  };
  for (const std::string_view url : {"http://proxy:1080", "socks5://proxy:1080", "socks5h://proxy:1080"}) {
    for (const Row& row : kRows) {
      Trial trial(url, Script());
      EXPECT_THAT(trial.lab.run(trial.dial(row.target)), IsError(row.error)) << url << " " << row.target.to_string();
      EXPECT_EQ(trial.lab.log().connections(), 0U);
    }
  }
  Trial trial("socks5h://proxy:1080", Script());
  EXPECT_THAT(trial.lab.run(trial.dial(Address::name(std::string(256, 'a'), 80))), IsError(Errc::bad_target));
}

// ---- SOCKS5 ------------------------------------------------------------------------------------------------

TEST(Tunnel, IsOpenedWithSocks5) {
  struct Row {
    std::string_view url;
    std::string_view target;
    Script script;
  };
  const std::string ipv6 = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s;
  const Row kRows[] = {
      {"socks5h://proxy:1080", "app:443", Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send(kSocksOk)},
      {"socks5://proxy:1080", "10.1.2.3:80",
       Script().expect(kHello).send(kNoAuth).expect("\5\1\0\1\x0a\1\2\3\0\x50"s).send(kSocksOk)},
      {"socks5h://proxy:1080", "[2001:db8::1]:80",
       Script().expect(kHello).send(kNoAuth).expect("\5\1\0\4"s + ipv6 + "\0\x50"s).send(kSocksOk)},
      // The address it connects from may be of any kind.
      {"socks5h://proxy:1080", "app:443",
       Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0\4"s + ipv6 + "\0\1"s)},
      {"socks5h://proxy:1080", "app:443",
       Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0\3\4here\0\1"s)},
      {"socks5h://proxy:1080", "app:443",
       Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0\3\0\0\1"s)},
      {"socks5h://proxy:1080", "app:443",
       Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0\3\xff"s + std::string(257, 'x'))},
      // Who asks, when the proxy wants to know.
      {"socks5h://me:secret@proxy:1080", "app:443",
       Script().expect("\5\2\0\2"s).send(kNoAuth).expect(kSocksConnect).send(kSocksOk)},
      {"socks5h://me:secret@proxy:1080", "app:443",
       Script()
           .expect("\5\2\0\2"s)
           .send("\5\2")
           .expect("\1\2me\6secret")
           .send("\1\0"s)
           .expect(kSocksConnect)
           .send(kSocksOk)},
  };
  for (Row row : kRows) {
    SCOPED_TRACE(row.target);
    Trial trial(row.url, row.script.send("early").expect("ping").send("pong"));
    const Result<net::Connected> tunnel = trial.run(row.target);
    ASSERT_TRUE(tunnel) << tunnel.error().message() << trial.server.report();
    EXPECT_EQ(trial.answer.status, 0);
    EXPECT_EQ(trial.lab.run(read(*tunnel->connection, 5)), "early");
    EXPECT_TRUE(trial.lab.run(write(*tunnel->connection, "ping")));
    EXPECT_EQ(trial.lab.run(read(*tunnel->connection, 4)), "pong");
    EXPECT_EQ(trial.server.report(), "");
    trial.expect_nothing_left();
  }
}

TEST(Tunnel, IsNoneWhenASocksProxyRefuses) {
  struct Row {
    int reply;
    Errc error;
  };
  constexpr Row kRows[] = {
      {1, Errc::proxy_refused},    {2, Errc::proxy_refused},    {3, Errc::network_unreachable},
      {4, Errc::host_unreachable}, {6, Errc::host_unreachable}, {5, Errc::connection_refused},
      {7, Errc::not_supported},    {8, Errc::not_supported},    {9, Errc::proxy_refused},
      {255, Errc::proxy_refused},
  };
  for (const Row& row : kRows) {
    const std::string reply = "\5"s + static_cast<char>(row.reply) + "\0"s;  // it need not send the rest
    Trial trial("socks5h://proxy:1080", Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send(reply));
    EXPECT_THAT(trial.run("app:443"), IsError(row.error)) << row.reply;
    EXPECT_EQ(trial.answer.status, row.reply);
    trial.expect_nothing_left();
  }
}

TEST(Tunnel, IsNoneWhenTheProxyDoesNotSpeakSocks5) {
  struct Row {
    std::string_view url;
    std::vector<std::string> answers;
    Errc error;
  };
  const std::string_view anonymous = "socks5h://proxy:1080";
  const std::string_view known = "socks5h://me:secret@proxy:1080";
  const Row kRows[] = {
      {anonymous, {"HTTP/1.1 400 Bad Request\r\n\r\n"}, Errc::bad_proxy_answer},
      {anonymous, {"\4\0"s}, Errc::bad_proxy_answer},
      {anonymous, {"\5\xff"}, Errc::proxy_unauthorized},
      {anonymous, {"\5\2"}, Errc::bad_proxy_answer},
      {known, {"\5\1"}, Errc::bad_proxy_answer},
      {known, {"\5\xff"}, Errc::proxy_unauthorized},
      {known, {"\5\2", "\1\1"}, Errc::proxy_unauthorized},
      {known, {"\5\2", "\5\0"s}, Errc::bad_proxy_answer},
      {anonymous, {kNoAuth, "\4\0\0\1"s}, Errc::bad_proxy_answer},
      {anonymous, {kNoAuth, "\5\0\1\1"s}, Errc::bad_proxy_answer},
      {anonymous, {kNoAuth, "\5\0\0\2"s}, Errc::bad_proxy_answer},
      {anonymous, {kNoAuth, "\5\0\0\0"s}, Errc::bad_proxy_answer},
  };
  for (const Row& row : kRows) {
    Script script;
    for (const std::string& answer : row.answers) script.expect("").send(answer).wait(1ms);
    Trial trial(row.url, script);
    EXPECT_THAT(trial.run("app:443"), IsError(row.error)) << testing::PrintToString(row.answers);
    trial.lab.advance(1s);
    trial.expect_nothing_left();
  }
}

TEST(Tunnel, TriesTheAddressesItResolvesItself) {
  const auto refuse = [](std::string_view request, char reply) {
    return Script().expect(kHello).send(kNoAuth).expect(std::string(request)).send("\5"s + reply + "\0"s);
  };
  const std::string first = "\5\1\0\1\x0a\1\0\1\0\x50"s;
  const std::string second = "\5\1\0\1\x0a\1\0\2\0\x50"s;
  const auto accept = Script().expect(kHello).send(kNoAuth).expect(second).send(kSocksOk);
  Trial trial("socks5://proxy:1080", std::deque<Script>{refuse(first, 5), accept});
  trial.lab.world().network().set_answer("both", {.addresses = {address("10.1.0.1:0"), address("10.1.0.2:0")}});
  EXPECT_TRUE(trial.run("both:80"));
  EXPECT_EQ(trial.server.accepted(), 2U);
  EXPECT_EQ(trial.server.report(), "");
  EXPECT_EQ(trial.answer.status, 0);

  Trial all("socks5://proxy:1080", std::deque<Script>{refuse(first, 4), refuse(second, 5)});
  all.lab.world().network().set_answer("both", {.addresses = {address("10.1.0.1:0"), address("10.1.0.2:0")}});
  EXPECT_THAT(all.run("both:80"), IsError(Errc::connection_refused));
  EXPECT_EQ(all.answer.status, 5);

  Trial forbidden("socks5://proxy:1080", std::deque<Script>{refuse(first, 2), Script()});
  forbidden.lab.world().network().set_answer("both", {.addresses = {address("10.1.0.1:0"), address("10.1.0.2:0")}});
  EXPECT_THAT(forbidden.run("both:80"), IsError(Errc::proxy_refused));
  EXPECT_EQ(forbidden.server.accepted(), 1U);

  Trial unknown("socks5://proxy:1080", Script());
  EXPECT_THAT(unknown.run("nowhere:80"), IsError(Errc::host_not_found));
  EXPECT_EQ(unknown.lab.log().connections(), 0U);
}

TEST(Tunnel, AsksOnceWhenTheProxyItselfCannotBeReached) {
  Trial trial("socks5://proxy:1081", Script());
  trial.lab.world().network().set_answer("both", {.addresses = {address("10.1.0.1:0"), address("10.1.0.2:0")}});
  int attempts = 0;
  DialHooks hooks;
  hooks.connect_start = [&](const Address&) { ++attempts; };
  trial.options.hooks = &hooks;
  EXPECT_THAT(trial.run("both:80"), IsError(Errc::connection_refused));
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(trial.answer.status, 0);
}

// ---- TLS to the proxy --------------------------------------------------------------------------------------

// Hands the connection through, or lets a handshake take forever.
class FakeSecurity final : public net::Security {
 public:
  explicit FakeSecurity(async::Loop& loop, bool hangs = false) : loop_(loop), hangs_(hangs) {}

  Task<Result<net::Secured>> server(Runtime&, std::unique_ptr<net::Connection>, TimePoint) override {
    co_return fail(Errc::not_supported);
  }
  Task<Result<net::Secured>> client(Runtime&, std::unique_ptr<net::Connection> connection, net::ServerName name,
                                    net::Alpn alpn, TimePoint deadline) override {
    names.push_back(name.host + " " + alpn.protocols.at(0));
    if (hangs_) {
      co_await async::sleep_until(loop_, deadline);
      co_return fail(Errc::timed_out);
    }
    net::Secured secured;
    secured.connection = std::move(connection);
    co_return secured;
  }

  std::vector<std::string> names;

 private:
  async::Loop& loop_;
  bool hangs_;
};

TEST(Tunnel, IsSecuredAsFarAsTheProxy) {
  Trial trial("https://proxy:1080", Script().expect(kConnect).send(kOk));
  FakeSecurity security(trial.lab.runtime().loop());
  trial.options.security = &security;
  EXPECT_TRUE(trial.run("app:443"));
  EXPECT_THAT(security.names, ElementsAre("proxy http/1.1"));
  EXPECT_EQ(trial.server.report(), "");

  trial.options.security = nullptr;
  EXPECT_THAT(trial.run("app:443"), IsError(Errc::unsupported_scheme));
}

// ---- timeouts, and what is left ----------------------------------------------------------------------------

struct Stage {
  std::string_view url;
  Script script;  // after which the proxy is silent
};

std::vector<Stage> stages() {
  return {
      {"http://proxy:1080", Script()},
      {"http://proxy:1080", Script().expect(kConnect).send("HTTP/1.1 200 OK\r\n")},
      {"http://proxy:1080", Script().expect(kConnect).send("HTTP/1.1 100 Continue\r\n\r\n")},
      {"socks5h://proxy:1080", Script()},
      {"socks5h://proxy:1080", Script().expect(kHello).send("\5")},
      {"socks5h://me:secret@proxy:1080", Script().expect("\5\2\0\2"s).send("\5\2")},
      {"socks5h://proxy:1080", Script().expect(kHello).send(kNoAuth)},
      {"socks5h://proxy:1080", Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0"s)},
      {"socks5h://proxy:1080", Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0\1\1\1"s)},
      {"socks5h://proxy:1080", Script().expect(kHello).send(kNoAuth).expect(kSocksConnect).send("\5\0\0\3"s)},
  };
}

TEST(Tunnel, HasItsTimeAtEachStage) {
  struct Row {
    Duration deadline;
    Duration end;
    Errc error;
  };
  constexpr Row kRows[] = {
      {1h, 10s, Errc::proxy_timeout},
      {10s, 10s, Errc::proxy_timeout},
      {10s - 1ns, 10s - 1ns, Errc::timed_out},
  };
  for (const Stage& stage : stages()) {
    for (const Row& row : kRows) {
      Trial trial(stage.url, stage.script);
      {
        auto task = trial.dial(address("app:443"), row.deadline);
        task.start();
        trial.lab.advance(row.end - 1ns);
        ASSERT_FALSE(task.done()) << stage.url << " " << trial.server.report();
        trial.lab.advance(1ns);
        ASSERT_TRUE(task.done()) << stage.url;
        EXPECT_THAT(task.await_resume(), IsError(row.error));
      }
      trial.expect_nothing_left();
      EXPECT_EQ(trial.server.report(), "");
    }
  }
}

TEST(Tunnel, HasItsTimeForTheHandshakeToo) {
  Trial trial("https://proxy:1080", Script());
  FakeSecurity security(trial.lab.runtime().loop(), true);
  trial.options.security = &security;
  auto task = trial.dial(address("app:443"));
  task.start();
  trial.lab.advance(10s - 1ns);
  ASSERT_FALSE(task.done());
  trial.lab.advance(1ns);
  ASSERT_TRUE(task.done());
  EXPECT_THAT(task.await_resume(), IsError(Errc::proxy_timeout));
  trial.expect_nothing_left();
}

TEST(Tunnel, LeavesNothingWhenItIsDestroyed) {
  for (const Stage& stage : stages()) {
    Trial trial(stage.url, stage.script);
    {
      auto task = trial.dial(address("app:443"));
      task.start();
      trial.lab.advance(1s);
      EXPECT_FALSE(task.done());
    }
    trial.expect_nothing_left();
  }
}

// ---- sweeps ------------------------------------------------------------------------------------------------

struct Talk {
  std::string_view url;
  Script script;
};

std::vector<Talk> talks() {
  return {
      {"http://me:secret@proxy:1080", Script()
                                          .expect_matching("CONNECT app:443 *\r\n\r\n")
                                          .send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\nearly")
                                          .expect("ping")
                                          .send("pong")},
      {"socks5h://me:secret@proxy:1080", Script()
                                             .expect("\5\2\0\2"s)
                                             .send("\5\2")
                                             .expect("\1\2me\6secret")
                                             .send("\1\0"s)
                                             .expect(kSocksConnect)
                                             .send("\5\0\0\3\4here\0\1early"s)
                                             .expect("ping")
                                             .send("pong")},
  };
}

// Opens the tunnel, and uses it when there is one. `must` it succeed?
void talk(Lab& lab, const Talk& one, bool must) {
  ScriptedProxy server(lab, std::deque<Script>(1, one.script));
  const Proxy proxy = *Proxy::parse(one.url);
  Dialer dialer(lab.runtime());
  const Result<net::Connected> tunnel =
      lab.run(dial_through(lab.runtime(), dialer, proxy, address("app:443"), after(lab.now(), 1min)));
  if (must) {
    ASSERT_TRUE(tunnel) << tunnel.error().message();
  }
  if (!tunnel) return;
  tunnel->connection->set_deadline(net::Direction::read, after(lab.now(), 1min));
  tunnel->connection->set_deadline(net::Direction::write, after(lab.now(), 1min));
  const std::string early = lab.run(read(*tunnel->connection, 5));
  EXPECT_TRUE("early"s.starts_with(early)) << early;
  const Result<void> written = lab.run(write(*tunnel->connection, "ping"));
  const std::string pong = lab.run(read(*tunnel->connection, 4));
  EXPECT_TRUE("pong"s.starts_with(pong)) << pong;
  if (must) {
    EXPECT_TRUE(written);
    EXPECT_EQ(early + pong, "earlypong");
    EXPECT_EQ(server.report(), "");
  }
}

TEST(Tunnel, IsTheSameHoweverTheOctetsArrive) {
  for (const Talk& one : talks()) {
    const lab::SplitSweep sweep = lab::for_each_split([&one](Lab& lab) { talk(lab, one, true); });
    EXPECT_GT(sweep.places, 20U);
  }
}

TEST(Tunnel, LeavesNothingWhateverFails) {
  for (const Talk& one : talks()) {
    const lab::FaultSweep sweep = lab::for_all_faults([&one](Lab& lab) { talk(lab, one, false); });
    EXPECT_GT(sweep.worlds, 100U);
  }
}

}  // namespace
}  // namespace pipette::client
