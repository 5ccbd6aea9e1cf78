// The parts of a session by themselves: rates, what is on its way out, and what is read ahead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"
#include "pipette/server/outbox.h"
#include "pipette/server/rate.h"
#include "pipette/server/read_ahead.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// ---- rates ---------------------------------------------------------------------------------------------------

TEST(AllowedTime, IsWhatTheOctetsNeedButNeverLessThanAGrace) {
  struct Case {
    std::uint64_t octets;
    std::uint64_t rate;
    Duration time;
  };
  constexpr std::uint64_t kMost = UINT64_MAX;
  for (const Case& each : {
           Case{0, 240, 5s},
           Case{1'200, 240, 5s},
           Case{1'201, 240, 5'004'166'666ns},
           Case{2'400, 240, 10s},
           Case{1, 1, 5s},
           Case{6, 1, 6s},
           Case{0, 0, Duration::max()},
           Case{kMost, 0, Duration::max()},
           Case{kMost, 1, Duration::max()},
           Case{kMost, kMost, 5s},
           Case{10'000'000'000, 1'000'000'000, 10s},
           Case{9'223'372'036, 1'000'000'000, 9'223'372'036ns},
           Case{9'223'372'036, 1, Duration::max()},
           Case{9'223'372'035, 1, 9'223'372'035s},
           Case{100'000'000'000'000, 1'000'000, 100'000'000s},
           Case{kMost, 1'000'000'000, Duration::max()},
       }) {
    EXPECT_EQ(allowed_time(each.octets, each.rate), each.time) << each.octets << " at " << each.rate;
  }
}

TEST(AllowedTime, NeverShrinksAsOctetsAreMoved) {
  Duration before{};
  for (std::uint64_t octets = 1; octets < UINT64_MAX / 3; octets = octets * 3 / 2 + 1) {
    const Duration time = allowed_time(octets, 1'000'000);
    EXPECT_GE(time, before) << octets;
    before = time;
  }
}

// ---- what is on its way out ------------------------------------------------------------------------------------

struct Breaks final : Outbox::Owner {
  void output_broke() override { ++count; }
  int count = 0;
};

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    net::ChannelOptions narrow;
    narrow.with_capacity(10);
    auto [here, there] = inmem::make_pipe(lab_.world().loop(), narrow);
    connection_ = std::move(here);
    peer_.emplace(lab_.world(), std::move(there));
    out_.emplace(lab_.world().loop(), breaks_);
    out_->attach(*connection_, {60s, 0});
  }
  Task<> flush(Bytes body = {}) { results_.push_back(co_await out_->flush(body)); }

  Lab lab_;
  Breaks breaks_;
  std::unique_ptr<net::Connection> connection_;
  std::optional<Peer> peer_;
  std::optional<Outbox> out_;
  std::vector<bool> results_;
};

TEST_F(OutboxTest, SendsWhatIsGatheredThenTheBodyThenWhatWasGatheredMeanwhile) {
  const std::string body = "0123456789";
  out_->gathered().append("head ");
  Task<> task = flush(body);
  task.start();
  EXPECT_TRUE(results_.empty());
  EXPECT_FALSE(out_->is_empty());
  EXPECT_EQ(peer_->take(), "head " + body);
  EXPECT_THAT(results_, ElementsAre(true));
  EXPECT_EQ(out_->sent(), 15U);
  out_->gathered().append("next");
  EXPECT_TRUE(out_->push());
  EXPECT_EQ(peer_->take(), "next");
}

TEST_F(OutboxTest, NeedsNoWaitForWhatGoesAtOnce) {
  out_->gathered().append("0123456789");
  EXPECT_TRUE(out_->push());
  EXPECT_TRUE(out_->is_empty());
  EXPECT_EQ(lab_.world().scheduler().next_deadline(), kNever);
}

TEST_F(OutboxTest, SendsTheRestByItselfAndCopiesABodyWhoseFlushHasDied) {
  {
    const std::string body(20, 'b');
    Task<> task = flush(body);
    task.start();
  }
  out_->gathered().append("!");
  EXPECT_EQ(peer_->take(), std::string(20, 'b') + "!");
  EXPECT_TRUE(results_.empty());
}

TEST_F(OutboxTest, TellsWhoWaitsThatItIsDismissedAndSendsAllTheSame) {
  const std::string body(20, 'b');
  Task<> task = flush(body);
  task.start();
  out_->dismiss();
  lab_.settle();
  EXPECT_THAT(results_, ElementsAre(false));
  EXPECT_EQ(peer_->take(), body);
}

TEST_F(OutboxTest, IsBrokenForGoodAtItsDeadline) {
  Task<> task = flush(std::string_view("0123456789ab"));
  task.start();
  lab_.advance(60s - 1ns);
  EXPECT_FALSE(out_->is_broken());
  lab_.advance(1ns);
  EXPECT_THAT(results_, ElementsAre(true)) << "it is over";
  EXPECT_EQ(out_->failure(), Outbox::Failure::timed_out);
  out_->gathered().append("more");
  EXPECT_TRUE(out_->push());
  EXPECT_TRUE(out_->is_empty()) << "goes nowhere";
  EXPECT_EQ(peer_->take(), "0123456789");
}

TEST_F(OutboxTest, KnowsWhyItIsBroken) {
  struct Case {
    Outbox::Limits limits;
    TimePoint own;
    Duration until;
    Outbox::Failure failure;
  };
  for (const Case& each :
       {Case{{60s, 0}, kNever, 60s, Outbox::Failure::timed_out}, Case{{60s, 1}, kNever, 10s, Outbox::Failure::too_slow},
        Case{{60s, 1'000}, kNever, 5s, Outbox::Failure::too_slow},
        Case{{4s, 1'000}, kNever, 4s, Outbox::Failure::timed_out},
        Case{{60s, 0}, TimePoint(3s), 3s, Outbox::Failure::timed_out},
        Case{{Duration::max(), 0}, TimePoint(90s), 90s, Outbox::Failure::timed_out}}) {
    Lab lab;
    net::ChannelOptions narrow;
    narrow.with_capacity(10);
    auto [here, there] = inmem::make_pipe(lab.world().loop(), narrow);
    Outbox out(lab.world().loop(), breaks_);
    out.attach(*here, each.limits);
    out.set_deadline(each.own);
    out.gathered().append("0123456789ab");
    EXPECT_FALSE(out.push());
    lab.advance(each.until - 1ns);
    EXPECT_EQ(out.failure(), Outbox::Failure::none);
    lab.advance(1ns);
    EXPECT_EQ(out.failure(), each.failure);
    EXPECT_EQ(std::exchange(breaks_.count, 0), 1);
  }
}

// ---- what is read ahead ----------------------------------------------------------------------------------------

struct Ends final : ReadAhead::Owner {
  void input_ended() override { ++count; }
  int count = 0;
};

class ReadAheadTest : public testing::Test {
 protected:
  ReadAheadTest() {
    auto [here, there] = inmem::make_pipe(lab_.world().loop());
    connection_ = std::move(here);
    peer_.emplace(lab_.world(), std::move(there));
    ahead_.emplace(lab_.world().loop(), ends_, 8);
    ahead_->attach(*connection_);
  }
  Task<> wait() { results_.push_back(co_await ahead_->more()); }

  void say(std::string_view words) {
    peer_->send(words);
    lab_.settle();
  }

  Lab lab_;
  Ends ends_;
  std::unique_ptr<net::Connection> connection_;
  std::optional<Peer> peer_;
  std::optional<ReadAhead> ahead_;
  std::vector<bool> results_;
};

TEST_F(ReadAheadTest, ReadsInTheBackgroundUpToItsLimitAndOnlyWhileItListens) {
  say("one");
  EXPECT_EQ(ahead_->octets().readable(), "");
  ahead_->listen();
  lab_.settle();
  EXPECT_EQ(ahead_->octets().readable(), "one");
  say("two and more");
  EXPECT_EQ(ahead_->octets().readable(), "onetwo a");
  EXPECT_EQ(ahead_->received(), 8U);
  ahead_->octets().clear();
  ahead_->rest();
  lab_.settle();
  EXPECT_EQ(ahead_->octets().readable(), "");
  ahead_->listen();
  lab_.settle();
  EXPECT_EQ(ahead_->octets().readable(), "nd more");
  ahead_->rest();
}

TEST_F(ReadAheadTest, ReadsMoreAtOnceWhereMoreComes) {
  constexpr std::size_t kOctets = 60'000;
  ReadAhead ahead(lab_.world().loop(), ends_, kOctets);
  ahead.attach(*connection_);
  say(std::string(kOctets, 'x'));
  int reads = 0;
  const auto read_all = [&]() -> Task<> {
    for (; ahead.received() < kOctets; ++reads) {
      (void)co_await ahead.more();
      ahead.octets().clear();
    }
  };
  Task<> task = read_all();
  task.start();
  lab_.settle();
  EXPECT_TRUE(task.done());
  EXPECT_LE(reads, 8) << "1, 2, 4 … KiB";
}

TEST_F(ReadAheadTest, WakesWhoWaitsForMore) {
  Task<> task = wait();
  task.start();
  EXPECT_TRUE(results_.empty());
  say("one");
  EXPECT_THAT(results_, ElementsAre(true));
  EXPECT_EQ(ahead_->octets().readable(), "one");
  EXPECT_EQ(ends_.count, 0);
}

TEST_F(ReadAheadTest, TellsItsOwnerOfAnEndWhileItListensAndWheneverItBeginsTo) {
  ahead_->listen();
  say("one");
  peer_->close_write();
  lab_.settle();
  EXPECT_EQ(ends_.count, 1);
  EXPECT_TRUE(ahead_->has_finished());
  EXPECT_EQ(ahead_->octets().readable(), "one");
  ahead_->rest();
  ahead_->listen();
  EXPECT_EQ(ends_.count, 2) << "the next handler wants to know, too";
  Task<> task = wait();
  task.start();
  EXPECT_THAT(results_, ElementsAre(true));
}

TEST_F(ReadAheadTest, ForgetsATimeOutAndNothingElse) {
  connection_->set_deadline(net::Direction::read, after(lab_.now(), 1s));
  Task<> task = wait();
  task.start();
  lab_.advance(1s);
  EXPECT_THAT(results_, ElementsAre(true));
  EXPECT_EQ(ahead_->error(), std::errc::timed_out);
  ahead_->forget_time_out();
  EXPECT_FALSE(ahead_->has_ended());
  connection_->set_deadline(net::Direction::read, kNever);
  peer_->abort();
  ahead_->listen();
  lab_.settle();
  EXPECT_EQ(ahead_->error(), std::errc::connection_reset);
  ahead_->forget_time_out();
  EXPECT_EQ(ahead_->error(), std::errc::connection_reset);
}

TEST_F(ReadAheadTest, TellsWhoWaitsThatItIsDismissed) {
  Task<> task = wait();
  task.start();
  ahead_->dismiss();
  lab_.settle();
  EXPECT_THAT(results_, ElementsAre(false));
  ahead_->rest();
}

}  // namespace
}  // namespace pipette::server
