// Successor: the process that is to take the place of this one.
//
//   Successor next(options, listening descriptors);     started: it has them, and no other descriptor of ours
//   Result<void> ready = co_await next.ready(runtime);  within the time that it has
//   Result<void> gone = next.let_go();                  it accepts from now on
//
// It is killed when the Successor dies before that, or by kill(): ready() fails then, soon.
//
// Errors    of the constructor: std::system_error, when it cannot be started. ready(): Errc::timed_out, or
//           connection_reset when it has ended. let_go(): it has ended since, and is killed as before.
// Threads   the one whose runtime it is.
#pragma once

#include <span>
#include <sys/types.h>

#include "pipette/app/hand_over.h"
#include "pipette/app/internal/opening.h"
#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/tcp/descriptor.h"
#include "pipette/tcp/runtime.h"

namespace pipette::app {

class Successor {
 public:
  Successor(const HandOver& options, std::span<const Passed> passed);
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;
  ~Successor();

  pid_t process() const { return process_; }
  Task<Result<void>> ready(tcp::Runtime& runtime);
  Result<void> let_go();
  // Nothing when it has been let go.
  void kill() const;

 private:
  void start(const HandOver& options, std::span<const Passed> passed, int its_end);

  Duration ready_timeout_;
  pid_t process_ = -1;
  tcp::Descriptor our_end_;
  std::unique_ptr<net::Connection> pair_;
  bool is_let_go_ = false;
};

}  // namespace pipette::app
