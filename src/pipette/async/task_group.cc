#include "pipette/async/task_group.h"

#include <exception>
#include <utility>

namespace pipette::async {

// The root coroutine of a child: starts from the loop, owns its frame, and tells the group when it ends.
class TaskGroup::Child {
 public:
  class promise_type : public RecycledFrame, public ListNode {
   public:
    struct Start final : Runnable {
      void run() override { frame.resume(); }
      std::coroutine_handle<> frame;
    };
    struct FinalAwaiter {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        TaskGroup& owner = *self.promise().group;
        self.destroy();
        owner.child_finished();
      }
      void await_resume() const noexcept {}
    };

    Child get_return_object() { return Child(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }

    Start start;
    TaskGroup* group = nullptr;
    std::source_location where;
  };

  explicit Child(std::coroutine_handle<promise_type> made) : frame(made) {}

  std::coroutine_handle<promise_type> frame;
};

TaskGroup::Child TaskGroup::run_child(Task<> task) { co_await task; }

void TaskGroup::spawn(Task<> task, std::source_location where) {
  Child child = run_child(std::move(task));
  Child::promise_type& promise = child.frame.promise();
  promise.group = this;
  promise.where = where;
  promise.start.frame = child.frame;
  children_.push_back(promise);
  ++size_;
  loop_.enqueue_in_new_lane(promise.start);
}

std::vector<std::source_location> TaskGroup::origins() const {
  std::vector<std::source_location> found;
  children_.for_each([&found](ListNode& child) { found.push_back(static_cast<Child::promise_type&>(child).where); });
  return found;
}

void TaskGroup::child_finished() {
  --size_;
  if (size_ == 0 && joiner_ != nullptr) loop_.enqueue(*std::exchange(joiner_, nullptr));
}

TaskGroup::~TaskGroup() {
  while (!children_.empty()) {
    auto& promise = static_cast<Child::promise_type&>(children_.back());
    std::coroutine_handle<Child::promise_type>::from_promise(promise).destroy();
  }
}

}  // namespace pipette::async
