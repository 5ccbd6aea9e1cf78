// Channel: the octets under way in one direction of a connection, and everything that may happen to them.
//
//   write ─> [ send buffer S ] ─ segments ─> [ in flight, each with its time ] ─> [ receive buffer R ] ─> read
//                                                                     the end, behind the data ─────────> end()
//
// A segment leaves S when R has credit for it (unread + in flight <= R), so a reader that does not read stops the
// writer. What happens on the way is said in net/toxics.h. Without toxics a channel is a buffer of S + R octets: what
// is written has arrived.
//
// No loop and no timers here: time is an argument and never goes back. Who owns a channel asks is_plain() after every
// call; when it is not, it calls advance(now), acts on what that says, and does so again at next_event():
//
//   if (!channel.is_plain()) { act_on(channel.advance(now)); loop.arm(timer, channel.next_event()); }
//
// A channel knows one direction. What ends a connection ends both: on `closed` cut() the other one, on `reset` reset()
// it.
//
// Change    set_toxics() at any moment.
//           What is in flight keeps its time of arrival, unless it is held (by a stall or a timeout): then it arrives
//           when the hold is cleared, or at its own time if that is later.
//           What still waits in S, the end too, leaves under the new toxics.
// Chance    only through Decisions, and only where toxics leave something open: "jitter" and "slice size", asked once a
//           segment. The answer 0 is no jitter, and the average size.
// Units     octets. Times are exact: nothing arrives a nanosecond early, and next_event() is when something will.
// Bounds    S + R octets, and a record for each segment in flight or unread.
// Lifetime  decisions, and a trigger until it strikes or is disarmed, outlive the channel.   Threads  one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "pipette/base/buffer.h"
#include "pipette/base/bytes.h"
#include "pipette/base/oracle.h"
#include "pipette/base/time.h"
#include "pipette/net/toxics.h"

namespace pipette::net {

struct ChannelOptions {
  std::size_t send_buffer_bytes = 32 * 1024;     // S
  std::size_t receive_buffer_bytes = 32 * 1024;  // R
  std::size_t mss = 1460;                        // a segment holds at most this many octets
  bool coalesce = true;                          // false: no segment joins two writes, and no read two segments
  std::size_t max_read_bytes = SIZE_MAX;         // a read gives at most this many
  std::size_t max_write_bytes = SIZE_MAX;        // a write takes at most this many

  // Both buffers together, half of it each, which is one octet at least; the odd octet is S's.
  ChannelOptions& with_capacity(std::size_t octets) {
    send_buffer_bytes = std::max<std::size_t>(1, octets - octets / 2);
    receive_buffer_bytes = std::max<std::size_t>(1, octets / 2);
    return *this;
  }
};

// Watches what is written, and says when the toxics that it was armed with shall set in.
class Trigger {
 public:
  Trigger() = default;
  Trigger(const Trigger&) = delete;
  Trigger& operator=(const Trigger&) = delete;
  virtual ~Trigger() = default;

  // A write begins, of which at least one octet will be taken.
  virtual void begin_write() {}
  // How many octets of `next` still pass, which is never empty; fewer than all of them: now it strikes.
  virtual std::size_t pass(Bytes next) = 0;
};

// Lets so many octets pass; the next one strikes.
class AfterBytes final : public Trigger {
 public:
  explicit AfterBytes(std::uint64_t count) : left_(count) {}
  std::size_t pass(Bytes next) override;

 private:
  std::uint64_t left_;
};

// Lets so many writes pass; the next one strikes.
class AfterWrites final : public Trigger {
 public:
  explicit AfterWrites(std::uint64_t count) : left_(count) {}
  void begin_write() override;
  std::size_t pass(Bytes next) override;

 private:
  std::uint64_t left_;
  bool passes_ = false;  // the write that goes on
};

class Channel {
 public:
  // What comes behind the data that have arrived.
  enum class End : std::uint8_t {
    open,      // more data, perhaps
    finished,  // the end, as the writer wanted
    closed,    // the end, as somebody in the middle wanted
    reset,
  };

