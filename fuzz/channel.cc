// The model of what happens to octets on their way, against what must be so whatever toxics there are:
//
//   what comes out is a prefix of what went in, in order; all of it when nothing cut it off
//   S + R octets at most; a write takes what room() promised
//   nothing happens before next_event(), and something does then
//   without toxics it is a bounded string
#include "pipette/net/channel.h"

#include <string>

#include "pipette/lab/oracles.h"

#include "fuzz/require.h"
#include "fuzz/toxics_input.h"

namespace pipette::fuzz {
namespace {

using net::Channel;

net::ChannelOptions read_options(Numbers& numbers) {
  net::ChannelOptions options;
  const unsigned which = numbers.next();
  options.send_buffer_bytes = 1 + numbers.next();
  options.receive_buffer_bytes = 1 + numbers.next();
  if ((which & 1U) != 0) options.mss = 1 + numbers.below(16);
  options.coalesce = (which & 2U) == 0;
  if ((which & 4U) != 0) options.max_read_bytes = 1 + numbers.below(16);
  if ((which & 8U) != 0) options.max_write_bytes = 1 + numbers.below(16);
  return options;
}

// What can be seen of a channel.
struct Seen {
  explicit Seen(const Channel& channel)
      : unread(channel.unread()),
        flying(channel.flying()),
        unsent(channel.unsent()),
        end(channel.end()),
        next_event(channel.next_event()) {}
  bool operator==(const Seen&) const = default;

  std::size_t unread;
  std::size_t flying;
  std::size_t unsent;
  Channel::End end;
  TimePoint next_event;
};

class Run {
 public:
  explicit Run(Numbers numbers)
      : numbers_(numbers),
        options_(read_options(numbers_)),
        channel_(options_, decisions_, 1),
        is_plain_(options_.coalesce) {}

  void play() {
    while (!numbers_.empty()) {
      step();
      look();
    }
    drain();
  }

 private:
  void step() {
    switch (numbers_.below(10)) {
      case 0:
      case 1:
      case 2:
        return write(1 + numbers_.next());
      case 3:
      case 4:
        return read(1 + numbers_.next());
      case 5:
        return pass(numbers_.time());
      case 6:
        return pass_to_next_event();
      case 7:
        return set_toxics(read_toxics(numbers_));
      case 8:
        has_finished_ = true;
        return channel_.finish(now_);
      case 9:
        return break_off(numbers_.below(8));
    }
  }

  void write(std::size_t size) {
    if (has_finished_) return;
    std::string octets;
    for (std::size_t i = 0; i < size; ++i) octets += octet_at(written_ + i);
    const std::size_t promised = std::min({channel_.room(), size, options_.max_write_bytes});
    const bool is_writable = channel_.is_writable();
    const Bytes piece = octets;
    const std::size_t taken = channel_.write({&piece, 1}, now_);
    require(taken <= size && taken >= promised && (taken > 0) == is_writable);
    const std::uint64_t room = options_.send_buffer_bytes + options_.receive_buffer_bytes - (written_ - read_);
    if (is_plain_) require(taken == std::min<std::uint64_t>({size, room, options_.max_write_bytes}));
    written_ += taken;
  }

  void read(std::size_t room) {
    std::string octets(room, '\0');
    const std::size_t arrived = channel_.arrived().size();
    const std::size_t count = channel_.read(octets, now_);
    require(count == std::min(room, arrived) && count <= options_.max_read_bytes);
    for (std::size_t i = 0; i < count; ++i) require(octets[i] == octet_at(read_ + i));
    read_ += count;
    require(read_ <= written_);
  }

  // Up to an event there is nothing to see.
  void pass(Duration wait) {
    const TimePoint target = after(now_, wait);
    while (channel_.next_event() <= target) pass_to_next_event();
    now_ = target;
    const Seen before(channel_);
    require(channel_.advance(now_) == Channel::Changes());
    require(before == Seen(channel_));
  }

  void pass_to_next_event() {
    (void)channel_.advance(now_);
    const TimePoint next = channel_.next_event();
    if (next == kNever) return;
    require(next > now_);
    const Seen before(channel_);
    if (next - now_ > Duration(1)) {
      now_ = next - Duration(1);
      require(channel_.advance(now_) == Channel::Changes());
      require(before == Seen(channel_));
    }
    now_ = next;
    (void)channel_.advance(now_);
    require(!(before == Seen(channel_)));
  }

  void set_toxics(const net::Toxics& toxics) {
    is_plain_ = false;
    is_cut_ = is_cut_ || !is_survivable(toxics);
    channel_.set_toxics(toxics, now_);
  }

  void break_off(unsigned how) {
    if (how > 2) return;
    is_cut_ = true;
    is_plain_ = false;
    if (how == 0) channel_.send_reset(now_);
    if (how == 1) channel_.cut();
    if (how == 2) channel_.reset();
    has_finished_ = has_finished_ || how == 0;
  }

  void look() {
    (void)channel_.advance(now_);
    require(channel_.size() <= options_.send_buffer_bytes + options_.receive_buffer_bytes);
    require(channel_.unread() + channel_.flying() + channel_.unsent() == channel_.size());
    if (channel_.is_plain()) require(channel_.next_event() == kNever);
    if (!is_cut_) require(channel_.size() == written_ - read_);
  }

  void drain() {
    channel_.set_toxics({}, now_);
    if (!has_finished_) channel_.finish(now_);
    for (;;) {
      (void)channel_.advance(now_);
      if (!channel_.arrived().empty()) {
        read(256);
      } else if (channel_.next_event() != kNever) {
        pass_to_next_event();
      } else {
        break;
      }
    }
    require(channel_.end() != Channel::End::open);
    if (!is_cut_) require(read_ == written_ && channel_.end() == Channel::End::finished);
  }

  Numbers numbers_;
  SeededOracle oracle_{1};
  Decisions decisions_{oracle_};
  net::ChannelOptions options_;
  Channel channel_;
  TimePoint now_{};
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  bool is_plain_;  // a bounded string
  bool is_cut_ = false;
  bool has_finished_ = false;
};

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using pipette::fuzz::Numbers;
  pipette::fuzz::Run(Numbers({reinterpret_cast<const char*>(data), size})).play();  // NOLINT: libFuzzer's signature
  return 0;
}
