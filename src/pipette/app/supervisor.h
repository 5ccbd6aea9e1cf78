// Supervisor: systemd, or whoever else listens at NOTIFY_SOCKET, told how this process does. No library is needed.
//
//   Supervisor supervisor;                    // as the environment says
//   supervisor.tell("READY=1");               // sd_notify(3) has the words
//   supervisor.tell_alive();                  // WATCHDOG=1
//   supervisor.watchdog();                    // who is silent for so long is restarted; zero: nobody minds
//
// serve_tcp() does all of it: READY=1 when it listens, RELOADING=1 around on_reload, STOPPING=1, MAINPID= when it hands
// over, and WATCHDOG=1 twice in the time that is allowed, as long as each of its loops answers.
//
// Errors    who cannot be told is not told: tell() says whether it went.
// Threads   one at a time; the constructor reads the environment.
#pragma once

#include <string>
#include <string_view>

#include "pipette/base/time.h"

namespace pipette::app {

class Supervisor {
 public:
  // NOTIFY_SOCKET, and WATCHDOG_USEC unless WATCHDOG_PID is another process.
  Supervisor();
  // A path, or "@" and an abstract name; empty: there is nobody.
  explicit Supervisor(std::string socket, Duration watchdog = Duration::zero());

  bool is_there() const { return !socket_.empty(); }
  Duration watchdog() const { return watchdog_; }
  // Waits for one that is behind, two seconds at most.
  bool tell(std::string_view state) const;
  // WATCHDOG=1. Waits for nobody: the next one comes soon.
  bool tell_alive() const;

 private:
  bool send(std::string_view state, int flags) const;

  std::string socket_;
  Duration watchdog_{};
};

}  // namespace pipette::app

namespace pipette {
using app::Supervisor;
}  // namespace pipette
