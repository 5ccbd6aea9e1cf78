// The event log: what it keeps, how much of it, and a hash that is the same everywhere.
#include "pipette/inmem/event_log.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/inmem/transcript.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Address;
using testing::ElementsAre;

void add_some(EventLog& log) {
  (void)log.add_connection({.label = "conn 1", .names = {"client", "app"}, .addresses = {"10.0.0.1:1", "10.0.1.1:80"}});
  log.note(TimePoint(), "hello");
  log.add({.time = TimePoint(1s), .kind = EventKind::dial, .side = 0, .connection = 1}, "app:80");
  const std::array<Bytes, 3> pieces = {"ab", "", "cdef"};
  log.add({.time = TimePoint(2s), .kind = EventKind::sent, .side = 1, .connection = 1, .count = 5}, pieces.data(), 3);
  log.add({.time = TimePoint(3s), .kind = EventKind::closed, .side = 1, .connection = 1});
}

// The numbers are the same on every compiler and machine: a change of the hash is a change of what reports say.
TEST(EventLog, HashesToTheSameNumbersEverywhere) {
  EventLog log;
  EXPECT_EQ(log.hash(), "9e3779b97f4a7c15bf58476d1ce4e5b9");
  add_some(log);
  EXPECT_EQ(log.hash(), "973e3d4bf8b3698a0bb37d8a5674c8c3");
  for (int i = 0; i < 100; ++i) log.note(TimePoint(Duration(i)), std::string(static_cast<std::size_t>(i), 'x'));
  EXPECT_EQ(log.hash(), "b44333a34d3d9c30a89926fe1f89b519");
}

TEST(EventLog, HashesEverythingThatAnEventSays) {
  const EventHeader plain{.time = TimePoint(1s), .kind = EventKind::received, .side = 0, .connection = 1, .count = 3};
  const auto hash_of = [](const EventHeader& header, Bytes octets = {}) {
    EventLog log;
    log.add(header, octets);
    return log.hash();
  };
  EXPECT_EQ(hash_of(plain), hash_of(plain));
  std::vector<EventHeader> others(6, plain);
  others[0].time += 1ns;
  others[1].kind = EventKind::reset;
  others[2].side = 1;
  others[3].takes_time = true;
  others[4].connection = 2;
  others[5].count = 4;
  for (const EventHeader& other : others) EXPECT_NE(hash_of(other), hash_of(plain));
  EXPECT_NE(hash_of(plain, "a"), hash_of(plain));
  EXPECT_NE(hash_of(plain, std::string(16, 'a')), hash_of(plain, std::string(15, 'a')));
  EXPECT_NE(hash_of(plain, Bytes("a\0", 2)), hash_of(plain, "a"));
}

TEST(EventLog, KeepsEventsWithTheirOctets) {
  EventLog log;
  add_some(log);
  ASSERT_EQ(log.size(), 4U);
  EXPECT_EQ(log[0].octets, "hello");
  EXPECT_EQ(log[2].octets, "abcde") << "of all pieces, as many as were taken";
  EXPECT_EQ(log[2].count, 5U);
  EXPECT_EQ(log[3].octets, "");
  EXPECT_EQ(log.connection(1).names[1], "app");
  EXPECT_EQ(log.connections(), 1U);
}

TEST(EventLog, DropsTheOlderHalfAndStillHashesAllOfIt) {
  EventLog small(10'000);
  EventLog large;
  for (int i = 0; i < 1000; ++i) {
    for (EventLog* log : {&small, &large}) log->note(TimePoint(Duration(i)), "event " + std::to_string(i));
    ASSERT_LT(small.size(), 210U);
    ASSERT_EQ(small.size() + small.dropped(), static_cast<std::size_t>(i) + 1);
    ASSERT_EQ(small[small.size() - 1].octets, "event " + std::to_string(i));
    ASSERT_EQ(small[0].octets, "event " + std::to_string(small.dropped()));
  }
  EXPECT_GT(small.dropped(), 800U);
  EXPECT_EQ(large.dropped(), 0U);
  EXPECT_EQ(small.hash(), large.hash());
  EXPECT_THAT(transcript_tail(small, 1), testing::HasSubstr("… 999 earlier events\n"));
}

TEST(EventLog, KeepsOneEventHoweverLargeItIs) {
  EventLog log(1000);
  log.note(TimePoint(), "small");
  log.note(TimePoint(), std::string(100'000, 'x'));
  EXPECT_EQ(log[log.size() - 1].octets.size(), 100'000U);
  log.note(TimePoint(), "after");
  log.note(TimePoint(), "it");
  EXPECT_EQ(log[log.size() - 1].octets, "it");
  EXPECT_LE(log.size(), 2U);
}

TEST(EventLog, NotesNothingWhileItDoesNotRecord) {
  EventLog log;
  log.set_recording(false);
  add_some(log);
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.hash(), EventLog().hash());
  EXPECT_EQ(log.connections(), 1U) << "who is joined to whom is always known";
  log.set_recording(true);
  log.note(TimePoint(), "now");
  EXPECT_EQ(log.size(), 1U);
}

// ---- what a world notes ----------------------------------------------------------------------------------

struct Row {
  EventKind kind;
  bool takes_time;
  std::uint64_t count;
  bool operator==(const Row&) const = default;
};

// What one connection notes of octets and an end over a link with `toxics`.
std::vector<Row> rows(const net::Toxics& toxics) {
  World world;
  const Address at = Address::parse("app:80").value();
  const auto listener = world.host("app").runtime().network().listen(at).value();
  const auto dialed = world.dial_now(at).value();
  const auto accepted = listener->try_accept().value();
  const Link::Guard guard = world.link("client", "app").add(toxics);
  for (const Bytes text : {"abc", "de"}) (void)dialed.connection->try_write(std::span(&text, 1));
  EXPECT_TRUE(dialed.connection->try_close_write());
  world.advance_to(TimePoint(1h));
  std::vector<Row> seen;
  for (std::size_t i = 0; i < world.log().size(); ++i) {
    const Event event = world.log()[i];
    const bool is_of_octets = event.kind == EventKind::sent || event.kind == EventKind::received;
    if (is_of_octets || event.kind == EventKind::finished) seen.push_back({event.kind, event.takes_time, event.count});
  }
  return seen;
}

TEST(EventLog, TellsWhatTakesTimeAndWhenItHasArrived) {
  using enum EventKind;
  EXPECT_THAT(rows(net::Toxics().with_latency(1s)),
              ElementsAre(Row{sent, true, 3}, Row{sent, true, 2}, Row{finished, true, 0}, Row{received, false, 5},
                          Row{received, false, 0}));
  EXPECT_THAT(rows(net::Toxics().with_black_hole()),
              ElementsAre(Row{sent, true, 3}, Row{sent, true, 2}, Row{finished, true, 0}));
}

}  // namespace
}  // namespace pipette::inmem
