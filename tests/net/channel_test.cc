// Each knob by what it does, to the nanosecond, and the pairs that might disagree.
#include "pipette/net/channel.h"

#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipette::net {

// What was read, or how it ended, and when.
struct Delivery {
  Duration time{};
  std::string what;
  bool operator==(const Delivery&) const = default;
};
void PrintTo(const Delivery& delivery, std::ostream* out) {
  *out << delivery.time.count() << " ns: \"" << delivery.what << '"';
}

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr ChannelOptions kTiny{.send_buffer_bytes = 4, .receive_buffer_bytes = 6};
constexpr ChannelOptions kApart{.coalesce = false};

TimePoint at(Duration time) { return TimePoint() + time; }

// Answers what it is told to, and 0 from then on.
class Script final : public Oracle {
 public:
  explicit Script(std::vector<unsigned> answers) : answers_(std::move(answers)) {}
  unsigned answer(const Question&) override { return next_ < answers_.size() ? answers_[next_++] : 0; }

 private:
  std::vector<unsigned> answers_;
  std::size_t next_ = 0;
};

// A channel, and the loop that its owner would have.
class ChannelTest : public testing::Test {
 protected:
  Channel& channel() { return *channel_; }
  void make(const ChannelOptions& options) { channel_ = std::make_unique<Channel>(options, *decisions_, 7); }
  void set(const Toxics& toxics) { channel().set_toxics(toxics, now_); }
  void answer(std::vector<unsigned> answers) {
    oracle_ = std::make_unique<Script>(std::move(answers));
    decisions_ = std::make_unique<Decisions>(*oracle_);
    make({});
  }

  std::size_t write(Bytes text) { return channel().write(std::span(&text, 1), now_); }
  std::string read(std::size_t room = 1000) {
    std::string text(room, '\0');
    text.resize(channel().read(text, now_));
    return text;
  }
  // Moves time from event to event, and notes what has happened.
  void run_to(Duration time) {
    for (;;) {
      note(channel().advance(now_));
      const TimePoint next = channel().next_event();
      if (next > at(time)) break;
      ASSERT_GT(next, now_) << "the time has come, but nothing happened";
      now_ = next;
    }
    now_ = at(time);
  }
  // The same, with a reader who takes at once what arrives: what it got, and when.
  std::vector<Delivery> deliveries(Duration until = 1000h) {
    std::vector<Delivery> all;
    for (std::string end = "<open>";;) {
      note(channel().advance(now_));
      for (std::string text = read(); !text.empty(); text = read()) all.push_back({now_ - TimePoint(), text});
      note(channel().advance(now_));
      if (end != end_name()) all.push_back({now_ - TimePoint(), end_name()});
      end = end_name();
      const TimePoint next = channel().next_event();
      if (next > at(until)) return all;
      now_ = next;
    }
  }
  // That nothing arrives before `time`, and `text` then.
  void expect_arrival(Duration time, std::string_view text) {
    run_to(time - 1ns);
    EXPECT_EQ(read(), "") << "a nanosecond early";
    run_to(time);
    EXPECT_EQ(read(), text);
  }

  std::unique_ptr<Oracle> oracle_ = std::make_unique<FixedOracle>();
  std::unique_ptr<Decisions> decisions_ = std::make_unique<Decisions>(*oracle_);
  TimePoint now_{};
  Channel::Changes seen_;

 private:
  std::string end_name() const {
    constexpr std::array<const char*, 4> kNames = {"<open>", "<finished>", "<closed>", "<reset>"};
    return kNames[static_cast<std::size_t>(channel_->end())];
  }
  void note(const Channel::Changes& changes) {
    seen_.readable |= changes.readable;
    seen_.writable |= changes.writable;
    seen_.finished |= changes.finished;
    seen_.closed |= changes.closed;
    seen_.reset |= changes.reset;
  }

  std::unique_ptr<Channel> channel_ = std::make_unique<Channel>(ChannelOptions(), *decisions_, 7);
};

// ---- without toxics
// --------------------------------------------------------------------------------------------------

