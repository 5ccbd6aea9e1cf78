// The examples and the reports of docs/guide-testing.md, where each stands as it does here. The first of them is
// first_test.cc.
#include <cctype>
#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/lab/attacks.h"
#include "pipette/lab/call.h"
#include "pipette/lab/contract/connection_contract.h"
#include "pipette/lab/diagram.h"
#include "pipette/lab/explore.h"
#include "pipette/lab/fuzz.h"
#include "pipette/lab/golden.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/log_diff.h"
#include "pipette/lab/matchers.h"
#include "pipette/lab/pcap.h"
#include "pipette/lab/script.h"
#include "pipette/lab/scripted_server.h"
#include "pipette/lab/story.h"
#include "pipette/lab/sweep.h"
#include "pipette/lab/triggers.h"
#include "pipette/net/toxic_connection.h"

using namespace pipette;
using namespace pipette::lab;
using namespace std::chrono_literals;

namespace {

// ---- what the guide does not show ----------------------------------------------------------------------------------

void greet(RequestCtx& ctx) { ctx.set_body("Hello, " + ctx.query("name").value_or("world") + "!"); }

std::string with(std::string text, std::string_view what, std::string_view instead) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + instead.size())) {
    text.replace(at, what.size(), instead);
  }
  return text;
}

// As on a reader's machine: "shop_test.cc:23" for places in this file, "./tests" for this program.
std::string as_told(std::string text) {
  text = with(std::move(text), program_invocation_name, "./tests");
  text = with(std::move(text), __FILE__, "shop_test.cc");
  const std::string_view file = "shop_test.cc:";
  for (std::size_t at = text.find(file); at != std::string::npos; at = text.find(file, at + 1)) {
    const std::size_t number = at + file.size();
    std::size_t end = number;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    text.replace(number, end - number, "23");
  }
  return text;
}

// ---- the reports ---------------------------------------------------------------------------------------------------

constexpr std::string_view kSweepReport = R"(world 5 of the sweep fails, and needs 1 choice:
  the 1st look-up: host not found
what the test said:
  shop_test.cc:23: Expected equality of these values:
    lab.run(stock_of(lab.client(), "tea"))
      Which is: 0
    7
what happened, the last first:
  +0.000000000  fault: look-up: host not found
  +0.000000000  listening on shop:80
reproduce: PIPETTE_REPLAY='fault.resolve/0/0=1' ./tests --gtest_filter=StockOf.IsSeven
)";

constexpr std::string_view kExplorationReport = R"(world 2 of 1000, seed 2, fails, and needs 2 choices:
  what is ready runs in any order
  pick 1 of what runs next: number 2 of those ready
what the test said:
  shop_test.cc:23: Expected equality of these values:
    loaded.front()
      Which is: "Hello, Bob!"
    "Hello, Ada!"
what happened, the last first:
  +0.000000000  conn 2  reset: client is dropped while open
  +0.000000000  conn 1  reset: client is dropped while open
  +0.000000000  conn 2  app -> client  200 OK (4 fields, 11 body bytes)
  +0.000000000  conn 1  app -> client  200 OK (4 fields, 11 body bytes)
  +0.000000000  conn 2  client -> app  GET /?name=Ada HTTP/1.1 (2 fields, no body)
  +0.000000000  conn 1  client -> app  GET /?name=Bob HTTP/1.1 (2 fields, no body)
  +0.000000000  conn 2  app accepts
  +0.000000000  conn 1  app accepts
  +0.000000000  conn 2  client dials app:80
  +0.000000000  conn 1  client dials app:80
  +0.000000000  listening on app:80
reproduce: PIPETTE_REPLAY='explore.order/0/0=1,ready/0/0=1' ./tests --gtest_filter=Pages.ComeInOrder
)";

constexpr std::string_view kStuckReport = R"(nobody can make progress at +75.000000000
  the test waits for the test's condition
  listener app:80 waits for a connection
  conn 1: idle after 1 exchange; app has closed
last events:
  +0.000000000  listening on app:80
  +0.000000000  conn 1  client dials app:80
  +0.000000000  conn 1  app accepts
  +0.000000000  conn 1  client -> app  GET / HTTP/1.1 (1 field, no body)
  +0.000000000  conn 1  app -> client  200 OK (4 fields, 13 body bytes)
  +75.000000000  conn 1  app has waited long enough to read
  +75.000000000  conn 1  app -> client  FIN
  +75.000000000  conn 1  app -> client  closed
)";

constexpr std::string_view kNetstat =
    R"(State        Host      Local               Remote              Recv-Q  Send-Q  Waits
LISTEN       app       10.0.1.1:80         *                   0       0       to accept
ESTABLISHED  client    10.0.0.1:49152      10.0.1.1:80         0       0
ESTABLISHED  app       10.0.1.1:80         10.0.0.1:49152      29      0
)";

