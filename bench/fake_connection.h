// Connections without another end: one repeats one request, the other answers each with one canned response.
//
// The same work as the fake connections of the Go peers do: no system call, no copy on the far side.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "pipette/net/listener.h"
#include "pipette/net/wait_slot.h"

#include "tests/support/fake_connection.h"

namespace pipette::bench {

class FakeListener;

// Gives `requests` of the listener's requests in turn, back to back, then end of stream. Discards what is written.
class RequestSource final : public test::FakeConnection {
 public:
  RequestSource(FakeListener& listener, std::size_t requests);
  ~RequestSource() override;

  Result<std::size_t> try_read(MutableBytes into) override;

  static void* operator new(std::size_t size);
  static void operator delete(void* memory);

 private:
  FakeListener& listener_;
  std::size_t left_;  // octets
  std::size_t at_ = 0;
};

// Hands out `budget` requests, at most `requests_per_connection` a connection and `clients` connections at a time.
class FakeListener final : public net::Listener {
 public:
  // `requests` has one request, or several of the same size.
  FakeListener(async::Loop& loop, std::string_view requests, std::size_t request_bytes,
               std::size_t requests_per_connection, std::size_t clients)
      : loop_(loop),
        requests_(requests),
        request_bytes_(request_bytes),
        requests_per_connection_(requests_per_connection),
        free_clients_(clients) {}

  void add_budget(std::size_t requests) {
    budget_ += requests;
    wake();
  }

  Result<net::Connected> try_accept() override {
    if (budget_ == 0 || free_clients_ == 0) return fail(Errc::would_block);
    const std::size_t requests = std::min(budget_, requests_per_connection_);
    budget_ -= requests;
    --free_clients_;
    return net::Connected{std::make_unique<RequestSource>(*this, requests), {}, {}};
  }
  void wait(net::Waiter& waiter) override { waiters_.push_back(waiter); }
  bool shed() override { return false; }
  void close() override {}
  net::Address address() const override { return {}; }

  std::string_view requests() const { return requests_; }
  std::size_t request_bytes() const { return request_bytes_; }
  void give_back() {
    ++free_clients_;
    if (budget_ > 0) wake();
  }

 private:
  void wake() {
    if (!waiters_.empty()) loop_.enqueue(waiters_.front());
  }

  async::Loop& loop_;
  std::string_view requests_;
  std::size_t request_bytes_;
  std::size_t requests_per_connection_;
  std::size_t free_clients_;
  std::size_t budget_ = 0;
  List<net::Waiter> waiters_;
};

// Answers each write with one canned response, in the same thread.
class CannedServer final : public test::FakeConnection {
 public:
  CannedServer(async::Loop& loop, std::string_view response) : reader_(loop), response_(response) {}

  Result<std::size_t> try_read(MutableBytes into) override {
    if (left_ == 0) return fail(Errc::would_block);
    const std::size_t count = std::min(into.size(), left_);
    std::memcpy(into.data(), response_.data() + (response_.size() - left_), count);
    left_ -= count;
    return count;
  }
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override {
    left_ = response_.size();
    reader_.wake();
    return size_of(pieces);
  }
  void wait(net::Direction, net::Waiter& waiter) override { reader_.wait(waiter); }

 private:
  net::WaitSlot reader_;
  std::string_view response_;
  std::size_t left_ = 0;
};

}  // namespace pipette::bench