using PlainChannel = ChannelTest;

TEST_F(PlainChannel, HasDeliveredWhatIsWritten) {
  const std::array<Bytes, 4> pieces = {"ab", "", "c", "def"};
  EXPECT_EQ(channel().write(pieces, now_), 6U);
  EXPECT_TRUE(channel().is_plain());
  EXPECT_EQ(channel().next_event(), kNever);
  EXPECT_EQ(read(4), "abcd");
  EXPECT_EQ(read(), "ef");
  EXPECT_EQ(read(), "");
}

TEST_F(PlainChannel, TakesAsMuchAsBothBuffersHold) {
  EXPECT_EQ(write(std::string(100'000, 'x')), 64U * 1024);
  EXPECT_FALSE(channel().is_writable());
  EXPECT_EQ(write("x"), 0U);
  EXPECT_EQ(read(10).size(), 10U);
  EXPECT_TRUE(channel().is_writable());
  EXPECT_EQ(write(std::string(100, 'x')), 10U);
}

TEST_F(PlainChannel, ReadsAndWritesSoMuchAtOnceAndNoMore) {
  make({.max_read_bytes = 2, .max_write_bytes = 3});
  EXPECT_EQ(write("abcdef"), 3U);
  EXPECT_EQ(channel().arrived(), "ab");
  EXPECT_EQ(read(), "ab");
  EXPECT_EQ(read(), "c");
}

TEST_F(PlainChannel, FinishesBehindTheData) {
  write("last");
  channel().finish(now_);
  EXPECT_TRUE(channel().advance(now_).finished);
  EXPECT_TRUE(channel().is_plain());
  EXPECT_EQ(read(), "last");
  EXPECT_EQ(channel().end(), Channel::End::finished);
}

TEST_F(PlainChannel, KeepsWhatHasArrivedWhenItIsReset) {
  write("here");
  channel().send_reset(now_);
  EXPECT_TRUE(channel().advance(now_).reset);
  EXPECT_TRUE(channel().is_broken());
  EXPECT_EQ(read(), "here");
  EXPECT_EQ(channel().end(), Channel::End::reset);
  EXPECT_EQ(write("lost"), 4U);
  EXPECT_EQ(read(), "");
}

TEST_F(PlainChannel, AsksNothing) {
  write("abc");
  read();
  EXPECT_EQ(decisions_->asked(), 0U);
}

// ---- one toxic
// -------------------------------------------------------------------------------------------------------

TEST_F(ChannelTest, DelaysByItsLatency) {
  set(Toxics().with_latency(50ms));
  EXPECT_EQ(write("abc"), 3U);
  EXPECT_EQ(channel().next_event(), at(50ms));
  expect_arrival(50ms, "abc");
  EXPECT_TRUE(seen_.readable);
  EXPECT_EQ(channel().next_event(), kNever);
  EXPECT_EQ(decisions_->asked(), 0U);
}

TEST_F(ChannelTest, DelaysTheEndByItsLatencyToo) {
  set(Toxics().with_latency(50ms));
  write("abc");
  run_to(10ms);
  channel().finish(now_);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{50ms, "abc"}, Delivery{60ms, "<finished>"}));
  EXPECT_TRUE(seen_.finished);
}

struct JitterCase {
  JitterShape shape;
  unsigned answer;
  Duration arrival;
};

TEST_F(ChannelTest, AddsTheJitterThatIsDrawn) {
  for (const auto& [shape, drawn, arrival] : {
           JitterCase{JitterShape::uniform, 0, 50ms},
           JitterCase{JitterShape::uniform, 21, 60ms},
           JitterCase{JitterShape::uniform, 63, 80ms},
           JitterCase{JitterShape::exponential, 0, 50ms},
           JitterCase{JitterShape::exponential, 16, 50ms + 20'790us},
           JitterCase{JitterShape::exponential, 31, 50ms + 103'980us},
           JitterCase{JitterShape::spikes, 0, 50ms},
           JitterCase{JitterShape::spikes, 1, 80ms},
       }) {
    now_ = {};
    answer({drawn});
    set(Toxics().with_latency(50ms, 30ms, shape));
    write("abc");
    expect_arrival(arrival, "abc");
    EXPECT_EQ(decisions_->asked(), 1U);
  }
}

TEST_F(ChannelTest, NeverLetsASegmentOvertakeAnother) {
  answer({63, 0});
  set(Toxics().with_latency(10ms, 90ms));
  write("late ");
  run_to(1ms);
  write("early");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{100ms, "late early"}));
}

TEST_F(ChannelTest, TakesItsTimeOnAThinLine) {
  set(Toxics().with_bandwidth(1000));
  write(std::string(250, 'x'));
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{100ms, std::string(100, 'x')}, Delivery{200ms, std::string(100, 'x')},
                                        Delivery{250ms, std::string(50, 'x')}));
}

