// Conductor: what a server does beside serving: it hears signals, reloads, hands over, tells its supervisor, and says
// when it is time to end. It catches signals from the beginning, and heeds them when it runs.
//
//   serving ──> stopping   told to end: nobody takes over any more, and who was about to is killed
//        └────> replaced   the next process serves, and speaks to the supervisor; this one may still be told to end
//
// Lifetime  what it is given outlives it.   Threads  that of the crew's first loop.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipette/app/internal/crew.h"
#include "pipette/app/internal/opening.h"
#include "pipette/app/internal/successor.h"
#include "pipette/app/serve.h"
#include "pipette/app/supervisor.h"
#include "pipette/async/task.h"
#include "pipette/tcp/signals.h"

namespace pipette::app {

class Conductor {
 public:
  Conductor(Crew& crew, const Server& server, const ServeOptions& options, const Supervisor& supervisor,
            std::span<const Passed> passed);

  // Never ends by itself.
  Task<> run();

 private:
  enum class State : std::uint8_t { serving, stopping, replaced };

  Task<> end_at_signal();
  Task<> heed_signals();
  Task<> feed_watchdog();
  void reload();
  Task<bool> hand_over();
  Task<Result<void>> start_successor();
  Result<void> let_go();
  void step_down();
  void stop();

  Crew& crew_;
  const Server& server_;
  const ServeOptions& options_;
  const Supervisor& supervisor_;
  std::span<const Passed> passed_;
  const std::vector<int> cores_;  // before the first loop is bound to one of them
  State state_ = State::serving;
  std::optional<Successor> next_;  // while it comes up
  std::optional<tcp::Signals> last_signals_;
  std::optional<tcp::Signals> signals_;  // of which more than one may come
};

}  // namespace pipette::app
