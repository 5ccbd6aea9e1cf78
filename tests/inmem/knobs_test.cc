// The other knobs of a world: what the network may do without being at fault, and what becomes of those who listen. The
// contract of a connection holds with each leeway, whatever chance makes of it.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipette/inmem/world.h"
#include "pipette/lab/contract/connection_contract.h"
#include "pipette/lab/contract/listener_contract.h"

namespace pipette::lab {
namespace {

constexpr std::uint64_t kSeed = 7;

// A world in which chance may take one leeway, or all of them, and in any order.
class LeewayTransport final : public Transport {
 public:
  LeewayTransport(const inmem::Leeway& leeway, inmem::Order order) {
    world_.network().set_leeway(leeway);
    world_.scheduler().set_order(order);
  }

  Runtime& runtime() override { return world_.runtime(); }
  bool step() override { return world_.step(); }
  Address any_address() override { return Address::ipv4({127, 0, 0, 1}, 0); }
  void exhaust_descriptors(const Address& listening) override {
    world_.network().fail_accept(listening, Errc::too_many_open_files);
  }

 private:
  SeededOracle oracle_{kSeed};
  inmem::World world_{&oracle_};
};

TransportCase leeway_case(std::string name, inmem::Leeway leeway, inmem::Order order = inmem::Order::fifo) {
  return {std::move(name), [=] { return std::make_unique<LeewayTransport>(leeway, order); }};
}

const auto kLeeways = testing::Values(
    leeway_case("ShortReads", {.short_reads = true}), leeway_case("ShortWrites", {.short_writes = true}),
    leeway_case("NotYet", {.not_yet = true}),
    leeway_case("AllOfThem", {.short_reads = true, .short_writes = true, .not_yet = true}),
    leeway_case("RandomOrder", {}, inmem::Order::random), leeway_case("PriorityOrder", {}, inmem::Order::priority));

INSTANTIATE_TEST_SUITE_P(Leeway, ConnectionContract, kLeeways, case_name);
INSTANTIATE_TEST_SUITE_P(Leeway, ListenerContract, kLeeways, case_name);

}  // namespace
}  // namespace pipette::lab

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Address;
using testing::ElementsAre;

// Answers one site with one answer, all others plainly.
class OneSite final : public Oracle {
 public:
  OneSite(std::string_view site, unsigned answer) : site_(site), answer_(answer) {}
  unsigned answer(const Question& question) override { return question.site.name() == site_ ? answer_ : 0; }

 private:
  std::string_view site_;
  unsigned answer_;
};

Task<> accept_three(net::Listener& listener, std::vector<std::error_code>& seen) {
  for (int i = 0; i < 3; ++i) {
    const Result<net::Connected> accepted = co_await listener.accept();
    seen.push_back(accepted ? std::error_code() : accepted.error());
  }
}

Task<> dial(World& world, Address at, std::vector<bool>& connected) {
  connected.push_back((co_await world.runtime().network().dial(std::move(at), kNever)).has_value());
}

class KnobsTest : public testing::Test {
 protected:
  struct Ends {
    std::unique_ptr<net::Connection> here;
    std::unique_ptr<net::Connection> there;
  };
  static Address app() { return Address::parse("app:80").value(); }
  static Ends connect(World& world) {
    const auto listener = world.host("app").runtime().network().listen(app()).value();
    auto dialed = world.dial_now(app()).value();
    return {std::move(dialed.connection), std::move(listener->try_accept().value().connection)};
  }
  static Result<std::size_t> write(net::Connection& to, Bytes text) { return to.try_write(std::span(&text, 1)); }
};

// ---- leeway ----------------------------------------------------------------------------------------------

TEST_F(KnobsTest, GivesAndTakesLittleWhenItMay) {
  constexpr std::array<std::size_t, 5> kSizes = {20, 1, 10, 19, 7};
  for (unsigned answer = 0; answer < kSizes.size(); ++answer) {
    for (const bool is_read : {true, false}) {
      for (const bool is_allowed : {true, false}) {
        OneSite oracle(is_read ? "read size" : "write size", answer);
        World world(&oracle);
        if (is_allowed) world.network().set_leeway({.short_reads = true, .short_writes = true});
        const Ends ends = connect(world);
        const std::size_t moved = is_allowed ? kSizes.at(answer) : 20;
        EXPECT_EQ(write(*ends.here, "0123456789abcdefghij").value(), is_read ? 20 : moved);
        std::array<char, 20> room;
        EXPECT_EQ(ends.there->try_read(room).value(), moved);
      }
    }
  }
}