TEST_F(ChannelTest, TricklesOctetByOctetOnAVeryThinLine) {
  set(Toxics().with_bandwidth(3));
  write("abc");
  EXPECT_THAT(deliveries(),
              ElementsAre(Delivery{333'333'334ns, "a"}, Delivery{666'666'668ns, "b"}, Delivery{1'000'000'002ns, "c"}));
}

TEST_F(ChannelTest, LosesNoBandwidthWhenItsLoopIsLate) {
  set(Toxics().with_bandwidth(1000));
  write(std::string(250, 'x'));
  now_ = at(249ms);
  std::ignore = channel().advance(now_);
  EXPECT_EQ(channel().unread(), 200U);
  EXPECT_EQ(channel().next_event(), at(250ms));
}

TEST_F(ChannelTest, StartsItsLineAnewAfterAPause) {
  set(Toxics().with_bandwidth(1000));
  write(std::string(10, 'x'));
  run_to(1s);
  read();
  write(std::string(10, 'y'));
  expect_arrival(1010ms, std::string(10, 'y'));
}

TEST_F(ChannelTest, CutsSlices) {
  set(Toxics().with_slicer(3, 0, 10ms));
  write("abcdefgh");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abc"}, Delivery{10ms, "def"}, Delivery{20ms, "gh"}));
  EXPECT_EQ(decisions_->asked(), 0U);
}

TEST_F(ChannelTest, DoesNotJoinSlicesThatArriveTogether) {
  set(Toxics().with_slicer(3));
  write("abcdefgh");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abc"}, Delivery{0ms, "def"}, Delivery{0ms, "gh"}));
}

TEST_F(ChannelTest, VariesItsSlices) {
  answer({0, 1, 2, 3, 4});
  set(Toxics().with_slicer(5, 2));
  write(std::string(25, 'x'));
  std::vector<std::size_t> sizes;
  for (const Delivery& slice : deliveries()) sizes.push_back(slice.what.size());
  EXPECT_THAT(sizes, ElementsAre(5, 4, 6, 3, 7));
}

TEST_F(ChannelTest, NeverCutsAnEmptySlice) {
  answer(std::vector<unsigned>(50, 253));
  set(Toxics().with_slicer(1000, 5000));
  write(std::string(5, 'x'));
  EXPECT_THAT(deliveries(), SizeIs(5));
}

TEST_F(ChannelTest, FinishesSlowly) {
  set(Toxics().with_slow_close(3s));
  write("abc");
  run_to(1s);
  channel().finish(now_);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{1s, "abc"}, Delivery{4s, "<finished>"}));
}

TEST_F(ChannelTest, ClosesAfterSoMuchData) {
  set(Toxics().with_limit_data(5));
  EXPECT_EQ(write("abc"), 3U);
  EXPECT_EQ(write("defg"), 4U) << "what is behind the limit is taken, and lost";
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abcde"}, Delivery{0ms, "<closed>"}));
  EXPECT_TRUE(seen_.closed);
  EXPECT_TRUE(channel().is_broken());
}

TEST_F(ChannelTest, ClosesAtOnceWhenNoDataMayPass) {
  set(Toxics().with_limit_data(0));
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "<closed>"}));
}

