// How many: connections at once, of one address, requests of one connection; and what the refused are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/lab/gtest.h"
#include "pipette/server/ip_limit.h"
#include "pipette/server/places.h"

#include "tests/support/door.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answers;
using test::Door;
using test::get;
using test::kGet;
using test::ok;
using test::Serving;

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

net::Address address_of(std::string_view text) { return *net::Address::parse(text); }

ServerOptions at_most(std::size_t connections, std::size_t per_ip, Refusal refusal = Refusal::answer) {
  ServerOptions options;
  options.concurrency = connections;
  options.max_conns_per_ip = per_ip;
  options.refusal = refusal;
  return options;
}

// One that connects from there, and asks at once.
Peer enter(Door& door, std::string_view from) {
  Peer peer = door.enter(from);
  peer.send(kGet);
  return peer;
}

// ---- connections at once -------------------------------------------------------------------------------------

TEST(Concurrency, AnswersOneThatIsTooManyWith503) {
  Door door(greet, at_most(1, 0));
  Peer first = enter(door, "10.0.0.1:1");
  first.expect_response(200);
  Peer second = enter(door, "10.0.0.2:1");
  const client::Response refused = second.expect_response(503);
  EXPECT_EQ(refused.body, "too many connections");
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.header("Connection"), "close");
  EXPECT_TRUE(second.closed());
  EXPECT_FALSE(second.was_reset());
  EXPECT_EQ(door.worker().open_connections(), 1U);
  EXPECT_EQ(door.worker().metrics().accepted.get(), 2U);
  EXPECT_EQ(door.worker().metrics().rejected_concurrency.get(), 1U);
  first.close_write();
  door.lab().settle();
  EXPECT_EQ(door.worker().open_connections(), 0U);
  Peer third = enter(door, "10.0.0.3:1");
  third.expect_response(200);
}

TEST(Concurrency, ClosesOneThatIsTooManyWithoutAWord) {
  Door door(greet, at_most(1, 0, Refusal::close));
  Peer first = enter(door, "10.0.0.1:1");
  Peer second = enter(door, "10.0.0.2:1");
  EXPECT_TRUE(second.was_reset());
  EXPECT_EQ(second.received(), "");
  EXPECT_EQ(door.worker().metrics().rejected_concurrency.get(), 1U);
  first.expect_response(200);
}

TEST(Concurrency, ForgetsARefusedClientThatDoesNotHangUpAfterALinger) {
  Door door(greet, at_most(0, 0));
  Peer peer = enter(door, "10.0.0.1:1");
  peer.expect_response(503);
  door.lab().advance(5s - 1ns);
  EXPECT_FALSE(peer.was_reset());
  door.lab().advance(1ns);
  peer.send("still there");
  EXPECT_TRUE(peer.was_reset());
  EXPECT_EQ(door.lab().world().scheduler().next_deadline(), kNever);
}

TEST(Concurrency, TellsNoMoreThan64AtOnce) {
  Door door(greet, at_most(0, 0));
  std::vector<Peer> peers;
  for (int i = 0; i < 70; ++i) peers.push_back(enter(door, "10.0.0.1:1"));
  std::size_t told = 0;
  for (Peer& peer : peers) told += peer.received().empty() ? 0 : 1;
  EXPECT_EQ(told, 64U);
  EXPECT_TRUE(peers.back().was_reset());
  EXPECT_EQ(door.worker().metrics().rejected_concurrency.get(), 70U);
}

// ---- connections of one address ------------------------------------------------------------------------------

