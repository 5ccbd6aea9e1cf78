#include "pipette/server/outbox.h"

#include <array>
#include <utility>

#include "pipette/server/rate.h"

namespace pipette::server {

bool Outbox::push() {
  if (is_waiting_) return false;
  if (is_empty() || is_broken()) {
    gathered_.clear();
    body_ = {};
    return true;
  }
  sent_before_ = sent_;
  if (send()) return true;
  begin_to_wait();
  return false;
}

// Tries once; true when nothing is left to be tried.
bool Outbox::send() {
  const std::array<Bytes, 2> pieces = {gathered_.readable(), body_};
  const Result<std::size_t> taken = connection_->try_write(std::span(pieces).first(body_.empty() ? 1 : 2));
  if (!taken) {
    if (taken.error() == make_error_code(Errc::would_block)) return false;
    fail_with(taken.error() == std::errc::timed_out ? deadline_means_ : Failure::connection);
    return true;
  }
  sent_ += *taken;
  const std::size_t of_gathered = std::min(*taken, pieces[0].size());
  gathered_.consume(of_gathered);
  body_.remove_prefix(*taken - of_gathered);
  return is_empty();
}

void Outbox::begin_to_wait() {
  is_waiting_ = true;
  waits_since_ = loop_.now();
  move_deadline();
  connection_->wait(net::Direction::write, *this);
}

void Outbox::move_deadline() {
  const TimePoint whole = own_deadline_ != kNever ? own_deadline_ : after(waits_since_, limits_.timeout);
  const TimePoint slow = after(waits_since_, allowed_time(sent_ - sent_before_, limits_.min_rate));
  deadline_means_ = slow < whole ? Failure::too_slow : Failure::timed_out;
  connection_->set_deadline(net::Direction::write, std::min(whole, slow));
}

void Outbox::run() {
  const std::uint64_t before = sent_;
  if (!is_broken() && !send()) {
    if (sent_ != before) move_deadline();
    connection_->wait(net::Direction::write, *this);
    return;
  }
  end_wait();
}

// Everything has gone, or nothing goes any more.
void Outbox::end_wait() {
  is_waiting_ = false;
  unlink();
  connection_->set_deadline(net::Direction::write, kNever);
  if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->run();
}

void Outbox::fail_with(Failure failure) {
  if (is_broken()) return;
  failure_ = failure;
  gathered_.clear();
  body_ = {};
  owner_.output_broke();
}

bool Outbox::dismiss() {
  if (waiter_ == nullptr) return false;
  Flush& dismissed = *waiter_;
  forget_waiter();
  dismissed.outbox_ = nullptr;
  loop_.enqueue(dismissed);
  return true;
}

void Outbox::forget_waiter() {
  waiter_ = nullptr;
  gathered_.append(std::exchange(body_, Bytes()));
}

}  // namespace pipette::server
