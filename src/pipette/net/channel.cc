// Octets never move on their way: they stand in one buffer in the order in which they were written, and what moves are
// the borders between what is unread, in flight and unsent.
//
//   buffer_  [ unread ][ in flight: flight_ ][ unsent: writes_ ]
//
// Everything that has a time happens in step(), in the order of those times, also when step() comes late; so a real
// loop that oversleeps neither loses bandwidth nor changes which of two things came first.
#include "pipette/net/channel.h"

#include <array>
#include <cassert>
#include <chrono>

namespace pipette::net {
namespace {

constexpr Site kJitter{"jitter"};
constexpr Site kSliceSize{"slice size"};

constexpr unsigned kUniformSteps = 64;
constexpr unsigned kOneSpikeIn = 16;
// -ln(1 - k/32) in thousandths: what an exponential distribution of mean 1 stays under with probability k/32.
constexpr std::array<std::int64_t, 32> kExponentialQuantiles = {
    0,   32,  65,  98,  134, 170,  208,  247,  288,  330,  375,  421,  470,  521,  575,  633,
    693, 758, 827, 901, 981, 1068, 1163, 1269, 1386, 1520, 1674, 1856, 2079, 2367, 2773, 3466};
// Slice sizes to choose from: the average, and as many below as above.
constexpr std::size_t kMaxSliceSizes = 255;
// A segment holds what passes a thin line in one such part of a second.
constexpr std::uint64_t kSegmentsASecond = 10;

// How long `size` octets take at `bandwidth`, rounded up.
Duration line_time(std::size_t size, std::uint64_t bandwidth) {
  if (bandwidth == 0) return {};
  constexpr std::uint64_t second = std::chrono::nanoseconds(std::chrono::seconds(1)).count();
  const std::uint64_t whole = size / bandwidth * second;
  const std::uint64_t rest = size % bandwidth;
  // Above a thousand octets a nanosecond the product might overflow, and the rest takes no time worth telling.
  if (rest > UINT64_MAX / second - 1) return Duration(whole);
  return Duration(whole + (rest * second + bandwidth - 1) / bandwidth);
}

void check([[maybe_unused]] const Toxics& toxics) {
  assert(toxics.latency >= Duration() && toxics.jitter >= Duration() && "latency and jitter are 0 or more");
  assert(toxics.slow_close >= Duration() && "slow_close is 0 or more");
  assert(toxics.slicer.delay >= Duration() && "the slicer's delay is 0 or more");
  assert(toxics.timeout.value_or(Duration()) >= Duration() && "timeout is 0 (never closes) or more");
  assert(toxics.reset_peer.value_or(Duration()) >= Duration() && "reset_peer is 0 (at once) or more");
}

void check([[maybe_unused]] const ChannelOptions& options) {
  assert(options.send_buffer_bytes > 0 && options.receive_buffer_bytes > 0 && "a buffer holds one octet or more");
  assert(options.mss > 0 && "a segment holds one octet or more");
  assert(options.max_read_bytes > 0 && options.max_write_bytes > 0 && "a read or write moves one octet or more");
}

}  // namespace

// ---- triggers -------------------------------------------------------------------------------------------

std::size_t AfterBytes::pass(Bytes next) {
  const std::uint64_t count = std::min<std::uint64_t>(left_, next.size());
  left_ -= count;
  return static_cast<std::size_t>(count);
}

void AfterWrites::begin_write() {
  passes_ = left_ > 0;
  if (passes_) --left_;
}

std::size_t AfterWrites::pass(Bytes next) { return passes_ ? next.size() : 0; }

// ---- the writer's end -----------------------------------------------------------------------------------

Channel::Channel(const ChannelOptions& options, Decisions& decisions, std::uint64_t object)
    : is_plain_(options.coalesce), options_(options), decisions_(decisions), object_(object) {
  check(options);
}

std::size_t Channel::write_afflicted(std::span<const Bytes> pieces, TimePoint now) {
  step(now);
  std::size_t wanted = 0;
  for (const Bytes piece : pieces) wanted += piece.size();
  if (wanted == 0) return 0;
  assert((fin_ == Fin::none || swallows()) && "nothing is written behind the end");
  if (trigger_ != nullptr && room() > 0) trigger_->begin_write();
  begins_write_ = true;
  std::size_t left = options_.max_write_bytes;
  std::size_t taken = 0;
  for (const Bytes piece : pieces) {
    const Bytes part = piece.substr(0, left);
    const std::size_t count = take(part, now);
    taken += count;
    left -= count;
    if (count < piece.size()) break;
  }
  step(now);
  return taken;
}

// Takes of `piece` what there is room for, once what may leave has left.
std::size_t Channel::take(Bytes piece, TimePoint now) {
  std::size_t taken = 0;
  while (taken < piece.size()) {
    if (swallows()) return piece.size();
    send_due(now);
    Bytes part = piece.substr(taken, room());
    if (toxics_.limit_data && part.size() > limit_left_) part = part.substr(0, static_cast<std::size_t>(limit_left_));
    if (part.empty()) break;
    const std::size_t passed = trigger_ == nullptr ? part.size() : trigger_->pass(part);
    assert(passed <= part.size());
    enqueue(part.substr(0, passed), now);
    taken += passed;
    if (passed < part.size()) {
      trigger_ = nullptr;
      set_toxics(armed_, now);
    }
  }
  return taken;
}

void Channel::enqueue(Bytes part, TimePoint now) {
  if (part.empty()) return;
  if (unsent_ == 0) could_leave_at_ = now;
  buffer_.append(part);
  unsent_ += part.size();
  if (!options_.coalesce) {
    if (begins_write_ || writes_.empty()) {
      writes_.push(part.size());
    } else {
      writes_.back() += part.size();
    }
  }
  begins_write_ = false;
  if (!toxics_.limit_data) return;
  limit_left_ -= part.size();
  if (limit_left_ == 0) end_by_limit(now);
}

void Channel::finish(TimePoint now) {
  if (is_broken() || fin_ != Fin::none) return;
  is_plain_ = false;
  step(now);
  if (is_broken()) return;
  if (unsent_ == 0) could_leave_at_ = now;
  fin_ = Fin::unsent;
  step(now);
}

void Channel::end_by_limit(TimePoint now) {
  if (is_broken() || fin_ != Fin::none) return;
  is_used_up_ = true;
  if (unsent_ == 0) could_leave_at_ = now;
  fin_ = Fin::unsent;
}

void Channel::send_reset(TimePoint now) {
  if (is_broken() || sent_reset_at_ != kNever) return;
  is_plain_ = false;
  step(now);
  if (is_broken()) return;
  forget_unsent();
  if (fin_ == Fin::unsent) fin_ = Fin::none;
  sent_reset_at_ = after(now, toxics_.latency);
  step(now);
}

// ---- the reader's end -----------------------------------------------------------------------------------

std::size_t Channel::read_afflicted(MutableBytes into, TimePoint now) {
  const std::size_t count = std::min(into.size(), readable_bytes());
  if (count == 0) return 0;
  std::memcpy(into.data(), buffer_.readable().data(), count);
  consume_afflicted(count, now);
  return count;
}

void Channel::consume_afflicted(std::size_t count, TimePoint now) {
  step(now);
  const bool had_no_credit = credit() == 0;
  buffer_.consume(count);
  if (!slices_.empty()) {
    slices_.front() -= count;
    if (slices_.front() == 0) slices_.pop();
  }
  if (had_no_credit) could_leave_at_ = now;
  changes_.writable = true;
  step(now);
}

// ---- in between -----------------------------------------------------------------------------------------

void Channel::set_options(const ChannelOptions& options) {
  check(options);
  options_ = options;
  is_plain_ = false;
  if (options.coalesce) {
    writes_.clear();
  } else if (writes_.empty() && unsent_ > 0) {
    writes_.push(unsent_);
  }
}

void Channel::set_toxics(const Toxics& toxics, TimePoint now) {
  check(toxics);
  is_plain_ = false;
  step(now);
  const Toxics before = std::exchange(toxics_, toxics);
  if (toxics.limit_data != before.limit_data) limit_left_ = toxics.limit_data.value_or(0);
  if (toxics.timeout != before.timeout) {
    close_at_ = toxics.timeout.value_or(Duration()) > Duration() ? after(now, *toxics.timeout) : kNever;
  }
  if (toxics.reset_peer != before.reset_peer) {
    strike_reset_at_ = toxics.reset_peer ? after(now, *toxics.reset_peer) : kNever;
  }
  could_leave_at_ = now;
  next_slice_at_ = now;
  if (toxics.limit_data && limit_left_ == 0) end_by_limit(now);
  if (toxics.down) cut();
  step(now);
}

void Channel::arm(Trigger& trigger, const Toxics& toxics) {
  check(toxics);
  is_plain_ = false;
  trigger_ = &trigger;
  armed_ = toxics;
}

Channel::Changes Channel::advance(TimePoint now) {
  if (is_plain_) return {};
  step(now);
  const bool is_under_way = unsent_ + flying_ > 0 || fin_ == Fin::unsent || fin_ == Fin::flying ||
                            sent_reset_at_ != kNever || !slices_.empty();
  is_plain_ = !is_under_way && trigger_ == nullptr && options_.coalesce && (is_broken() || toxics_.is_none());
  return std::exchange(changes_, {});
}

TimePoint Channel::next_event() const {
  if (is_broken()) return kNever;
  TimePoint next = next_strike();
  if (toxics_.is_holding()) return next;
  if (!flight_.empty()) {
    next = std::min(next, flight_.front().arrival);
  } else if (fin_ == Fin::flying) {
    next = std::min(next, fin_at_);
  }
  return std::min(next, departure());
}

// Everything that is due: data first, then what ends the connection at the same moment.
void Channel::step(TimePoint now) {
  if (is_broken()) return;
  const TimePoint strike = next_strike();
  send_due(std::min(now, strike));
  land_due(std::min(now, strike));
  if (strike <= now) break_off(strike == close_at_ && strike < strike_reset_at_ ? End::closed : End::reset);
}

TimePoint Channel::next_strike() const {
  const TimePoint sent_reset_at = toxics_.timeout ? kNever : sent_reset_at_;
  return std::min({close_at_, strike_reset_at_, sent_reset_at});
}

void Channel::break_off(End end) {
  if (is_broken()) return;
  is_plain_ = false;
  forget_unsent();
  buffer_.truncate(unread());
  flying_ = 0;
  flight_.clear();
  fin_ = Fin::none;
  sent_reset_at_ = kNever;
  trigger_ = nullptr;
  end_ = end;
  changes_.closed = end == End::closed;
  changes_.reset = end == End::reset;
}

void Channel::forget_unsent() {
  buffer_.truncate(size() - unsent_);
  unsent_ = 0;
  writes_.clear();
}

// ---- leaving --------------------------------------------------------------------------------------------

void Channel::send_due(TimePoint now) {
  for (TimePoint start = departure(); start <= now && start != kNever; start = departure()) send_segment(start);
  if (fin_ == Fin::unsent && unsent_ == 0 && !toxics_.is_holding()) send_fin();
}

// When the first unsent octet leaves; kNever: when something else has happened.
TimePoint Channel::departure() const {
  if (unsent_ == 0 || toxics_.is_holding() || credit() == 0) return kNever;
  const TimePoint start = std::max(could_leave_at_, line_free_at_);
  return toxics_.slicer.average_size > 0 ? std::max(start, next_slice_at_) : start;
}

// Octets that R has room for, when those in flight have arrived.
std::size_t Channel::credit() const {
  const std::size_t used = unread() + flying_;
  return options_.receive_buffer_bytes - std::min(options_.receive_buffer_bytes, used);
}

void Channel::send_segment(TimePoint start) {
  const std::size_t size = segment_size();
  line_free_at_ = after(start, line_time(size, toxics_.bandwidth));
  next_slice_at_ = after(start, toxics_.slicer.delay);
  const TimePoint earliest = after(line_free_at_, toxics_.latency);
  last_arrival_ = std::max(after(earliest, draw_jitter()), last_arrival_);

  unsent_ -= size;
  flying_ += size;
  if (!writes_.empty()) {
    writes_.front() -= size;
    if (writes_.front() == 0) writes_.pop();
  }
  if (!keeps_slices() && !flight_.empty() && flight_.back().arrival == last_arrival_) {
    flight_.back().size += size;
  } else {
    flight_.push({size, last_arrival_});
  }
  changes_.writable = true;
}

std::size_t Channel::segment_size() {
  std::size_t size = std::min({writes_.empty() ? unsent_ : writes_.front(), options_.mss, credit()});
  if (toxics_.bandwidth > 0) {
    const std::uint64_t most = std::max<std::uint64_t>(toxics_.bandwidth / kSegmentsASecond, 1);
    if (size > most) size = static_cast<std::size_t>(most);
  }
  if (toxics_.slicer.average_size > 0) size = std::min(size, slice_size());
  return size;
}

// Answers 1, 2, 3, 4 … are a little below the average, a little above it, and so on.
std::size_t Channel::slice_size() {
  const std::size_t average = toxics_.slicer.average_size;
  const std::size_t variation = std::min(toxics_.slicer.size_variation, average - 1);
  if (variation == 0) return average;
  const std::size_t steps = std::min(variation, kMaxSliceSizes / 2);
  const unsigned answer = decisions_.choose(kSliceSize, object_, static_cast<unsigned>(2 * steps + 1));
  const std::size_t offset = variation * ((answer + 1) / 2) / steps;
  return answer % 2 == 1 ? average - offset : average + offset;
}

Duration Channel::draw_jitter() {
  const Duration jitter = toxics_.jitter;
  if (jitter == Duration()) return {};
  switch (toxics_.jitter_shape) {
    case JitterShape::uniform:
      return jitter * decisions_.choose(kJitter, object_, kUniformSteps) / (kUniformSteps - 1);
    case JitterShape::exponential:
      return jitter * kExponentialQuantiles[decisions_.choose(kJitter, object_, kExponentialQuantiles.size())] / 1000;
    case JitterShape::spikes:
      return jitter * decisions_.choose(kJitter, object_, 2, kOneSpikeIn);
  }
  return {};
}

void Channel::send_fin() {
  const TimePoint start = std::max(could_leave_at_, line_free_at_);
  fin_at_ = after(std::max(after(start, toxics_.latency), last_arrival_), toxics_.slow_close);
  fin_ = Fin::flying;
}

// ---- arriving -------------------------------------------------------------------------------------------

void Channel::land_due(TimePoint now) {
  if (toxics_.is_holding()) return;
  while (!flight_.empty() && flight_.front().arrival <= now) {
    land(flight_.front().size);
    flight_.pop();
  }
  if (fin_ != Fin::flying || !flight_.empty() || fin_at_ > now) return;
  fin_ = Fin::arrived;
  if (is_used_up_) {
    cut();
  } else {
    end_ = End::finished;
    changes_.finished = true;
  }
}

void Channel::land(std::size_t count) {
  if (keeps_slices() && slices_.empty() && unread() > 0) slices_.push(unread());
  if (keeps_slices() || !slices_.empty()) slices_.push(count);
  flying_ -= count;
  changes_.readable = true;
}

}  // namespace pipette::net
