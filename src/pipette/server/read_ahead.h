// ReadAhead: the read direction of a connection while a request is being served. Internal to server/.
//
//   octets()  what has arrived behind the head: the body, then requests that are pipelined
//
//   co_await more()   until there is more than there was, or an end; beyond the limit too, since who asks can do
//                     nothing with what is there
//   listen()          reads on in the background, up to a limit, so that a client that leaves is noticed at once
//   rest()            reads no more: who comes next has the direction for himself
//
// Lifetime  connection and owner outlive it.   Threads  the loop's.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <system_error>

#include "pipette/base/buffer.h"
#include "pipette/net/connection.h"

namespace pipette::server {

class ReadAhead final : private net::Waiter {
 public:
  // Told when the client has finished or is gone, while somebody listens.
  class Owner {
   public:
    virtual void input_ended() = 0;

   protected:
    ~Owner() = default;
  };

  ReadAhead(async::Loop& loop, Owner& owner, std::size_t max_bytes)
      : loop_(loop), owner_(owner), max_bytes_(max_bytes) {}
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() = default;

  // From now on from this connection. Before it, and while it changes, nobody reads, and nothing has been read.
  void attach(net::Connection& connection) { connection_ = &connection; }

  Buffer& octets() { return octets_; }
  std::uint64_t received() const { return received_; }

  // Both stay so: the client sends nothing more; reading has failed.
  bool has_finished() const { return has_finished_; }
  std::error_code error() const { return error_; }
  bool has_ended() const { return has_finished_ || error_; }
  // After a deadline that has been moved since.
  void forget_time_out();

  // `elsewhere`: octets that wait already, and count against the limit.
  void listen(std::size_t elsewhere = 0);
  void rest();

  // True: there is more, or an end. False: it was dismissed, and what it waited for may be gone.
  class [[nodiscard]] More final : public async::Runnable {
   public:
    explicit More(ReadAhead& ahead) : ahead_(&ahead) {}
    ~More() {
      if (ahead_ != nullptr && ahead_->waiter_ == this) ahead_->waiter_ = nullptr;
    }
    bool await_ready() const { return ahead_->has_ended() || ahead_->read(ahead_->most_for_asker()); }
    void await_suspend(std::coroutine_handle<> waiter) {
      handle_ = waiter;
      ahead_->waiter_ = this;
      ahead_->wait();
    }
    bool await_resume() const { return ahead_ != nullptr; }
    void run() override { handle_.resume(); }

   private:
    friend class ReadAhead;
    ReadAhead* ahead_;  // null: dismissed
    std::coroutine_handle<> handle_;
  };
  More more() { return More(*this); }
  // Whoever waits is told so, from the loop.
  void dismiss();

 private:
  static constexpr std::size_t kMinReadBytes = 1024;

  void run() override;
  std::size_t most_for_asker() const { return std::max(max_bytes_, octets_.size() + 1); }
  std::size_t most() const { return waiter_ != nullptr ? most_for_asker() : listening_bytes_; }
  bool read(std::size_t most);
  void wait();

  net::Connection* connection_ = nullptr;
  async::Loop& loop_;
  Owner& owner_;
  std::size_t max_bytes_;
  std::size_t listening_bytes_ = max_bytes_;
  std::size_t read_bytes_ = kMinReadBytes;  // the room for the next read: twice as much as the last one has filled
  Buffer octets_;
  std::uint64_t received_ = 0;
  std::error_code error_;
  bool has_finished_ = false;
  bool is_listening_ = false;
  More* waiter_ = nullptr;
};

}  // namespace pipette::server