TEST_F(KnobsTest, ComesTooEarlyWhenItMayAndWakesWhoWaitsAtOnce) {
  struct Wake final : net::Waiter {
    void run() override { ++count; }
    int count = 0;
  };
  OneSite oracle("not yet", 1);
  World world(&oracle);
  const Ends before = connect(world);
  world.network().set_leeway({.not_yet = true});
  EXPECT_EQ(write(*before.here, "a").value(), 1U) << "of connections made from now on";
  const Ends ends = connect(world);
  world.network().set_leeway({});
  EXPECT_EQ(write(*ends.here, "a").error(), Errc::would_block) << "which keep it";
  Wake wake;
  ends.here->wait(net::Direction::write, wake);
  world.settle();
  EXPECT_EQ(wake.count, 1);
  EXPECT_EQ(world.now(), TimePoint());
}

// ---- listeners -------------------------------------------------------------------------------------------

TEST_F(KnobsTest, WakesWhoAcceptsToTellItOfAFailure) {
  World world;
  const auto listener = world.host("app").runtime().network().listen(app()).value();
  std::vector<std::error_code> seen;
  Task<> task = accept_three(*listener, seen);
  task.start();
  world.network().fail_accept(app(), Errc::too_many_open_files);
  world.settle();
  world.network().fail_accept(app(), Errc::too_many_open_files_in_system);
  world.settle();
  const auto dialed = world.dial_now(app());
  world.settle();
  EXPECT_THAT(seen, ElementsAre(Errc::too_many_open_files, Errc::too_many_open_files_in_system, std::error_code()));
}

TEST_F(KnobsTest, LosesTheConnectionWhoseAcceptIsAborted) {
  World world;
  const auto listener = world.host("app").runtime().network().listen(app()).value();
  const auto first = world.dial_now(app()).value();
  const auto second = world.dial_now(app()).value();
  world.network().fail_accept(app(), Errc::connection_aborted);
  EXPECT_EQ(listener->try_accept().error(), Errc::connection_aborted);
  std::array<char, 8> room;
  EXPECT_EQ(first.connection->try_read(room).error(), Errc::connection_reset);
  EXPECT_EQ(listener->try_accept().value().remote, second.local);
}

TEST_F(KnobsTest, CountsTheBacklogOverASlowLinkWhenTheConnectionIsMade) {
  World world;
  const auto slow = world.link("client", "app").add(net::Toxics().with_latency(1s));
  net::ListenOptions options;
  options.backlog = 1;
  const auto listener = world.host("app").runtime().network().listen(app(), options).value();
  std::vector<bool> connected;
  Task<> first = dial(world, app(), connected);
  Task<> second = dial(world, app(), connected);
  first.start();
  second.start();
  world.advance_to(TimePoint(1s));
  EXPECT_THAT(connected, ElementsAre(true, false));
}

// ---- waiting ---------------------------------------------------------------------------------------------

TEST_F(KnobsTest, IsNotDraggedByTheDeadlineOfAWaiterThatDied) {
  struct Wake final : net::Waiter {
    void run() override {}
  };
  World world;
  const Ends ends = connect(world);
  ends.here->set_deadline(net::Direction::read, TimePoint(1h));
  {
    Wake wake;
    ends.here->wait(net::Direction::read, wake);
    EXPECT_EQ(world.scheduler().next_deadline(), TimePoint(1h));
  }
  EXPECT_EQ(world.scheduler().next_deadline(), kNever);
  EXPECT_FALSE(world.step());
  EXPECT_EQ(world.now(), TimePoint());
  Wake again;
  ends.here->wait(net::Direction::read, again);
  EXPECT_EQ(world.scheduler().next_deadline(), TimePoint(1h)) << "the deadline itself stays";
}

}  // namespace
}  // namespace pipette::inmem