TEST_F(ChannelTest, HoldsEverythingWhileItStalls) {
  write("there,");
  set(Toxics().with_stall());
  write("held");
  run_to(1h);
  EXPECT_EQ(read(), "there,") << "what has arrived has arrived";
  EXPECT_EQ(channel().next_event(), kNever);
  set({});
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{1h, "held"}));
  EXPECT_TRUE(channel().is_plain());
}

TEST_F(ChannelTest, ClosesAfterItsTimeout) {
  set(Toxics().with_timeout(2s));
  write("lost");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{2s, "<closed>"}));
  EXPECT_EQ(channel().size(), 0U);
}

TEST_F(ChannelTest, SwallowsForEverInABlackHole) {
  set(Toxics().with_black_hole());
  write("gone");
  channel().finish(now_);
  EXPECT_EQ(channel().next_event(), kNever);
  EXPECT_THAT(deliveries(), IsEmpty());
}

TEST_F(ChannelTest, DeliversAfterABlackHoleHasHealed) {
  set(Toxics().with_timeout(2s));
  write("held");
  run_to(1s);
  set({});
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{1s, "held"}));
}

TEST_F(ChannelTest, ResetsAfterAWhile) {
  set(Toxics().with_reset_peer(2s));
  write("abc");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abc"}, Delivery{2s, "<reset>"}));
  EXPECT_TRUE(seen_.reset);
}

TEST_F(ChannelTest, ResetsAtOnce) {
  set(Toxics().with_reset_peer());
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "<reset>"}));
}

TEST_F(ChannelTest, IsClosedAtOnceWhenDown) {
  write("there");
  set(Toxics().with_down());
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "there"}, Delivery{0ms, "<closed>"}));
}

TEST_F(ChannelTest, CountsTimesFromWhenTheyAreSet) {
  set(Toxics().with_reset_peer(2s));
  run_to(1s);
  set(Toxics().with_reset_peer(2s).with_bandwidth(1000));  // the same time: it goes on
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{2s, "<reset>"}));
}

TEST_F(ChannelTest, CountsAnewWhenATimeIsChanged) {
  set(Toxics().with_reset_peer(2s));
  run_to(1s);
  set(Toxics().with_reset_peer(3s));
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{4s, "<reset>"}));
}

// ---- two at once
// -----------------------------------------------------------------------------------------------------

TEST_F(ChannelTest, AddsLatencyBehindTheLine) {
  set(Toxics().with_bandwidth(1000).with_latency(70ms));
  write(std::string(200, 'x'));
  EXPECT_THAT(deliveries(),
              ElementsAre(Delivery{170ms, std::string(100, 'x')}, Delivery{270ms, std::string(100, 'x')}));
}

TEST_F(ChannelTest, KeepsSlicesInOrderUnderJitter) {
  answer({63, 0, 32, 0});
  set(Toxics().with_slicer(2, 0, 10ms).with_latency(5ms, 63ms));
  write("aabbccdd");
  EXPECT_THAT(deliveries(),
              ElementsAre(Delivery{68ms, "aa"}, Delivery{68ms, "bb"}, Delivery{68ms, "cc"}, Delivery{68ms, "dd"}));
}

TEST_F(ChannelTest, FinishesSlowlyAfterTheLastThatArrives) {
  answer({63, 0});
  set(Toxics().with_latency(10ms, 90ms).with_slow_close(1s));
  write("late ");
  run_to(1ms);
  write("early");
  channel().finish(now_);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{100ms, "late early"}, Delivery{1100ms, "<finished>"}));
}

TEST_F(ChannelTest, LetsSlicesWaitForTheLineAndForTheirDelay) {
  set(Toxics().with_slicer(10, 0, 15ms).with_bandwidth(1000));
  write(std::string(20, 'x') + std::string(10, 'y'));
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{10ms, std::string(10, 'x')}, Delivery{25ms, std::string(10, 'x')},
                                        Delivery{40ms, std::string(10, 'y')}));
}

