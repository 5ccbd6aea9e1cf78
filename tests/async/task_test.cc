#include "pipette/async/task.h"

#include <coroutine>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace pipette::async {
namespace {

// Suspends whoever awaits it, until the test resumes them.
struct Gate {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
  void await_resume() const {}
  void open() { std::exchange(waiter, nullptr).resume(); }

  std::coroutine_handle<> waiter;
};

struct Appends {
  ~Appends() { log += text; }
  std::string& log;
  std::string_view text;
};

Task<> log_to(std::string& log, std::string_view text) {
  log += text;
  co_return;
}

Task<int> number(int value) { co_return value; }

Task<int> number_behind(Gate& gate, int value) {
  co_await gate;
  co_return value;
}

Task<> store(int& into, Task<int> child) { into = co_await child; }

TEST(Task, DoesNothingUntilItIsStarted) {
  std::string log;
  Task<> task = log_to(log, "ran");
  EXPECT_EQ(log, "");
  task.start();
  EXPECT_EQ(log, "ran");
  EXPECT_TRUE(task.done());
}

TEST(Task, NeverRunsWhenItDiesUnstarted) {
  std::string log;
  {
    const Task<> task = log_to(log, "ran");
  }
  EXPECT_EQ(log, "");
}

TEST(Task, GivesItsValueToItsParent) {
  int result = 0;
  Task<> parent = store(result, number(42));
  parent.start();
  EXPECT_TRUE(parent.done());
  EXPECT_EQ(result, 42);
}

TEST(Task, GivesItsValueLater) {
  int result = 0;
  Gate gate;
  Task<> parent = store(result, number_behind(gate, 42));
  parent.start();
  EXPECT_FALSE(parent.done());
  gate.open();
  EXPECT_TRUE(parent.done());
  EXPECT_EQ(result, 42);
}

Task<std::unique_ptr<int>> pointer() { co_return std::make_unique<int>(7); }
Task<> store_pointer(std::unique_ptr<int>& into) { into = co_await pointer(); }

TEST(Task, MovesValuesThatCannotBeCopied) {
  std::unique_ptr<int> result;
  Task<> parent = store_pointer(result);
  parent.start();
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(*result, 7);
}

Task<int> throws() {
  throw std::runtime_error("oops");
  co_return 0;
}
Task<int> throws_behind(Gate& gate) {
  co_await gate;
  throw std::runtime_error("oops later");
}
Task<> catches(Task<int> child, std::string& message) {
  try {
    co_await child;
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
}

TEST(Task, PassesAnExceptionToItsParent) {
  std::string message;
  Task<> parent = catches(throws(), message);
  parent.start();
  EXPECT_EQ(message, "oops");
}

TEST(Task, PassesALateExceptionToItsParent) {
  std::string message;
  Gate gate;
  Task<> parent = catches(throws_behind(gate), message);
  parent.start();
  EXPECT_EQ(message, "");
  gate.open();
  EXPECT_EQ(message, "oops later");
}

Task<int> passes_on(Task<int> child) { co_return co_await child + 1; }

TEST(Task, PassesAnExceptionThroughEveryParent) {
  std::string message;
  Gate gate;
  Task<> parent = catches(passes_on(passes_on(throws_behind(gate))), message);
  parent.start();
  gate.open();
  EXPECT_EQ(message, "oops later");
}

Task<> waits_with_locals(Gate& gate, std::string& log) {
  const Appends first{log, "first "};
  const Appends second{log, "second "};
  co_await gate;
  log += "went on ";
}
Task<> parent_of(Task<> child, std::string& log) {
  const Appends local{log, "parent "};
  co_await child;
}

TEST(Task, DestroyingASuspendedTaskCancelsItAndItsChildren) {
  std::string log;
  Gate gate;
  {
    Task<> task = parent_of(waits_with_locals(gate, log), log);
    task.start();
    EXPECT_EQ(log, "");
  }
  EXPECT_EQ(log, "parent second first ");
}

TEST(Task, AMovedTaskGoesOn) {
  int result = 0;
  Gate gate;
  Task<> first = store(result, number_behind(gate, 1));
  first.start();
  Task<> second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): a moved-from task is empty
  EXPECT_TRUE(second);
  gate.open();
  EXPECT_EQ(result, 1);
  EXPECT_TRUE(second.done());
}

TEST(Task, AssigningOverASuspendedTaskCancelsIt) {
  std::string log;
  Gate gate;
  Task<> task = waits_with_locals(gate, log);
  task.start();
  task = Task<>();
  EXPECT_EQ(log, "second first ");
  EXPECT_FALSE(task);
}

Task<> starts_then_awaits(Gate& gate, std::string& log) {
  Task<int> child = number_behind(gate, 5);
  child.start();
  log += "started ";
  const int value = co_await child;
  log += std::to_string(value);
}

TEST(Task, CanBeStartedAheadOfTheAwait) {
  std::string log;
  Gate gate;
  Task<> parent = starts_then_awaits(gate, log);
  parent.start();
  EXPECT_EQ(log, "started ");
  gate.open();
  EXPECT_EQ(log, "started 5");
}

Task<> starts_and_awaits_when_done(Gate& gate, int& result) {
  Task<int> child = number_behind(gate, 6);
  child.start();
  gate.open();
  EXPECT_TRUE(child.done());
  result = co_await child;
}

TEST(Task, CanBeAwaitedWhenItHasFinishedAlready) {
  int result = 0;
  Gate gate;
  Task<> parent = starts_and_awaits_when_done(gate, result);
  parent.start();
  EXPECT_TRUE(parent.done());
  EXPECT_EQ(result, 6);
}

constexpr int kMany = 1'000'000;

Task<> sums_children_that_finish_at_once(int& sum) {
  for (int i = 0; i < kMany; ++i) sum += co_await number(1);
}

TEST(Task, AMillionAwaitsOfChildrenThatFinishAtOnceStayFlat) {
  int sum = 0;
  Task<> task = sums_children_that_finish_at_once(sum);
  task.start();
  EXPECT_TRUE(task.done());
  EXPECT_EQ(sum, kMany);
}

Task<> sums_children_that_finish_later(Gate& gate, int& sum) {
  for (int i = 0; i < kMany; ++i) sum += co_await number_behind(gate, 1);
}

TEST(Task, AMillionAwaitsOfChildrenThatFinishLaterStayFlat) {
  int sum = 0;
  Gate gate;
  Task<> task = sums_children_that_finish_later(gate, sum);
  task.start();
  while (!task.done()) gate.open();
  EXPECT_EQ(sum, kMany);
}

// ---- Soon ------------------------------------------------------------------------------------------------

Soon<int> ready_now() { return 3; }
Soon<int> ready_behind(Gate& gate) { return number_behind(gate, 4); }
Soon<int> fails_behind(Gate& gate) { return throws_behind(gate); }
Task<> store_soon(int& into, Soon<int> soon) { into = co_await soon; }
Task<> catch_soon(Soon<int> soon, std::string& message) {
  try {
    co_await soon;
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
}

TEST(Soon, IsReadyAtOnceWithAValue) {
  int result = 0;
  EXPECT_TRUE(ready_now().await_ready());
  Task<> parent = store_soon(result, ready_now());
  parent.start();
  EXPECT_TRUE(parent.done());
  EXPECT_EQ(result, 3);
}

TEST(Soon, BringsTheValueOfItsTask) {
  int result = 0;
  Gate gate;
  Task<> parent = store_soon(result, ready_behind(gate));
  parent.start();
  EXPECT_EQ(result, 0);
  gate.open();
  EXPECT_EQ(result, 4);
}

TEST(Soon, BringsTheValueOfATaskThatFinishesAtOnce) {
  int result = 0;
  Task<> parent = store_soon(result, number(8));
  parent.start();
  EXPECT_TRUE(parent.done());
  EXPECT_EQ(result, 8);
}

TEST(Soon, BringsTheExceptionOfItsTask) {
  std::string message;
  Gate gate;
  Task<> parent = catch_soon(fails_behind(gate), message);
  parent.start();
  gate.open();
  EXPECT_EQ(message, "oops later");
}

Soon<> done_now() { return {}; }
Soon<> done_behind(Gate& gate, std::string& log) { return waits_with_locals(gate, log); }
Task<> await_void(Soon<> soon, std::string& log) {
  co_await soon;
  log += "done";
}

TEST(Soon, OfNothingIsReadyAtOnceOrWhenItsTaskIs) {
  std::string at_once;
  Task<> first = await_void(done_now(), at_once);
  first.start();
  EXPECT_EQ(at_once, "done");

  std::string later;
  Gate gate;
  Task<> second = await_void(done_behind(gate, later), later);
  second.start();
  EXPECT_EQ(later, "");
  gate.open();
  EXPECT_EQ(later, "went on second first done");
}

}  // namespace
}  // namespace pipette::async
