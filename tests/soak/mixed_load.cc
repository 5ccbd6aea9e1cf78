// pipette_mixed_load [--rounds N | --seconds S] [--patience S] [--reloads-only]: serves friend and foe for a while, in
// one process, and sees whether the server is still what it was.
//
//   round   visitors ask ──────────────────────────────────────┐ each has its last answer
//           attacks begin ─────────────> the last one has ended ┘
//           certificates change, good ones and bad ones          └> no connection is left: how much memory is there?
//
// What must hold: every visitor has every answer, and the right one; every attack ends as it should; the server's
// counts add up to what was done to it; no connection is left behind; and the heap, in use at the end of a round, does
// not grow from the second quarter of the rounds to the last one.
//
// A machine that stands still for as long as the server is patient has it cut visitors too. So a round in which the
// loop stood still for a quarter of that is void: what failed in it does not count, and of `--rounds` it is none. Where
// every second one and more is void, the exit status is 77: nothing has been seen.
//
// --reloads-only leaves the attacks out: then no handshake may fail, neither here nor there, and a round ends when the
// certificate has changed so many times.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/tcp/runtime.h"

#include "tests/soak/attacks.h"
#include "tests/soak/memory.h"
#include "tests/soak/site.h"
#include "tests/soak/visitors.h"

namespace {

using namespace std::chrono_literals;
using namespace pipette;
using namespace pipette::soak;

constexpr Duration kBetweenChanges = 10ms;
constexpr std::uint64_t kChangesInARound = 50;
constexpr Duration kLongestQuiet = 60s;
constexpr int kSkipped = 77;
constexpr std::size_t kMostGrowth = 512 * 1024;  // octets of the heap

struct Arguments {
  std::uint64_t rounds = 4;
  Duration duration{};     // in place of rounds, where it is more
  Duration patience = 5s;  // the time-outs of the server
  bool is_reloads_only = false;
};

Arguments parse(int count, char** words) {
  Arguments parsed;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--reloads-only") {
      parsed.is_reloads_only = true;
    } else if (word == "--rounds" && i + 1 < count) {
      parsed.rounds = std::stoull(words[++i]);
    } else if (word == "--seconds" && i + 1 < count) {
      parsed.duration = std::chrono::seconds(std::stoul(words[++i]));
    } else if (word == "--patience" && i + 1 < count) {
      parsed.patience = std::chrono::seconds(std::stoul(words[++i]));
    } else {
      throw std::runtime_error(std::string(word) + ": no such option, or it lacks its value");
    }
  }
  return parsed;
}

struct Weight {
  std::size_t heap;
  std::size_t resident;
};

class Soak {
 public:
  Soak(tcp::Runtime& runtime, Site& site, const Arguments& arguments)
      : runtime_(runtime),
        site_(site),
        arguments_(arguments),
        visitors_(runtime, site, arguments.is_reloads_only ? Who::over_tls : Who::all),
        attacks_(runtime, site) {}

  Task<> run() {
    async::Loop& loop = runtime_.loop();
    const TimePoint end = after(loop.now(), arguments_.duration);
    while (arguments_.duration > Duration::zero() ? loop.now() < end : has_rounds_left()) {
      standstill_ = {};
      co_await run_round();
      co_await wait_for_quiet();
      settle();
      weights_.push_back({.heap = live_heap_bytes(), .resident = resident_bytes()});
    }
  }

  bool is_void() const { return void_rounds_ * 2 > weights_.size(); }

  // Returns whether all is well. Behind site.stop().
  bool report(const server::ShutdownReport& stopped) {
    print(visitors_.tallies());
    if (!arguments_.is_reloads_only) print(attacks_.tallies());
    print_server();
    check_counts(stopped);
    check_handshakes();
    if (!arguments_.is_reloads_only) check_weight();
    std::printf("mixed load: %s, %llu right answers under %llu attacks and %llu changes of the certificate\n",
                is_well_ ? "all is well" : "NOT well", static_cast<unsigned long long>(visitors_.answered()),
                static_cast<unsigned long long>(attacks_.dials()), static_cast<unsigned long long>(site_.changes()));
    return is_well_;
  }

 private:
  bool has_rounds_left() const {
    return weights_.size() - void_rounds_ < arguments_.rounds && weights_.size() < 2 * arguments_.rounds;
  }

  void settle() {
    const bool counts = standstill_ < arguments_.patience / 4;
    if (!counts) ++void_rounds_;
    for (Tally& tally : visitors_.tallies()) tally.settle(counts);
    for (Tally& tally : attacks_.tallies()) tally.settle(counts);
    longest_standstill_ = std::max(longest_standstill_, standstill_);
  }

  Task<> run_round() {
    visitors_.begin();
    is_round_over_ = false;
    async::TaskGroup reloading(runtime_.loop());
    reloading.spawn(change_certificates());
    if (!arguments_.is_reloads_only) {
      co_await attacks_.run_all();
      is_round_over_ = true;
    }
    co_await reloading.join();
    co_await visitors_.end();
  }

  Task<> change_certificates() {
    async::Loop& loop = runtime_.loop();
    for (std::uint64_t n = 0; arguments_.is_reloads_only ? n < kChangesInARound : !is_round_over_; ++n) {
      site_.change_certificate();
      const TimePoint next = after(loop.now(), kBetweenChanges);
      co_await async::sleep_until(loop, next);
      standstill_ = std::max(standstill_, loop.now() - next);
    }
  }