TEST_F(ChannelTest, HoldsTheEndBehindTheDataWhileItStalls) {
  set(Toxics().with_stall());
  write("held");
  channel().finish(now_);
  run_to(1s);
  EXPECT_FALSE(channel().is_readable());
  set(Toxics().with_latency(5ms));
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{1005ms, "held"}, Delivery{1005ms, "<finished>"}));
}

TEST_F(ChannelTest, HoldsWhatIsInFlightWhileItStalls) {
  set(Toxics().with_latency(50ms));
  write("a");
  run_to(40ms);
  write("b");
  set(Toxics().with_latency(50ms).with_stall());
  run_to(70ms);
  EXPECT_EQ(read(), "");
  set({});
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{70ms, "a"}, Delivery{90ms, "b"}));
}

TEST_F(ChannelTest, CountsDataBeforeTheyAreSliced) {
  set(Toxics().with_limit_data(5).with_slicer(2, 0, 10ms).with_slow_close(1s));
  write("abcdefgh");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "ab"}, Delivery{10ms, "cd"}, Delivery{20ms, "e"},
                                        Delivery{1020ms, "<closed>"}));
}

TEST_F(ChannelTest, IsNotSlowToCloseOneThatIsReset) {
  set(Toxics().with_slow_close(1h).with_latency(5ms));
  channel().send_reset(now_);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{5ms, "<reset>"}));
}

TEST_F(ChannelTest, LosesWhatHasNotArrivedBeforeAReset) {
  set(Toxics().with_latency(50ms));
  write("in time, ");
  run_to(20ms);
  write("too late");
  set(Toxics().with_latency(10ms));
  run_to(45ms);
  channel().send_reset(now_);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{50ms, "in time, "}, Delivery{55ms, "<reset>"}));
  EXPECT_EQ(channel().size(), 0U);
}

TEST_F(ChannelTest, DeliversWhatIsDueInTheMomentOfAReset) {
  set(Toxics().with_latency(50ms).with_reset_peer(50ms));
  write("just");
  run_to(1ns);
  write("late");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{50ms, "just"}, Delivery{50ms, "<reset>"}));
}

TEST_F(ChannelTest, LetsAResetThroughAStallButNotThroughABlackHole) {
  set(Toxics().with_stall());
  channel().send_reset(now_);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "<reset>"}));
  make({});
  set(Toxics().with_black_hole());
  channel().send_reset(now_);
  EXPECT_THAT(deliveries(1s), IsEmpty());
  now_ = at(1s);
  set({});
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{1s, "<reset>"}));
}

TEST_F(ChannelTest, EndsWithWhatIsDueFirst) {
  struct Case {
    Toxics toxics;
    Delivery end;
  };
  for (const Case& c : {
           Case{Toxics().with_timeout(2s).with_reset_peer(1s), {1s, "<reset>"}},
           Case{Toxics().with_timeout(1s).with_reset_peer(2s), {1s, "<closed>"}},
           Case{Toxics().with_timeout(1s).with_reset_peer(1s), {1s, "<reset>"}},
           Case{Toxics().with_stall().with_timeout(1s), {1s, "<closed>"}},
           Case{Toxics().with_stall().with_reset_peer(1s), {1s, "<reset>"}},
           Case{Toxics().with_limit_data(0).with_reset_peer(1s), {0s, "<closed>"}},
           Case{Toxics().with_limit_data(0).with_timeout(1s), {1s, "<closed>"}},
           Case{Toxics().with_down().with_reset_peer(), {0s, "<closed>"}},
       }) {
    now_ = {};
    make({});
    set(c.toxics);
    EXPECT_THAT(deliveries(), ElementsAre(c.end));
  }
}

// ---- changes on the way
// ----------------------------------------------------------------------------------------------

TEST_F(ChannelTest, KeepsTheTimeOfWhatIsInFlight) {
  set(Toxics().with_latency(50ms));
  write("old ");
  set({});
  write("new");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{50ms, "old new"}));
  EXPECT_TRUE(channel().is_plain());
}

