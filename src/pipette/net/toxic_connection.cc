// A link is one connection inside the proxy. It outlives its ToxicConnection for as long as something is under way.
//
// move() is its heart: it carries octets between the channels and the inner connection, acts on what the channels say,
// and arms the timer for what is due next. Everything that changes anything ends with it.
#include "pipette/net/toxic_connection.h"

#include <array>
#include <cassert>
#include <utility>

#include "pipette/async/timer.h"
#include "pipette/net/wait_slot.h"

namespace pipette::net {

class ToxicLink final : public ListNode {
 public:
  ToxicLink(ToxicProxy& proxy, std::unique_ptr<Connection> inner, std::uint64_t object)
      : proxy_(proxy),
        loop_(proxy.loop_),
        inner_(std::move(inner)),
        up_(proxy.options_, proxy.decisions_, 2 * object),
        down_(proxy.options_, proxy.decisions_, 2 * object + 1),
        reader_(loop_),
        writer_(loop_) {
    set_toxics(proxy.upstream_, proxy.downstream_);
  }

  Result<std::size_t> read(MutableBytes into) {
    assert(!into.empty());
    if (state_ == State::aborted) return fail(Errc::operation_canceled);
    if (reader_.is_expired()) return fail(Errc::timed_out);
    if (has_ended_) return 0;
    if (passes_through(down_) && down_.size() == 0 && !down_.is_readable()) return read_through(into);
    if (!down_.is_readable()) move();
    if (const std::size_t count = down_.read(into, loop_.now()); count > 0) {
      if (!passes_through(down_)) move();
      return count;
    }
    if (down_.end() == Channel::End::reset) return fail(read_error_);
    has_ended_ = down_.end() != Channel::End::open;
    if (has_ended_) return 0;
    return fail(Errc::would_block);
  }

  Result<std::size_t> write(std::span<const Bytes> pieces) {
    if (state_ == State::aborted) return fail(Errc::operation_canceled);
    if (writer_.is_expired()) return fail(Errc::timed_out);
    std::size_t wanted = 0;
    for (const Bytes piece : pieces) wanted += piece.size();
    if (wanted == 0) return 0;
    if (state_ == State::write_closed) return fail(Errc::broken_pipe);
    if (up_.is_broken()) return fail(write_error_);
    if (passes_through(up_) && up_.size() == 0) return inner_->try_write(pieces);
    const std::size_t taken = up_.write(pieces, loop_.now());
    move();
    if (taken == 0) return fail(Errc::would_block);
    return taken;
  }

  Result<void> close_write() {
    if (state_ == State::aborted) return fail(Errc::operation_canceled);
    if (writer_.is_expired()) return fail(Errc::timed_out);
    if (up_.is_broken()) return fail(write_error_);
    if (state_ == State::write_closed) return {};
    if (passes_through(up_) && up_.size() == 0) {
      const Result<void> closed = inner_->try_close_write();
      if (!closed) return closed;
      has_sent_fin_ = true;
    }
    state_ = State::write_closed;
    up_.finish(loop_.now());
    move();
    return {};
  }

  void wait(Direction direction, Waiter& waiter) {
    slot(direction).wait(waiter);
    move();
  }

  WaitSlot& slot(Direction direction) { return direction == Direction::read ? reader_ : writer_; }

  void abort() {
    if (state_ == State::aborted) return;
    state_ = State::aborted;
    reader_.wake();
    writer_.wake();
    send_reset();
    move();
  }

  void arm(Direction direction, Trigger& trigger, const Toxics& toxics) {
    (direction == Direction::read ? down_ : up_).arm(trigger, toxics);
    move();
  }

  void set_toxics(const Toxics& upstream, const Toxics& downstream) {
    const TimePoint now = loop_.now();
    if (upstream != up_.toxics()) up_.set_toxics(upstream, now);
    if (downstream != down_.toxics()) down_.set_toxics(downstream, now);
    move();
  }

  // The ToxicConnection dies: as close(2) does, in order after the end with nothing unread, and with a reset otherwise.
  void leave() {
    assert(!reader_.has_waiter() && !writer_.has_waiter());
    if (state_ == State::open || (state_ == State::write_closed && down_.size() > 0)) send_reset();
    is_left_ = true;
    move();
  }
  bool is_left() const { return is_left_; }

