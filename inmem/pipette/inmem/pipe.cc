#include "pipette/inmem/pipe.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "pipette/inmem/internal/way.h"
#include "pipette/inmem/text.h"

namespace pipette::inmem {
namespace {

using internal::Way;

constexpr Site kReadSize("read size");
constexpr Site kWriteSize("write size");
constexpr Site kNotYet("not yet");
constexpr unsigned kShortOneIn = 3;
constexpr unsigned kNotYetOneIn = 8;

// The decisions of a pipe that belongs to no world: all of them plain.
struct PlainDecisions {
  FixedOracle oracle;
  Decisions decisions{oracle};
};

// All of `most`, or little of it: the sizes at which code that expects more goes wrong.
std::size_t cut(std::size_t most, unsigned answer) {
  const std::array<std::size_t, 5> sizes = {most, 1, most / 2, most - 1, 7};
  return std::clamp<std::size_t>(sizes.at(answer), 1, most);
}

Bytes first_octets(std::span<const Bytes> pieces) {
  return *std::ranges::find_if(pieces, [](Bytes piece) { return !piece.empty(); });
}

enum class EndState : std::uint8_t { open, aborted, gone };

}  // namespace

class Pipe final : private internal::WayOwner {
 public:
  explicit Pipe(const PipeSetup& setup)
      : wire_loop_(*setup.wire_loop),
        plain_(setup.decisions == nullptr ? std::make_unique<PlainDecisions>() : nullptr),
        decisions_(plain_ ? plain_->decisions : *setup.decisions),
        log_(setup.log),
        faults_(setup.faults),
        leeway_(setup.leeway == nullptr ? Leeway() : *setup.leeway),
        cut_(setup.cut),
        takes_liberties_(leeway_ != Leeway() || cut_),
        number_(setup.number),
        ways_{Way(*this, 0, setup, decisions_), Way(*this, 1, setup, decisions_)} {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  Result<std::size_t> read(std::uint8_t side, MutableBytes into) {
    assert(!into.empty());
    if (const Errc hindrance = find_hindrance(side, net::Direction::read); hindrance != Errc{}) return fail(hindrance);
    if (faults_ != nullptr && faults_->is_offering()) {
      const auto read_one = [&] { return read_plainly(side, into.first(1)); };
      if (const auto struck = strike(Operation::read, side, read_one)) return *struck;
    }
    return read_plainly(side, into);
  }

  Result<std::size_t> write(std::uint8_t side, std::span<const Bytes> pieces) {
    if (const Errc hindrance = find_hindrance(side, net::Direction::write); hindrance != Errc{}) return fail(hindrance);
    std::size_t wanted = 0;
    for (const Bytes piece : pieces) wanted += piece.size();
    if (wanted == 0) return 0;
    if (ends_[side].has_finished) return fail(Errc::broken_pipe);
    if (faults_ != nullptr && faults_->is_offering()) {
      const auto write_one = [&] {
        const std::array<Bytes, 1> first = {first_octets(pieces).substr(0, 1)};
        return write_plainly(side, first, 1);
      };
      if (const auto struck = strike(Operation::write, side, write_one)) return *struck;
    }
    return write_plainly(side, pieces, wanted);
  }

  Result<void> close_write(std::uint8_t side) {
    if (const Errc hindrance = find_hindrance(side, net::Direction::write); hindrance != Errc{}) return fail(hindrance);
    End& end = ends_[side];
    Way& way = out(side);
    if (way.channel.is_broken() || is_reset(side)) return fail(Errc::connection_reset);
    if (end.has_finished) return {};
    if (faults_ != nullptr && faults_->is_offering()) {
      const auto nothing = [] { return Result<std::size_t>(0); };
      if (const auto struck = strike(Operation::close_write, side, nothing)) return fail(struck->error());
    }
    end.has_finished = true;
    way.end_takes_time = !way.channel.is_plain();
    note(EventKind::finished, side);
    way.channel.finish(now());
    act(way);
    way.reader.wake();
    return {};
  }

  void wait(std::uint8_t side, net::Direction direction, net::Waiter& waiter) {
    net::WaitSlot& waiting = slot(side, direction);
    waiting.wait(waiter);
    if (is_ready(side, direction)) waiting.wake();
  }

  void abort(std::uint8_t side) {
    End& end = ends_[side];
    if (end.state != EndState::open) return;
    end.state = EndState::aborted;
    in(side).reader.wake();
    out(side).writer.wake();
    reset(side, "aborts");
  }

  // The end dies: as close(2) does, in order after FIN with nothing unread, and with a reset otherwise.
  void leave(std::uint8_t side) {
    End& end = ends_[side];
    assert(!in(side).reader.has_waiter() && !out(side).writer.has_waiter());
    if (end.state == EndState::open && !is_reset(side)) {
      if (!end.has_finished) {
        reset(side, "is dropped while open");
      } else if (in(side).channel.unread() > 0) {
        reset(side, "is closed with unread input");
      } else {
        note(EventKind::closed, side);
        in(side).writer.wake();
      }
    }
    end.state = EndState::gone;
  }

  net::WaitSlot& slot(std::uint8_t side, net::Direction direction) {
    return direction == net::Direction::read ? in(side).reader : out(side).writer;
  }
  void set_deadline(std::uint8_t side, net::Direction direction, TimePoint deadline) {
    slot(side, direction).set_deadline(deadline);
    ends_[side].has_noted_time_out = false;
  }

  void set_options(std::uint8_t side, const net::ChannelOptions& options) {
    Way& way = out(side);
    way.channel.set_options(options);
    act(way);
    way.writer.wake();
  }
  void go_over(std::uint8_t side, Link& link) { out(side).go_over(link); }
  void heal(std::uint8_t side) { out(side).heal(); }

  std::uint32_t number() const { return number_; }

  PipeEnd::State state(std::uint8_t side) {
    PipeEnd::State shown;
    const Way& incoming = in(side);
    const Way& outgoing = out(side);
    shown.connection = number_;
    shown.side = side;
    shown.receive_queue = incoming.channel.unread();
    shown.send_queue = outgoing.channel.size() - outgoing.channel.unread();
    shown.reads = incoming.reader.has_waiter();
    shown.read_deadline = incoming.reader.deadline();
    shown.writes = outgoing.writer.has_waiter();
    shown.write_deadline = outgoing.writer.deadline();
    const bool peer_finished = incoming.channel.end() == net::Channel::End::finished;
    if (ends_[side].state == EndState::aborted || is_reset(side)) {
      shown.name = "RESET";
    } else if (ends_[side].has_finished) {
      shown.name = peer_finished ? "CLOSED" : "FIN_WAIT";
    } else {
      shown.name = peer_finished ? "CLOSE_WAIT" : "ESTABLISHED";
    }
    return shown;
  }

  std::string describe_waits(std::uint8_t side) {
    std::string text;
    for (const net::Direction direction : {net::Direction::read, net::Direction::write}) {
      const net::WaitSlot& waiting = slot(side, direction);
      if (!waiting.has_waiter()) continue;
      if (!text.empty()) text += "\n";
      text += label() + ": " + name_of(side) + " waits to ";
      text += direction == net::Direction::read ? "read" : "write";
      if (waiting.deadline() != kNever) text += ", until " + format_time(waiting.deadline());
    }
    return text;
  }

 private:
  struct End {
    EndState state = EndState::open;
    bool has_finished = false;
    bool has_noted_time_out = false;
    Errc failure{};  // every operation fails with it from now on
  };

  Way& out(std::uint8_t side) { return ways_[side]; }
  Way& in(std::uint8_t side) { return ways_[1U - side]; }
  TimePoint now() const { return wire_loop_.now(); }
  bool is_reset(std::uint8_t side) { return in(side).channel.end() == net::Channel::End::reset; }

  // Why `side` may not even try, in this direction; Errc{}: nothing hinders it.
  [[gnu::always_inline]] Errc find_hindrance(std::uint8_t side, net::Direction direction) {
    const End& end = ends_[side];
    if (end.state == EndState::aborted) return Errc::operation_canceled;
    if (end.failure != Errc{}) return end.failure;
    if (slot(side, direction).is_expired()) return time_out(side, direction);
    return Errc{};
  }

  // What most reads and writes are is kept short and in one piece; what is rare stands apart, marked as cold.
  [[gnu::always_inline]] Result<std::size_t> read_plainly(std::uint8_t side, MutableBytes into) {
    Way& way = in(side);
    net::Channel& channel = way.channel;
    if (takes_liberties_ && channel.is_readable()) {
      into = room_for_read(side, into);
      if (into.empty()) return fail(Errc::would_block);
    }
    const std::size_t count = channel.read(into, now());
    way.note_consumed(count);
    if (!channel.is_plain()) act(way);
    if (count > 0) {
      if (way.writer.has_waiter()) way.writer.wake();
      return count;
    }
    switch (channel.end()) {
      case net::Channel::End::open:
        return fail(Errc::would_block);
      case net::Channel::End::reset:
        if (!way.has_ended) return fail(Errc::connection_reset);
        return 0;
      case net::Channel::End::finished:
      case net::Channel::End::closed:
        way.has_ended = true;
        return 0;
    }
    return 0;
  }

  [[gnu::always_inline]] Result<std::size_t> write_plainly(std::uint8_t side, std::span<const Bytes> pieces,
                                                           std::size_t wanted) {
    Way& way = out(side);
    net::Channel& channel = way.channel;
    if (channel.is_plain() && ends_[1U - side].state == EndState::gone && !is_reset(side)) {  // else when it arrives
      reset(static_cast<std::uint8_t>(1U - side), "has closed, and is written to");
    }
    if (channel.is_broken() || is_reset(side)) return fail(Errc::connection_reset);
    if (!channel.is_writable()) return fail(Errc::would_block);
    std::array<Bytes, 1> first;
    if (takes_liberties_) {
      if (is_not_yet(side)) return fail(Errc::would_block);
      first[0] = beginning_to_write(side, pieces, wanted);
      if (!first[0].empty()) pieces = first;
    }
    const std::size_t taken = channel.write(pieces, now());
    if (taken > 0) note_sent(side, pieces, taken);
    if (channel.is_plain()) {
      (void)way.take_arrived();
    } else {
      act(way);
    }
    if (way.reader.has_waiter() && channel.is_readable()) way.reader.wake();
    if (taken == 0) return fail(channel.is_broken() ? Errc::connection_reset : Errc::would_block);
    return taken;
  }

  // ---- what is no fault

  // How much of `into` this read may fill; nothing: it comes too early.
  [[gnu::cold]] MutableBytes room_for_read(std::uint8_t side, MutableBytes into) {
    Way& way = in(side);
    if (is_not_yet(side)) return {};
    if (cut_ && cut_->side == way.side && way.consumed <= cut_->offset) {
      if (way.consumed == cut_->offset && !std::exchange(way.was_cut, true)) return {};
      const std::uint64_t up_to_cut = cut_->offset - way.consumed;
      if (up_to_cut > 0) into = into.first(std::min<std::uint64_t>(into.size(), up_to_cut));
    }
    const std::size_t most = std::min(way.channel.arrived().size(), into.size());
    if (!leeway_.short_reads || most <= 1) return into;
    return into.first(cut(most, decisions_.choose(kReadSize, object(side), 5, kShortOneIn)));
  }

  // The part of `pieces` that this write may take; nothing: all of them.
  [[gnu::cold]] Bytes beginning_to_write(std::uint8_t side, std::span<const Bytes> pieces, std::size_t wanted) {
    if (!leeway_.short_writes || wanted <= 1) return {};
    const unsigned answer = decisions_.choose(kWriteSize, object(side), 5, kShortOneIn);
    if (answer == 0) return {};
    const Bytes first = first_octets(pieces);
    return first.substr(0, cut(first.size(), answer));
  }

  bool is_not_yet(std::uint8_t side) {
    return leeway_.not_yet && decisions_.choose(kNotYet, object(side), 2, kNotYetOneIn) == 1;
  }

  // ---- faults that strike an operation

  // What `operation` of this end gives because of a fault; nothing: it goes on. `move_one` does as much of it as a
  // single octet, if it moves any.
  template <class MoveOne>
  [[gnu::cold]] std::optional<Result<std::size_t>> strike(Operation operation, std::uint8_t side,
                                                          const MoveOne& move_one) {
    Way& way = operation == Operation::read ? in(side) : out(side);
    switch (faults_->strike(operation, number_, side)) {
      case Fault::end_of_stream:
        hang_up(way);
        return 0;
      case Fault::reset:
        return fail_both(side, Errc::connection_reset);
      case Fault::timed_out:
        return vanish(side);
      case Fault::short_then_reset: {
        const Result<std::size_t> count = move_one();
        (void)fail_both(side, Errc::connection_reset);
        return count;
      }
      case Fault::stall:
        way.fall_silent();
        return std::nullopt;
      case Fault::cancel:
        abort(side);
        return fail(Errc::operation_canceled);
      default:
        return std::nullopt;
    }
  }

  // The connection is reset by nobody in particular: this end learns of it now, with what was short of it unread.
  Result<std::size_t> fail_both(std::uint8_t side, Errc error) {
    ends_[side].failure = error;
    reset(static_cast<std::uint8_t>(1U - side), "is reset by the network");
    wake_all();
    return fail(error);
  }

  // Somebody in the middle closes the connection; what has arrived is lost.
  void hang_up(Way& way) {
    way.channel.cut();
    while (!way.channel.arrived().empty()) {
      const std::size_t count = way.channel.arrived().size();
      way.channel.consume(count, now());
      way.note_consumed(count);
    }
    way.has_ended = true;
    act(way);
  }

  // As when the peer's machine has gone: this end gives up, the other one hears nothing any more.
  Result<std::size_t> vanish(std::uint8_t side) {
    ends_[side].failure = Errc::timed_out;
    for (Way& way : ways_) way.fall_silent();
    wake_all();
    return fail(Errc::timed_out);
  }

  // ---- in between

  // Lets a channel's time pass, and tells who has to know.
  void act(Way& way) override {
    if (way.channel.is_plain()) {
      if (way.is_armed()) wire_loop_.disarm(way);
      return;
    }
    const net::Channel::Changes changes = way.channel.advance(now());
    const auto reader = static_cast<std::uint8_t>(1U - way.side);
    if (const std::uint64_t arrived = way.take_arrived(); arrived > 0) note(EventKind::received, way.side, {}, arrived);
    if (changes.finished && way.end_takes_time) note(EventKind::received, way.side);
    if (changes.closed && !in(way.side).channel.is_broken()) {
      note(EventKind::reset, kNoSide, "the network hangs up");
      in(way.side).channel.cut();
    }
    if (changes.reset && !is_reset(way.side)) in(way.side).channel.reset();
    if (changes.readable || changes.finished || changes.closed || changes.reset) way.reader.wake();
    if (changes.writable || changes.closed || changes.reset) way.writer.wake();
    if (changes.closed || changes.reset) wake_all();
    if (changes.readable && ends_[reader].state == EndState::gone && !is_reset(way.side)) {
      reset(reader, "has closed, and is written to");
    }
    wire_loop_.arm(way, way.channel.next_event());
  }

  // By `side`, whose peer learns of it as soon as the network lets it.
  [[gnu::cold]] void reset(std::uint8_t side, std::string_view why) {
    if (in(side).channel.end() == net::Channel::End::reset) return;
    if (log_ != nullptr && log_->is_recording()) {
      note(EventKind::reset, side, name_of(side) + " " + std::string(why));
    }
    in(side).channel.reset();
    out(side).channel.send_reset(now());
    act(out(side));
    wake_all();
  }

  void wake_all() {
    for (Way& way : ways_) {
      way.reader.wake();
      way.writer.wake();
    }
  }

  // Whether a try would not have to wait.
  bool is_ready(std::uint8_t side, net::Direction direction) {
    if (ends_[side].state == EndState::aborted || ends_[side].failure != Errc{} || is_reset(side)) return true;
    if (direction == net::Direction::read) return in(side).channel.is_readable();
    return ends_[side].has_finished || out(side).channel.is_writable();
  }

  [[gnu::cold]] Errc time_out(std::uint8_t side, net::Direction direction) {
    if (!std::exchange(ends_[side].has_noted_time_out, true)) {
      note(EventKind::timed_out, side, direction == net::Direction::read ? "read" : "write");
    }
    return Errc::timed_out;
  }

  // ---- seeing

  std::uint64_t object(std::uint8_t side) const { return std::uint64_t{number_} * 2 + side; }
  std::string label() const { return log_ == nullptr ? "pipe" : log_->connection(number_).label; }
  std::string name_of(std::uint8_t side) const {
    if (log_ == nullptr) return side == 0 ? "first" : "second";
    return log_->connection(number_).names[side];
  }
  void note(EventKind kind, std::uint8_t side, std::string_view text = {}, std::uint64_t count = 0) {
    if (log_ == nullptr) return;
    const bool takes_time = kind == EventKind::finished && out(side).end_takes_time;
    log_->add(
        {.time = now(), .kind = kind, .side = side, .takes_time = takes_time, .connection = number_, .count = count},
        text);
  }
  void note_sent(std::uint8_t side, std::span<const Bytes> pieces, std::size_t taken) {
    if (log_ == nullptr || !log_->is_recording()) return;
    log_->add({.time = now(),
               .kind = EventKind::sent,
               .side = side,
               .takes_time = !out(side).channel.is_plain(),
               .connection = number_,
               .count = taken},
              pieces.data(), pieces.size());
  }

  async::Loop& wire_loop_;
  std::unique_ptr<PlainDecisions> plain_;
  Decisions& decisions_;
  EventLog* log_;
  Faults* faults_;
  Leeway leeway_;
  std::optional<Cut> cut_;
  bool takes_liberties_;  // leeway or a cut: reads and writes are not always as large as they can be
  std::uint32_t number_;
  std::array<End, 2> ends_;
  std::array<Way, 2> ways_;  // [side]: what that side sends
};

PipeEnd::~PipeEnd() { pipe_->leave(side_); }

Result<std::size_t> PipeEnd::try_read(MutableBytes into) { return pipe_->read(side_, into); }
Result<std::size_t> PipeEnd::try_write(std::span<const Bytes> pieces) { return pipe_->write(side_, pieces); }
Result<void> PipeEnd::try_close_write() { return pipe_->close_write(side_); }
void PipeEnd::wait(net::Direction direction, net::Waiter& waiter) { pipe_->wait(side_, direction, waiter); }
void PipeEnd::set_deadline(net::Direction direction, TimePoint deadline) {
  pipe_->set_deadline(side_, direction, deadline);
}
void PipeEnd::abort() { pipe_->abort(side_); }
void PipeEnd::set_options(const net::ChannelOptions& options) { pipe_->set_options(side_, options); }
void PipeEnd::go_over(Link& link) { pipe_->go_over(side_, link); }
void PipeEnd::heal() { pipe_->heal(side_); }
PipeEnd::State PipeEnd::state() const { return pipe_->state(side_); }
std::uint32_t PipeEnd::connection() const { return pipe_->number(); }
std::string PipeEnd::describe_waits() const { return pipe_->describe_waits(side_); }

PipeEnds make_pipe(const PipeSetup& setup) {
  auto pipe = std::make_shared<Pipe>(setup);
  return {std::make_unique<PipeEnd>(pipe, std::uint8_t{0}), std::make_unique<PipeEnd>(pipe, std::uint8_t{1})};
}

PipeEnds make_pipe(async::Loop& loop, const net::ChannelOptions& options) {
  PipeSetup setup;
  setup.loops = {&loop, &loop};
  setup.wire_loop = &loop;
  setup.options = {options, options};
  return make_pipe(setup);
}

}  // namespace pipette::inmem
