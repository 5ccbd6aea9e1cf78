#include "pipette/tcp/internal/loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "pipette/tcp/internal/socket.h"

namespace pipette::tcp {
namespace {

// How much is run, and how many completions are taken, before it is the other's turn.
constexpr int kRunsATurn = 64;
constexpr int kCompletionsATurn = 64;
// Waiting longer is waiting several times; keeps the sum of now and a far deadline from overflowing.
constexpr Duration kLongestWait = std::chrono::hours(1);
// How often civil time is looked at, since somebody may set it.
constexpr Duration kWallLook = std::chrono::milliseconds(100);

}  // namespace

TimePoint read_clock() {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

Loop::Slots::~Slots() {
  while (!sockets.empty()) std::unique_ptr<Socket>(&sockets.pop_front()).reset();
}

Loop::Loop() { refresh_now(); }

// Closing cancels what is pending; those operations are destroyed with io_, and after that their slots.
Loop::~Loop() {
  slots_.sockets.for_each([](Socket& socket) { socket.close(); });
}

void Loop::refresh_now() {
  set_now(read_clock());
  if (now() < wall_is_good_until_) return;
  set_wall_start(std::chrono::system_clock::now() - now().time_since_epoch());
  wall_is_good_until_ = after(now(), kWallLook);
}

void Loop::post(Work work) {
  asio::post(io_, [this, posted = std::move(work)]() mutable {
    refresh_now();
    posted();
  });
}

void Loop::request_stop() {
  asio::post(io_, [this] { stop_requested_ = true; });
}

void Loop::turn() {
  if (has_ready()) {
    look_at_io();
  } else {
    wait_for_io();
  }
  refresh_now();
  take_due_timers();
  for (int count = 0; count < kRunsATurn && run_one(); ++count) {
  }
}

void Loop::wait_for_io() {
  const TimePoint next = next_deadline();
  if (next == kNever) {
    io_.run_one();
    return;
  }
  refresh_now();
  if (next > now()) {
    io_.run_one_for(std::min(next - now(), kLongestWait));
  } else {
    io_.poll_one();
  }
}

void Loop::look_at_io() {
  for (int count = 0; count < kCompletionsATurn && io_.poll_one() > 0; ++count) {
  }
}

void Loop::adopt(std::unique_ptr<Socket> socket) { slots_.sockets.push_back(*socket.release()); }

void Loop::free(Socket& socket) { std::unique_ptr<Socket>(&socket).reset(); }

}  // namespace pipette::tcp