  // What has happened since the last advance().
  struct Changes {
    bool readable = false;  // data have arrived
    bool writable = false;  // there is more room
    bool finished = false;  // end() has become this
    bool closed = false;    // or this: cut() the other direction
    bool reset = false;     // or this: reset() the other direction

    bool operator==(const Changes&) const = default;
  };

  Channel(const ChannelOptions& options, Decisions& decisions, std::uint64_t object);

  // ---- the writer's end

  // How much was taken; 0: full (or nothing was given). What is written into a broken channel is taken and lost.
  std::size_t write(std::span<const Bytes> pieces, TimePoint now);
  // Nothing is written any more: the end is sent behind what was.
  void finish(TimePoint now);
  // The writer resets the connection: what waits in S is gone at once, and what is in flight when the reset arrives.
  void send_reset(TimePoint now);
  bool is_writable() const { return swallows() || room() > 0; }
  // Octets that a write takes at least; more when some of it leaves at once.
  std::size_t room() const;
  // Whether the writer has to be told that the connection was reset.
  bool is_broken() const { return end_ == End::closed || end_ == End::reset; }

  // ---- the reader's end

  // How much was read; 0: nothing has arrived, see end().
  std::size_t read(MutableBytes into, TimePoint now);
  // The same in two steps: what one read may give, and taking some of it.
  Bytes arrived() const { return buffer_.readable().substr(0, readable_bytes()); }
  void consume(std::size_t count, TimePoint now);
  bool is_readable() const { return unread() > 0 || end_ != End::open; }
  End end() const { return end_; }

  // ---- in between

  void set_toxics(const Toxics& toxics, TimePoint now);
  const Toxics& toxics() const { return toxics_; }
  // When `trigger` strikes, `toxics` take the place of those that are there. One trigger at a time.
  void arm(Trigger& trigger, const Toxics& toxics);
  void disarm() { trigger_ = nullptr; }
  // Here and now, whatever is on the way: the connection is closed, or reset. What has not arrived is gone.
  void cut() { break_off(End::closed); }
  void reset() { break_off(End::reset); }

  // Nothing is under way and nothing has to be told: advance() and next_event() have nothing to say.
  bool is_plain() const { return is_plain_; }
  // Lets happen what is due, and says what has happened since the last time.
  Changes advance(TimePoint now);
  // When advance() has something to do next; kNever: not before another call.
  TimePoint next_event() const;

  // May be changed at any time. Smaller buffers lose nothing: they only take less.
  void set_options(const ChannelOptions& options);
  const ChannelOptions& options() const { return options_; }

  // What has arrived and is not read; what is in flight; what waits in S.
  std::size_t unread() const { return buffer_.size() - unsent_ - flying_; }
  std::size_t flying() const { return flying_; }
  std::size_t unsent() const { return unsent_; }
  std::size_t size() const { return buffer_.size(); }

 private:
  // First in, first out; keeps its memory, so that a warm channel allocates nothing.
  template <class T>
  class Fifo {
   public:
    bool empty() const { return head_ == items_.size(); }
    T& front() { return items_[head_]; }
    const T& front() const { return items_[head_]; }
    T& back() { return items_.back(); }
    void push(T item) {
      if (head_ > 0 && items_.size() == items_.capacity() && head_ >= items_.size() / 2) drop_popped();
      items_.push_back(item);
    }
    void pop() {
      if (++head_ == items_.size()) clear();
    }
    void clear() {
      items_.clear();
      head_ = 0;
    }

   private:
    void drop_popped() {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    std::vector<T> items_;
    std::size_t head_ = 0;
  };

  struct Segment {
    std::size_t size = 0;
    TimePoint arrival{};
  };

  // The end that the writer, or limit_data, has put behind the data.
  enum class Fin : std::uint8_t { none, unsent, flying, arrived };

  std::size_t capacity() const { return options_.send_buffer_bytes + options_.receive_buffer_bytes; }
  bool swallows() const { return is_broken() || is_used_up_; }
  std::size_t readable_bytes() const {
    return std::min(slices_.empty() ? unread() : slices_.front(), options_.max_read_bytes);
  }

