#include "pipette/server/read_ahead.h"

#include <algorithm>
#include <utility>

namespace pipette::server {
namespace {

constexpr std::size_t kMaxReadBytes = 64 * 1024;

}  // namespace

void ReadAhead::listen(std::size_t elsewhere) {
  listening_bytes_ = max_bytes_ - std::min(max_bytes_, elsewhere);
  is_listening_ = true;
  if (has_ended()) return owner_.input_ended();
  wait();
}

void ReadAhead::rest() {
  is_listening_ = false;
  if (waiter_ == nullptr) unlink();
}

void ReadAhead::dismiss() {
  if (waiter_ == nullptr) return;
  More& dismissed = *std::exchange(waiter_, nullptr);
  dismissed.ahead_ = nullptr;
  loop_.enqueue(dismissed);
}

void ReadAhead::forget_time_out() {
  if (error_ == std::errc::timed_out) error_ = {};
}

void ReadAhead::wait() {
  if (is_linked() || octets_.size() >= most()) return;
  connection_->wait(net::Direction::read, *this);
}

// Takes what is there, until there are `most`; true when there is news.
bool ReadAhead::read(std::size_t most) {
  if (octets_.size() >= most) return false;
  const std::size_t room = most - octets_.size();
  MutableBytes into = octets_.writable(std::min(room, read_bytes_));
  into = into.first(std::min(into.size(), room));
  const Result<std::size_t> count = connection_->try_read(into);
  if (count && *count > 0) {
    octets_.commit(*count);
    received_ += *count;
    read_bytes_ = *count == into.size() ? std::min(2 * *count, kMaxReadBytes) : kMinReadBytes;
    return true;
  }
  if (count) {
    has_finished_ = true;
  } else if (count.error() == make_error_code(Errc::would_block)) {
    return false;
  } else {
    error_ = count.error();
  }
  return true;
}

void ReadAhead::run() {
  const bool has_news = read(most());
  if (!has_ended() && (is_listening_ || !has_news)) wait();
  if (!has_news) return;
  if (has_ended() && is_listening_) owner_.input_ended();
  if (waiter_ != nullptr) std::exchange(waiter_, nullptr)->run();
}

}  // namespace pipette::server
