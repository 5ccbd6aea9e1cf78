#include "pipette/async/timer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipette/base/random.h"

namespace pipette::async {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since_start) { return TimePoint(since_start); }

struct Alarm final : Timer {
  explicit Alarm(char c) : name(c) {}
  void run() override { ++runs; }
  char name;
  int runs = 0;
};

// Takes what is due at `now`; the names, in firing order.
std::string take_due(TimerQueue& queue, TimePoint now) {
  List<Runnable> due;
  queue.take_due(now, due);
  std::string names;
  while (!due.empty()) names += static_cast<Alarm&>(due.pop_front()).name;
  return names;
}

class TimerQueueTest : public ::testing::Test {
 protected:
  TimerQueue queue;
  Alarm a{'a'}, b{'b'}, c{'c'}, d{'d'};
};

TEST_F(TimerQueueTest, HasNoDeadlineWhenEmpty) {
  EXPECT_EQ(queue.next_deadline(), kNever);
  EXPECT_EQ(take_due(queue, kNever), "");
}

TEST_F(TimerQueueTest, FiresInOrderOfDeadline) {
  queue.arm(a, at(3s));
  queue.arm(b, at(1s));
  queue.arm(c, at(2s));
  EXPECT_EQ(queue.next_deadline(), at(1s));
  EXPECT_EQ(take_due(queue, at(3s)), "bca");
  EXPECT_EQ(queue.next_deadline(), kNever);
}

TEST_F(TimerQueueTest, FiresAtItsDeadlineAndNotBefore) {
  queue.arm(a, at(1s));
  EXPECT_EQ(take_due(queue, at(1s) - 1ns), "");
  EXPECT_TRUE(a.is_armed());
  EXPECT_EQ(take_due(queue, at(1s)), "a");
  EXPECT_FALSE(a.is_armed());
}

TEST_F(TimerQueueTest, TakesTimersWithoutRunningThem) {
  queue.arm(a, at(1s));
  List<Runnable> due;
  queue.take_due(at(1s), due);
  EXPECT_EQ(a.runs, 0);
  due.pop_front().run();
  EXPECT_EQ(a.runs, 1);
}

TEST_F(TimerQueueTest, EqualDeadlinesFireInTheOrderOfArming) {
  for (Alarm* alarm : {&c, &a, &d, &b}) queue.arm(*alarm, at(1s));
  EXPECT_EQ(take_due(queue, at(1s)), "cadb");
}

TEST_F(TimerQueueTest, ArmingAgainForTheSameTimeMovesBehindItsEquals) {
  for (Alarm* alarm : {&a, &b, &c}) queue.arm(*alarm, at(1s));
  queue.arm(a, at(1s));
  EXPECT_EQ(take_due(queue, at(1s)), "bca");
}

TEST_F(TimerQueueTest, OrderOfArmingHoldsHoweverTheDeadlineWasReached) {
  queue.arm(a, at(1s));  // earlier, then moved later
  queue.arm(b, at(9s));  // later, then moved earlier
  queue.arm(c, at(5s));
  queue.arm(b, at(5s));
  queue.arm(a, at(5s));
  queue.arm(d, at(5s));
  EXPECT_EQ(take_due(queue, at(5s)), "cbad");
}

TEST_F(TimerQueueTest, MovingADeadlineLaterLeavesNoTraceOfTheEarlierOne) {
  queue.arm(a, at(1s));
  queue.arm(a, at(5s));
  EXPECT_EQ(a.deadline(), at(5s));
  EXPECT_EQ(queue.next_deadline(), at(5s));
  EXPECT_EQ(take_due(queue, at(4s)), "");
  EXPECT_EQ(take_due(queue, at(5s)), "a");
}

TEST_F(TimerQueueTest, TellsCheaplyBeforeWhenNothingIsDue) {
  EXPECT_EQ(queue.earliest(), kNever);
  queue.arm(a, at(1s));
  queue.arm(a, at(5s));
  EXPECT_EQ(queue.earliest(), at(1s)) << "of a time that was put off, the older one may do";
  EXPECT_EQ(take_due(queue, at(1s)), "");
  EXPECT_EQ(queue.earliest(), at(5s)) << "once";
}

TEST_F(TimerQueueTest, MovingADeadlineEarlierCountsAtOnce) {
  queue.arm(a, at(5s));
  queue.arm(b, at(3s));
  queue.arm(a, at(1s));
  EXPECT_EQ(queue.next_deadline(), at(1s));
  EXPECT_EQ(take_due(queue, at(2s)), "a");
}

TEST_F(TimerQueueTest, MovingLaterAndThenEarlierCountsTheLast) {
  queue.arm(a, at(2s));
  queue.arm(a, at(9s));
  queue.arm(a, at(4s));
  EXPECT_EQ(queue.next_deadline(), at(4s));
  queue.arm(a, at(9s));
  queue.arm(a, at(1s));
  EXPECT_EQ(queue.next_deadline(), at(1s));
}

