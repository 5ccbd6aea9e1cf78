// Outbox: what is on its way to the client. Internal to server/.
//
//   responses are written into gathered() ──> push(): as much as goes at once ──> the rest follows by itself
//                                             co_await flush(): until all of it has been handed to the network
//
// Nothing that the server waits for ever waits behind this: a handler may work while its predecessor's response drips
// out, and what is gathered meanwhile goes behind it.
//
// Time      a batch has `timeout` from the moment at which it has to wait, and after 5 seconds of waiting the client
//           must have taken `min_rate` octets a second on average. Both are one deadline, moved as octets go.
// Errors    the connection that fails, or is too slow, is broken for good: what is gathered then goes nowhere.
// Lifetime  the connection outlives it. A body that is written stays where it is until the flush has ended; when the
//           flush dies before that, the rest of the body is copied.   Threads  the loop's.
#pragma once

#include <coroutine>
#include <cstdint>

#include "pipette/base/buffer.h"
#include "pipette/net/connection.h"

namespace pipette::server {

class Outbox final : private net::Waiter {
 public:
  struct Limits {
    Duration timeout{};
    std::uint64_t min_rate = 0;  // octets a second; 0: none
  };
  // Who has to know how a batch failed.
  enum class Failure : std::uint8_t { none, timed_out, too_slow, connection };

  // Told when the connection breaks.
  class Owner {
   public:
    virtual void output_broke() = 0;

   protected:
    ~Owner() = default;
  };

  Outbox(async::Loop& loop, Owner& owner) : loop_(loop), owner_(owner) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() = default;

  // From now on to this connection. Before it, and while it changes, nothing is on its way.
  void attach(net::Connection& connection, const Limits& limits) {
    connection_ = &connection;
    limits_ = limits;
  }

  Buffer& gathered() { return gathered_; }
  void set_limits(const Limits& limits) { limits_ = limits; }
  // Of what is written from now on, in place of the timeout; kNever: the timeout again.
  void set_deadline(TimePoint deadline) { own_deadline_ = deadline; }

  // All that was gathered, and `body` behind it.
  // True: it has gone, or the connection is broken. False: it was dismissed, and the outbox may be gone.
  class [[nodiscard]] Flush final : public async::Runnable {
   public:
    explicit Flush(Outbox& outbox) : outbox_(&outbox) {}
    ~Flush() {
      if (outbox_ != nullptr && outbox_->waiter_ == this) outbox_->forget_waiter();
    }
    bool await_ready() const { return outbox_->push(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      handle_ = waiter;
      outbox_->waiter_ = this;
    }
    bool await_resume() const { return outbox_ != nullptr; }
    void run() override { handle_.resume(); }

   private:
    friend class Outbox;
    Outbox* outbox_;  // null: dismissed
    std::coroutine_handle<> handle_;
  };
  Flush flush() { return Flush(*this); }
  Flush flush(Bytes body) {
    body_ = body;
    return Flush(*this);
  }

  // Whoever waits for a flush is told so, from the loop; what he wanted to be sent is. Whether there was somebody.
  bool dismiss();

  // As much as goes at once; true when nothing is left, also because the connection is broken.
  bool push();
  bool is_empty() const { return gathered_.empty() && body_.empty(); }
  bool is_broken() const { return failure_ != Failure::none; }
  Failure failure() const { return failure_; }
  // From now on nothing goes.
  void break_off() { fail_with(Failure::connection); }
  // What the network has taken.
  std::uint64_t sent() const { return sent_; }

 private:
  void run() override;
  bool send();
  void begin_to_wait();
  void move_deadline();
  void end_wait();
  void fail_with(Failure failure);
  void forget_waiter();

  net::Connection* connection_ = nullptr;
  async::Loop& loop_;
  Owner& owner_;
  Limits limits_;
  Buffer gathered_;
  Bytes body_;  // goes behind what is gathered
  TimePoint own_deadline_ = kNever;
  TimePoint waits_since_{};
  std::uint64_t sent_ = 0;
  std::uint64_t sent_before_ = 0;  // this batch
  Failure failure_ = Failure::none;
  Failure deadline_means_ = Failure::timed_out;
  bool is_waiting_ = false;
  Flush* waiter_ = nullptr;
};

}  // namespace pipette::server
