#include "pipette/client/pipelined_call.h"

#include "pipette/client/pipeline_connection.h"

namespace pipette::client {

void PipelinedCall::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  loop_.keep_lane(*this);
  deadlines_.add(*this);
}

void PipelinedCall::end(std::error_code error, Fate fate) {
  connection_ = nullptr;
  error_ = error && until_ <= loop_.now() ? make_error_code(Errc::timed_out) : error;
  fate_ = fate;
  if (is_armed()) loop_.disarm(*this);
  loop_.enqueue(*this);
}

void PipelinedCall::run() {
  if (connection_ != nullptr) {
    leave();
    error_ = make_error_code(Errc::timed_out);
    fate_ = Fate::unknown;
  }
  waiter_.resume();
}

void PipelinedCall::leave() {
  if (connection_ == nullptr) return;
  connection_->abandon(number_);
  connection_ = nullptr;
}

void CallDeadlines::add(PipelinedCall& call) {
  const TimePoint deadline = call.until();
  if (deadline == kNever) return;
  if (deadline != after(loop_.now(), usual_)) return loop_.arm(call, deadline);
  if (calls_.empty()) loop_.arm(*this, deadline);
  calls_.push_back(call);
}

void CallDeadlines::run() {
  while (!calls_.empty() && calls_.front().until() <= loop_.now()) loop_.enqueue(calls_.front());
  if (!calls_.empty()) loop_.arm(*this, calls_.front().until());
}

}  // namespace pipette::client