  // Until the server knows that nobody is there any more.
  Task<> wait_for_quiet() {
    async::Loop& loop = runtime_.loop();
    const TimePoint deadline = after(loop.now(), kLongestQuiet);
    while (site_.metrics().open_connections > 0 && loop.now() < deadline) {
      const TimePoint next = after(loop.now(), kBetweenChanges);
      co_await async::sleep_until(loop, next);
    }
    expect(site_.metrics().open_connections == 0, "connections that nobody holds are open at the end of a round");
  }

  void expect(bool holds, const std::string& otherwise) {
    if (holds) return;
    is_well_ = false;
    std::printf("FAILED: %s\n", otherwise.c_str());
  }

  void expect_equal(const char* what, std::uint64_t seen, std::uint64_t wanted) {
    expect(seen == wanted, std::string(what) + ": " + std::to_string(seen) + " in place of " + std::to_string(wanted));
  }

  void print(const std::deque<Tally>& tallies) {
    for (const Tally& tally : tallies) {
      std::printf("%-45s %12llu\n", tally.name.c_str(), static_cast<unsigned long long>(tally.right));
      expect(tally.failed == 0 && tally.right > 0,
             tally.name + ": " + std::to_string(tally.failed) + " failed, first: " + tally.first_failure);
    }
  }

  void print_server() const {
    const server::MetricsSnapshot seen = site_.metrics();
    const auto row = [](const char* name, std::uint64_t count) {
      std::printf("%-45s %12llu\n", name, static_cast<unsigned long long>(count));
    };
    row("rounds", weights_.size());
    row("that are void", void_rounds_);
    row("certificates changed, two of five in vain", site_.changes());
    row("connections", seen.accepted);
    row("TLS handshakes", seen.tls_handshakes);
    row("that failed", seen.tls_handshake_failures);
    row("that timed out", seen.tls_handshake_timeouts);
    row("requests on resumed sessions", site_.resumed());
    row("exchanges", seen.exchanges);
    row("refused", seen.refused);
    row("octets received", seen.bytes_received);
    row("octets sent", seen.bytes_sent);
    const auto standstill = std::chrono::duration_cast<std::chrono::milliseconds>(longest_standstill_);
    row("milliseconds that the loop stood still", static_cast<std::uint64_t>(standstill.count()));
  }

  void check_counts(const server::ShutdownReport& stopped) {
    const server::MetricsSnapshot seen = site_.metrics();
    std::uint64_t responses = 0;
    for (const std::uint64_t count : seen.responses) responses += count;
    expect_equal("connections", seen.accepted, visitors_.dials() + attacks_.dials());
    expect_equal("handshakes", seen.tls_handshakes, visitors_.secured_dials() + attacks_.secured_dials());
    expect_equal("responses", responses, seen.exchanges + seen.refused);
    expect_equal("exchanges that the report tells of", stopped.served, seen.exchanges);
    expect(seen.exchanges >= visitors_.answered(), "fewer exchanges than answers");
    expect(site_.resumed() > 0, "no handshake was resumed");
    for (const std::uint64_t none :
         {seen.open_connections, seen.active_connections, seen.hijacked, seen.handlers_overdue, seen.accept_errors,
          seen.connections_shed, seen.rejected_concurrency, seen.rejected_per_ip, seen.rejected_swamped,
          seen.handlers_threw, seen.cut, stopped.cut, stopped.overdue}) {
      expect_equal("what must not be", none, 0);
    }
  }

  // Of visitors none has failed, or else one of theirs would lack its answer. A client that resets behind its own part
  // of a handshake may be seen as one that has not finished it.
  void check_handshakes() {
    const std::uint64_t failures = site_.metrics().tls_handshake_failures;
    const std::uint64_t least = attacks_.broken_handshakes();
    const std::uint64_t most = attacks_.secured_dials();
    expect(site_.metrics().tls_handshake_timeouts >= attacks_.silent_handshakes(), "handshakes that hang were not cut");
    expect(least <= failures && failures <= most,
           "failed handshakes: " + std::to_string(failures) + ", " + std::to_string(least) + " wanted");
  }

  // The most that there was in one of four quarters.
  std::size_t heap_in(std::size_t quarter) const {
    const std::size_t first = weights_.size() * quarter / 4;
    const std::size_t last = weights_.size() * (quarter + 1) / 4;
    std::size_t most = 0;
    for (std::size_t i = first; i < last; ++i) most = std::max(most, weights_[i].heap);
    return most;
  }

  void check_weight() {
    if (weights_.size() < 4) return;
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
      const Weight& last = weights_[weights_.size() * (quarter + 1) / 4 - 1];
      std::printf("quarter %zu: heap %zu octets at most, resident %zu at its end\n", quarter + 1, heap_in(quarter),
                  last.resident);
    }
    expect(heap_in(3) <= heap_in(1) + kMostGrowth, "the heap has grown");
  }

  tcp::Runtime& runtime_;
  Site& site_;
  const Arguments& arguments_;
  Visitors visitors_;
  Attacks attacks_;
  std::vector<Weight> weights_;  // one for each round
  std::size_t void_rounds_ = 0;
  Duration standstill_{};  // the longest of this round
  Duration longest_standstill_{};
  bool is_round_over_ = false;
  bool is_well_ = true;
};

int soak_with(const Arguments& arguments) {
  Site site(arguments.patience);
  tcp::Runtime runtime;
  Soak soak(runtime, site, arguments);
  runtime.run(soak.run());
  const bool is_well = soak.report(site.stop());
  return soak.is_void() ? kSkipped : is_well ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return soak_with(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}
