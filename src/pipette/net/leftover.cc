#include "pipette/net/leftover.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace pipette::net {
namespace {

// Gives what was read too early, then what the connection gives.
class WithLeftover final : public Connection {
 public:
  WithLeftover(async::Loop& loop, std::unique_ptr<Connection> connection, Bytes first)
      : loop_(loop), connection_(std::move(connection)), first_(first) {}

  Result<std::size_t> try_read(MutableBytes into) override {
    if (first_.empty() || is_aborted_ || read_deadline_ <= loop_.now()) return connection_->try_read(into);
    const std::size_t count = std::min(into.size(), first_.size() - taken_);
    std::memcpy(into.data(), first_.data() + taken_, count);
    taken_ += count;
    if (taken_ == first_.size()) std::string().swap(first_);
    return count;
  }
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override { return connection_->try_write(pieces); }
  Result<void> try_close_write() override { return connection_->try_close_write(); }
  void wait(Direction direction, Waiter& waiter) override {
    if (direction == Direction::write || first_.empty()) return connection_->wait(direction, waiter);
    loop_.keep_lane(waiter);
    loop_.enqueue(waiter);
  }
  void set_deadline(Direction direction, TimePoint deadline) override {
    if (direction == Direction::read) read_deadline_ = deadline;
    connection_->set_deadline(direction, deadline);
  }
  void abort() override {
    is_aborted_ = true;
    connection_->abort();
  }

 private:
  async::Loop& loop_;
  std::unique_ptr<Connection> connection_;
  std::string first_;
  TimePoint read_deadline_ = kNever;
  std::size_t taken_ = 0;
  bool is_aborted_ = false;
};

}  // namespace

std::unique_ptr<Connection> with_leftover(async::Loop& loop, std::unique_ptr<Connection> connection, Bytes first) {
  if (first.empty()) return connection;
  return std::make_unique<WithLeftover>(loop, std::move(connection), first);
}

}  // namespace pipette::net