 private:
  enum class State { open, write_closed, aborted };

  // Waits for the inner connection.
  struct InnerWait final : Waiter {
    InnerWait(ToxicLink& owner, Direction where) : link(owner), direction(where) {}
    void run() override { link.wake_from_inner(direction); }
    ToxicLink& link;
    Direction direction;
  };

  struct Due final : async::Timer {
    explicit Due(ToxicLink& owner) : link(owner) {}
    void run() override { link.move(); }
    ToxicLink& link;
  };

  // Whether tries may go straight to the inner connection, when nothing is left in the channel.
  bool passes_through(const Channel& channel) const {
    return inner_ != nullptr && channel.is_plain() && !channel.is_broken() &&
           channel.options().max_read_bytes == SIZE_MAX && channel.options().max_write_bytes == SIZE_MAX;
  }

  Result<std::size_t> read_through(MutableBytes into) {
    const Result<std::size_t> count = inner_->try_read(into);
    if (count && *count == 0) {
      has_ended_ = true;
      down_.finish(loop_.now());
      move();
    }
    return count;
  }

  // Octets or an end may be carried on. The last thing that a caller does: a link that is left may be gone afterwards.
  void move() {
    act_on_changes();
    receive();
    send();
    act_on_changes();
    loop_.arm(due_, is_left_ ? up_.next_event() : std::min(up_.next_event(), down_.next_event()));
    wake_who_can_go_on();
    if (is_left_ && inner_ == nullptr) proxy_.free(*this);
  }

  // From the inner connection into the channel, as far as there is room: what has come has its time from now on.
  void receive() {
    std::array<char, 4096> octets;
    while (inner_ != nullptr && !is_left_ && state_ != State::aborted && !has_inner_ended_ && !passes_through(down_) &&
           down_.end() == Channel::End::open && down_.room() > 0) {
      const Result<std::size_t> count =
          inner_->try_read(std::span(octets).first(std::min(octets.size(), down_.room())));
      if (!count && count.error() == make_error_code(Errc::would_block)) return watch(read_wait_);
      has_inner_ended_ = !count || *count == 0;
      if (!count) {
        read_error_ = count.error();
        down_.send_reset(loop_.now());
      } else if (*count == 0) {
        down_.finish(loop_.now());
      } else {
        put(Bytes(octets.data(), *count));
      }
    }
  }

  void put(Bytes received) {
    while (!received.empty()) {
      const std::size_t count = down_.write(std::span(&received, 1), loop_.now());
      assert(count > 0 && "no more was read than there is room for");
      received.remove_prefix(count);
    }
  }

  // From the channel into the inner connection: what has arrived, and the end behind it.
  void send() {
    while (inner_ != nullptr && up_.unread() > 0) {
      const Bytes arrived = up_.arrived();
      const Result<std::size_t> count = inner_->try_write(std::span(&arrived, 1));
      if (!count) return stop_sending(count.error());
      up_.consume(*count, loop_.now());
    }
    if (inner_ == nullptr || up_.end() == Channel::End::open || up_.end() == Channel::End::reset) return;
    if (!has_sent_fin_) {
      const Result<void> closed = inner_->try_close_write();
      if (!closed) return stop_sending(closed.error());
      has_sent_fin_ = true;
    }
    if (is_left_ || up_.end() == Channel::End::closed) drop_inner();
  }

  void stop_sending(std::error_code error) {
    if (error == make_error_code(Errc::would_block)) return watch(write_wait_);
    write_error_ = error;
    cannot_send_ = true;
    up_.reset();
    if (is_left_) drop_inner();
  }

  void send_reset() {
    if (up_.end() == Channel::End::reset) return abort_inner();
    up_.send_reset(loop_.now());  // does nothing when the connection was closed: its end is on the way
  }

  // What ends one direction ends the other. Only an inner connection that takes nothing any more may still be read.
  void act_on_changes() {
    const TimePoint now = loop_.now();
    const Channel::Changes up = up_.advance(now);
    const Channel::Changes down = down_.advance(now);
    if ((up.reset && !cannot_send_) || down.reset) {
      up_.reset();
      down_.reset();
      abort_inner();
    }
    if (up.closed || down.closed) {
      up_.cut();
      down_.cut();
    }
  }

