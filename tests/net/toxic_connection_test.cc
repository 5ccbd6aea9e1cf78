// Toxic connections over pipes: the contract of every connection, with toxics and without, and what is special.
#include "pipette/net/toxic_connection.h"

#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "pipette/inmem/pipe.h"
#include "pipette/inmem/world.h"

#include "tests/net/connection_contract.h"
#include "tests/net/toxic_transport.h"

namespace pipette::net {
namespace {

using namespace std::chrono_literals;

// ---- the contract
// ----------------------------------------------------------------------------------------------------

class WorldTransport final : public Transport {
 public:
  Runtime& runtime() override { return world_.runtime(); }
  bool step() override { return world_.step(); }
  Address any_address() override { return Address::ipv4({127, 0, 0, 1}, 0); }
  void exhaust_descriptors(const Address&) override {}

 private:
  inmem::World world_;
};

std::unique_ptr<Transport> with(const Toxics& toxics, const ChannelOptions& options = {}) {
  return std::make_unique<ToxicTransport>(std::make_unique<WorldTransport>(), toxics, options);
}

constexpr ChannelOptions kSmall{.send_buffer_bytes = 1000, .receive_buffer_bytes = 1000};
constexpr ChannelOptions kSmaller{.send_buffer_bytes = 500,
                                  .receive_buffer_bytes = 700,
                                  .coalesce = false,
                                  .max_read_bytes = 300,
                                  .max_write_bytes = 400};

std::unique_ptr<Transport> make_untouched() { return with({}); }
std::unique_ptr<Transport> make_slow() { return with(Toxics().with_latency(2ms, 1ms), kSmall); }
std::unique_ptr<Transport> make_sliced() { return with(Toxics().with_latency(1ms).with_slicer(100, 50, 10us), kSmall); }
std::unique_ptr<Transport> make_thin() {
  return with(Toxics().with_bandwidth(50'000'000).with_slow_close(1ms), kSmall);
}
std::unique_ptr<Transport> make_cut() { return with({}, kSmaller); }

INSTANTIATE_TEST_SUITE_P(ToxicPipe, ConnectionContract,
                         testing::Values(TransportCase{"Untouched", make_untouched}, TransportCase{"Slow", make_slow},
                                         TransportCase{"Sliced", make_sliced}, TransportCase{"Thin", make_thin},
                                         TransportCase{"Cut", make_cut}),
                         case_name);

// ---- what is special
// -------------------------------------------------------------------------------------------------

class ToxicConnectionTest : public testing::Test {
 protected:
  ToxicConnectionTest() {
    auto [inner, peer] = inmem::make_pipe(world_.loop());
    here_ = proxy_.wrap(std::move(inner), 1);
    peer_ = std::move(peer);
  }

  static Result<std::size_t> write(Connection& connection, Bytes text) {
    return connection.try_write(std::span(&text, 1));
  }
  // All that is there.
  static std::string read(Connection& connection) {
    std::string text;
    std::array<char, 64> room;
    for (;;) {
      const Result<std::size_t> count = connection.try_read(room);
      if (!count || *count == 0) return text;
      text.append(room.data(), *count);
    }
  }
  Result<std::size_t> end_of(Connection& connection) { return connection.try_read(room_); }
  void run_to(Duration time) { world_.advance_to(TimePoint() + time); }