constexpr std::string_view kLeakReport = R"(the lab has ended, and this has not:
  1 handler at app:80
  1 end of connections:
    conn 1, dialed at +0.000000000: idle after 1 exchange; app has closed
    client 10.0.0.1:49152 -> 10.0.1.1:80 CLOSE_WAIT
last events:
  +0.000000000  listening on app:80
  +0.000000000  conn 1  client dials app:80
  +0.000000000  conn 1  app accepts
  +0.000000000  conn 1  client -> app  GET / HTTP/1.1 (1 field, no body)
  +30.000000000  conn 1  app -> client  503 Service Unavailable (5 fields, 19 body bytes)
  +30.000000000  conn 1  app -> client  FIN
  +35.000000000  conn 1  app has waited long enough to read
  +35.000000000  conn 1  app -> client  closed
)";

// ---- time ----------------------------------------------------------------------------------------------------------

TEST(Timeouts, CutAClientThatSendsHalfAHead) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: ap");
  lab.advance(10s - 1ns);
  peer.expect_nothing();
  lab.advance(1ns);
  peer.expect_response(408);
  peer.expect_closed();
}

TEST(Scripts, GoOnBesideTheTest) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  Script script;
  script.send("GET / HTTP/1.1\r\n").wait(5s).send("Host: app\r\n\r\n").expect_response(200);
  Play slow(lab.connect("app:80"), script);
  EXPECT_EQ(lab.get("http://app/").status, 200);
  lab.advance(5s);
  slow.finish();
}

// ---- matchers ------------------------------------------------------------------------------------------------------

TEST(Matchers, SayWhatComesNearest) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  EXPECT_THAT(lab.get("http://app/"), testing::AllOf(HasStatus(200), BodyIs(testing::StartsWith("Hello"))));
  EXPECT_THAT(lab.get("http://app/"), HasHeader("Content-Type", testing::HasSubstr("utf-8")));
  EXPECT_THAT(lab.get("http://app/"), HasNoHeader("Set-Cookie"));
  EXPECT_THAT(lab.run(lab.client().get("http://nowhere/")), IsError(Errc::host_not_found));
  EXPECT_THAT(lab, TookVirtual(testing::Eq(0s)));
}

// ---- clients -------------------------------------------------------------------------------------------------------

// What shop:80 asks for a thing.
Task<Result<std::string>> price_of(Client& client, std::string thing) {
  const Result<client::Response> page = co_await client.get("http://shop/price?of=" + thing);
  if (!page) co_return fail(page.error());
  co_return page->body;
}

TEST(Client, AsksTheShop) {
  Lab lab;
  ScriptedServer shop(lab, "shop:80");
  shop.on("GET /price?of=tea *", respond(200, "3 EUR"));
  shop.on("GET /price?of=*", Script().wait(40s).send(respond(200, "late")));
  EXPECT_EQ(lab.run(price_of(lab.client(), "tea")), "3 EUR");
  EXPECT_THAT(lab.run(price_of(lab.client(), "milk")), IsError(Errc::timed_out));
  EXPECT_THAT(lab, TookVirtual(testing::Eq(30s)));  // the client's own limit
}

TEST(Client, MeetsAServerThatStopsInTheMiddle) {
  Lab lab;
  ScriptedServer shop(lab, "shop:80");
  shop.answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n3 E");
  EXPECT_THAT(lab.run(price_of(lab.client(), "tea")), IsError(Errc::incomplete_message));
}

// ---- links ---------------------------------------------------------------------------------------------------------

TEST(Links, AreSlow) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  {
    auto there = lab.link("client", "app").add(net::Toxics().with_latency(50ms));
    auto back = lab.link("app", "client").add(net::Toxics().with_latency(50ms));
    lab.get("http://app/");  // a round trip to connect, and one to ask
  }
  EXPECT_THAT(lab, TookVirtual(testing::Eq(200ms)));
  lab.get("http://app/");  // the guards are gone, and so is the latency
  EXPECT_THAT(lab, TookVirtual(testing::Eq(200ms)));
}

TEST(Links, AreCutBetweenTwoHosts) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  {
    auto partition = lab.partition("client", "app");
    EXPECT_THAT(lab.run(lab.client().get("http://app/")), IsError(Errc::connect_timeout));
  }
  EXPECT_EQ(lab.get("http://app/").status, 200);
}

TEST(Links, BreakForTenSecondsOfVirtualTime) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  lab.get("http://app/");
  auto outage = lab.link("client", "app").add(net::Toxics().with_stall(), inmem::Between{1s, 11s});
  lab.advance(1s);
  EXPECT_EQ(lab.get("http://app/").status, 200);  // it waits, and then it goes through
  EXPECT_THAT(lab, TookVirtual(testing::Ge(11s)));
}

