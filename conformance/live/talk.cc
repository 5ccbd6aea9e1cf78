#include "conformance/live/talk.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/net/connection.h"

namespace pipette::conformance {
namespace {

// Asks whether the connection goes on, and ends it.
constexpr std::string_view kOneMore = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
constexpr Duration kBetweenPieces = std::chrono::microseconds(1);

class Talk {
 public:
  Talk(Runtime& runtime, std::unique_ptr<net::Connection> connection, const Case& one, Patience patience)
      : loop_(runtime.loop()), connection_(std::move(connection)), case_(one), patience_(patience) {}

  Task<> hold(Cut cut) {
    std::size_t sent = 0;
    for (const Turn& turn : case_.turns) {
      co_await send(turn.octets, cut, sent);
      sent += turn.octets.size();
      if (turn.then_end_of_stream) (void)connection_->try_close_write();
      judge_.expect(turn);
      const bool is_last = &turn == &case_.turns.back();
      while (!judge_.is_content(answers(), is_over())) {
        co_await listen(judge_.may_be_none() && !is_last ? patience_.silence : patience_.answer);
      }
      if (!is_last && end_ == End::silent) end_ = End::none;
      if (!judge_.complaint().empty()) co_return;
    }
    co_await end(case_.turns.back().ending);
  }

  Heard heard() && {
    Heard all;
    all.has_connected = true;
    all.octets = std::move(octets_);
    all.how_ended = end_ == End::closed   ? "closed"
                    : end_ == End::reset  ? "reset"
                    : end_ == End::silent ? "silent"
                                          : "open";
    all.complaint = judge_.complaint().empty() ? complaint_ : judge_.complaint();
    return all;
  }

 private:
  enum class End { none, closed, reset, silent };

  bool is_over() const { return end_ != End::none; }
  bool has_ended() const { return end_ == End::closed || end_ == End::reset; }
  Answers answers() const { return read_answers(octets_, case_.settings.in_answer_to, has_ended()); }

  // `before` octets of the case have been sent. A server that does not take them may have answered already.
  Task<> send(Bytes octets, Cut cut, std::size_t before) {
    for (Bytes rest = octets; !rest.empty() && !is_broken_;) {
      std::size_t size = rest.size();
      if (cut.kind == Cut::Kind::everywhere) size = 1;
      const std::size_t at = before + (octets.size() - rest.size());
      if (cut.kind == Cut::Kind::once && cut.place > at) size = std::min(size, cut.place - at);
      const Bytes piece = rest.substr(0, size);
      connection_->set_deadline(net::Direction::write, after(loop_.now(), patience_.answer));
      const Result<void> written = co_await connection_->write(std::span(&piece, 1));
      is_broken_ = !written;
      rest.remove_prefix(size);
      if (cut.kind != Cut::Kind::nowhere) co_await async::sleep_until(loop_, after(loop_.now(), kBetweenPieces));
    }
  }

  Task<> listen(Duration patience) {
    std::array<char, 4096> room;
    connection_->set_deadline(net::Direction::read, after(loop_.now(), patience));
    const Result<std::size_t> count = co_await connection_->read_some(room);
    if (count && *count > 0) {
      octets_.append(room.data(), *count);
    } else if (count) {
      end_ = End::closed;
    } else {
      end_ = count.error() == std::errc::timed_out ? End::silent : End::reset;
    }
  }

  Task<> end(Ending ending) {
    if (ending == Ending::silent) co_return co_await wait_in_silence();
    const bool may_go_on = ending != Ending::closed;
    const bool asks = may_go_on && !has_ended();
    if (asks && end_ == End::silent) end_ = End::none;
    if (asks) co_await send(kOneMore, Cut(), 0);
    while (!is_over()) co_await listen(patience_.answer);
    const Answers all = answers();
    const std::vector<int> extra = judge_.extra(all);
    const std::size_t most = may_go_on ? 1 : 0;
    if (!all.wrong.empty()) {
      complaint_ = all.wrong;
    } else if (extra.size() > most) {
      complaint_ = "an answer that nobody has asked for";
    } else if (!extra.empty() && !is_served(extra[0])) {
      complaint_ = "the next request was answered with " + std::to_string(extra[0]);
    } else if (!has_ended()) {
      complaint_ = "the connection was not closed";
    } else if (ending == Ending::open && extra.empty()) {
      complaint_ = "the connection did not go on";
    }
  }

  Task<> wait_in_silence() {
    const std::size_t before = octets_.size();
    if (!is_over()) co_await listen(patience_.silence);
    if (octets_.size() > before) complaint_ = "an answer to what is not complete";
    if (has_ended()) complaint_ = "the server did not wait";
  }

  async::Loop& loop_;
  std::unique_ptr<net::Connection> connection_;
  const Case& case_;
  Patience patience_;
  Judge judge_;
  std::string octets_;
  std::string complaint_;
  End end_ = End::none;
  bool is_broken_ = false;
};

}  // namespace

Task<Heard> talk(Runtime& runtime, net::Address address, const Case& one, Cut cut, Patience patience) {
  const TimePoint deadline = after(runtime.loop().now(), patience.answer);
  Result<net::Connected> connected = co_await runtime.network().dial(std::move(address), deadline);
  if (!connected) {
    Heard nothing;
    nothing.complaint = "no connection: " + connected.error().message();
    co_return nothing;
  }
  Talk conversation(runtime, std::move(connected->connection), one, patience);
  co_await conversation.hold(cut);
  co_return std::move(conversation).heard();
}

}  // namespace pipette::conformance
