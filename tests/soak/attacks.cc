#include "tests/soak/attacks.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"

namespace pipette::soak {

namespace {

using namespace std::chrono_literals;

constexpr Duration kPause = 50ms;       // between the octets of who is slow
constexpr std::size_t kKept = 64;       // octets of what is heard
constexpr std::size_t kEnough = 20000;  // octets of an answer, for who then resets

enum class Layer : std::uint8_t {
  http,           // in the clear, and over TLS
  tls_handshake,  // in the clear, where a handshake is expected
};

enum class Then : std::uint8_t {
  listens,           // to the end
  finishes_sending,  // and listens to the end
  trickles,          // an octet now and then, until something is heard; and listens to the end
  resets,
  resets_amid_answer,
  never_reads,  // and is cut
};

// One end of a connection that does as it likes. What fails on the way is an end like any other.
class Line {
 public:
  Line(Runtime& runtime, std::unique_ptr<net::Connection> connection)
      : loop_(runtime.loop()), connection_(std::move(connection)), deadline_(after(loop_.now(), Attacks::kLongest)) {}

  Task<> say(Bytes octets) {
    connection_->set_deadline(net::Direction::write, deadline_);
    const std::array pieces = {octets};
    if (!co_await connection_->write(pieces)) is_cut_ = true;
  }

  // Until the end, or until so much has been heard.
  Task<> listen(std::size_t enough = std::size_t{0} - 1) {
    while (!has_ended_ && heard_ < enough) co_await hear(deadline_);
  }

  Task<> trickle() {
    while (!has_ended_ && heard_ == 0 && !is_late()) {
      co_await say("x");
      co_await hear(after(loop_.now(), kPause));
    }
  }

  Task<> talk_until_cut() {
    while (!is_cut_ && !is_late()) {
      co_await say("x");
      const TimePoint next = after(loop_.now(), kPause);
      co_await async::sleep_until(loop_, next);
    }
    has_ended_ = is_cut_;
  }

  void finish_sending() { (void)connection_->try_close_write(); }

  void reset() {
    connection_->abort();
    has_ended_ = true;
  }

  bool has_ended() const { return has_ended_; }
  const std::string& beginning() const { return beginning_; }

 private:
  Task<> hear(TimePoint deadline) {
    connection_->set_deadline(net::Direction::read, deadline);
    std::array<char, 16 * 1024> room;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const Result<std::size_t> size = co_await connection_->read_some(room);
    if (size && *size > 0) {
      heard_ += *size;
      beginning_.append(room.data(), std::min(*size, kKept - std::min(kKept, beginning_.size())));
    } else if (size || size.error() != make_error_code(Errc::timed_out) || is_late()) {
      has_ended_ = !is_late();
      if (is_late()) heard_ = std::size_t{0} - 1;
    }
  }
  bool is_late() const { return loop_.now() >= deadline_; }

