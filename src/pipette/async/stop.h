// Cancellation that says why, costs no allocation and can be used again.
//
//   StopSource source(loop);              StopSource child(loop, source.token());   // stops when its parent does
//   StopWaiter waiter{…};                 source.token().add(waiter);
//   source.request_stop(StopReason::shutdown);   // enqueues every waiter once; runs none of them here
//
// Lifetime  waiters and child sources unlink themselves when they die; a token must not outlive its source.
// Threads   the loop's.
#pragma once

#include <string_view>

#include "pipette/async/loop.h"
#include "pipette/async/runnable.h"

namespace pipette::async {

enum class StopReason {
  none,
  handler_timeout,  // the handler's deadline has passed
  peer_finished,    // end of stream: the peer sends nothing more, but may still read the answer
  peer_reset,       // the connection is gone
  shutdown,         // the server is stopping
  evicted,          // the server needs the room
  canceled,         // whoever asked wants it no longer
};

std::string_view to_string(StopReason reason);

class StopSource;

class StopToken {
 public:
  // A token that is never stopped.
  StopToken() = default;

  bool stop_possible() const { return source_ != nullptr; }
  bool stop_requested() const { return reason() != StopReason::none; }
  StopReason reason() const;

  // Enqueues `waiter` when a stop is requested, at once if it already was. A Runnable that dies is forgotten.
  void add(Runnable& waiter) const;

 private:
  friend class StopSource;
  explicit StopToken(StopSource& source) : source_(&source) {}

  StopSource* source_ = nullptr;
};

class StopSource : private ListNode {
 public:
  explicit StopSource(Loop& loop) : loop_(loop) {}
  // A source that also stops, for the same reason, when `parent` does.
  StopSource(Loop& loop, StopToken parent);

  StopToken token() { return StopToken(*this); }
  StopReason reason() const { return reason_; }
  bool stop_requested() const { return reason_ != StopReason::none; }

  // The first reason stays. Children stop first, in the order they were made, then waiters are enqueued.
  void request_stop(StopReason reason);
  // As new, for the next use. Waiters and children that are registered stay so.
  void reset() { reason_ = StopReason::none; }

 private:
  friend class StopToken;
  friend class List<StopSource>;

  Loop& loop_;
  StopReason reason_ = StopReason::none;
  List<Runnable> waiters_;
  List<StopSource> children_;
};

}  // namespace pipette::async