TEST(Links, AreResetInTheThirdRequest) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  auto cut = lab.link("client", "app").add(net::Toxics().with_reset_peer(), [] {
    return std::make_unique<OnMessage>(on_request(3).after_bytes(41));
  });
  Peer peer = lab.connect("app:80");
  for (int i = 0; i < 2; ++i) {
    peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    peer.expect_response(200);
  }
  peer.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 5\r\n\r\nhello");
  peer.expect_reset();
}

TEST(Network, HasBadDays) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  inmem::ResolverAnswer silence;
  silence.is_silent = true;  // it never comes
  lab.world().network().set_answer("shop", silence);
  EXPECT_THAT(lab.run(lab.client().get("http://shop/")), IsError(Errc::resolve_timeout));
  lab.world().network().fail_accept(*net::Address::parse("app:80"), Errc::too_many_open_files, 2);
  EXPECT_THAT(lab.run(lab.client().get("http://app/")), IsError(Errc::connection_reset));  // it is told at least
  EXPECT_EQ(lab.get("http://app/").status, 200);                                           // the worker tries again
  lab.host("app").set_skew(-24h);
  EXPECT_EQ(lab.get("http://app/").header("Date")->substr(0, 16), "Wed, 31 Dec 2025");
}

// ---- sweeps --------------------------------------------------------------------------------------------------------

TEST(PriceOf, IsRightOrAnError) {
  Server shop([](RequestCtx& ctx) { ctx.set_body("3 EUR"); }, quiet());
  for_all_faults([&](Lab& lab) {
    lab.serve(shop, "shop:80");
    const Result<std::string> price = lab.run(price_of(lab.client(), "tea"));
    if (price) {
      EXPECT_EQ(*price, "3 EUR");
    }
  });
}

// "Nothing in stock" and "I could not ask" are not the same.
Task<int> stock_of(Client& client, std::string thing) {
  const Result<client::Response> page = co_await client.get("http://shop/stock?of=" + thing);
  co_return page ? std::stoi(page->body) : 0;
}

TEST(StockOf, IsSeven) {
  Server shop([](RequestCtx& ctx) { ctx.set_body("7"); }, quiet());
  const auto seven_are_left = [&](Lab& lab) {
    lab.serve(shop, "shop:80");
    EXPECT_EQ(lab.run(stock_of(lab.client(), "tea")), 7);
  };
  // ---- the guide says for_all_faults(seven_are_left)
  GTestProbe probe;
  const FaultSweep sweep = for_all_faults({}, seven_are_left, probe);
  ASSERT_TRUE(sweep.finding);
  EXPECT_EQ(as_told(sweep.finding->report), kSweepReport);
}

TEST(Greeting, IsTheSameHoweverItIsCut) {
  Server server(greet);
  for_each_split([&](Lab& lab) {
    lab.serve(server, "app:80");
    EXPECT_EQ(lab.get("http://app/?name=Ada").body, "Hello, Ada!");
  });
}

Task<> load(Client& client, std::string page, std::vector<std::string>& loaded) {
  const Result<client::Response> response = co_await client.get("http://app/?name=" + page);
  if (response) loaded.push_back(response->body);
}

TEST(Pages, ComeInOrder) {
  Server server(greet);
  std::vector<std::string> loaded;
  const auto ada_is_first = [&](Lab& lab) {
    loaded.clear();
    lab.serve(server, "app:80");
    lab.spawn(load(lab.client(), "Ada", loaded));
    lab.spawn(load(lab.client(), "Bob", loaded));
    lab.run_until([&] { return loaded.size() == 2; });
    EXPECT_EQ(loaded.front(), "Hello, Ada!");  // so it was whenever anybody looked
  };
  // ---- the guide says explore(1000, ada_is_first)
  GTestProbe probe;
  const Exploration exploration = explore(ExploreOptions(), ada_is_first, probe);
  ASSERT_TRUE(exploration.finding);
  EXPECT_EQ(as_told(exploration.finding->report), kExplorationReport);
}

TEST(Front, AnswersWhateverBecomesOfTheShop) {
  for_all_faults([](Lab& lab) {
    lab.serve([](RequestCtx& ctx) { ctx.set_body("3 EUR"); }, "shop:80", quiet());
    const auto front = [](RequestCtx& ctx) -> Task<> {
      Client client(ctx.runtime());  // dials from the host of this handler
      const Result<std::string> price = co_await price_of(client, "tea");
      price ? ctx.set_body(*price) : ctx.error(502, "no price");
    };
    lab.serve(front, "front:80", quiet());
    const Result<client::Response> page = lab.run(lab.client().get("http://front/tea"));
    if (page) {
      EXPECT_THAT(*page, testing::AnyOf(BodyIs("3 EUR"), HasStatus(502), HasStatus(503)));
    }
  });
}

// ---- what must be so -----------------------------------------------------------------------------------------------

