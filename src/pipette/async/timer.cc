#include "pipette/async/timer.h"

#include <algorithm>
#include <cassert>

namespace pipette::async {
namespace {

// Of an entry of the heap. Four, since each entry that moves touches its timer, which may be far away: half the levels
// of a binary heap.
constexpr std::size_t kChildren = 4;

constexpr std::size_t parent_of(std::size_t index) { return (index - 1) / kChildren; }
constexpr std::size_t first_child_of(std::size_t index) { return kChildren * index + 1; }

}  // namespace

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
  while (earliest() <= now && next_deadline() <= now && !heap_.empty()) {
    Timer& timer = *heap_.front().timer;
    remove(timer);
    timer.deadline_ = kNever;
    due.push_back(timer);
  }
}

// Re-keys or drops stale entries until the top is what its timer says, and somebody wants it.
void TimerQueue::correct_top() {
  while (!heap_.empty()) {
    Timer& timer = *heap_.front().timer;
    if (heap_.front().order == timer.order_) {
      if (timer.is_wanted()) return;
      timer.deadline_ = kNever;
    }
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
  if (index > 0 && last < heap_[parent_of(index)]) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

void TimerQueue::place(std::size_t index, Entry entry) {
  heap_[index] = entry;
  entry.timer->index_ = static_cast<std::uint32_t>(index);
}

void TimerQueue::sift_up(std::size_t index, Entry entry) {
  while (index > 0) {
    const std::size_t parent = parent_of(index);
    if (!(entry < heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerQueue::sift_down(std::size_t index, Entry entry) {
  while (first_child_of(index) < heap_.size()) {
    std::size_t child = first_child_of(index);
    const std::size_t end = std::min(child + kChildren, heap_.size());
    for (std::size_t other = child + 1; other < end; ++other) {
      if (heap_[other] < heap_[child]) child = other;
    }
    if (!(heap_[child] < entry)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

}  // namespace pipette::async
