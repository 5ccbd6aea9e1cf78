#include "pipette/lab/attacks.h"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "pipette/async/event.h"
#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/lab/message.h"

namespace pipette::lab::attack {
namespace {

// How many connections are dialed before the server has a chance to accept them.
constexpr std::size_t kDialedAtOnce = 128;
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kLastGet = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

// Octets without end: the beginning once, then the rest again and again, up to `size`.
struct Supply {
  std::string begin;
  std::string rest;
  std::size_t size = 0;

  Bytes from(std::size_t at, std::size_t most) const {
    const Bytes all = at < begin.size() ? Bytes(begin).substr(at)
                      : rest.empty()    ? Bytes()
                                        : Bytes(rest).substr((at - begin.size()) % rest.size());
    return all.substr(0, std::min(most, size - std::min(size, at)));
  }
};

// What each connection of an attack does.
struct Plan {
  std::size_t connections = 0;
  Duration give_up{};
  std::string quick;         // sent first, as fast as it is taken
  Supply sent;               // and then this
  Duration send_interval{};  // between octets; 0: as fast as they are taken
  bool reads = true;
  Duration read_interval{};  // between octets; 0: as they come
};

class Attacker {
 public:
  Attacker(Lab& lab, const Plan& plan, net::Address address, Report& report)
      : lab_(lab),
        loop_(lab.world().loop()),
        plan_(plan),
        address_(std::move(address)),
        report_(report),
        begin_(lab.now()) {}

  Task<> run(async::TaskGroup& tasks) {
    const TimePoint deadline = after(begin_, plan_.give_up);
    Result<net::Connected> connected = co_await lab_.runtime().network().dial(address_, deadline);
    if (!connected) {
      ++report_.refused;
      is_over_ = true;
      co_return;
    }
    ++report_.connections;
    connection_ = std::move(connected->connection);
    if (plan_.reads) tasks.spawn(read());
    tasks.spawn(send());
  }

  bool is_over() const { return is_over_; }
  void leave() {
    if (connection_) connection_->abort();
  }

 private:
  Task<> send() {
    const bool is_slow = plan_.send_interval > Duration(0);
    co_await write(plan_.quick);
    for (std::size_t at = 0; !is_over_;) {
      const Bytes piece = plan_.sent.from(at, is_slow ? 1 : SIZE_MAX);
      if (piece.empty()) co_return;
      co_await write(piece);
      at += piece.size();
      if (is_slow) co_await async::sleep_until(loop_, after(loop_.now(), plan_.send_interval));
    }
  }

  Task<> write(Bytes octets) {
    const std::span<const Bytes> pieces(&octets, 1);
    const Result<void> written = co_await connection_->write(pieces);
    if (written) report_.bytes_sent += octets.size();
    if (!written) note_end(true);
  }

  Task<> read() {
    const bool is_slow = plan_.read_interval > Duration(0);
    std::array<char, 4096> room;
    const MutableBytes into = std::span(room).first(is_slow ? 1 : room.size());
    for (;;) {
      const Result<std::size_t> count = co_await connection_->read_some(into);
      if (!count || *count == 0) {
        note_end(!count);
        co_return;
      }
      take(Bytes(room.data(), *count));
      if (is_slow) co_await async::sleep_until(loop_, after(loop_.now(), plan_.read_interval));
    }
  }

  // Counts the responses that are whole and drops them.
  void take(Bytes octets) {
    report_.bytes_received += octets.size();
    if (is_malformed_) return;
    input_ += octets;
    std::size_t at = 0;
    while (at < input_.size()) {
      const Result<FoundResponse> found = find_response(Bytes(input_).substr(at), http::Method::get, false);
      is_malformed_ = !found;
      if (is_malformed_) ++report_.malformed;
      if (is_malformed_ || found->size == 0) break;
      ++report_.answered[found->response.status];
      at += found->size;
    }
    input_.erase(0, at);
  }

  void note_end(bool is_reset) {
    if (is_over_) return;
    is_over_ = true;
    const Duration since = loop_.now() - begin_;
    report_.earliest_cut = report_.cut == 0 ? since : std::min(report_.earliest_cut, since);
    report_.latest_cut = std::max(report_.latest_cut, since);
    ++report_.cut;
    if (is_reset) ++report_.reset;
  }