TEST_F(ChannelTest, SendsWhatStillWaitsUnderTheNewToxics) {
  set(Toxics().with_bandwidth(10));
  write(std::string(100, 'x'));
  run_to(50ms);
  set({});
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{100ms, std::string(100, 'x')}));
}

TEST_F(ChannelTest, HasNothingToSayWithoutToxicsAgain) {
  set(Toxics().with_latency(50ms));
  write("abc");
  run_to(50ms);
  set({});
  run_to(50ms);
  EXPECT_TRUE(channel().is_plain());
  EXPECT_EQ(read(), "abc");
}

// ---- buffers, segments
// -----------------------------------------------------------------------------------------------

TEST_F(ChannelTest, SendsNoMoreThanTheReaderHasRoomFor) {
  make(kTiny);
  set(Toxics().with_latency(10ms));
  EXPECT_EQ(write("0123456789abc"), 10U) << "six in flight, and four wait";
  EXPECT_EQ(channel().flying(), 6U);
  EXPECT_FALSE(channel().is_writable());
  run_to(1s);
  EXPECT_EQ(channel().unread(), 6U);
  EXPECT_EQ(channel().next_event(), kNever) << "nothing leaves before something is read";
  EXPECT_EQ(read(2), "01");
  EXPECT_TRUE(channel().advance(now_).writable);
  EXPECT_EQ(channel().room(), 2U);
  EXPECT_EQ(channel().next_event(), at(1010ms));
  run_to(1010ms);
  EXPECT_EQ(read(), "234567");
}

TEST_F(ChannelTest, DoesNotMakeUpForTheTimeInWhichTheReaderHadNoRoom) {
  make(kTiny);
  set(Toxics().with_bandwidth(100));
  EXPECT_EQ(write("0123"), 4U);
  run_to(40ms);
  EXPECT_EQ(channel().unread(), 4U);
  EXPECT_EQ(write("4567"), 4U);
  run_to(5s);
  EXPECT_EQ(channel().unread(), 6U);
  EXPECT_EQ(read(), "012345");
  expect_arrival(5020ms, "67");
}

TEST_F(ChannelTest, CutsSegments) {
  make({.mss = 4, .coalesce = false});
  write("abcdefghij");
  write("kl");
  EXPECT_THAT(deliveries(),
              ElementsAre(Delivery{0ms, "abcd"}, Delivery{0ms, "efgh"}, Delivery{0ms, "ij"}, Delivery{0ms, "kl"}));
}

TEST_F(ChannelTest, DrawsJitterForEachSegment) {
  answer({0, 63});
  make({.mss = 4});
  set(Toxics().with_latency(10ms, 20ms));
  write("abcdefgh");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{10ms, "abcd"}, Delivery{30ms, "efgh"}));
}

TEST_F(ChannelTest, JoinsWhatArrivesUnlessToldOtherwise) {
  for (const bool coalesce : {true, false}) {
    now_ = {};
    make({.coalesce = coalesce});
    set(Toxics().with_latency(1ms));
    write("ab");
    write("cd");
    run_to(1ms);
    EXPECT_EQ(read(), coalesce ? "abcd" : "ab");
  }
}

TEST_F(ChannelTest, ReadsASegmentInParts) {
  make(kApart);
  write("abc");
  write("d");
  EXPECT_EQ(read(2), "ab");
  EXPECT_EQ(read(2), "c");
  EXPECT_EQ(read(2), "d");
}

TEST_F(ChannelTest, KeepsWritesApartWhileTheyWait) {
  make(kApart);
  set(Toxics().with_stall());
  write("ab");
  write("cd");
  set({});
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "ab"}, Delivery{0ms, "cd"}));
}

TEST_F(ChannelTest, CoalescesFromNowOn) {
  make(kApart);
  write("ab");
  write("cd");
  channel().set_options({});
  write("ef");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "ab"}, Delivery{0ms, "cd"}, Delivery{0ms, "ef"}));
  EXPECT_TRUE(channel().is_plain());
}

