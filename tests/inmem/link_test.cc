// Links: what afflicts the way between two hosts, to the nanosecond, and what it does to those who dial over it.
#include "pipette/inmem/link.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/inmem/transcript.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Address;
using net::Toxics;
using testing::Contains;
using testing::HasSubstr;

// A client and an app, joined by one connection when asked for.
class LinkTest : public testing::Test {
 protected:
  struct Ends {
    std::unique_ptr<net::Connection> client;
    std::unique_ptr<net::Connection> app;
  };
  using Dialed = std::optional<Result<net::Connected>>;

  static Address app() { return Address::parse("app:80").value(); }
  Link& up() { return world_.link("client", "app"); }
  Link& down() { return world_.link("app", "client"); }

  void advance(Duration time) { world_.advance_to(after(world_.now(), time)); }

  // Dials beside the test; `dialed` gets what comes of it.
  Task<> dial(Dialed& dialed, TimePoint deadline = kNever) {
    dialed.emplace(co_await world_.runtime().network().dial(app(), deadline));
  }
  // A connection over links that let it through at once.
  Ends connect() {
    Dialed dialed;
    Task<> task = dial(dialed);
    task.start();
    world_.settle();
    return accept(std::move(dialed));
  }
  Ends accept(Dialed dialed) {
    Result<net::Connected> accepted = listener_->try_accept();
    EXPECT_TRUE(dialed && *dialed && accepted);
    return {std::move((*dialed)->connection), std::move(accepted->connection)};
  }

  static std::size_t send(net::Connection& to, Bytes text) {
    const Result<std::size_t> taken = to.try_write(std::span(&text, 1));
    return taken ? *taken : 0;
  }
  // What can be read now: the octets, then "." for the end or "!" for a reset.
  static std::string read(net::Connection& from) {
    std::string text;
    std::array<char, 64> room;
    for (;;) {
      const Result<std::size_t> count = from.try_read(room);
      if (!count) return text + (count.error() == Errc::would_block ? "" : "!");
      if (*count == 0) return text + ".";
      text.append(room.data(), *count);
    }
  }
  // What comes at `time` from now, and not a nanosecond earlier.
  std::string read_at(net::Connection& from, Duration time) {
    advance(time - 1ns);
    EXPECT_EQ(read(from), "") << "a nanosecond early";
    advance(1ns);
    return read(from);
  }

  World world_;
  std::unique_ptr<net::Listener> listener_ = world_.host("app").runtime().network().listen(app()).value();
};

// ---- each toxic, at the time it is for -------------------------------------------------------------------

struct ToxicRow {
  std::string name;
  Toxics toxics;
  std::string sent;
  Duration when;
  std::string arrives;
};

class LinkToxicTest : public LinkTest, public testing::WithParamInterface<ToxicRow> {};

