#include "pipette/async/stop.h"

#include <cassert>

namespace pipette::async {

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::none:
      return "none";
    case StopReason::handler_timeout:
      return "handler timeout";
    case StopReason::peer_finished:
      return "peer finished";
    case StopReason::peer_reset:
      return "peer reset";
    case StopReason::shutdown:
      return "shutdown";
    case StopReason::evicted:
      return "evicted";
    case StopReason::canceled:
      return "canceled";
  }
  return "unknown";
}

StopReason StopToken::reason() const { return source_ == nullptr ? StopReason::none : source_->reason(); }

void StopToken::add(Runnable& waiter) const {
  if (source_ == nullptr) return;
  if (source_->stop_requested()) {
    source_->loop_.enqueue(waiter);
  } else {
    source_->loop_.keep_lane(waiter);
    source_->waiters_.push_back(waiter);
  }
}

StopSource::StopSource(Loop& loop, StopToken parent) : loop_(loop) {
  if (parent.source_ == nullptr) return;
  parent.source_->children_.push_back(*this);
  reason_ = parent.reason();
}

void StopSource::request_stop(StopReason reason) {
  assert(reason != StopReason::none);
  if (stop_requested()) return;
  reason_ = reason;
  children_.for_each([reason](StopSource& child) { child.request_stop(reason); });
  while (!waiters_.empty()) loop_.enqueue(waiters_.front());
}

}  // namespace pipette::async
