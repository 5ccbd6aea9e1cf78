// Fuzzing a whole server in a world: the octets of an input become messages, cuts, delays, faults, half-closes and
// resets on several connections, and virtual time passes for them. No socket, no thread, no sleep.
//
//   #include "pipette/lab/fuzz.h"                   // my_app_fuzz.cc, all of it
//   #include "my_app.h"
//   PIPETTE_FUZZ_HANDLER(my_app)                    // a handler, a Server, or a function that makes one for each input
//
//   pipette_add_fuzz_test(NAME my_app SOURCES my_app_fuzz.cc CORPUS corpus/my_app LINK my_app)        # CMake
//
// Any octets are an input, and each has a form as text (fuzz_input.h), which a failure prints and a corpus may hold:
// a crash, copied into a .txt file, is a regression test. The same in an ordinary test:
//
//   lab::fuzz(server, lab::from_text("pipette fuzz 1\nsend \"GET / HTTP/1.1\\r\\n\"\nafter 10s\n"));
//
// After each input it must hold that
//   - all that was answered is well-formed HTTP, framed for the requests it answers, and whole where the end was in
//     order; no more final responses than requests, and one for what is none;
//   - `patience` after the last step, with all links healed, nothing is open, no handler runs and no timer is armed;
//   - nothing was Stuck, nor a Livelock; and the invariant holds after every step.
//
// FuzzPlayer is what plays the steps, for a target of your own; in the role of a server, it is what a client meets.
//
// Errors    FuzzFailed: what does not hold, the input as text, the last events. In a target it is printed, and the
//           process ends, so that the fuzzer keeps the input. BadFuzzText: a text that is none.
// Bounds    kMaxFuzzSteps; four hours of virtual time, and patience.
// Threads   one.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/base/oracle.h"
#include "pipette/lab/fuzz_input.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/message_follower.h"
#include "pipette/lab/oracles.h"

namespace pipette::lab {

struct FuzzOptions {
  Duration patience = std::chrono::hours(1);  // more than every deadline of the server and of its handlers
  std::function<bool(Lab&)> invariant = {};   // of the test's own; may throw instead, to say more
  // Buffers of a connection, each way: so small that back-pressure is met by bodies that cost little to make.
  std::size_t pipe_bytes = 4096;
};

class FuzzFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void fuzz(const Server& server, Bytes input, const FuzzOptions& options = {});

// ---- for targets

// Of a handler, a Server, or a function that makes either, or a unique_ptr to a Server.
template <class App>
void fuzz_app(Bytes input, App&& app, const FuzzOptions& options = {}) {
  if constexpr (std::same_as<std::remove_cvref_t<App>, Server>) {
    fuzz(app, input, options);
  } else if constexpr (std::convertible_to<App, server::Handler>) {
    ServerOptions quiet;
    quiet.log = [](std::string_view) {};
    fuzz(Server(std::forward<App>(app), std::move(quiet)), input, options);
  } else if constexpr (requires { fuzz(*app, input, options); }) {
    fuzz(*app, input, options);
  } else {
    fuzz_app(input, app(), options);
  }
}

// What LLVMFuzzerTestOneInput is made of: runs `run`; what it throws is printed, and ends the process. -1, which a
// fuzzer takes for "forget it": the input is marked as text, and is none.
int run_fuzz_target(const std::uint8_t* data, std::size_t size, const std::function<void(Bytes)>& run);
// What LLVMFuzzerCustomMutator is made of: the octets as libFuzzer changes them, or the steps one by one.
std::size_t mutate_fuzz_input(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed);

// ---- what plays the steps

// Answers with the octets of an input, and with the faults that it arms.
class FuzzDecisions final : public Oracle {
 public:
  // `choices` outlive it. Faults strike what `side` of connections does: 0 who dialed, 1 who accepted.
  FuzzDecisions(Bytes choices, unsigned side) : choices_(choices), side_(side) {}

  // The next operation of that kind gets this answer.
  void arm(inmem::Operation operation, unsigned answer);
  void disarm() { armed_.clear(); }
  unsigned answer(const Question& question) override;

 private:
  struct Armed {
    Site site;
    bool has_side;
    unsigned answer;
  };

  FuzzOracle choices_;
  unsigned side_;
  std::vector<Armed> armed_;
};

class FuzzPlayer {
 public:
  struct Open {
    // The next connection, or why there is none; would_block: not yet.
    std::function<Result<std::unique_ptr<net::Connection>>()> now;
    // What is awaited then; null: to be asked again.
    std::function<Task<Result<net::Connected>>()> later = {};
  };

  // `role` is what the player is; `host` that of the other side, over whose links it talks to "client".
  FuzzPlayer(Lab& lab, FuzzDecisions& decisions, Role role, Open open, std::string host);
  FuzzPlayer(const FuzzPlayer&) = delete;
  FuzzPlayer& operator=(const FuzzPlayer&) = delete;
  ~FuzzPlayer();

  // What "shutdown" does; nothing by default.
  void on_shutdown(std::function<void()> action) { shut_down_ = std::move(action); }
  void set_invariant(const std::function<bool(Lab&)>& invariant) { invariant_ = &invariant; }

  void play(const FuzzInput& input);
  // Faults and afflictions end, everybody reads, and time passes: as long as `patience`, or until nothing is awaited.
  void wind_up(Duration patience);
  // Throws FuzzFailed when what was heard is not as it must be.
  void check() const;

 private:
  struct Line;

  void perform(const FuzzStep& step);
  void run();
  bool pump();
  void pump_out(Line& line);
  bool pump_in(Line& line);
  Line& line() { return *lines_[current_ - 1]; }
  Line& open_line();
  void close_line();
  void open(Line& line);
  Task<> open_later(Line& line);
  void afflict(const net::Toxics& toxics);
  void check(const Line& line) const;

  Lab& lab_;
  FuzzDecisions& decisions_;
  Role role_;
  Open open_;
  std::string host_;
  std::function<void()> shut_down_;
  const std::function<bool(Lab&)>* invariant_ = nullptr;
  std::array<std::unique_ptr<Line>, kMaxFuzzConnections> lines_;
  std::vector<std::unique_ptr<Line>> past_;  // that were closed here
  std::array<inmem::Link::Guard, 2> guards_;
  unsigned current_ = 1;
  Duration time_left_ = std::chrono::hours(4);
  bool has_meddled_ = false;  // with the network, so that an end may come anywhere
  async::TaskGroup opening_;  // last: its tasks use all of the above
};

}  // namespace pipette::lab

// The whole of a fuzz target: PIPETTE_FUZZ_HANDLER(app), PIPETTE_FUZZ_HANDLER(app, options).
#define PIPETTE_FUZZ_HANDLER(...)                                                                        \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {                    \
    return ::pipette::lab::run_fuzz_target(                                                              \
        data, size, [](::pipette::Bytes input) { ::pipette::lab::fuzz_app(input, __VA_ARGS__); });       \
  }                                                                                                      \
  extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, \
                                                 unsigned seed) {                                        \
    return ::pipette::lab::mutate_fuzz_input(data, size, room, seed);                                    \
  }                                                                                                      \
  static_assert(true, "a semicolon may stand behind it")