TEST_F(TimerQueueTest, DisarmingForgetsTheDeadline) {
  queue.arm(a, at(1s));
  queue.arm(b, at(2s));
  queue.disarm(a);
  EXPECT_FALSE(a.is_armed());
  EXPECT_EQ(queue.next_deadline(), at(2s));
  EXPECT_EQ(take_due(queue, at(9s)), "b");
}

TEST_F(TimerQueueTest, ArmingForNeverIsDisarming) {
  queue.arm(a, at(1s));
  queue.arm(a, kNever);
  EXPECT_FALSE(a.is_armed());
  EXPECT_EQ(queue.next_deadline(), kNever);
  queue.arm(b, kNever);
  EXPECT_EQ(queue.next_deadline(), kNever);
}

TEST_F(TimerQueueTest, ADisarmedTimerCanBeArmedAgain) {
  queue.arm(a, at(3s));
  queue.disarm(a);
  queue.arm(a, at(2s));
  EXPECT_EQ(queue.next_deadline(), at(2s));
  queue.disarm(a);
  queue.arm(a, at(7s));
  EXPECT_EQ(queue.next_deadline(), at(7s));
  EXPECT_EQ(take_due(queue, at(7s)), "a");
}

TEST_F(TimerQueueTest, DisarmingWhatIsDueButHasNotRunTakesItBack) {
  queue.arm(a, at(1s));
  queue.arm(b, at(1s));
  List<Runnable> due;
  queue.take_due(at(1s), due);
  queue.disarm(a);
  EXPECT_EQ(&due.pop_front(), &b);
  EXPECT_TRUE(due.empty());
}

TEST_F(TimerQueueTest, ArmingAgainWhatIsDueButHasNotRunTakesItBack) {
  queue.arm(a, at(1s));
  List<Runnable> due;
  queue.take_due(at(1s), due);
  queue.arm(a, at(2s));
  EXPECT_TRUE(due.empty());
  EXPECT_EQ(take_due(queue, at(2s)), "a");
}

TEST_F(TimerQueueTest, ATimerThatDiesLeavesTheQueue) {
  auto dying = std::make_unique<Alarm>('x');
  queue.arm(a, at(2s));
  queue.arm(*dying, at(1s));
  dying.reset();
  EXPECT_EQ(queue.next_deadline(), at(2s));
}

TEST_F(TimerQueueTest, ATimerThatDiesWhileDueIsForgotten) {
  auto dying = std::make_unique<Alarm>('x');
  queue.arm(*dying, at(1s));
  List<Runnable> due;
  queue.take_due(at(1s), due);
  dying.reset();
  EXPECT_TRUE(due.empty());
}

// The model keeps (deadline, order of arming) -> timer, eagerly and in full.
class Model {
 public:
  void arm(Alarm& alarm, TimePoint deadline) {
    std::erase_if(armed_, [&](const auto& entry) { return entry.second == &alarm; });
    if (deadline != kNever) armed_.emplace(deadline, &alarm);
  }
  TimePoint next_deadline() const { return armed_.empty() ? kNever : armed_.begin()->first; }
  std::string take_due(TimePoint now) {
    std::string names;
    while (next_deadline() <= now && !armed_.empty()) {
      names += armed_.begin()->second->name;
      armed_.erase(armed_.begin());
    }
    return names;
  }

 private:
  std::multimap<TimePoint, Alarm*> armed_;  // equal keys stay in the order of insertion
};

TEST_F(TimerQueueTest, BehavesLikeASortedMultimapUnderAnyOperations) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed, "timers");
    TimerQueue tested;
    Model model;
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 40; ++i) alarms.push_back(std::make_unique<Alarm>(static_cast<char>('A' + i)));
    TimePoint now{};
    for (int i = 0; i < 2000; ++i) {
      std::unique_ptr<Alarm>& alarm = alarms[random.below(alarms.size())];
      const std::uint64_t action = random.below(10);
      if (action < 6) {
        const TimePoint deadline = now + Duration(random.below(20));  // few values, so that many are equal
        tested.arm(*alarm, deadline);
        model.arm(*alarm, deadline);
      } else if (action < 8) {
        tested.disarm(*alarm);
        model.arm(*alarm, kNever);
      } else if (action < 9) {
        model.arm(*alarm, kNever);
        alarm = std::make_unique<Alarm>(alarm->name);
      } else {
        now += Duration(random.below(5));
        ASSERT_EQ(take_due(tested, now), model.take_due(now)) << "seed " << seed << ", operation " << i;
      }
      ASSERT_LE(tested.earliest(), model.next_deadline()) << "seed " << seed << ", operation " << i;
      if (random.below(3) == 0) {
        ASSERT_EQ(tested.next_deadline(), model.next_deadline()) << "seed " << seed << ", operation " << i;
      }
    }
  }
}

TEST(After, AddsAndStopsAtNever) {
  EXPECT_EQ(after(at(1s), 2s), at(3s));
  EXPECT_EQ(after(at(1s), Duration::max()), kNever);
  EXPECT_EQ(after(kNever, 0s), kNever);
}

}  // namespace
}  // namespace pipette::async
