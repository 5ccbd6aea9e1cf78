// TaskGroup: tasks that run beside each other, and whose owner waits for all of them.
//
//   TaskGroup sessions(loop);
//   sessions.spawn(serve(connection));        // starts from the loop, not inside this call
//   co_await sessions.join();                 // until none is left
//
// There is no detached work: a child that is still suspended when the group dies is destroyed there.
// A child must not throw (std::terminate): who spawns decides what an error means, so catch it in the child.
//
// Lifetime  the loop outlives the group.   Threads  the loop's.
#pragma once

#include <coroutine>
#include <cstddef>
#include <source_location>
#include <vector>

#include "pipette/async/loop.h"
#include "pipette/async/task.h"

namespace pipette::async {

class TaskGroup {
  class Child;

 public:
  explicit TaskGroup(Loop& loop) : loop_(loop) {}
  ~TaskGroup();

  void spawn(Task<> task, std::source_location where = std::source_location::current());
  // Where the children that have not ended were spawned, in that order.
  std::vector<std::source_location> origins() const;
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Awaitable: completes when the group is empty. One waiter at a time.
  class Join final : public Runnable {
   public:
    explicit Join(TaskGroup& group) : group_(group) {}
    ~Join() {
      if (group_.joiner_ == this) group_.joiner_ = nullptr;
    }
    bool await_ready() const { return group_.empty(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      group_.loop_.keep_lane(*this);
      group_.joiner_ = this;
    }
    void await_resume() const {}
    void run() override {
      if (group_.empty()) return waiter_.resume();
      group_.joiner_ = this;  // somebody has spawned since: wait on
    }

   private:
    TaskGroup& group_;
    std::coroutine_handle<> waiter_;
  };
  Join join() { return Join(*this); }

 private:
  static Child run_child(Task<> task);
  void child_finished();

  Loop& loop_;
  List<ListNode> children_;
  std::size_t size_ = 0;
  Join* joiner_ = nullptr;
};

}  // namespace pipette::async