  Lab& lab_;
  async::Loop& loop_;
  const Plan& plan_;
  net::Address address_;
  Report& report_;
  TimePoint begin_;
  std::unique_ptr<net::Connection> connection_;
  std::string input_;
  bool is_over_ = false;
  bool is_malformed_ = false;
};

Task<> give_up_at(async::Loop& loop, TimePoint time, bool& has_given_up) {
  co_await async::sleep_until(loop, time);
  has_given_up = true;
}

Report run(Lab& lab, std::string_view address, const Plan& plan) {
  const Result<net::Address> where = net::Address::parse(address);
  if (!where) throw std::system_error(where.error(), std::string(address));
  Report report;
  const TimePoint begin = lab.now();
  bool has_given_up = false;
  std::deque<Attacker> attackers;
  {
    async::TaskGroup tasks(lab.world().loop());
    tasks.spawn(give_up_at(lab.world().loop(), after(begin, plan.give_up), has_given_up));
    for (std::size_t i = 0; i < plan.connections; ++i) {
      Attacker& attacker = attackers.emplace_back(lab, plan, *where, report);
      tasks.spawn(attacker.run(tasks));
      if (i % kDialedAtOnce == kDialedAtOnce - 1) lab.settle();
    }
    std::size_t over = 0;  // attackers that are, from the first one on
    lab.run_until([&] {
      while (over < attackers.size() && attackers[over].is_over()) ++over;
      return has_given_up || over == attackers.size();
    });
    report.took = lab.now() - begin;
  }
  for (Attacker& attacker : attackers) attacker.leave();
  attackers.clear();
  lab.settle();
  return report;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

Supply endless(std::string begin, std::string rest) { return {std::move(begin), std::move(rest), SIZE_MAX}; }

Supply once(std::string octets) {
  const std::size_t size = octets.size();
  return {std::move(octets), "", size};
}

}  // namespace

Report slowloris(Lab& lab, std::string_view address, const Slowloris& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  plan.sent = endless("GET / HTTP/1.1\r\nHost: a\r\n", "X-a: b\r\n");
  plan.send_interval = options.interval;
  return run(lab, address, plan);
}

// The head goes at once, so that only the body is slow.
Report slow_body(Lab& lab, std::string_view address, const SlowBody& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  plan.quick.assign("POST / HTTP/1.1\r\nHost: a\r\n");
  if (options.is_chunked) {
    plan.quick += "Transfer-Encoding: chunked\r\n\r\n";
    plan.sent = endless("", "1\r\nx\r\n");
  } else {
    plan.quick += "Content-Length: " + std::to_string(options.body_bytes) + "\r\n\r\n";
    plan.sent = {"", "x", options.body_bytes};
  }
  plan.send_interval = options.interval;
  return run(lab, address, plan);
}

Report slow_read(Lab& lab, std::string_view address, const SlowRead& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  plan.sent = {"", std::string(kGet), kGet.size() * options.requests};
  plan.reads = options.interval > Duration(0);
  plan.read_interval = options.interval;
  return run(lab, address, plan);
}

Report pipelining_flood(Lab& lab, std::string_view address, const PipeliningFlood& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  const std::size_t before = std::max<std::size_t>(options.requests, 1) - 1;
  plan.sent = once(repeat(kGet, before).append(kLastGet));
  return run(lab, address, plan);
}

Report header_bomb(Lab& lab, std::string_view address, const HeaderBomb& options) {
  constexpr std::string_view kField = "X-Bomb: ";
  const std::size_t framing = kField.size() + 2;
  const std::size_t value = std::max(options.field_bytes, framing + 1) - framing;
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  plan.sent = {"GET / HTTP/1.1\r\nHost: a\r\n", std::string(kField).append(value, 'x').append("\r\n"),
               options.head_bytes};
  return run(lab, address, plan);
}

Report chunk_extension_flood(Lab& lab, std::string_view address, const ChunkExtensionFlood& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  plan.quick = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  plan.sent = {"", "1;" + std::string(std::max<std::size_t>(options.extension_bytes, 2) - 1, 'e') + "\r\nx\r\n",
               options.body_bytes};
  return run(lab, address, plan);
}

Report connection_flood(Lab& lab, std::string_view address, const ConnectionFlood& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  plan.sent = once(std::string(kGet));
  return run(lab, address, plan);
}

Report half_open(Lab& lab, std::string_view address, const HalfOpen& options) {
  Plan plan;
  plan.connections = options.connections;
  plan.give_up = options.give_up;
  return run(lab, address, plan);
}

}  // namespace pipette::lab::attack
