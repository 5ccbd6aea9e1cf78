// Octets are numbered from the beginning of a connection, so that a slot knows by its end alone whether its request has
// gone out; slots are numbered from the beginning of the object, so that a call finds its own however many have gone.
#include "pipette/client/pipeline_connection.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

namespace pipette::client {
namespace {

using net::Direction;

constexpr std::size_t kBatchBytes = 64 * 1024;
constexpr std::size_t kLeastReadBytes = 4 * 1024;
constexpr std::size_t kMostReadBytes = 128 * 1024;
constexpr std::size_t kLeastSlots = 16;
constexpr int kReadsATurn = 16;

bool is_would_block(std::error_code error) { return error == make_error_code(Errc::would_block); }
bool has_gone(std::error_code error) { return error == std::errc::connection_reset || error == std::errc::broken_pipe; }

Terms terms_of_dials(const ClientOptions& options) {
  Terms terms;
  if (options.trace) terms.trace = &options.trace;
  return terms;
}

}  // namespace

PipelineConnection::PipelineConnection(Shared& shared, const PipelineLimits& limits, const http::HttpUrl& origin)
    : shared_(shared),
      limits_(limits),
      origin_(origin),
      dialing_terms_(terms_of_dials(shared.options)),
      writer_(shared.options),
      read_bytes_(kLeastReadBytes),
      reader_(shared.options.head),
      turn_(*this),
      on_writable_(*this),
      on_readable_(*this),
      batch_(*this) {
  if (const Proxy* const proxy = forwarding_proxy(shared, origin, addresses_)) writer_.set_proxy(*proxy);
}

void PipelineConnection::Slots::grow() {
  std::vector<Slot> larger;
  larger.reserve(std::max(kLeastSlots, size_ * 2));
  for (std::size_t i = 0; i < size_; ++i) larger.push_back((*this)[i]);
  larger.resize(larger.capacity());
  ring_ = std::move(larger);
  first_ = 0;
}

// ---- calls -----------------------------------------------------------------------------------------------

bool PipelineConnection::is_full() {
  if (has_abandoned_ && slots_.size() >= limits_.max_pending_per_connection) forget_abandoned();
  return slots_.size() >= limits_.max_pending_per_connection || out_.size() >= limits_.max_unsent_bytes;
}

bool PipelineConnection::is_too_old() const {
  return state_ == State::open && slots_.empty() &&
         after(opened_at_, shared_.options.max_conn_age) <= shared_.runtime.loop().now();
}

Result<void> PipelineConnection::add(PipelinedCall& call, const http::HttpUrl& url, const Request& request,
                                     const Terms& terms) {
  const Result<http::BodyLength> length = writer_.write(out_, url, request, terms);
  if (!length) return fail(length.error());
  if (request.body.size() >= kLargeBodyBytes) out_.append(request.body);
  call.begin(*this, first_number_ + slots_.size());
  slots_.push({&call, sent_ + out_.size(), terms.max_body_bytes, request.method});
  schedule();
  return {};
}

void PipelineConnection::abandon(std::uint64_t number) {
  slots_[number - first_number_].call = nullptr;
  has_abandoned_ = true;
}

void PipelineConnection::close() {
  dialing_ = {};
  end(make_error_code(Errc::operation_canceled), Why::given_up);
}

// ---- sending ---------------------------------------------------------------------------------------------

// Has what was added go out, or a connection be opened for it.
void PipelineConnection::schedule() {
  if (state_ == State::closed) state_ = State::wanted;
  if (state_ == State::dialing || is_blocked_ || turn_.is_linked()) return;
  const bool may_wait = state_ == State::open && limits_.max_batch_delay > Duration::zero();
  if (!may_wait || out_.size() >= kBatchBytes) return loop().enqueue(turn_);
  if (!batch_.is_armed()) loop().arm(batch_, after(loop().now(), limits_.max_batch_delay));
}

void PipelineConnection::take_turn() {
  if (state_ == State::open && !is_blocked_) return flush();
  if (state_ != State::wanted) return;
  state_ = State::dialing;
  dialing_ = dial();
  dialing_.start();
}

Task<> PipelineConnection::dial() {
  ++shared_.counts.dials;
  Task<Result<Way>> opening = open_way(shared_, origin_, addresses_, dialing_terms_);
  Result<Way> way = co_await opening;
  if (!way) co_return end(way.error(), Why::given_up);
  stream_ = std::move(way->stream);
  state_ = State::open;
  opened_at_ = loop().now();
  stream_->wait(Direction::read, on_readable_);
  flush();
}

void PipelineConnection::flush() {
  if (batch_.is_armed()) loop().disarm(batch_);
  if (has_abandoned_) forget_abandoned();
  while (!out_.empty()) {
    const Bytes piece = out_.readable();
    const Result<std::size_t> taken = stream_->try_write({&piece, 1});
    if (!taken && !is_would_block(taken.error())) return give_up_writing(taken.error());
    if (!taken) break;
    out_.consume(*taken);
    sent_ += *taken;
  }
  if (!out_.empty()) {
    is_blocked_ = true;
    stream_->set_deadline(Direction::write, after(loop().now(), shared_.options.write_timeout));
    stream_->wait(Direction::write, on_writable_);
  } else if (std::exchange(is_blocked_, false)) {
    stream_->set_deadline(Direction::write, kNever);
  }
  if (!is_in_body()) limit_reading();  // and no body is given more time by those who ask for another
}

// Requests of which no octet has gone out, and whose calls have left, will never go out.
void PipelineConnection::forget_abandoned() {
  has_abandoned_ = false;
  std::size_t index = 0;
  std::uint64_t begin = first_begin_;
  while (index < slots_.size() && begin < sent_) begin = slots_[index++].end;
  const MutableBytes octets = out_.contents();
  std::size_t size = static_cast<std::size_t>(begin - sent_);  // of what stays
  std::size_t kept = index;
  for (; index < slots_.size(); ++index) {
    Slot slot = slots_[index];
    const std::size_t from = static_cast<std::size_t>(begin - sent_);
    const std::size_t count = static_cast<std::size_t>(slot.end - begin);
    begin = slot.end;
    if (slot.call == nullptr) continue;
    std::memmove(octets.data() + size, octets.data() + from, count);
    size += count;
    slot.end = sent_ + size;
    slot.call->renumber(first_number_ + kept);
    slots_[kept++] = slot;
  }
  out_.truncate(size);
  slots_.truncate(kept);
}

// A server may answer, and then close, before it has read all (RFC 9112 §9.5): what it has said counts.
void PipelineConnection::give_up_writing(std::error_code error) {
  const bool is_late = error == make_error_code(Errc::timed_out);
  if (is_late) error = make_error_code(Errc::write_timeout);
  if (has_gone(error)) {
    for (Result<std::size_t> count = read_some(); count && *count > 0; count = read_some()) {
      if (!take_responses()) return;
    }
  }
  end(error, Why::broken);
}

// ---- receiving -------------------------------------------------------------------------------------------

void PipelineConnection::read() {
  for (int i = 0; i < kReadsATurn; ++i) {
    const Result<std::size_t> count = read_some();
    if (!count && is_would_block(count.error())) {
      limit_reading();
      return stream_->wait(Direction::read, on_readable_);
    }
    if (!count) return fail_to_read(count.error());
    if (*count == 0) return reach_end();
    if (!take_responses()) return;
  }
  limit_reading();
  loop().enqueue(on_readable_);  // others first
}

// A reader that always finds all the room filled is given more.
Result<std::size_t> PipelineConnection::read_some() {
  const MutableBytes room = in_.writable(read_bytes_);
  const Result<std::size_t> count = stream_->try_read(room);
  if (!count) return count;
  in_.commit(*count);
  if (*count == room.size()) read_bytes_ = std::min(read_bytes_ * 2, kMostReadBytes);
  return count;
}

// Whether the connection goes on.
bool PipelineConnection::take_responses() {
  while (!in_.empty()) {
    if (slots_.empty() || first_begin_ >= sent_) {
      end(make_error_code(Errc::unexpected_response), Why::broken);
      return false;
    }
    const Result<bool> complete = take_response(slots_.front());
    if (!complete) {
      end(complete.error(), Why::broken);
      return false;
    }
    if (!*complete) return true;
    finish_response();
    if (state_ != State::open) return false;
  }
  return true;
}

// Whether it is complete.
Result<bool> PipelineConnection::take_response(Slot& slot) {
  if (!std::exchange(is_reading_, true)) reader_.begin(slot.method, slot.max_body_bytes);
  Response& response = slot.call != nullptr ? slot.call->response() : dropped_;
  while (!reader_.has_head()) {
    const Result<ResponseReader::Took> took = reader_.take_head(in_, response);
    if (!took) return fail(took.error());
    if (*took == ResponseReader::Took::nothing) return false;
  }
  return slot.call != nullptr ? reader_.take_body(in_, response) : drop_body();
}

Result<bool> PipelineConnection::drop_body() {
  if (!reader_.has_body()) return true;
  std::array<char, kLeastReadBytes> nowhere;
  for (;;) {
    const Result<ResponseReader::Some> some = reader_.take_some(in_, nowhere, dropped_);
    if (!some) return fail(some.error());
    if (some->is_complete) return true;
    if (some->size == 0) return false;
  }
}

void PipelineConnection::finish_response() {
  is_reading_ = false;
  is_reused_ = true;
  Slot& slot = slots_.front();
  if (slot.call != nullptr) slot.call->end({}, PipelinedCall::Fate::unknown);
  first_begin_ = slot.end;
  ++first_number_;
  slots_.pop();
  if (!reader_.keeps_alive()) end(make_error_code(Errc::end_of_stream), Why::announced);
}

void PipelineConnection::reach_end() {
  if (!is_in_body()) return end(make_error_code(Errc::end_of_stream), Why::broken);
  if (const Result<void> ended = reader_.end(); !ended) return end(ended.error(), Why::broken);
  finish_response();
}

void PipelineConnection::fail_to_read(std::error_code error) {
  if (error == make_error_code(Errc::timed_out)) {
    error = make_error_code(is_in_body() ? Errc::body_timeout : Errc::response_header_timeout);
  }
  end(error, Why::broken);
}

// What is waited for next has its time: the next call, the head of a response, or more of its body.
void PipelineConnection::limit_reading() {
  const ClientOptions& options = shared_.options;
  Duration most = options.idle_timeout;
  if (is_in_body()) {
    most = options.body_timeout;
  } else if (!slots_.empty() && slots_.front().end > sent_) {
    most = Duration::max();
  } else if (!slots_.empty()) {
    if (timed_ == first_number_ + 1) return;
    timed_ = first_number_ + 1;
    most = options.response_header_timeout;
  }
  stream_->set_deadline(Direction::read, after(loop().now(), most));
}

// ---- the end ---------------------------------------------------------------------------------------------

void PipelineConnection::end(std::error_code error, Why why) {
  using Fate = PipelinedCall::Fate;
  const Fate of_unsent = why == Why::given_up ? Fate::unknown : Fate::unsent;
  const Fate of_sent = why == Why::announced ? Fate::unanswered : Fate::unknown;
  std::uint64_t begin = first_begin_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.call != nullptr) slot.call->end(error, begin >= sent_ ? of_unsent : of_sent);
    begin = slot.end;
  }
  if (stream_ != nullptr && (slots_.empty() || why == Why::announced)) (void)stream_->try_close_write();
  reset();
}

// Ready for the next connection.
void PipelineConnection::reset() {
  turn_.unlink();
  loop().disarm(batch_);
  on_readable_.unlink();
  on_writable_.unlink();
  stream_.reset();
  state_ = State::closed;
  first_number_ += slots_.size();
  slots_.truncate(0);
  first_begin_ = sent_ = 0;
  out_.release();
  in_.release();
  is_blocked_ = has_abandoned_ = is_reading_ = is_reused_ = false;
}

}  // namespace pipette::client
