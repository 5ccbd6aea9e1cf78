#include "pipette/async/timer.h"

#include <cassert>

namespace pipette::async {

Timer::~Timer() {
  if (queue_ != nullptr) queue_->remove(*this);
}

TimerQueue::~TimerQueue() {
  for (const Entry& entry : heap_) entry.timer->queue_ = nullptr;
}

void TimerQueue::arm(Timer& timer, TimePoint deadline) {
  timer.unlink();
  timer.deadline_ = deadline;
  timer.order_ = next_order_++;
  if (timer.queue_ == nullptr) {
    if (deadline == kNever) return;
    timer.queue_ = this;
    heap_.emplace_back();
    sift_up(heap_.size() - 1, {deadline, timer.order_, &timer});
    return;
  }
  assert(timer.queue_ == this);
  // Later or cleared: the entry stays where it is and is corrected when it comes to the top.
  if (deadline < heap_[timer.index_].key) sift_up(timer.index_, {deadline, timer.order_, &timer});
}

TimePoint TimerQueue::next_deadline() {
  correct_top();
  return heap_.empty() ? kNever : heap_.front().key;
}

void TimerQueue::take_due(TimePoint now, List<Runnable>& due) {
  while (next_deadline() <= now && !heap_.empty()) {
    Timer& timer = *heap_.front().timer;
    remove(timer);
    timer.deadline_ = kNever;
    due.push_back(timer);
  }
}

// Re-keys or drops stale entries until the top is what its timer says.
void TimerQueue::correct_top() {
  while (!heap_.empty()) {
    Timer& timer = *heap_.front().timer;
    if (heap_.front().order == timer.order_) return;
    if (timer.deadline_ == kNever) {
      remove(timer);
    } else {
      sift_down(0, {timer.deadline_, timer.order_, &timer});
    }
  }
}

void TimerQueue::remove(Timer& timer) {
  const std::size_t index = timer.index_;
  timer.queue_ = nullptr;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && last < heap_[(index - 1) / 2]) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

void TimerQueue::place(std::size_t index, Entry entry) {
  heap_[index] = entry;
  entry.timer->index_ = index;
}

void TimerQueue::sift_up(std::size_t index, Entry entry) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!(entry < heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerQueue::sift_down(std::size_t index, Entry entry) {
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

}  // namespace pipette::async
