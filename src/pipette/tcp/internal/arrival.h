// Arrival: what one Asio operation brings, and the one who waits for it.
//
//   const auto arrival = std::make_shared<Arrival<int>>(loop);
//   signals.async_wait([to = Delivery(loop, arrival)](auto error, int signal) mutable { if (!error) to.bring(signal);
//   }); while (!arrival->value) co_await arrival->wait();
//
// Shared by the operation and the waiting coroutine, because either may end first: a coroutine that is destroyed, or
// has waited until its deadline, leaves the operation to finish into an Arrival that nobody looks at.
//
// Threads  an Arrival lives and dies on the loop's; a Delivery is what the operation holds, on Asio's.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include "pipette/async/loop.h"
#include "pipette/net/wait_slot.h"

namespace pipette::tcp {

template <class T>
struct Arrival {
  class [[nodiscard]] Wait final : public net::Waiter {
   public:
    explicit Wait(net::WaitSlot& slot) : slot_(slot) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      slot_.wait(*this);
    }
    void await_resume() const {}
    void run() override { waiter_.resume(); }

   private:
    net::WaitSlot& slot_;
    std::coroutine_handle<> waiter_;
  };

  explicit Arrival(async::Loop& loop) : slot(loop) {}

  void bring(T brought) {
    value = std::move(brought);
    slot.wake();
  }
  // Awaitable: the value has come, or the slot's deadline.
  Wait wait() { return Wait(slot); }

  std::optional<T> value;
  net::WaitSlot slot;
};

// Brings on the loop's thread, and lets go of the Arrival there, brought or not.
template <class T>
class Delivery {
 public:
  Delivery(async::Loop& loop, std::shared_ptr<Arrival<T>> arrival) : loop_(loop), arrival_(std::move(arrival)) {}
  Delivery(Delivery&&) noexcept = default;
  Delivery& operator=(Delivery&&) = delete;
  ~Delivery() {
    if (arrival_) loop_.post([dropped = std::move(arrival_)] {});
  }

  void bring(T brought) {
    loop_.post(
        [arrival = std::move(arrival_), value = std::move(brought)]() mutable { arrival->bring(std::move(value)); });
  }

 private:
  async::Loop& loop_;
  std::shared_ptr<Arrival<T>> arrival_;
};

}  // namespace pipette::tcp