TEST(Invariants, HoldAfterEveryStep) {
  int running = 0;
  Server server([&running](RequestCtx& ctx) -> Task<> {
    ++running;
    co_await async::sleep_until(ctx.runtime().loop(), after(ctx.now(), 1s));
    --running;
  });
  std::vector<std::string> loaded;
  explore(100, [&](Lab& lab) {
    running = 0;
    lab.serve(server, "app:80");
    lab.always("at most two handlers run", [&] { return running <= 2; });
    lab.spawn(load(lab.client(), "Ada", loaded));
    lab.spawn(load(lab.client(), "Bob", loaded));
    lab.run_until([&] { return running > 0; });
    lab.settle();
    lab.sometimes("two handlers run at once", running == 2);
    lab.expect_liveness();
  });
}

TEST(Guide, ShowsWhoIsStuck) {
  std::string report;
  Lab lab;
  lab.serve(greet, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  try {
    lab.run_until([&] { return peer.received().ends_with("Hello, Ada!"); });
  } catch (const Stuck& stuck) {
    report = stuck.what();
  }
  EXPECT_EQ(report, kStuckReport);
}

TEST(Guide, ShowsWhatIsLeft) {
  std::string report;
  Lab lab;
  async::Event never(lab.runtime().loop());
  lab.serve([&never](RequestCtx&) -> Task<> { co_await never.wait(); }, "app:80");
  Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  EXPECT_EQ(lab.netstat(), kNetstat);
  try {
    lab.finish();
  } catch (const Leaked& leaked) {
    report = leaked.what();
  }
  never.set();
  lab.settle();
  EXPECT_EQ(report, kLeakReport);
}

// ---- what is to be seen --------------------------------------------------------------------------------------------

constexpr const char* kGolden = __FILE__ ".greeting.txt";  // beside the test

TEST(Golden, KeepsWhatIsOnTheWire) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  lab.get("http://app/?name=Ada");
  EXPECT_THAT(lab.log(), MatchesGolden(kGolden, Masks().field("Date")));
}

TEST(Determinism, GivesTheSameLogTwice) {
  Server server(greet);
  Lab first;
  first.serve(server, "app:80");
  first.get("http://app/");
  Lab second;
  second.serve(server, "app:80");
  second.get("http://app/");
  EXPECT_EQ(diff(first.log(), second.log()), "");
  EXPECT_EQ(first.log().hash(), second.log().hash());
}

// ---- without a connection, with a stack, with malice ---------------------------------------------------------------

TEST(Greet, NeedsNoConnectionToBeTested) {
  client::Request request;
  request.url = "/?name=Ada";
  EXPECT_THAT(call(greet, request), BodyIs("Hello, Ada!"));
}

TEST(Blocking, SleepsAnHourInMicroseconds) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  std::string body;
  lab.run_blocking([&](async::BlockingCtx& ctx) {
    ctx.sleep_for(1h);
    body = ctx.wait(lab.client().get("http://app/?name=Ada"))->body;
  });
  EXPECT_EQ(body, "Hello, Ada!");
  EXPECT_THAT(lab, TookVirtual(testing::Eq(1h)));
}

TEST(Attacks, AreCutByTheDeadlineOfTheHead) {
  Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  const attack::Report report = attack::slowloris(lab, "app:80", {.connections = 1000});
  EXPECT_EQ(report.cut, 1000U);
  EXPECT_LE(report.latest_cut, 10s);
}

TEST(Fuzz, PlaysAnInputAsAnOrdinaryTest) {
  Server server(greet);
  fuzz(server, from_text("pipette fuzz 1\n"
                         "send \"GET / HTTP/1.1\\r\\nHo\"\n"
                         "after 5s\n"
                         "send \"st: app\\r\\n\\r\\n\"\n"
                         "fault write reset\n"
                         "finish\n"));
}

// ---- connections of your own ---------------------------------------------------------------------------------------

// A world's connections, made slow by a proxy; put your own in its place.
class Mine final : public ConnectionTransport {
 public:
  async::Loop& loop() override { return world_.loop(); }
  bool step() override { return world_.step(); }
  Ends connect() override {
    const net::Address address = *net::Address::parse("app:80");
    auto listener = world_.host("app").runtime().network().listen(address);
    auto dialed = world_.dial_now(address);
    auto accepted = (*listener)->try_accept();
    return {proxy_.wrap(std::move(dialed->connection), 1), std::move(accepted->connection)};
  }

 private:
  inmem::World world_;
  net::ToxicProxy proxy_{world_.loop(), world_.decisions()};
};

std::unique_ptr<ConnectionTransport> make_mine() { return std::make_unique<Mine>(); }
INSTANTIATE_TEST_SUITE_P(Mine, ConnectionContract, testing::Values(ConnectionCase{"Mine", make_mine}), case_name);

}  // namespace
