#include "pipette/lab/peer.h"

#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "pipette/async/timer.h"
#include "pipette/http/status.h"
#include "pipette/inmem/text.h"
#include "pipette/lab/message.h"

namespace pipette::lab {
namespace {

// Notes that it is worth trying again.
struct Wake final : net::Waiter {
  void run() override { has_come = true; }
  bool has_come = false;
};

}  // namespace

// Stays where it is when its peer is moved, since a timer sends what is sent slowly.
struct Peer::State final : async::Timer {
  State(inmem::World& owner, std::unique_ptr<net::Connection> owned) : world(owner), connection(std::move(owned)) {}

  struct Outgoing {
    Bytes rest() const { return Bytes(octets).substr(sent); }

    std::string octets;
    Duration per_octet{};
    std::size_t sent = 0;
  };

  void settle();
  void push();
  void push_on();
  void pull();
  std::size_t unsent() const;
  void run() override { push(); }

  inmem::World& world;
  std::unique_ptr<net::Connection> connection;
  std::deque<Outgoing> outgoing;
  TimePoint next_slow_octet{};
  SentRequests sent;
  std::string received;
  bool wants_close_write = false;
  bool is_finished = false;
  bool was_reset = false;
};

// Lets everything run that can, sending on as room appears.
void Peer::State::settle() {
  world.settle();
  while (unsent() > 0) {
    const std::size_t before = unsent();
    push();
    world.settle();
    if (unsent() == before) return;
  }
}

std::size_t Peer::State::unsent() const {
  std::size_t count = 0;
  for (const Outgoing& piece : outgoing) count += piece.rest().size();
  return count;
}

void Peer::State::push() {
  push_on();
  if (wants_close_write && outgoing.empty()) (void)connection->try_close_write();
}

void Peer::State::push_on() {
  for (; !outgoing.empty(); outgoing.pop_front()) {
    Outgoing& next = outgoing.front();
    const bool is_slow = next.per_octet > Duration(0);
    const TimePoint now = world.loop().now();
    while (!next.rest().empty()) {
      if (is_slow && now < next_slow_octet) return world.loop().arm(*this, next_slow_octet);
      const Bytes piece = next.rest().substr(0, is_slow ? 1 : Bytes::npos);
      const Result<std::size_t> taken = connection->try_write({&piece, 1});
      if (taken) {
        next.sent += *taken;
        if (is_slow) next_slow_octet = after(now, next.per_octet);
        continue;
      }
      if (taken.error() == make_error_code(Errc::would_block)) {
        if (is_slow) world.loop().arm(*this, after(now, next.per_octet));
        return;
      }
      was_reset = was_reset || taken.error() == std::errc::connection_reset;
      return outgoing.clear();  // it can never be sent
    }
  }
}

// Reads until nothing more comes; reading makes room, which may let the other side go on.
void Peer::State::pull() {
  std::array<char, 4096> room;
  while (!is_finished && !was_reset) {
    const Result<std::size_t> count = connection->try_read(room);
    if (count && *count > 0) {
      received.append(room.data(), *count);
      continue;
    }
    if (count) {
      is_finished = true;
    } else if (count.error() != make_error_code(Errc::would_block)) {
      was_reset = true;
    } else {
      // A connection may say so too early (inmem::Leeway, inmem::Cut), and wakes who waits then.
      Wake wake;
      connection->wait(net::Direction::read, wake);
      settle();
      if (!wake.has_come) return;
    }
  }
}

Peer::Peer(inmem::World& world, std::unique_ptr<net::Connection> connection)
    : state_(std::make_unique<State>(world, std::move(connection))) {}
Peer::Peer(Peer&& other) noexcept = default;
Peer& Peer::operator=(Peer&& other) noexcept = default;
Peer::~Peer() = default;

inmem::World& Peer::world() const { return state_->world; }
std::string Peer::unread() const { return state_->received; }
std::unique_ptr<net::Connection> Peer::release() && { return std::move(state_->connection); }

// ---- saying ----------------------------------------------------------------------------------------------

void Peer::send(Bytes bytes) { send_slowly(bytes, Duration(0)); }

void Peer::send_slowly(Bytes bytes, Duration per_octet) {
  state_->settle();
  state_->sent.add(bytes);
  state_->outgoing.push_back({.octets = std::string(bytes), .per_octet = per_octet});
  state_->push();
}

std::size_t Peer::unsent() {
  state_->settle();
  return state_->unsent();
}

void Peer::close_write() {
  state_->settle();
  state_->wants_close_write = true;
  state_->push();
}

void Peer::abort() {
  state_->settle();
  state_->connection->abort();
}

// ---- looking and taking ----------------------------------------------------------------------------------

void Peer::look() {
  state_->settle();
  state_->pull();
}

const std::string& Peer::received() {
  look();
  return state_->received;
}

std::string Peer::take() {
  look();
  return std::exchange(state_->received, std::string());
}

bool Peer::closed() {
  look();
  return state_->is_finished || state_->was_reset;
}

bool Peer::was_reset() {
  look();
  return state_->was_reset;
}

// ---- expecting -------------------------------------------------------------------------------------------

void Peer::expect(Bytes bytes, Where where) {
  look();
  const std::size_t same = common_prefix(bytes, state_->received);
  if (same == bytes.size()) {
    state_->received.erase(0, same);
    return;
  }
  const bool is_short = same == state_->received.size();
  fail_expectation(where,
                   "expected " + std::to_string(bytes.size()) + " octets, but " +
                       (is_short ? "only " + std::to_string(same) + " of them have come"
                                 : "another one came at octet " + std::to_string(same)),
                   describe_difference(bytes, state_->received, same));
}

Holes Peer::expect_matching(std::string_view pattern, Where where) {
  const Pattern wanted(pattern);
  look();
  Pattern::Match match = wanted.match(state_->received);
  if (match.outcome != Pattern::Outcome::matched) {
    fail_expectation(
        where,
        "what has come does not match " + inmem::quote(pattern) + " from octet " + std::to_string(match.size) + " on",
        describe_mismatch(match, state_->received));
  }
  state_->received.erase(0, match.size);
  return std::move(match.holes);
}

client::Response Peer::read_response(Where where) { return take_response(state_->sent.next(), 0, where); }
client::Response Peer::read_response(http::Method method, Where where) { return take_response(method, 0, where); }
client::Response Peer::expect_response(int status, Where where) {
  return take_response(state_->sent.next(), status, where);
}

// `status` 0: any.
client::Response Peer::take_response(http::Method method, int status, Where where) {
  look();
  const std::string what =
      status == 0 ? "a response was expected" : "a response " + std::to_string(status) + " was expected";
  const std::string shown = "  received  " + inmem::quote(state_->received) + "\n";
  Result<FoundResponse> found = find_response(state_->received, method, state_->is_finished || state_->was_reset);
  if (!found) fail_expectation(where, what + ", but this is none: " + found.error().message(), shown);
  if (found->size == 0) fail_expectation(where, what + ", but no whole one has come", shown);
  const int got = found->response.status;
  if (status != 0 && got != status) fail_expectation(where, what + ", but it is " + std::to_string(got), shown);
  if (!http::is_interim(got)) (void)state_->sent.take();
  state_->received.erase(0, found->size);
  return std::move(found->response);
}

void Peer::expect_nothing(Where where) {
  look();
  const bool has_ended = state_->is_finished || state_->was_reset;
  if (state_->received.empty() && !has_ended) return;
  fail_expectation(where, "nothing was expected", "  received  " + inmem::quote(state_->received) + "\n");
}

void Peer::expect_closed(Where where) {
  look();
  if (state_->is_finished && state_->received.empty()) return;
  fail_expectation(where, "the end was expected, and nothing in front of it",
                   "  received  " + inmem::quote(state_->received) + "\n");
}

void Peer::expect_reset(Where where) {
  look();
  if (state_->was_reset) return;
  fail_expectation(where, "a reset was expected", "  received  " + inmem::quote(state_->received) + "\n");
}

void Peer::fail_expectation(const Where& where, std::string_view what, const std::string& shown) {
  std::string text = std::string(what) + "\n" + shown;
  text += state_->was_reset     ? "  and the connection was reset"
          : state_->is_finished ? "  and the other side has finished"
                                : "  and the connection is open";
  lab::fail_expectation(text, where);
}

}  // namespace pipette::lab
