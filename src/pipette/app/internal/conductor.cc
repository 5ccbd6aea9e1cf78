#include "pipette/app/internal/conductor.h"

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "pipette/app/internal/cores.h"
#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"

namespace pipette::app {
namespace {

// As systemd wants it of who reloads: when, by the clock that only ever goes forward.
std::string reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return "RELOADING=1\nMONOTONIC_USEC=" +
         std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace

Conductor::Conductor(Crew& crew, const Server& server, const ServeOptions& options, const Supervisor& supervisor,
                     std::span<const Passed> passed)
    : crew_(crew),
      server_(server),
      options_(options),
      supervisor_(supervisor),
      passed_(passed),
      cores_(usable_cores()) {
  constexpr std::array kLast = {SIGINT, SIGTERM};
  if (options.stops_at_signals) last_signals_.emplace(crew.first(), kLast, tcp::Signals::Catch::once);
  std::vector<int> signals;
  if (options.on_reload) signals.push_back(SIGHUP);
  if (options.hand_over) signals.push_back(SIGUSR2);
  if (!signals.empty()) signals_.emplace(crew.first(), signals);
}

Task<> Conductor::run() {
  async::Loop& loop = crew_.first().loop();
  const auto end_soon = [this, &loop] { loop.post([this] { stop(); }); };
  const std::stop_callback at_stop(options_.stop, end_soon);
  async::TaskGroup tasks(loop);
  if (last_signals_) tasks.spawn(end_at_signal());
  if (signals_) tasks.spawn(heed_signals());
  if (supervisor_.watchdog() > Duration::zero()) tasks.spawn(feed_watchdog());
  async::Event never(loop);
  co_await never.wait();
}

void Conductor::stop() {
  if (state_ == State::serving) {
    state_ = State::stopping;
    if (next_) next_->kill();
    supervisor_.tell("STOPPING=1");
  }
  crew_.end({options_.shutdown_grace, server::IdleOnes::close});
}

void Conductor::step_down() {
  state_ = State::replaced;
  crew_.first().leave_unix_paths();
  crew_.end({options_.shutdown_grace, server::IdleOnes::answer_one_more});
}

Task<> Conductor::end_at_signal() {
  (void)co_await last_signals_->next();
  last_signals_.reset();
  stop();
}

Task<> Conductor::heed_signals() {
  for (;;) {
    const int signal = co_await signals_->next();
    if (signal == SIGHUP) {
      reload();
      continue;
    }
    const bool has_gone = co_await hand_over();
    if (has_gone) co_return step_down();
  }
}

void Conductor::reload() {
  supervisor_.tell(reloading());
  options_.on_reload();
  supervisor_.tell("READY=1");
}

Task<bool> Conductor::hand_over() {
  if (state_ != State::serving) {
    server_.log("no next process is started: this one was told to stop");
    co_return false;
  }
  const Result<void> started = co_await start_successor();
  next_.reset();
  if (started) co_return true;
  server_.log(state_ == State::serving
                  ? "the next process does not come up, and this one serves on: " + started.error().message()
                  : "the next process was killed: this one was told to stop");
  co_return false;
}

Task<Result<void>> Conductor::start_successor() {
  try {
    std::optional<Pinned> all;  // cores are its own to choose from
    if (options_.pin_threads) all.emplace(cores_);
    next_.emplace(*options_.hand_over, passed_);
  } catch (const std::system_error& error) {
    server_.log(error.what());
    co_return fail(error.code());
  }
  const Result<void> ready = co_await next_->ready(crew_.first());
  if (!ready) co_return fail(ready.error());
  if (state_ != State::serving) co_return fail(Errc::operation_canceled);
  co_return let_go();
}

Result<void> Conductor::let_go() {
  const auto name_main = [this](pid_t process) {
    supervisor_.tell("MAINPID=" + std::to_string(process) + "\nREADY=1");
  };
  name_main(next_->process());
  const Result<void> gone = next_->let_go();
  if (!gone) name_main(::getpid());
  return gone;
}

// Only when each loop has answered: one that is stuck serves nobody.
Task<> Conductor::feed_watchdog() {
  async::Loop& loop = crew_.first().loop();
  while (state_ != State::replaced) {
    supervisor_.tell_alive();
    co_await async::sleep_until(loop, after(loop.now(), supervisor_.watchdog() / 2));
    co_await crew_.call_the_roll();
  }
}

}  // namespace pipette::app