TEST(PerIp, AnswersOneThatIsTooManyWith429AndCountsByWhoItIs) {
  struct Case {
    std::string_view first;
    std::string_view second;
    int status;
  };
  for (const Case& each : {
           Case{"10.0.0.1:1", "10.0.0.1:2", 429},
           Case{"10.0.0.1:1", "10.0.0.2:1", 200},
           Case{"10.0.0.1:1", "[::ffff:10.0.0.1]:2", 429},
           Case{"[2001:db8::1]:1", "[2001:db8::1]:2", 429},
           Case{"[2001:db8::1]:1", "[2001:db8::ffff:ffff:ffff:ffff]:2", 429},
           Case{"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", 200},
           Case{"[::1]:1", "[::2]:1", 429},
           Case{"10.0.0.1:1", "[::1]:1", 200},
           Case{"unix:/run/a", "unix:/run/a", 200},
       }) {
    Door door(greet, at_most(100, 1));
    Peer first = enter(door, each.first);
    first.expect_response(200);
    Peer second = enter(door, each.second);
    second.expect_response(each.status);
    EXPECT_EQ(second.closed(), each.status == 429) << each.first << " " << each.second;
    EXPECT_EQ(door.worker().metrics().rejected_per_ip.get(), each.status == 429 ? 1U : 0U);
    first.close_write();
    door.lab().settle();
    Peer third = enter(door, each.first);
    third.expect_response(200);
  }
}

TEST(PerIp, ClosesOneThatIsTooManyWithoutAWord) {
  Door door(greet, at_most(100, 1, Refusal::close));
  Peer first = enter(door, "10.0.0.1:1");
  Peer second = enter(door, "10.0.0.1:2");
  EXPECT_TRUE(second.was_reset());
  EXPECT_EQ(door.worker().metrics().rejected_per_ip.get(), 1U);
  first.expect_response(200);
}

TEST(IpLimit, RemembersOnlyAddressesThatAreThere) {
  IpLimit limit(2);
  const IpLimit::Key one = limit.key_of(address_of("10.0.0.1:1"));
  const IpLimit::Key other = limit.key_of(address_of("[2001:db8::1]:1"));
  EXPECT_TRUE(limit.enter(one) && limit.enter(one) && limit.enter(other));
  EXPECT_FALSE(limit.enter(one));
  EXPECT_EQ(limit.size(), 2U);
  limit.leave(one);
  EXPECT_TRUE(limit.enter(one));
  limit.leave(one);
  limit.leave(one);
  limit.leave(other);
  EXPECT_EQ(limit.size(), 0U);
}

TEST(IpLimit, CountsNothingWhenThereIsNoneAndNoUnixSockets) {
  IpLimit none(0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(none.enter(none.key_of(address_of("10.0.0.1:1"))));
  EXPECT_EQ(none.size(), 0U);
  IpLimit one(1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(one.enter(one.key_of(address_of("unix:/run/app.sock"))));
  EXPECT_EQ(one.size(), 0U);
}

// ---- of several workers --------------------------------------------------------------------------------------

// A worker on a loop of its own, that is given its connections by hand.
struct Counter {
  Counter(const Server& server, Runtime& runtime) : worker(server, runtime), sessions(runtime.loop()) {}
  Peer enter(Lab& lab, std::string_view from) {
    auto [connected, peer] = test::wire(lab, from);
    sessions.spawn(worker.serve_connection(std::move(connected)));
    peer.send(kGet);
    return std::move(peer);
  }
  Worker worker;
  async::TaskGroup sessions;
};

TEST(LimitsOfAServer, HoldForAllItsWorkersTogether) {
  struct Case {
    ServerOptions options;
    std::string_view second;
    int status;
  };
  for (const Case& each : {
           Case{at_most(1, 0), "10.0.0.2:1", 503},
           Case{at_most(2, 1), "10.0.0.1:2", 429},
           Case{at_most(2, 1), "[::ffff:10.0.0.1]:2", 429},
           Case{at_most(2, 1), "10.0.0.2:1", 200},
       }) {
    const Server server(greet, each.options);
    Lab lab;
    Counter one(server, lab.host("app").runtime());
    Counter other(server, lab.host("app").add_runtime());
    Peer first = one.enter(lab, "10.0.0.1:1");
    first.expect_response(200);
    Peer second = other.enter(lab, each.second);
    second.expect_response(each.status);
    EXPECT_EQ(server.metrics().open_connections, each.status == 200 ? 2U : 1U);
    first.close_write();
    lab.settle();
    Peer third = other.enter(lab, "10.0.0.1:3");
    third.expect_response(200);
  }
}

TEST(LimitsOfAServer, AreGivenBackByAWorkerThatDies) {
  const Server server(greet, at_most(1, 1));
  Lab lab;
  Counter stays(server, lab.host("app").runtime());
  auto dies = std::make_unique<Counter>(server, lab.host("app").add_runtime());
  Peer first = dies->enter(lab, "10.0.0.1:1");
  first.expect_response(200);
  dies.reset();
  Peer second = stays.enter(lab, "10.0.0.1:2");
  second.expect_response(200);
}

TEST(LimitsOfAServer, AreNotTakenByAConnectionThatIsNeverServed) {
  const Server server(greet, at_most(1, 1));
  Lab lab;
  Counter counter(server, lab.host("app").runtime());
  {
    auto [connected, peer] = test::wire(lab, "10.0.0.1:1");
    const Task<> unborn = counter.worker.serve_connection(std::move(connected));
  }
  Peer second = counter.enter(lab, "10.0.0.1:2");
  second.expect_response(200);
}

TEST(Places, LetsSomebodyInForWhoIsAboutToGo) {
  Places places(1, 2);
  const net::Address remote = address_of("10.0.0.1:1");
  auto going = places.take(remote);
  ASSERT_TRUE(going);
  EXPECT_EQ(places.take(remote).error(), Places::Excess::of_all);
  auto coming = places.take_in_advance(remote);
  ASSERT_TRUE(coming);
  EXPECT_EQ(places.take_in_advance(remote).error(), Places::Excess::of_one_address);
  going = std::unexpected(Places::Excess::of_all);
  EXPECT_EQ(places.take(remote).error(), Places::Excess::of_all) << "the one who came has the place";
}

// ---- requests of one connection ------------------------------------------------------------------------------

TEST(RequestsOfAConnection, EndWithTheLastOneThatIsAllowed) {
  ServerOptions options;
  options.max_requests_per_conn = 3;
  Serving app(greet, options);
  Peer peer = app.connect();
  for (int i = 0; i < 4; ++i) peer.send(kGet);
  const auto found = answers(peer.take());
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].field("connection"), "(none)");
  EXPECT_EQ(found[2].field("connection"), "close");
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(app.worker().served(), 3U);
}

