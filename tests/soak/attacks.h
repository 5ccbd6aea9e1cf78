// Attacks: what clients do to a Site that they should not, each with the end that it must have.
//
//   Attacks attacks(runtime, site);
//   co_await attacks.run_all();         every script, on some connections at a time each, until all have ended
//   attacks.tallies()
//
//   connect ──> handshake, where it is over TLS ──> says ──> then …      ends with a prefix of an answer, or without
//
// A script is a row of the table in attacks.cc: what it says first, and what it does then. One that does not end within
// kLongest has failed, and so has one whose end is another.
//
// Lifetime  the runtime and the site outlive it.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "pipette/async/task.h"
#include "pipette/net/connection.h"
#include "pipette/net/runtime.h"
#include "pipette/tls/security.h"

#include "tests/soak/site.h"
#include "tests/soak/tally.h"

namespace pipette::soak {

class Attacks {
 public:
  static constexpr Duration kLongest = std::chrono::seconds(60);
  static constexpr int kAtATime = 3;

  Attacks(Runtime& runtime, const Site& site);

  Task<> run_all();

  std::deque<Tally>& tallies() { return tallies_; }
  std::uint64_t dials() const { return dials_; }
  std::uint64_t secured_dials() const { return secured_dials_; }
  // Handshakes that were left in their middle on purpose.
  std::uint64_t broken_handshakes() const { return broken_handshakes_; }
  // Those among them that are not even broken off.
  std::uint64_t silent_handshakes() const { return silent_handshakes_; }

 private:
  struct Script;
  struct Row {
    const Script* script;
    bool is_over_tls;
  };

  static const std::deque<Script>& scripts();
  void add(const Script& script, bool is_over_tls);
  Task<> run(Row row, Tally& tally);
  Task<std::string> play(Row row);
  Task<Result<std::unique_ptr<net::Connection>>> open(Row row);

  Runtime& runtime_;
  const Site& site_;
  tls::Security security_;
  std::deque<Row> rows_;
  std::deque<Tally> tallies_;  // one for each row
  std::uint64_t dials_ = 0;
  std::uint64_t secured_dials_ = 0;
  std::uint64_t broken_handshakes_ = 0;
  std::uint64_t silent_handshakes_ = 0;
};

}  // namespace pipette::soak