// ---- triggers
// --------------------------------------------------------------------------------------------------------

TEST_F(ChannelTest, StrikesAfterSoManyOctets) {
  AfterBytes trigger(5);
  channel().arm(trigger, Toxics().with_latency(1s));
  EXPECT_EQ(write("abc"), 3U);
  EXPECT_EQ(write("defg"), 4U);
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abcde"}, Delivery{1s, "fg"}));
}

TEST_F(ChannelTest, StrikesAfterSoManyWrites) {
  AfterWrites trigger(2);
  channel().arm(trigger, Toxics().with_reset_peer());
  const std::array<Bytes, 2> pieces = {"a", "b"};
  EXPECT_EQ(channel().write(pieces, now_), 2U);
  EXPECT_EQ(write("c"), 1U);
  EXPECT_EQ(channel().end(), Channel::End::open);
  EXPECT_EQ(write("d"), 1U) << "taken, and lost";
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abc"}, Delivery{0ms, "<reset>"}));
}

TEST_F(ChannelTest, AsksATriggerOnlyAboutWhatIsTaken) {
  make(kTiny);
  AfterBytes trigger(10);
  channel().arm(trigger, Toxics().with_down());
  EXPECT_EQ(write("0123456789abc"), 10U);
  EXPECT_EQ(write("abc"), 0U);
  EXPECT_EQ(channel().end(), Channel::End::open);
}

TEST_F(ChannelTest, ForgetsADisarmedTrigger) {
  {
    AfterBytes trigger(0);
    channel().arm(trigger, Toxics().with_down());
    channel().disarm();
  }
  write("abc");
  EXPECT_THAT(deliveries(), ElementsAre(Delivery{0ms, "abc"}));
  EXPECT_TRUE(channel().is_plain());
}

// ---- everything at once
// ----------------------------------------------------------------------------------------------

// Whatever the toxics and the buffers: what is written arrives, in order, and then the end.
TEST_F(ChannelTest, DeliversEverythingInOrderUnderAnyToxics) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += static_cast<char>('0' + i % 75);
  std::set<std::size_t> ways;
  for (unsigned seed = 0; seed < 60; ++seed) {
    oracle_ = std::make_unique<SeededOracle>(seed);
    decisions_ = std::make_unique<Decisions>(*oracle_);
    const auto choose = [&](unsigned n) { return decisions_->choose(Site("test"), 0, n); };
    now_ = {};
    ChannelOptions options{.send_buffer_bytes = 1 + choose(200), .receive_buffer_bytes = 1 + choose(200)};
    options.mss = 1 + choose(100);
    options.coalesce = choose(2) == 0;
    options.max_read_bytes = 1 + choose(200);
    options.max_write_bytes = 1 + choose(200);
    make(options);
    std::string received;
    std::size_t sent = 0;
    std::size_t events = 0;
    while (channel().end() == Channel::End::open || channel().unread() > 0) {
      if (choose(4) == 0) {
        Toxics toxics;
        toxics.with_latency(choose(3) * 1ms, choose(3) * 1ms);
        toxics.with_bandwidth(choose(3) * 5'000).with_slicer(choose(40), choose(40), choose(2) * 1ms);
        toxics.stall = choose(4) == 0;
        set(toxics);
      }
      if (sent < text.size()) {
        sent += write(Bytes(text).substr(sent, 1 + choose(256)));
        if (sent == text.size()) channel().finish(now_);
      }
      received += read(1 + choose(200));
      std::ignore = channel().advance(now_);
      ASSERT_LE(channel().size(), options.send_buffer_bytes + options.receive_buffer_bytes);
      const TimePoint next = channel().next_event();
      if (next == kNever) continue;
      ASSERT_GT(next, now_);
      if (choose(2) == 0) now_ = next;
      ASSERT_LT(++events, 100'000U);
    }
    EXPECT_EQ(received, text) << "seed " << seed;
    ways.insert(events);
  }
  EXPECT_GT(ways.size(), 20U);
}

}  // namespace
}  // namespace pipette::net
