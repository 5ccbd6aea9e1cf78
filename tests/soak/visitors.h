// Visitors: those who ask a Site what they may, again and again, and want every answer to be right.
//
//   Visitors visitors(runtime, site);
//   visitors.begin();
//   …                                            attacks, new certificates
//   co_await visitors.end();                     each has its last answer, and no connection is left
//   visitors.tallies()
//
// Nothing is repeated on their behalf, so that one answer that does not come is one failure.
//
// Bounds    as many calls at a time as the table in visitors.cc says.
// Lifetime  the runtime and the site outlive it; it dies when they have ended.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/async/task_group.h"
#include "pipette/client/caller.h"
#include "pipette/client/host_client.h"
#include "pipette/client/pipeline_client.h"
#include "pipette/net/runtime.h"
#include "pipette/tls/security.h"

#include "tests/soak/site.h"
#include "tests/soak/tally.h"

namespace pipette::soak {

enum class Who : std::uint8_t { all, over_tls };

class Visitors {
 public:
  Visitors(Runtime& runtime, const Site& site, Who who);

  void begin();
  Task<> end();

  std::deque<Tally>& tallies() { return tallies_; }
  std::uint64_t answered() const;
  std::uint64_t dials() const;
  std::uint64_t secured_dials() const;

 private:
  struct Kind;
  struct Host {
    std::unique_ptr<HostClient> client;
    bool is_secured;
  };

  static const std::vector<Kind>& kinds();
  Caller& client_for(const Kind& kind);
  Task<> ask_again_and_again(Caller& client, const Kind& kind, Tally& tally);

  Runtime& runtime_;
  const Site& site_;
  tls::Security resuming_;
  tls::Security forgetful_;  // makes a full handshake each time
  std::vector<Host> hosts_;
  PipelineClient pipeline_;
  std::deque<Tally> tallies_;
  std::vector<std::pair<Caller*, const Kind*>> visits_;  // in the order of the tallies
  bool is_over_ = false;
  async::TaskGroup at_work_;
};

}  // namespace pipette::soak