  void abort_inner() {
    if (inner_ != nullptr) inner_->abort();
    drop_inner();
  }

  void drop_inner() {
    read_wait_.unlink();
    write_wait_.unlink();
    inner_.reset();
  }

  void watch(InnerWait& wait) {
    if (inner_ != nullptr && !wait.is_linked()) inner_->wait(wait.direction, wait);
  }

  void wake_from_inner(Direction direction) {
    if (passes_through(direction == Direction::read ? down_ : up_)) slot(direction).wake();
    move();
  }

  void wake_who_can_go_on() {
    if (reader_.has_waiter()) {
      if (state_ == State::aborted || has_ended_ || down_.is_readable()) {
        reader_.wake();
      } else if (passes_through(down_)) {
        watch(read_wait_);
      }
    }
    if (writer_.has_waiter()) {
      const bool needs_inner = passes_through(up_) && up_.size() == 0;
      if (state_ != State::open || up_.is_broken() || (!needs_inner && up_.is_writable())) {
        writer_.wake();
      } else if (needs_inner) {
        watch(write_wait_);
      }
    }
  }

  ToxicProxy& proxy_;
  async::Loop& loop_;
  std::unique_ptr<Connection> inner_;  // null when the link has no more to do with it
  InnerWait read_wait_{*this, Direction::read};
  InnerWait write_wait_{*this, Direction::write};
  Due due_{*this};
  Channel up_;
  Channel down_;
  WaitSlot reader_;
  WaitSlot writer_;

  State state_ = State::open;
  bool is_left_ = false;
  bool has_ended_ = false;        // the reader has been told of the end, which from then on stays so
  bool has_inner_ended_ = false;  // nothing more is read from the inner connection
  bool has_sent_fin_ = false;     // the inner connection has taken our end
  bool cannot_send_ = false;      // the inner connection has failed to take what arrived
  std::error_code read_error_ = make_error_code(Errc::connection_reset);
  std::error_code write_error_ = make_error_code(Errc::connection_reset);
};

ToxicConnection::~ToxicConnection() { link_.leave(); }
Result<std::size_t> ToxicConnection::try_read(MutableBytes into) { return link_.read(into); }
Result<std::size_t> ToxicConnection::try_write(std::span<const Bytes> pieces) { return link_.write(pieces); }
Result<void> ToxicConnection::try_close_write() { return link_.close_write(); }
void ToxicConnection::wait(Direction direction, Waiter& waiter) { link_.wait(direction, waiter); }
void ToxicConnection::set_deadline(Direction direction, TimePoint deadline) {
  link_.slot(direction).set_deadline(deadline);
}
void ToxicConnection::abort() { link_.abort(); }
void ToxicConnection::arm(Direction direction, Trigger& trigger, const Toxics& toxics) {
  link_.arm(direction, trigger, toxics);
}

ToxicProxy::ToxicProxy(async::Loop& loop, Decisions& decisions, const ChannelOptions& options)
    : loop_(loop), decisions_(decisions), options_(options) {}

ToxicProxy::~ToxicProxy() {
  while (!links_.empty()) {
    assert(links_.front().is_left() && "the proxy outlives its connections");
    free(links_.front());
  }
}

std::unique_ptr<ToxicConnection> ToxicProxy::wrap(std::unique_ptr<Connection> inner, std::uint64_t object) {
  auto link = std::make_unique<ToxicLink>(*this, std::move(inner), object);
  auto connection = std::make_unique<ToxicConnection>(*link);
  links_.push_back(*link.release());
  return connection;
}

void ToxicProxy::set_toxics(const Toxics& upstream, const Toxics& downstream) {
  upstream_ = upstream;
  downstream_ = downstream;
  links_.for_each([&](ToxicLink& link) { link.set_toxics(upstream, downstream); });
}

void ToxicProxy::free(ToxicLink& link) { std::unique_ptr<ToxicLink>(&link).reset(); }

}  // namespace pipette::net
