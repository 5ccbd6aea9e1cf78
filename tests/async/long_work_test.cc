// Who takes long, and who waits for that.
#include "pipette/async/long_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/async/yield.h"
#include "pipette/inmem/world.h"

namespace pipette::async {
namespace {

using testing::ElementsAre;

Task<> work(Loop& loop, std::string name, std::vector<std::string>& order) {
  co_await LongWork(loop);
  order.push_back(name);
}

// One that is only ever a moment away.
Task<> come_and_go(Loop& loop, std::vector<std::string>& order) {
  for (int i = 0; i < 3; ++i) {
    co_await YieldToLoop(loop);
    order.emplace_back("other");
  }
}

TEST(LongWork, ComesOneByOneAndLetsOthersRunInBetween) {
  inmem::World world;
  std::vector<std::string> order;
  TaskGroup tasks(world.loop());
  for (const char* const name : {"a", "b", "c"}) tasks.spawn(work(world.loop(), name, order));
  tasks.spawn(come_and_go(world.loop(), order));
  world.settle();
  EXPECT_THAT(order, ElementsAre("a", "other", "b", "other", "c", "other"));
}

TEST(LongWork, HasItsTurnWhenNobodyElseWantsOne) {
  inmem::World world;
  std::vector<std::string> order;
  for (const char* const name : {"a", "b"}) {
    Task<> task = work(world.loop(), name, order);
    task.start();
    world.settle();
    EXPECT_TRUE(task.done());
  }
  EXPECT_THAT(order, ElementsAre("a", "b"));
}

TEST(LongWork, ForgetsWhoHasGone) {
  inmem::World world;
  std::vector<std::string> order;
  Task<> first = work(world.loop(), "first", order);
  Task<> second = work(world.loop(), "second", order);
  Task<> third = work(world.loop(), "third", order);
  first.start();
  second.start();
  third.start();
  second = {};
  world.settle();
  EXPECT_THAT(order, ElementsAre("first", "third"));
}

}  // namespace
}  // namespace pipette::async
