// Signals: those that a program wants to hear of, one after the other.
//
//   constexpr std::array kSignals = {SIGHUP, SIGUSR2};
//   Signals signals(runtime, kSignals);
//   for (;;) switch (co_await signals.next()) { … }
//
// They are caught for as long as the object lives, and have their default effect again when it dies. One that comes
// while nobody waits is kept; several of a kind may become one, as the system has it. Each object hears of each signal.
// With Catch::once a signal that came has its default effect again from that moment, also when the loop is stuck: who
// asks a program twice to end means it.
//
// Errors    what the system says of a signal that cannot be caught: the constructor throws std::system_error.
// Lifetime  the runtime outlives it; it outlives the tasks of next(), of which there is one at a time.
// Threads   the runtime's.
#pragma once

#include <memory>
#include <span>

#include "pipette/async/task.h"

namespace pipette::tcp {

class Runtime;

class Signals {
 public:
  enum class Catch : unsigned char { always, once };

  Signals(Runtime& runtime, std::span<const int> signals, Catch how = Catch::always);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  Task<int> next();

 private:
  struct Set;
  std::unique_ptr<Set> set_;
};

}  // namespace pipette::tcp