  async::Loop& loop_;
  std::unique_ptr<net::Connection> connection_;
  const TimePoint deadline_;
  std::size_t heard_ = 0;
  std::string beginning_;
  bool has_ended_ = false;
  bool is_cut_ = false;
};

Task<> act(Line& line, Then then) {
  switch (then) {
    case Then::listens:
      co_return co_await line.listen();
    case Then::finishes_sending:
      line.finish_sending();
      co_return co_await line.listen();
    case Then::trickles:
      co_await line.trickle();
      co_return co_await line.listen();
    case Then::resets_amid_answer:
      co_await line.listen(kEnough);
      co_return line.reset();
    case Then::resets:
      co_return line.reset();
    case Then::never_reads:
      co_await line.talk_until_cut();
  }
}

std::string request(std::string_view target, std::string_view fields = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n";
}

std::string post(std::string_view fields, std::string_view body = {}) {
  return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

// A record that promises a ClientHello of 508 octets, and its beginning.
std::string half_hello() {
  return std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(32, 'r');
}

}  // namespace

struct Attacks::Script {
  const char* name;
  Layer layer;
  std::string says;
  Then then;
  std::string_view ends_with;  // what is heard begins so; empty: anything, or nothing
};

const std::deque<Attacks::Script>& Attacks::scripts() {
  using enum Layer;
  using enum Then;
  static const std::deque<Script> kScripts = {
      {"silence", http, "", listens, ""},
      {"slow head", http, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ", trickles, "HTTP/1.1 408"},
      {"slow body", http, post("Content-Length: 100000\r\n"), trickles, "HTTP/1.1 408"},
      {"slow chunks", http, post("Transfer-Encoding: chunked\r\n", "ffff\r\n"), trickles, "HTTP/1.1 408"},
      {"idles after one", http, request("/hello?n=1"), listens, "HTTP/1.1 200"},
      {"half-close", http, request("/big"), finishes_sending, "HTTP/1.1 200"},
      {"half-close in a head", http, "GET /hello HT", finishes_sending, ""},
      {"reset in a head", http, "GET /hello HTTP/1.1\r\nHo", resets, ""},
      {"reset in a body", http, post("Content-Length: 100000\r\n", "begun"), resets, ""},
      {"reset behind a request", http, request("/big"), resets, ""},
      {"reset in an answer", http, request("/endless"), resets_amid_answer, "HTTP/1.1 200"},
      {"reset while a thread works", http, request("/blocks") + request("/blocks"), resets, ""},
      {"an answer that nobody reads", http, request("/endless"), never_reads, ""},
      {"head too large", http, request("/hello", "X: " + std::string(20'000, 'x') + "\r\n"), listens, "HTTP/1.1 431"},
      {"target too long", http, request("/" + std::string(9'000, 'x')), listens, "HTTP/1.1 414"},
      {"body too large", http, post("Content-Length: 1000000000\r\n"), listens, "HTTP/1.1 413"},
      {"no HTTP", http, "\x01\x02 what is this\r\n\r\n", listens, "HTTP/1.1 400"},
      {"white space before a colon", http, request("/hello", "X : y\r\n"), listens, "HTTP/1.1 400"},
      {"two lengths", http, post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), listens, "HTTP/1.1 400"},
      {"two framings", http, post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), listens,
       "HTTP/1.1 400"},
      {"half a handshake", tls_handshake, half_hello(), listens, ""},
      {"a slow handshake", tls_handshake, half_hello(), trickles, ""},
      {"no handshake", tls_handshake, "", listens, ""},
      {"reset in a handshake", tls_handshake, half_hello(), resets, ""},
      {"plain http", tls_handshake, request("/hello"), listens, ""},
      {"a record that is none", tls_handshake, std::string(40'000, '\xff'), listens, ""},
  };
  return kScripts;
}

Attacks::Attacks(Runtime& runtime, const Site& site)
    : runtime_(runtime), site_(site), security_([&site] {
        tls::Options options;
        options.trust = site.trust();
        return options;
      }()) {
  for (const Script& script : scripts()) {
    add(script, false);
    if (script.layer == Layer::http) add(script, true);
  }
}

void Attacks::add(const Script& script, bool is_over_tls) {
  rows_.push_back({.script = &script, .is_over_tls = is_over_tls});
  const std::string prefix = is_over_tls ? "TLS, " : script.layer == Layer::http ? "plain, " : "at the TLS port, ";
  tallies_.push_back({.name = prefix + script.name});
}

Task<> Attacks::run_all() {
  async::TaskGroup all(runtime_.loop());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    for (int n = 0; n < kAtATime; ++n) all.spawn(run(rows_[i], tallies_[i]));
  }
  co_await all.join();
}

Task<> Attacks::run(Row row, Tally& tally) {
  const std::string failure = co_await play(row);
  if (failure.empty()) {
    ++tally.right;
  } else {
    tally.add_failure(failure);
  }
}

// What was wrong; empty: nothing.
Task<std::string> Attacks::play(Row row) {
  Result<std::unique_ptr<net::Connection>> connection = co_await open(row);
  if (!connection) co_return connection.error().message();
  Line line(runtime_, std::move(*connection));
  co_await line.say(row.script->says);
  co_await act(line, row.script->then);
  if (!line.has_ended()) co_return std::string("has not ended");
  if (!line.beginning().starts_with(row.script->ends_with)) co_return "heard: " + line.beginning();
  co_return std::string();
}

Task<Result<std::unique_ptr<net::Connection>>> Attacks::open(Row row) {
  const TimePoint deadline = after(runtime_.loop().now(), kLongest);
  const bool is_at_tls_port = row.is_over_tls || row.script->layer == Layer::tls_handshake;
  Result<net::Connected> dialed =
      co_await runtime_.network().dial(is_at_tls_port ? site_.secured() : site_.plain(), deadline);
  if (!dialed) co_return fail(dialed.error());
  ++dials_;
  if (is_at_tls_port) ++secured_dials_;
  if (!row.is_over_tls) {
    if (is_at_tls_port) ++broken_handshakes_;
    if (is_at_tls_port && row.script->says.empty()) ++silent_handshakes_;
    co_return std::move(dialed->connection);
  }
  net::ServerName name{.host = "localhost"};
  net::Alpn alpn;
  Result<net::Secured> secured =
      co_await security_.client(runtime_, std::move(dialed->connection), std::move(name), std::move(alpn), deadline);
  if (!secured) co_return fail(secured.error());
  co_return std::move(secured->connection);
}

}  // namespace pipette::soak