TEST_P(LinkToxicTest, TakesEffectAtItsTime) {
  const ToxicRow& row = GetParam();
  const Ends ends = connect();
  const Link::Guard guard = up().add(row.toxics);
  send(*ends.client, row.sent);
  EXPECT_TRUE(ends.client->try_close_write());
  EXPECT_EQ(read_at(*ends.app, row.when), row.arrives);
  send(*ends.app, "other way");
  if (row.arrives.back() == '.' && row.toxics.timeout == std::nullopt && row.toxics.limit_data == std::nullopt) {
    EXPECT_EQ(read(*ends.client), "other way") << "the other direction is another link";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, LinkToxicTest,
    testing::Values(ToxicRow{"Latency", Toxics().with_latency(50ms), "abc", 50ms, "abc."},
                    ToxicRow{"Bandwidth", Toxics().with_bandwidth(10), "a", 100ms, "a."},
                    ToxicRow{"BandwidthAndLatency", Toxics().with_bandwidth(10).with_latency(50ms), "a", 150ms, "a."},
                    ToxicRow{"Slicer", Toxics().with_slicer(1, 0, 10ms).with_latency(5ms), "a", 5ms, "a."},
                    ToxicRow{"SlowClose", Toxics().with_slow_close(7s), "", 7s, "."},
                    ToxicRow{"LimitData", Toxics().with_limit_data(2).with_latency(1ms), "abc", 1ms, "ab."},
                    ToxicRow{"Timeout", Toxics().with_timeout(3s), "abc", 3s, "."},
                    ToxicRow{"ResetPeer", Toxics().with_reset_peer(2s).with_stall(), "abc", 2s, "!"}),
    [](const auto& test) { return test.param.name; });

TEST_F(LinkTest, TricklesWhatIsSliced) {
  const Ends ends = connect();
  const Link::Guard guard = up().add(Toxics().with_slicer(2, 0, 10ms));
  send(*ends.client, "abcde");
  EXPECT_EQ(read(*ends.app), "ab");
  EXPECT_EQ(read_at(*ends.app, 10ms), "cd");
  EXPECT_EQ(read_at(*ends.app, 10ms), "e");
}

TEST_F(LinkTest, HoldsWhatItStallsUntilItIsHealed) {
  const Ends ends = connect();
  Link::Guard guard = up().add(Toxics().with_stall());
  send(*ends.client, "abc");
  advance(1h);
  EXPECT_EQ(read(*ends.app), "");
  guard.end();
  world_.settle();
  EXPECT_EQ(read(*ends.app), "abc");
}

TEST_F(LinkTest, CutsWhatIsDown) {
  const Ends ends = connect();
  send(*ends.client, "abc");
  const Link::Guard guard = up().add(Toxics().with_down());
  EXPECT_EQ(read(*ends.app), "abc.") << "what had arrived";
  EXPECT_EQ(read(*ends.client), ".");
  const Bytes more = "more";
  EXPECT_EQ(ends.client->try_write(std::span(&more, 1)).error(), Errc::connection_reset);
  EXPECT_EQ(ends.app->try_write(std::span(&more, 1)).error(), Errc::connection_reset);
}

TEST_F(LinkTest, SwallowsEvenAResetInABlackHole) {
  Ends ends = connect();
  Link::Guard guard = up().add(Toxics().with_black_hole());
  ends.client->abort();
  advance(1h);
  EXPECT_EQ(read(*ends.app), "");
  guard.end();
  world_.settle();
  EXPECT_EQ(read(*ends.app), "!");
}

// ---- layers, guards and moments --------------------------------------------------------------------------

TEST_F(LinkTest, AddsUpItsLayers) {
  struct Row {
    Toxics first;
    Toxics second;
    std::string_view both;
  };
  for (const Row& row : {
           Row{Toxics().with_latency(10ms, 1ms), Toxics().with_latency(5ms, 2ms), "latency 15ms + 3ms"},
           Row{Toxics().with_bandwidth(10), Toxics().with_bandwidth(5), "bandwidth 5 B/s"},
           Row{Toxics().with_bandwidth(10), Toxics(), "bandwidth 10 B/s"},
           Row{Toxics().with_slicer(4), Toxics().with_slicer(3), "slicer 3 B"},
           Row{Toxics().with_slow_close(1s), Toxics().with_slow_close(500ms), "slow_close 1500ms"},
           Row{Toxics().with_limit_data(3), Toxics().with_limit_data(0), "limit_data 0 B"},
           Row{Toxics().with_timeout(3s), Toxics().with_timeout(2s), "timeout 2s"},
           Row{Toxics().with_timeout(3s), Toxics().with_black_hole(), "timeout 3s"},
           Row{Toxics().with_black_hole(), Toxics(), "black hole"},
           Row{Toxics().with_reset_peer(3s), Toxics().with_reset_peer(), "reset_peer"},
           Row{Toxics().with_reset_peer(800ns), Toxics(), "reset_peer 800ns"},
           Row{Toxics().with_stall(), Toxics().with_down(), "stall, down"},
           Row{Toxics(), Toxics(), "nothing"},
       }) {
    EXPECT_EQ(describe(combined(row.first, row.second)), row.both);
    EXPECT_EQ(describe(combined(row.second, row.first)), row.both) << "in either order";
  }
}

TEST_F(LinkTest, EndsItsGuardsInAnyOrder) {
  const std::array<std::array<std::size_t, 3>, 4> orders = {{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}}};
  for (const auto& order : orders) {
    std::array<Link::Guard, 3> guards = {up().add(Toxics().with_latency(1ms)), up().add(Toxics().with_latency(2ms)),
                                         up().add(Toxics().with_latency(4ms))};
    Duration left = 7ms;
    for (const std::size_t index : order) {
      EXPECT_EQ(up().toxics().latency, left);
      guards[index].end();
      guards[index].end();
      left -= Duration(1ms) * (1 << index);
    }
    EXPECT_TRUE(up().toxics().is_none());
  }
}

