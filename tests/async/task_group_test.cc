#include "pipette/async/task_group.h"

#include <gtest/gtest.h>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/inmem/loop.h"

#include "tests/support/lone_loop.h"

namespace pipette::async {
namespace {

using namespace std::chrono_literals;

class TaskGroupTest : public ::testing::Test {
 protected:
  struct Logs {
    ~Logs() { log += text; }
    std::string& log;
    char text;
  };
  struct Spawner final : Runnable {
    explicit Spawner(TaskGroupTest& owner) : test(owner) {}
    void run() override { test.group.spawn(test.say_at('b', 2s)); }
    TaskGroupTest& test;
  };

  TimePoint at(Duration since_start) const { return TimePoint(since_start); }
  Task<> say(char c) {
    log += c;
    co_return;
  }
  Task<> say_at(char c, Duration when) {
    co_await sleep_until(loop, at(when));
    log += c;
  }
  Task<> say_when_destroyed(char c, TimePoint when) {
    const Logs local{log, c};
    co_await sleep_until(loop, when);
  }
  Task<> spawn_another(char c) {
    co_await sleep_until(loop, at(1s));
    group.spawn(say_at('b', 2s));
    log += c;
  }
  Task<> enqueue_and_say(Runnable& next, char c) {
    loop.enqueue(next);
    log += c;
    co_return;
  }
  Task<> join_and_say(char c) {
    co_await group.join();
    log += c;
  }

  test::LoneLoop lone;
  inmem::Loop& loop = *lone;
  std::string log;
  TaskGroup group{loop};
};

TEST_F(TaskGroupTest, KnowsWhereItsChildrenCameFrom) {
  group.spawn(say('a'));
  const unsigned line = std::source_location::current().line() - 1;
  ASSERT_EQ(group.origins().size(), 1U);
  EXPECT_EQ(group.origins()[0].line(), line);
  EXPECT_TRUE(std::string_view(group.origins()[0].file_name()).ends_with("task_group_test.cc"));
  lone.settle();
  EXPECT_TRUE(group.origins().empty());
}

TEST_F(TaskGroupTest, StartsChildrenFromTheLoopInOrder) {
  group.spawn(say('a'));
  group.spawn(say('b'));
  EXPECT_EQ(log, "");
  EXPECT_EQ(group.size(), 2U);
  lone.settle();
  EXPECT_EQ(log, "ab");
  EXPECT_TRUE(group.empty());
}

TEST_F(TaskGroupTest, RunsChildrenBesideEachOther) {
  group.spawn(say_at('b', 2s));
  group.spawn(say_at('a', 1s));
  lone.advance_to(at(1s));
  EXPECT_EQ(log, "a");
  EXPECT_EQ(group.size(), 1U);
  lone.advance_to(at(2s));
  EXPECT_EQ(log, "ab");
  EXPECT_TRUE(group.empty());
}

TEST_F(TaskGroupTest, JoiningAnEmptyGroupIsDoneAtOnce) {
  Task<> joiner = join_and_say('j');
  joiner.start();
  EXPECT_EQ(log, "j");
}

TEST_F(TaskGroupTest, JoinWaitsForEveryChild) {
  group.spawn(say_at('a', 1s));
  group.spawn(say_at('b', 3s));
  Task<> joiner = join_and_say('j');
  joiner.start();
  lone.advance_to(at(2s));
  EXPECT_EQ(log, "a");
  lone.advance_to(at(3s));
  EXPECT_EQ(log, "abj");
}

TEST_F(TaskGroupTest, JoinWaitsForAChildSpawnedByTheLast) {
  group.spawn(spawn_another('a'));
  Task<> joiner = join_and_say('j');
  joiner.start();
  lone.advance_to(at(5s));
  EXPECT_EQ(log, "abj");
}

TEST_F(TaskGroupTest, JoinWaitsForAChildSpawnedBeforeTheJoinerRuns) {
  Spawner spawner(*this);  // runs in front of the joiner, which the end of the child enqueues
  group.spawn(enqueue_and_say(spawner, 'a'));
  Task<> joiner = join_and_say('j');
  joiner.start();
  lone.advance_to(at(5s));
  EXPECT_EQ(log, "abj");
}

TEST_F(TaskGroupTest, AJoinerThatDiesIsForgotten) {
  group.spawn(say_at('a', 1s));
  {
    Task<> joiner = join_and_say('j');
    joiner.start();
  }
  lone.advance_to(at(2s));
  EXPECT_EQ(log, "a");
}

TEST_F(TaskGroupTest, CanBeUsedAgainAfterAJoin) {
  Task<> first = join_and_say('1');
  group.spawn(say('a'));
  first.start();
  lone.settle();
  Task<> second = join_and_say('2');
  group.spawn(say('b'));
  second.start();
  lone.settle();
  EXPECT_EQ(log, "a1b2");
}

TEST_F(TaskGroupTest, DestroysChildrenThatAreSuspendedWhenItDies) {
  {
    TaskGroup dying(loop);
    dying.spawn(say_when_destroyed('a', kNever));
    dying.spawn(say_when_destroyed('b', kNever));
    lone.settle();
    EXPECT_EQ(dying.size(), 2U);
    EXPECT_EQ(log, "");
  }
  EXPECT_EQ(log.size(), 2U);
  EXPECT_FALSE(lone.scheduler().can_progress());
}

TEST_F(TaskGroupTest, DestroysChildrenThatHaveNotStartedWhenItDies) {
  {
    TaskGroup dying(loop);
    dying.spawn(say('x'));
  }
  lone.settle();
  EXPECT_EQ(log, "");
}

TEST_F(TaskGroupTest, AFinishedChildIsDestroyedBeforeTheJoinerRuns) {
  group.spawn(say_when_destroyed('d', at(1s)));
  Task<> joiner = join_and_say('j');
  joiner.start();
  lone.advance_to(at(1s));
  EXPECT_EQ(log, "dj");
}

// ---- Event -----------------------------------------------------------------------------------------------

class EventTest : public TaskGroupTest {
 protected:
  Task<> wait_and_say(char c) {
    co_await event.wait();
    log += c;
  }
  Event event{loop};
};

TEST_F(EventTest, SettingItOnlyEnqueuesTheWaiter) {
  Task<> waiter = wait_and_say('w');
  waiter.start();
  EXPECT_FALSE(event.is_set());
  event.set();
  EXPECT_EQ(log, "");
  lone.settle();
  EXPECT_EQ(log, "w");
}

TEST_F(EventTest, WaitingForWhatIsSetIsDoneAtOnce) {
  event.set();
  Task<> waiter = wait_and_say('w');
  waiter.start();
  EXPECT_EQ(log, "w");
  EXPECT_TRUE(event.is_set());
}

TEST_F(EventTest, StaysSetUntilItIsReset) {
  event.set();
  event.reset();
  Task<> waiter = wait_and_say('w');
  waiter.start();
  lone.settle();
  EXPECT_EQ(log, "");
  event.set();
  lone.settle();
  EXPECT_EQ(log, "w");
}

TEST_F(EventTest, AWaiterThatDiesIsForgotten) {
  {
    Task<> before = wait_and_say('x');
    before.start();
  }
  event.set();
  event.reset();
  {
    Task<> between = wait_and_say('y');
    between.start();
    event.set();
  }
  lone.settle();
  EXPECT_EQ(log, "");
}

}  // namespace
}  // namespace pipette::async
