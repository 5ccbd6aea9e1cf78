// Hosts: each with its own clock and loops, and how one finds the other by name.
#include "pipette/inmem/host.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Address;
using net::Toxics;
using testing::ElementsAre;

Address address(std::string_view text) { return Address::parse(text).value(); }

template <class T>
Task<> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await task);
}

Task<> read_into(net::Connection& from, MutableBytes room, std::optional<Result<std::size_t>>& result) {
  result.emplace(co_await from.read_some(room));
}

// ---- clocks ----------------------------------------------------------------------------------------------

struct Flag final : async::Timer {
  void run() override { is_set = true; }
  bool is_set = false;
};

TEST(Host, FiresTheTimersOfAFastClockEarlierAndOfASlowOneLaterToTheNanosecond) {
  struct Row {
    int drift_per_million;
    Duration local;
    Duration truly;
  };
  for (const Row& row : {
           Row{0, 10s, 10s},
           Row{1'000'000, 10s, 5s},           // twice as fast
           Row{-500'000, 10s, 20s},           // half as fast
           Row{200, 10s, 9'998'000'400ns},    // 10 s / 1.0002, rounded up
           Row{-200, 10s, 10'002'000'401ns},  // 10 s / 0.9998, rounded up
           Row{1'000'000, 1ns, 1ns},
       }) {
    World world;
    Host& host = world.add_host("drifting", {.drift_per_million = row.drift_per_million});
    Flag flag;
    host.loop().arm(flag, TimePoint(row.local));
    world.advance_to(TimePoint(row.truly - 1ns));
    EXPECT_FALSE(flag.is_set) << row.drift_per_million;
    world.advance_to(TimePoint(row.truly));
    EXPECT_TRUE(flag.is_set) << row.drift_per_million;
    EXPECT_GE(host.loop().now(), TimePoint(row.local));
  }
}

TEST(Host, TellsTheCivilTimeOfItsOwnClock) {
  World world;
  Host& late = world.add_host("late", {.skew = -5min});
  Host& fast = world.add_host("fast", {.skew = 1h, .drift_per_million = 1000});
  world.advance_to(TimePoint(1000s));
  EXPECT_EQ(world.loop().wall_now(), kWorldStart + 1000s);
  EXPECT_EQ(late.loop().wall_now(), kWorldStart + 1000s - 5min);
  EXPECT_EQ(late.loop().now(), TimePoint(1000s)) << "a skew is of civil time alone";
  EXPECT_EQ(fast.loop().wall_now(), kWorldStart + 1001s + 1h);
}

TEST(Host, JumpsInCivilTimeOnAllItsLoops) {
  World world;
  Host& host = world.host("app");
  async::Loop& second = host.add_runtime().loop();
  world.advance_to(TimePoint(1s));
  host.set_skew(-24h);
  async::Loop& third = host.add_runtime().loop();
  for (async::Loop* loop : {static_cast<async::Loop*>(&host.loop()), &second, &third}) {
    EXPECT_EQ(loop->wall_now(), kWorldStart + 1s - 24h);
    EXPECT_EQ(loop->now(), TimePoint(1s));
  }
}

TEST(Host, MeasuresDeadlinesOfItsConnectionsByItsOwnClock) {
  World world;
  Host& app = world.add_host("app", {.drift_per_million = 1'000'000});
  const auto listener = app.runtime().network().listen(address("app:80")).value();
  const auto dialed = world.dial_now(address("app:80")).value();
  const auto accepted = listener->try_accept().value();
  std::array<char, 8> room;
  for (net::Connection* end : {dialed.connection.get(), accepted.connection.get()}) {
    end->set_deadline(net::Direction::read, TimePoint(10s));
  }
  async::TaskGroup group(world.loop());
  std::optional<Result<std::size_t>> read;
  group.spawn(read_into(*accepted.connection, room, read));
  world.advance_to(TimePoint(5s - 1ns));
  EXPECT_FALSE(read);
  world.advance_to(TimePoint(5s));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->error(), Errc::timed_out);
  EXPECT_EQ(dialed.connection->try_read(room).error(), Errc::would_block);
  world.advance_to(TimePoint(10s));
  EXPECT_EQ(dialed.connection->try_read(room).error(), Errc::timed_out);
}

TEST(Host, DialsOverASlowLinkInTrueTimeHoweverItsClockRuns) {
  World world;
  Host& fast = world.add_host("fast", {.drift_per_million = 1'000'000});
  const auto listener = world.host("app").runtime().network().listen(address("app:80")).value();
  const Link::Guard slow = world.link("fast", "app").add(Toxics().with_latency(3s));
  std::optional<Result<net::Connected>> dialed;
  Task<> task = keep(fast.runtime().network().dial(address("app:80"), TimePoint(1h)), dialed);
  task.start();
  world.advance_to(TimePoint(3s - 1ns));
  EXPECT_FALSE(dialed);
  world.advance_to(TimePoint(3s));
  ASSERT_TRUE(dialed && *dialed);
}

// ---- loops -----------------------------------------------------------------------------------------------

TEST(Host, RunsPostedWorkOnceAndInOrderWhicheverLoopItIsPostedTo) {
  World world;
  Host& app = world.host("app");
  async::Loop& second = app.add_runtime().loop();
  std::string text;
  app.loop().post([&] {
    text += "a";
    second.post([&] { text += "c"; });
  });
  second.post([&] { text += "b"; });
  EXPECT_EQ(text, "") << "not inside post()";
  world.settle();
  EXPECT_EQ(text, "abc");
}

TEST(Host, DropsPostedWorkThatHasNotRun) {
  const auto kept = std::make_shared<int>(0);
  {
    World world;
    world.loop().post([kept] { ++*kept; });
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_EQ(*kept, 0);
}

TEST(Host, ServesOneAddressFromTwoLoops) {
  World world(1);
  Host& app = world.host("app");
  net::ListenOptions shared;
  shared.reuse_port = true;
  const auto first = app.runtime().network().listen(address("app:80"), shared).value();
  EXPECT_EQ(app.add_runtime().network().listen(address("app:80")).error(), Errc::address_in_use) << "both have to ask";
  const auto second = app.add_runtime().network().listen(address("app:80"), shared).value();
  std::vector<net::Connected> dialed;
  for (int i = 0; i < 64; ++i) dialed.push_back(world.dial_now(address("app:80")).value());
  const auto accept_all = [](net::Listener& listener) {
    int count = 0;
    while (listener.try_accept()) ++count;
    return count;
  };
  const int to_first = accept_all(*first);
  EXPECT_GT(to_first, 16);
  EXPECT_LT(to_first, 48);
  EXPECT_EQ(to_first + accept_all(*second), 64);
  first->close();
  EXPECT_TRUE(world.dial_now(address("app:80"))) << "the other one still listens";
}

// ---- many hosts, and their names -------------------------------------------------------------------------

TEST(Host, HasANameANumberAndAnAddressOfItsOwn) {
  World world;
  std::set<std::string> addresses;
  for (int i = 0; i < 300; ++i) {
    const Host& host = world.host("host" + std::to_string(i));
    EXPECT_EQ(host.number(), i + 1);
    EXPECT_EQ(&world.host(host.name()), &host);
    addresses.insert(host.address().to_string());
  }
  EXPECT_EQ(addresses.size(), 300U);
  EXPECT_EQ(world.host("client").number(), 0);
}

class ResolverTest : public testing::Test {
 protected:
  using Found = Result<std::vector<Address>>;

  std::optional<Found> resolve(Host& host, std::string name, Duration wait = 0s, TimePoint deadline = TimePoint(10s)) {
    std::optional<Found> found;
    Task<> task = keep(host.runtime().network().resolve(std::move(name), 80, deadline), found);
    task.start();
    world_.advance_to(after(world_.now(), wait));
    return found;
  }
  std::optional<Result<net::Connected>> dial(std::string_view to, Duration wait, TimePoint deadline = TimePoint(10s)) {
    std::optional<Result<net::Connected>> dialed;
    Task<> task = keep(world_.runtime().network().dial(address(to), deadline), dialed);
    task.start();
    world_.advance_to(after(world_.now(), wait));
    return dialed;
  }
  static std::vector<std::string> texts(const std::optional<Found>& found) {
    std::vector<std::string> all;
    for (const Address& each : found.value().value()) all.push_back(each.to_string());
    return all;
  }

  World world_;
  Host& client_ = world_.host("client");
  Host& app_ = world_.host("app");
};

TEST_F(ResolverTest, KnowsHostsAliasesAndItself) {
  const auto alias = app_.runtime().network().listen(address("alias:80")).value();
  const auto own = app_.runtime().network().listen(address("localhost:81")).value();
  EXPECT_THAT(texts(resolve(client_, "app")), ElementsAre("10.0.1.1:80"));
  EXPECT_THAT(texts(resolve(client_, "alias")), ElementsAre("10.0.1.2:80"));
  EXPECT_THAT(texts(resolve(client_, "localhost")), ElementsAre("10.0.0.1:80"));
  EXPECT_THAT(texts(resolve(app_, "localhost")), ElementsAre("10.0.1.1:80"));
  EXPECT_THAT(texts(resolve(client_, "10.1.2.3")), ElementsAre("10.1.2.3:80"));
  EXPECT_EQ(resolve(client_, "nobody")->error(), Errc::host_not_found);
  EXPECT_TRUE(dial("alias:80", 0s)->has_value());
  EXPECT_TRUE(dial("app:81", 0s)->has_value()) << "its localhost";
  EXPECT_EQ(dial("localhost:81", 0s)->error(), Errc::connection_refused) << "which is not the client's";
}

TEST_F(ResolverTest, AnswersAsItIsToldAndWhen) {
  world_.network().set_answer("app", {.addresses = {address("10.9.9.9:0"), address("10.8.8.8:0")}, .delay = 2s});
  EXPECT_FALSE(resolve(client_, "app", 2s - 1ns));
  EXPECT_THAT(texts(resolve(client_, "app", 2s)), ElementsAre("10.9.9.9:80", "10.8.8.8:80"));
  world_.network().set_answer("app", {.addresses = {}});
  EXPECT_EQ(resolve(client_, "app")->error(), Errc::host_not_found);
  world_.network().clear_answer("app");
  EXPECT_THAT(texts(resolve(client_, "app")), ElementsAre("10.0.1.1:80"));
}

TEST_F(ResolverTest, KeepsTheDeadlineWhenNoAnswerComesInTime) {
  world_.network().set_answer("late", {.addresses = {app_.address()}, .delay = 10s});
  world_.network().set_answer("silent", {.addresses = {}, .is_silent = true});
  for (const std::string_view name : {"late", "silent"}) {
    const TimePoint deadline = after(world_.now(), 5s);
    EXPECT_FALSE(resolve(client_, std::string(name), 5s - 1ns, deadline));
    world_.advance_to(deadline);
    const auto found = resolve(client_, std::string(name), 5s, after(world_.now(), 5s));
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->error(), Errc::timed_out) << name;
  }
}

TEST_F(ResolverTest, LeavesEachOfSeveralAddressesItsShareOfADialersTime) {
  const auto listener = app_.runtime().network().listen(address("app:80")).value();
  Host& gone = world_.host("gone");
  const Link::Guard hole = world_.link("client", "gone").add(Toxics().with_black_hole());
  world_.network().set_answer("many", {.addresses = {address("10.9.9.9:0"), gone.address(), app_.address()}});
  std::optional<Result<net::Connected>> dialed;
  Task<> task = keep(world_.runtime().network().dial(address("many:80"), TimePoint(10s)), dialed);
  task.start();
  world_.advance_to(TimePoint(5s - 1ns));
  EXPECT_FALSE(dialed) << "the first was refused at once, and of two that are left each has half";
  world_.advance_to(TimePoint(5s));
  ASSERT_TRUE(dialed && *dialed);
  EXPECT_EQ((*dialed)->remote, app_.address().with_port(80));
}

TEST_F(ResolverTest, SaysWhyTheLastOfSeveralAddressesFailed) {
  const Link::Guard no_route = world_.link("client", "app").refuse(Errc::host_unreachable);
  world_.network().set_answer("many", {.addresses = {address("10.9.9.9:0"), app_.address()}});
  EXPECT_EQ(dial("many:80", 0s)->error(), Errc::host_unreachable);
}

}  // namespace
}  // namespace pipette::inmem