TEST_F(LinkTest, MovesItsGuards) {
  Link::Guard kept;
  {
    Link::Guard first = up().add(Toxics().with_latency(1ms));
    kept = std::move(first);
  }
  EXPECT_EQ(describe(up().toxics()), "latency 1ms");
  kept = up().add(Toxics().with_stall());
  EXPECT_EQ(describe(up().toxics()), "stall") << "the one it held has ended";
}

TEST_F(LinkTest, IsAfflictedBetweenTwoMoments) {
  const Link::Guard guard = up().add(Toxics().with_stall(), Between{30s, 40s});
  const Ends ends = connect();
  advance(30s - 1ns);
  send(*ends.client, "before");
  EXPECT_EQ(read(*ends.app), "before");
  advance(1ns);
  send(*ends.client, "during");
  EXPECT_EQ(read_at(*ends.app, 10s), "during");
  EXPECT_THAT(transcript_lines(world_.log()), Contains("+30.000000000  link: client -> app: stall"));
  EXPECT_THAT(transcript_lines(world_.log()), Contains("+40.000000000  link: client -> app: nothing"));
}

TEST_F(LinkTest, KnowsMomentsThatHaveBegunOrAreOver) {
  advance(10s);
  const Link::Guard over = up().add(Toxics().with_latency(1s), Between{0s, 10s});
  const Link::Guard begun = up().add(Toxics().with_latency(2s), Between{.from = 5s});
  EXPECT_EQ(describe(up().toxics()), "latency 2s");
  Link::Guard given_up = up().add(Toxics().with_latency(4s), Between{20s, 30s});
  given_up.end();
  EXPECT_EQ(world_.scheduler().next_deadline(), kNever) << "and leaves no timer";
}

TEST_F(LinkTest, HealsWhateverGuardsAreHeld) {
  Link::Guard slow = up().add(Toxics().with_latency(1ms));
  const Link::Guard refusal = up().refuse();
  const Link::Guard later = up().add(Toxics().with_stall(), Between{1s, 2s});
  world_.network().heal();
  EXPECT_TRUE(up().toxics().is_none());
  EXPECT_EQ(up().refusal(), Errc{});
  EXPECT_EQ(world_.scheduler().next_deadline(), kNever);
  const Link::Guard after_it = up().add(Toxics().with_latency(3ms));
  slow.end();
  EXPECT_EQ(describe(up().toxics()), "latency 3ms") << "an old guard ends nobody else's layer";
}

TEST_F(LinkTest, LetsOneAfflictionCountOnWhileAnotherComesAndGoes) {
  const Ends ends = connect();
  const Link::Guard reset = up().add(Toxics().with_reset_peer(10s));
  advance(9s);
  Link::Guard slow = up().add(Toxics().with_latency(1ms));
  slow.end();
  EXPECT_EQ(read_at(*ends.app, 1s), "!");
}

TEST_F(LinkTest, ChangesWhileDataAreUnderWay) {
  const Ends ends = connect();
  Link::Guard slow = up().add(Toxics().with_latency(10s));
  send(*ends.client, "a");
  advance(4s);
  Link::Guard faster = up().add(Toxics().with_latency(1s));
  slow.end();
  send(*ends.client, "b");
  EXPECT_EQ(read_at(*ends.app, 6s), "ab") << "nothing overtakes, and what flies keeps its time";
}

TEST_F(LinkTest, AfflictsConnectionsThatExistAndThatAreMadeLater) {
  const Ends before = connect();
  const Link::Guard guard = down().add(Toxics().with_slow_close(1s));
  const Ends later = connect();
  for (const Ends* ends : {&before, &later}) {
    EXPECT_TRUE(ends->app->try_close_write());
    EXPECT_EQ(read_at(*ends->client, 1s), ".");
  }
}

// ---- triggers --------------------------------------------------------------------------------------------

