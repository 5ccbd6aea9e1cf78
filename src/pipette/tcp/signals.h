// Signals: those that a program wants to hear of, one after the other.
//
//   Signals signals(runtime, {SIGHUP, SIGUSR2});
//   for (;;) switch (co_await signals.next()) { … }
//
// They are caught for as long as the object lives, and have their default effect again when it dies. One that comes
// while nobody waits is kept; several of a kind may become one, as the system has it. Each object hears of each signal.
//
// Errors    what the system says of a signal that cannot be caught: the constructor throws std::system_error.
// Lifetime  the runtime outlives it; it outlives the tasks of next(), of which there is one at a time.
// Threads   the runtime's.
#pragma once

#include <initializer_list>
#include <memory>

#include "pipette/async/task.h"

namespace pipette::tcp {

class Runtime;

class Signals {
 public:
  Signals(Runtime& runtime, std::initializer_list<int> signals);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  Task<int> next();

 private:
  struct Set;
  std::unique_ptr<Set> set_;
};

}  // namespace pipette::tcp
