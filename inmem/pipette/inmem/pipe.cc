#include "pipette/inmem/pipe.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <vector>

#include "pipette/base/buffer.h"
#include "pipette/net/wait_slot.h"

namespace pipette::inmem {
namespace {

// One direction of a pipe.
struct Stream {
  explicit Stream(async::Loop& loop) : reader(loop), writer(loop) {}

  Buffer sent;             // and not read yet
  bool finished = false;   // FIN behind the data
  bool has_ended = false;  // its reader has been told of the end, which from then on stays so
  net::WaitSlot reader;
  net::WaitSlot writer;
};

enum class EndState { open, aborted, gone };

}  // namespace

class Pipe {
 public:
  Pipe(async::Loop& loop, const PipeOptions& options, PipeNames names, Transcript* transcript)
      : loop_(loop), names_(std::move(names)), transcript_(transcript), options_{options, options} {}

  Stream& out(unsigned side) { return streams_[side]; }
  Stream& in(unsigned side) { return streams_[1 - side]; }

  Result<std::size_t> read(unsigned side, MutableBytes into) {
    assert(!into.empty());
    Stream& stream = in(side);
    if (ends_[side] == EndState::aborted) return fail(Errc::operation_canceled);
    if (stream.reader.is_expired()) return fail(Errc::timed_out);
    if (stream.sent.size() > 0) {
      const bool was_full = stream.sent.size() >= options_[1 - side].capacity_bytes;
      const std::size_t count = std::min({stream.sent.size(), into.size(), options_[side].max_read_bytes});
      std::memcpy(into.data(), stream.sent.readable().data(), count);
      stream.sent.consume(count);
      if (was_full || stream.writer.has_waiter()) stream.writer.wake();
      return count;
    }
    if (was_reset_ && !stream.has_ended) return fail(Errc::connection_reset);
    stream.has_ended = stream.finished;
    if (stream.finished) return 0;
    return fail(Errc::would_block);
  }

  Result<std::size_t> write(unsigned side, std::span<const Bytes> pieces) {
    Stream& stream = out(side);
    if (ends_[side] == EndState::aborted) return fail(Errc::operation_canceled);
    if (stream.writer.is_expired()) return fail(Errc::timed_out);
    std::size_t wanted = 0;
    for (const Bytes piece : pieces) wanted += piece.size();
    if (wanted == 0) return 0;
    if (stream.finished) return fail(Errc::broken_pipe);
    if (ends_[1 - side] == EndState::gone) reset("the other end is closed");
    if (was_reset_) return fail(Errc::connection_reset);

    const PipeOptions& options = options_[side];
    const std::size_t room = options.capacity_bytes - std::min(options.capacity_bytes, stream.sent.size());
    std::size_t left = std::min({wanted, room, options.max_write_bytes});
    if (left == 0) return fail(Errc::would_block);
    const std::size_t taken = left;
    for (const Bytes piece : pieces) {
      const Bytes part = piece.substr(0, left);
      if (!part.empty()) stream.sent.append(part);
      left -= part.size();
    }
    if (is_recording()) record_bytes(side, pieces, taken);
    if (stream.reader.has_waiter()) stream.reader.wake();
    return taken;
  }

  Result<void> close_write(unsigned side) {
    Stream& stream = out(side);
    if (ends_[side] == EndState::aborted) return fail(Errc::operation_canceled);
    if (stream.writer.is_expired()) return fail(Errc::timed_out);
    if (was_reset_) return fail(Errc::connection_reset);
    if (stream.finished) return {};
    stream.finished = true;
    if (is_recording()) record(side, "FIN");
    stream.reader.wake();
    return {};
  }

  void wait(unsigned side, net::Direction direction, net::Waiter& waiter) {
    net::WaitSlot& waiting = slot(side, direction);
    waiting.wait(waiter);
    if (is_ready(side, direction)) waiting.wake();
  }

  void abort(unsigned side) {
    if (ends_[side] != EndState::open) return;
    ends_[side] = EndState::aborted;
    in(side).reader.wake();
    out(side).writer.wake();
    if (!was_reset_) reset(name_of(side) + " aborts");
  }