TEST_F(LinkTest, StrikesWhereTheTriggerOfANewConnectionSays) {
  const Ends before = connect();
  Link::Guard guard = up().add(Toxics().with_reset_peer(), [] { return std::make_unique<net::AfterBytes>(3); });
  const Ends first = connect();
  const Ends second = connect();
  guard.end();
  const Ends later = connect();
  EXPECT_EQ(send(*before.client, "abcdef"), 6U);
  EXPECT_EQ(read(*before.app), "abcdef") << "dialed before";
  send(*first.client, "abc");
  EXPECT_EQ(read(*first.app), "abc");
  send(*first.client, "d");
  EXPECT_EQ(read(*first.app), "!");
  send(*second.client, "abcd");
  EXPECT_EQ(read(*second.app), "abc!") << "each counts for itself";
  send(*later.client, "abcdef");
  EXPECT_EQ(read(*later.app), "abcdef") << "dialed after the guard had ended";
}

TEST_F(LinkTest, AfflictsOneConnectionForGoodWhateverElseChanges) {
  const Link::Guard guard = up().add(Toxics().with_stall(), [] { return std::make_unique<net::AfterBytes>(1); });
  const Ends ends = connect();
  send(*ends.client, "ab");
  EXPECT_EQ(read(*ends.app), "a");
  Link::Guard slow = up().add(Toxics().with_latency(1ms));
  slow.end();
  advance(1h);
  EXPECT_EQ(read(*ends.app), "");
  world_.network().heal();
  EXPECT_EQ(read(*ends.app), "b");
}

TEST_F(LinkTest, StrikesOnTopOfWhatTheLinkHasBecome) {
  const Link::Guard guard = up().add(Toxics().with_slow_close(5s), [] { return std::make_unique<net::AfterBytes>(1); });
  const Ends ends = connect();
  const Link::Guard slow = up().add(Toxics().with_latency(2s));
  send(*ends.client, "ab");
  EXPECT_TRUE(ends.client->try_close_write());
  EXPECT_EQ(read_at(*ends.app, 2s), "ab");
  EXPECT_EQ(read_at(*ends.app, 5s), ".");
}

TEST_F(LinkTest, TellsTheLogOfEachArrival) {
  const Ends ends = connect();
  const Link::Guard guard = up().add(Toxics().with_slicer(2));
  send(*ends.client, "abc");
  EXPECT_EQ(read(*ends.app), "abc");
  EXPECT_TRUE(ends.client->try_close_write());
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < world_.log().size(); ++i) {
    if (world_.log()[i].kind == EventKind::received) counts.push_back(world_.log()[i].count);
  }
  EXPECT_THAT(counts, testing::ElementsAre(3, 0)) << "and 0 only for the end";
}

// ---- dialing ---------------------------------------------------------------------------------------------

TEST_F(LinkTest, TakesTheWayThereAndBackToConnect) {
  const Link::Guard there = up().add(Toxics().with_latency(30ms));
  const Link::Guard back = down().add(Toxics().with_latency(12ms));
  Dialed dialed;
  Task<> task = dial(dialed, TimePoint(1s));
  task.start();
  advance(42ms - 1ns);
  EXPECT_FALSE(dialed);
  advance(1ns);
  ASSERT_TRUE(dialed);
  const Ends ends = accept(std::move(dialed));
  send(*ends.client, "a");
  EXPECT_EQ(read_at(*ends.app, 30ms), "a");
  send(*ends.app, "b");
  EXPECT_EQ(read_at(*ends.client, 12ms), "b");
}

TEST_F(LinkTest, KeepsTheDialersDeadline) {
  struct Row {
    Duration latency;
    Duration deadline;
    bool connects;
  };
  for (const Row& row : {Row{10ms, 20ms, false}, Row{10ms, 20ms + 1ns, true}, Row{1h, 5s, false}}) {
    const Link::Guard there = up().add(Toxics().with_latency(row.latency));
    const Link::Guard back = down().add(Toxics().with_latency(row.latency));
    const TimePoint begin = world_.now();
    Dialed dialed;
    Task<> task = dial(dialed, after(begin, row.deadline));
    task.start();
    world_.advance_to(after(begin, row.deadline - 1ns));
    EXPECT_EQ(dialed.has_value(), row.connects);
    world_.advance_to(after(begin, row.deadline));
    ASSERT_TRUE(dialed);
    if (!row.connects) {
      EXPECT_EQ(dialed->error(), Errc::timed_out);
    }
  }
}