TEST(RequestsOfAConnection, AreOneWithoutKeepAlive) {
  ServerOptions options;
  options.disable_keepalive = true;
  Serving app(greet, options);
  Peer peer = app.connect();
  peer.send(get("/", "Connection: keep-alive\r\n") + std::string(kGet));
  EXPECT_EQ(peer.take(), ok("Hello", "Connection: close\r\n"));
  EXPECT_TRUE(peer.closed());
}

TEST(RequestsOfAConnection, AreOfGetAndHeadAloneWhenTheServerSaysSo) {
  struct Case {
    std::string_view method;
    int status;
  };
  ServerOptions options;
  options.get_only = true;
  for (const Case& each : {Case{"GET", 200}, Case{"HEAD", 200}, Case{"POST", 405}, Case{"PUT", 405}, Case{"BREW", 405},
                           Case{"OPTIONS", 405}}) {
    Serving app(greet, options);
    Peer peer = app.connect();
    peer.send(std::string(each.method) + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    const client::Response answer = peer.expect_response(each.status);
    EXPECT_EQ(answer.header("Allow"), each.status == 405 ? std::optional<std::string_view>("GET, HEAD") : std::nullopt);
    EXPECT_EQ(app.worker().served(), each.status == 200 ? 1U : 0U);
  }
}

// ---- memory --------------------------------------------------------------------------------------------------

TEST(IdleConnections, AnswerTheSameWhetherTheyHoldMemoryOrNot) {
  Serving app([](RequestCtx& ctx) {
    ctx.set_body(std::to_string(ctx.connection_id()) + " " + std::to_string(ctx.request_number()) + " " +
                 ctx.remote_ip() + " " + std::string(ctx.body()));
  });
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(app.connect());  // more than may hold any
  for (const std::string_view request_number : {"1", "2"}) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const std::string body(i * 40 + 1, 'x');
      peers[i].send(test::post("/", "text/plain", body));
      ASSERT_EQ(peers[i].take(), ok(std::to_string(i + 1).append(" ").append(request_number) + " 10.0.0.1 " + body));
    }
  }
}

}  // namespace
}  // namespace pipette::server