  // The end dies: as close(2) does, in order after FIN with nothing unread, and with a reset otherwise.
  void leave(unsigned side) {
    assert(!in(side).reader.has_waiter() && !out(side).writer.has_waiter());
    if (ends_[side] == EndState::open && !was_reset_) {
      if (!out(side).finished) {
        reset(name_of(side) + " is dropped while open");
      } else if (in(side).sent.size() > 0) {
        reset(name_of(side) + " is closed with unread input");
      } else {
        if (is_recording()) record(side, "closed");
        in(side).writer.wake();
      }
    }
    ends_[side] = EndState::gone;
  }

  net::WaitSlot& slot(unsigned side, net::Direction direction) {
    return direction == net::Direction::read ? in(side).reader : out(side).writer;
  }

  void set_options(unsigned side, const PipeOptions& options) { options_[side] = options; }

  std::string describe_waits(unsigned side) {
    std::string text;
    for (const net::Direction direction : {net::Direction::read, net::Direction::write}) {
      const net::WaitSlot& waiting = slot(side, direction);
      if (!waiting.has_waiter()) continue;
      if (!text.empty()) text += "\n";
      text += names_.connection + ": " + name_of(side) + " waits to ";
      text += direction == net::Direction::read ? "read" : "write";
      if (waiting.deadline() != kNever) text += ", until " + format_time(waiting.deadline());
    }
    return text;
  }

 private:
  void reset(const std::string& why) {
    was_reset_ = true;
    if (is_recording()) transcript_->add(loop_.now(), names_.connection + "  reset: " + why);
    for (Stream& stream : streams_) {
      stream.reader.wake();
      stream.writer.wake();
    }
  }

  // Whether a try would not have to wait.
  bool is_ready(unsigned side, net::Direction direction) {
    if (ends_[side] == EndState::aborted || was_reset_) return true;
    if (direction == net::Direction::read) return in(side).sent.size() > 0 || in(side).finished;
    return out(side).finished || out(side).sent.size() < options_[side].capacity_bytes;
  }

  bool is_recording() const { return transcript_ != nullptr && transcript_->is_recording(); }
  const std::string& name_of(unsigned side) const { return side == 0 ? names_.first : names_.second; }
  std::string from_to(unsigned side) const {
    return names_.connection + "  " + name_of(side) + " -> " + name_of(1 - side);
  }
  void record(unsigned side, std::string_view what) {
    transcript_->add(loop_.now(), from_to(side) + "  " + std::string(what));
  }
  void record_bytes(unsigned side, std::span<const Bytes> pieces, std::size_t taken) {
    std::string bytes;
    for (const Bytes piece : pieces) bytes += piece.substr(0, taken - std::min(taken, bytes.size()));
    transcript_->add_bytes(loop_.now(), from_to(side), bytes);
  }

  async::Loop& loop_;
  PipeNames names_;
  Transcript* transcript_;
  std::array<Stream, 2> streams_{Stream(loop_), Stream(loop_)};  // [side]: what that side sends
  std::array<PipeOptions, 2> options_;
  std::array<EndState, 2> ends_{EndState::open, EndState::open};
  bool was_reset_ = false;
};

PipeEnd::~PipeEnd() { pipe_->leave(side_); }

Result<std::size_t> PipeEnd::try_read(MutableBytes into) { return pipe_->read(side_, into); }
Result<std::size_t> PipeEnd::try_write(std::span<const Bytes> pieces) { return pipe_->write(side_, pieces); }
Result<void> PipeEnd::try_close_write() { return pipe_->close_write(side_); }
void PipeEnd::wait(net::Direction direction, net::Waiter& waiter) { pipe_->wait(side_, direction, waiter); }
void PipeEnd::set_deadline(net::Direction direction, TimePoint deadline) {
  pipe_->slot(side_, direction).set_deadline(deadline);
}
void PipeEnd::abort() { pipe_->abort(side_); }
void PipeEnd::set_options(const PipeOptions& options) { pipe_->set_options(side_, options); }
std::string PipeEnd::describe_waits() const { return pipe_->describe_waits(side_); }

std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(async::Loop& loop, const PipeOptions& options,
                                                                        PipeNames names, Transcript* transcript) {
  auto pipe = std::make_shared<Pipe>(loop, options, std::move(names), transcript);
  return {std::make_unique<PipeEnd>(pipe, 0), std::make_unique<PipeEnd>(pipe, 1)};
}

std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(async::Loop& loop) {
  return make_pipe(loop, PipeOptions(), PipeNames(), nullptr);
}

}  // namespace pipette::inmem