TEST_F(LinkTest, TimesOutInABlackHoleAndConnectsWhenItIsHealedInTime) {
  for (const bool is_healed : {false, true}) {
    Link::Guard hole = down().add(Toxics().with_black_hole());
    const TimePoint begin = world_.now();
    Dialed dialed;
    Task<> task = dial(dialed, after(begin, 5s));
    task.start();
    advance(5s - 1ns);
    EXPECT_FALSE(dialed);
    if (is_healed) {
      hole.end();
      world_.settle();
    } else {
      advance(1ns);
    }
    ASSERT_TRUE(dialed);
    EXPECT_EQ(dialed->has_value(), is_healed);
    if (!is_healed) {
      EXPECT_EQ(dialed->error(), Errc::timed_out);
    }
  }
}

TEST_F(LinkTest, RefusesWhoeverDialsOverIt) {
  for (Link* link : {&up(), &down()}) {
    for (const Errc error : {Errc::connection_refused, Errc::host_unreachable, Errc::network_unreachable}) {
      Link::Guard guard = link->refuse(error);
      Dialed dialed;
      Task<> task = dial(dialed, TimePoint(1s));
      task.start();
      ASSERT_TRUE(dialed);
      EXPECT_EQ(dialed->error(), make_error_code(error));
      guard.end();
      EXPECT_TRUE(connect().client);
    }
  }
}

TEST_F(LinkTest, RefusesWhatItWouldBreakAtOnceAndLetsInWhatItBreaksLater) {
  struct Row {
    Toxics toxics;
    bool connects;
  };
  for (const Row& row : {Row{Toxics().with_down(), false}, Row{Toxics().with_reset_peer(), false},
                         Row{Toxics().with_reset_peer(1s), true}, Row{Toxics().with_limit_data(9), true}}) {
    const Link::Guard guard = up().add(row.toxics);
    Dialed dialed;
    Task<> task = dial(dialed, after(world_.now(), 5s));
    task.start();
    ASSERT_TRUE(dialed);
    EXPECT_EQ(dialed->has_value(), row.connects) << describe(row.toxics);
  }
}

TEST_F(LinkTest, SaysThatOneWhoCannotWaitWouldHaveTo) {
  for (const Toxics& toxics : {Toxics().with_latency(1ms), Toxics().with_black_hole(), Toxics().with_stall()}) {
    const Link::Guard guard = up().add(toxics);
    EXPECT_EQ(world_.dial_now(app()).error(), Errc::would_block) << describe(toxics);
  }
  EXPECT_TRUE(world_.dial_now(app()));
}

// ---- options and chance ----------------------------------------------------------------------------------

TEST_F(LinkTest, HasBuffersOfItsOwn) {
  EXPECT_EQ(up().options(), nullptr);
  net::ChannelOptions small;
  small.send_buffer_bytes = 3;
  small.receive_buffer_bytes = 4;
  up().set_options(small);
  world_.network().set_pipe_options(net::ChannelOptions().with_capacity(10));
  const Ends ends = connect();
  EXPECT_EQ(send(*ends.client, "0123456789abcdef"), 7U) << "those of the link";
  EXPECT_EQ(send(*ends.app, "0123456789abcdef"), 10U) << "those of the network";
}

TEST_F(LinkTest, CutsAtItsSegmentSizeAndKeepsWritesApart) {
  net::ChannelOptions options;
  options.mss = 2;
  options.coalesce = false;
  up().set_options(options);
  const Ends ends = connect();
  send(*ends.client, "abc");
  send(*ends.client, "d");
  std::array<char, 64> room;
  for (const std::size_t size : {2U, 1U, 1U}) EXPECT_EQ(ends.app->try_read(room).value_or(0), size);
}

std::string arrivals(std::uint64_t seed) {
  World world(seed);
  const auto listener = world.host("app").runtime().network().listen(Address::parse("app:80").value()).value();
  const auto dialed = world.dial_now(Address::parse("app:80").value()).value();
  const auto accepted = listener->try_accept().value();
  const Link::Guard guard = world.link("client", "app").add(Toxics().with_latency(1ms, 50ms));
  for (int i = 0; i < 20; ++i) {
    const Bytes octet = "x";
    (void)dialed.connection->try_write(std::span(&octet, 1));
    world.advance_to(after(world.now(), 100ms));
  }
  return transcript(world.log());
}

TEST_F(LinkTest, DrawsItsJitterFromTheSeed) {
  EXPECT_EQ(arrivals(1), arrivals(1));
  EXPECT_NE(arrivals(1), arrivals(2));
}

}  // namespace
}  // namespace pipette::inmem
