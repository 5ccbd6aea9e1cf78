// When a call that failed is tried again.
//
//   safe: no octet of a response has come, and either the method is idempotent (RFC 9110 §9.2.2) or no octet of the
//   request has gone. Nothing else is ever repeated, whatever the policy says.
//
//   a kept connection that the server closed as the call began ──> at once, on a new one
//   anything else                                              ──> if `on_new_connections`: after a pause, if the
//                                                                  budget has something left
//
// The pause before the n-th repetition is a random part of first_pause * 2^(n-1), or of longest_pause, so that clients
// that failed together do not come back together. What is repeated never takes longer than the call's deadline; a
// deadline that strikes is the end of the call.
//
// The budget keeps a failing server from getting several times its load: each call puts `budget_percent` of a
// repetition in, up to `budget_reserve` of them, each repetition behind a pause takes one out.
#pragma once

#include <cstdint>
#include <functional>
#include <system_error>

#include "pipette/base/time.h"

namespace pipette::client {

struct Request;

struct Failure {
  const Request& request;
  int attempts;           // that were made
  std::error_code error;  // of the last one
  bool was_reused;        // its connection had been used before
};

struct RetryPolicy {
  int max_attempts = 3;
  bool on_new_connections = false;
  Duration first_pause = std::chrono::milliseconds(50);
  Duration longest_pause = std::chrono::seconds(2);
  unsigned budget_percent = 20;
  unsigned budget_reserve = 10;
  // Asked about each repetition that is safe and within the bounds; null: yes. Must not throw.
  std::function<bool(const Failure&)> retry_if;
};

// What is left for repetitions, of one client.
class RetryBudget {
 public:
  explicit RetryBudget(const RetryPolicy& policy)
      : percent_(policy.budget_percent), most_(std::uint64_t{policy.budget_reserve} * 100), left_(most_) {}

  void earn() { left_ = left_ + percent_ < most_ ? left_ + percent_ : most_; }
  bool spend() {
    if (left_ < 100) return false;
    left_ -= 100;
    return true;
  }

 private:
  std::uint64_t percent_;
  std::uint64_t most_;  // hundredths of a repetition
  std::uint64_t left_;
};

}  // namespace pipette::client