  // Reads do not join what arrives now.
  bool keeps_slices() const { return !options_.coalesce || toxics_.slicer.average_size > 0; }

  std::size_t write_afflicted(std::span<const Bytes> pieces, TimePoint now);
  std::size_t take(Bytes piece, TimePoint now);
  void enqueue(Bytes part, TimePoint now);
  void end_by_limit(TimePoint now);
  std::size_t read_afflicted(MutableBytes into, TimePoint now);
  void consume_afflicted(std::size_t count, TimePoint now);

  void step(TimePoint now);
  TimePoint next_strike() const;
  void break_off(End end);
  void forget_unsent();

  void send_due(TimePoint now);
  TimePoint departure() const;
  std::size_t credit() const;
  void send_segment(TimePoint start);
  std::size_t segment_size();
  std::size_t slice_size();
  Duration draw_jitter();
  void send_fin();
  void land_due(TimePoint now);
  void land(std::size_t count);

  // What a plain channel looks at comes first, so that it lies together.
  bool is_plain_ = true;
  End end_ = End::open;
  Fin fin_ = Fin::none;
  bool is_used_up_ = false;    // limit_data has passed: what is written is lost, and the end closes the connection
  bool begins_write_ = false;  // the next octet is the first of a write

  Buffer buffer_;           // unread, in flight, unsent: in this order
  std::size_t unsent_ = 0;  // of its octets
  std::size_t flying_ = 0;
  ChannelOptions options_;

  Decisions& decisions_;
  std::uint64_t object_;
  Fifo<std::size_t> writes_;  // of what is unsent, unless it coalesces
  Fifo<Segment> flight_;
  Fifo<std::size_t> slices_;  // of what is unread, when reads must not join it
  Toxics toxics_;
  std::uint64_t limit_left_ = 0;
  Changes changes_;
  TimePoint could_leave_at_{};          // since when nothing but the line has held the first unsent octet
  TimePoint line_free_at_{};            // bandwidth
  TimePoint next_slice_at_{};           // slicer
  TimePoint last_arrival_{};            // nothing overtakes
  TimePoint fin_at_ = kNever;           // when the end arrives
  TimePoint sent_reset_at_ = kNever;    // when the writer's reset arrives
  TimePoint close_at_ = kNever;         // timeout
  TimePoint strike_reset_at_ = kNever;  // reset_peer

  Trigger* trigger_ = nullptr;
  Toxics armed_;
};

// ---- the fast paths
// --------------------------------------------------------------------------------------------------

inline std::size_t Channel::write(std::span<const Bytes> pieces, TimePoint now) {
  if (!is_plain_ || end_ != End::open) [[unlikely]]
    return write_afflicted(pieces, now);
  std::size_t left = std::min(capacity() - std::min(capacity(), buffer_.size()), options_.max_write_bytes);
  std::size_t taken = 0;
  for (const Bytes piece : pieces) {
    const Bytes part = piece.substr(0, left);
    if (!part.empty()) buffer_.append(part);
    left -= part.size();
    taken += part.size();
  }
  return taken;
}

// Octets that S takes before anything else leaves it.
inline std::size_t Channel::room() const {
  if (swallows()) return 0;
  const std::size_t in_send_buffer = options_.send_buffer_bytes - std::min(options_.send_buffer_bytes, unsent_);
  return std::min(in_send_buffer, capacity() - std::min(capacity(), size()));
}

inline void Channel::consume(std::size_t count, TimePoint now) {
  if (!is_plain_) [[unlikely]]
    return consume_afflicted(count, now);
  buffer_.consume(count);
}

inline std::size_t Channel::read(MutableBytes into, TimePoint now) {
  if (!is_plain_) [[unlikely]]
    return read_afflicted(into, now);
  const std::size_t count = std::min({into.size(), buffer_.size(), options_.max_read_bytes});
  if (count == 0) return 0;
  std::memcpy(into.data(), buffer_.readable().data(), count);
  buffer_.consume(count);
  return count;
}

}  // namespace pipette::net