  inmem::World world_;
  FixedOracle oracle_;
  Decisions decisions_{oracle_};
  ToxicProxy proxy_{world_.loop(), decisions_};
  std::unique_ptr<ToxicConnection> here_;
  std::unique_ptr<Connection> peer_;
  std::array<char, 64> room_{};
};

TEST_F(ToxicConnectionTest, AfflictsEachDirectionApart) {
  proxy_.set_toxics(Toxics().with_latency(50ms), Toxics().with_latency(20ms));
  EXPECT_THAT(write(*here_, "question"), gives(8));
  EXPECT_THAT(write(*peer_, "answer"), gives(6));
  run_to(20ms - 1ns);
  EXPECT_EQ(read(*here_), "");
  run_to(20ms);
  EXPECT_EQ(read(*here_), "answer");
  run_to(50ms - 1ns);
  EXPECT_EQ(read(*peer_), "");
  run_to(50ms);
  EXPECT_EQ(read(*peer_), "question");
}

TEST_F(ToxicConnectionTest, SuffersOnlyWithinAScope) {
  {
    const ToxicScope slow(proxy_, Toxics().with_latency(1s), Toxics().with_stall());
    EXPECT_THAT(write(*here_, "slow, "), gives(6));
    EXPECT_THAT(write(*peer_, "held"), gives(4));
    run_to(500ms);
    EXPECT_EQ(read(*here_), "");
  }
  EXPECT_TRUE(proxy_.upstream().is_none());
  EXPECT_EQ(read(*here_), "held");
  EXPECT_THAT(write(*here_, "fast"), gives(4));
  EXPECT_EQ(read(*peer_), "") << "nothing overtakes";
  run_to(1s);
  EXPECT_EQ(read(*peer_), "slow, fast");
  EXPECT_THAT(write(*here_, "!"), gives(1));
  EXPECT_EQ(read(*peer_), "!") << "straight through again";
}

TEST_F(ToxicConnectionTest, AfflictsConnectionsToCome) {
  proxy_.set_toxics(Toxics().with_latency(1s), {});
  auto [inner, peer] = inmem::make_pipe(world_.loop());
  const std::unique_ptr<Connection> later = proxy_.wrap(std::move(inner), 2);
  EXPECT_THAT(write(*later, "x"), gives(1));
  run_to(1s - 1ns);
  EXPECT_EQ(read(*peer), "");
  run_to(1s);
  EXPECT_EQ(read(*peer), "x");
}

TEST_F(ToxicConnectionTest, TimesOutInABlackHole) {
  proxy_.set_toxics(Toxics().with_black_hole(), Toxics().with_black_hole());
  EXPECT_THAT(write(*here_, "anybody?"), gives(8));
  EXPECT_THAT(write(*peer_, "yes"), gives(3));
  Wake reader;
  here_->set_deadline(Direction::read, TimePoint() + 3s);
  here_->wait(Direction::read, reader);
  run_to(3s - 1ns);
  EXPECT_EQ(reader.count, 0);
  run_to(3s);
  EXPECT_EQ(reader.count, 1);
  EXPECT_THAT(end_of(*here_), fails_with(std::errc::timed_out));
}

TEST_F(ToxicConnectionTest, IsClosedAtBothEndsByATimeout) {
  proxy_.set_toxics(Toxics().with_timeout(2s), {});
  run_to(2s - 1ns);
  EXPECT_THAT(end_of(*here_), fails_with(Errc::would_block));
  EXPECT_THAT(end_of(*peer_), fails_with(Errc::would_block));
  run_to(2s);
  EXPECT_THAT(end_of(*here_), gives(0));
  EXPECT_THAT(end_of(*peer_), gives(0));
  EXPECT_THAT(write(*here_, "x"), fails_with(std::errc::connection_reset));
  EXPECT_THAT(write(*peer_, "x"), fails_with(std::errc::connection_reset));
}

TEST_F(ToxicConnectionTest, IsResetAtBothEndsAndWakesThem) {
  Wake reader;
  here_->wait(Direction::read, reader);
  proxy_.set_toxics({}, Toxics().with_reset_peer(2s));
  run_to(2s - 1ns);
  EXPECT_EQ(reader.count, 0);
  run_to(2s);
  EXPECT_EQ(reader.count, 1);
  EXPECT_THAT(end_of(*here_), fails_with(std::errc::connection_reset));
  EXPECT_THAT(write(*here_, "x"), fails_with(std::errc::connection_reset));
  EXPECT_THAT(end_of(*peer_), fails_with(std::errc::connection_reset));
}

TEST_F(ToxicConnectionTest, ReadsSoMuchAndThenTheEnd) {
  proxy_.set_toxics({}, Toxics().with_limit_data(5));
  EXPECT_THAT(write(*peer_, "0123456789"), gives(10));
  run_to(0s);
  EXPECT_EQ(read(*here_), "01234");
  EXPECT_THAT(end_of(*here_), gives(0));
  EXPECT_THAT(end_of(*peer_), gives(0));
}

TEST_F(ToxicConnectionTest, WritesSoMuchAndThenTheEnd) {
  proxy_.set_toxics(Toxics().with_limit_data(5).with_latency(1ms), {});
  EXPECT_THAT(write(*here_, "0123456789"), gives(10));
  run_to(1ms);
  EXPECT_EQ(read(*peer_), "01234");
  EXPECT_THAT(end_of(*peer_), gives(0));
  EXPECT_THAT(write(*here_, "x"), fails_with(std::errc::connection_reset));
}

TEST_F(ToxicConnectionTest, FinishesSlowlyAndStillReads) {
  proxy_.set_toxics(Toxics().with_slow_close(1s), {});
  ASSERT_TRUE(here_->try_close_write());
  EXPECT_THAT(write(*peer_, "still here"), gives(10));
  EXPECT_EQ(read(*here_), "still here");
  run_to(1s - 1ns);
  EXPECT_THAT(end_of(*peer_), fails_with(Errc::would_block));
  run_to(1s);
  EXPECT_THAT(end_of(*peer_), gives(0));
}

TEST_F(ToxicConnectionTest, DeliversAfterItHasDied) {
  proxy_.set_toxics(Toxics().with_latency(1s), {});
  EXPECT_THAT(write(*here_, "last words"), gives(10));
  ASSERT_TRUE(here_->try_close_write());
  here_.reset();
  EXPECT_THAT(end_of(*peer_), fails_with(Errc::would_block));
  run_to(1s);
  EXPECT_EQ(read(*peer_), "last words");
  EXPECT_THAT(end_of(*peer_), gives(0));
}

TEST_F(ToxicConnectionTest, TellsThePeerOfAnAbortWhenItsTimeHasCome) {
  proxy_.set_toxics(Toxics().with_latency(1s), {});
  here_->abort();
  run_to(1s - 1ns);
  EXPECT_THAT(end_of(*peer_), fails_with(Errc::would_block));
  run_to(1s);
  EXPECT_THAT(end_of(*peer_), fails_with(std::errc::connection_reset));
}

TEST_F(ToxicConnectionTest, TellsNobodyOfAnAbortInABlackHole) {
  proxy_.set_toxics(Toxics().with_black_hole(), {});
  here_.reset();
  run_to(1h);
  EXPECT_THAT(write(*peer_, "hello?"), gives(6));
  EXPECT_THAT(end_of(*peer_), fails_with(Errc::would_block));
}

TEST_F(ToxicConnectionTest, LearnsOfAResetWhenItsTimeHasCome) {
  proxy_.set_toxics({}, Toxics().with_latency(1s));
  peer_->abort();
  run_to(1s - 1ns);
  EXPECT_THAT(end_of(*here_), fails_with(Errc::would_block));
  run_to(1s);
  EXPECT_THAT(end_of(*here_), fails_with(std::errc::connection_reset));
}

TEST_F(ToxicConnectionTest, PutsNoMoreUnderWayThanItsBuffersHold) {
  proxy_.set_toxics(Toxics().with_stall(), {});
  const std::string much(1'000'000, 'x');
  std::size_t taken = 0;
  while (const Result<std::size_t> count = write(*here_, much)) taken += *count;
  EXPECT_EQ(taken, ChannelOptions().send_buffer_bytes);
  Wake writer;
  here_->wait(Direction::write, writer);
  run_to(1h);
  EXPECT_EQ(writer.count, 0);
  proxy_.set_toxics({}, {});
  run_to(1h);
  EXPECT_EQ(writer.count, 1);
}

TEST_F(ToxicConnectionTest, StrikesInTheMiddleOfAnAnswer) {
  AfterBytes trigger(4);
  here_->arm(Direction::read, trigger, Toxics().with_reset_peer());
  EXPECT_THAT(write(*peer_, "0123456789"), gives(10));
  run_to(0s);
  EXPECT_EQ(read(*here_), "0123");
  EXPECT_THAT(end_of(*here_), fails_with(std::errc::connection_reset));
}

TEST_F(ToxicConnectionTest, AsksNothingWithoutChance) {
  proxy_.set_toxics(Toxics().with_latency(1s), Toxics().with_slicer(3));
  EXPECT_THAT(write(*here_, "abc"), gives(3));
  EXPECT_THAT(write(*peer_, "abcdef"), gives(6));
  run_to(1s);
  EXPECT_EQ(decisions_.asked(), 0U);
}

}  // namespace
}  // namespace pipette::net
