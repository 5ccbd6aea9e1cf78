#include "pipette/lab/fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "pipette/lab/story.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

// libFuzzer's own; null in a program without it, such as the runner of a corpus.
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);

namespace pipette::lab {
namespace {

using Verb = FuzzStep::Verb;

constexpr std::size_t kShownEvents = 30;
constexpr std::uint64_t kMaxStepsAtOneTime = 1'000'000;
constexpr Duration kDialTimeout = std::chrono::seconds(30);
constexpr Duration kShutdownTime = std::chrono::seconds(10);
constexpr std::string_view kFaultSites = "fault.";
constexpr std::string_view kClientHost = "client";

Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

bool would_block(const std::error_code& error) { return error == make_error_code(Errc::would_block); }

}  // namespace

// ---- FuzzDecisions ----

void FuzzDecisions::arm(inmem::Operation operation, unsigned answer) {
  armed_.push_back({inmem::fault_site(operation), operation <= inmem::Operation::close_write, answer});
}

unsigned FuzzDecisions::answer(const Question& question) {
  if (!question.site.name().starts_with(kFaultSites)) return choices_.answer(question);
  const auto is_meant = [&](const Armed& armed) {
    return armed.site == question.site && (!armed.has_side || question.object % 2 == side_);
  };
  const auto found = std::ranges::find_if(armed_, is_meant);
  if (found == armed_.end()) return 0;
  const unsigned answer = found->answer;
  armed_.erase(found);
  return answer % question.n;
}

// ---- FuzzPlayer ----

// One connection, as the player sees it.
struct FuzzPlayer::Line {
  Line(unsigned its_number, Role role)
      : number(its_number), says(role, conversation), hears(other(role), conversation) {}

  bool is_over() const { return is_finished || was_reset; }

  unsigned number;
  std::unique_ptr<net::Connection> connection;  // null: not yet
  bool is_opening = false;
  std::string unsent;
  std::size_t piece_bytes = SIZE_MAX;
  bool wants_finish = false;
  bool wants_reset = false;
  bool is_paused = false;
  bool is_finished = false;  // the other side has
  bool was_reset = false;
  bool has_refused_head = false;  // a HEAD that perhaps was not whole then: its answer may have a body
  Conversation conversation;
  MessageFollower says;
  MessageFollower hears;
};

FuzzPlayer::FuzzPlayer(Lab& lab, FuzzDecisions& decisions, Role role, Open open, std::string host)
    : lab_(lab),
      decisions_(decisions),
      role_(role),
      open_(std::move(open)),
      host_(std::move(host)),
      opening_(lab.world().loop()) {
  lab.world().scheduler().set_max_steps_at_one_time(kMaxStepsAtOneTime);
}

FuzzPlayer::~FuzzPlayer() = default;

void FuzzPlayer::play(const FuzzInput& input) {
  const std::vector<FuzzStep>& steps = input.steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    perform(steps[i]);
    const bool goes_on = i + 1 < steps.size() && steps[i + 1].verb == Verb::together;
    if (!goes_on) run();
    if (invariant_ != nullptr && *invariant_ && !(*invariant_)(lab_)) {
      throw FuzzFailed("the invariant does not hold after step " + std::to_string(i + 1));
    }
  }
}

void FuzzPlayer::perform(const FuzzStep& step) {
  switch (step.verb) {
    case Verb::send:
      open_line().unsent += step.octets;
      return pump_out(line());
    case Verb::message:
      open_line().unsent += kFuzzMessages.at(step.number).octets;
      return pump_out(line());
    case Verb::connection:
      current_ = step.number;
      (void)open_line();
      return;
    case Verb::after: {
      const Duration wait = std::min(step.wait, time_left_);
      time_left_ -= wait;
      return lab_.advance(wait);
    }
    case Verb::cut:
      open_line().piece_bytes = step.number == 0 ? SIZE_MAX : step.number;
      return;
    case Verb::finish:
      open_line().wants_finish = true;
      return pump_out(line());
    case Verb::reset:
      open_line().wants_reset = true;
      return pump_out(line());
    case Verb::close:
      return close_line();
    case Verb::pause:
      open_line().is_paused = true;
      return;
    case Verb::resume:
      open_line().is_paused = false;
      return;
    case Verb::fault:
      has_meddled_ = true;
      decisions_.arm(step.operation, step.number);
      return lab_.world().faults().offer(1);
    case Verb::link:
      return afflict(kFuzzAfflictions.at(step.number).toxics);
    case Verb::shutdown:
      if (shut_down_) std::exchange(shut_down_, nullptr)();
      return;
    case Verb::together:
    case Verb::choices:
      return;
  }
}

void FuzzPlayer::afflict(const net::Toxics& toxics) {
  has_meddled_ = true;
  for (inmem::Link::Guard& guard : guards_) guard.end();
  if (toxics.is_none()) return;
  guards_[0] = lab_.link(kClientHost, host_).add(toxics);
  guards_[1] = lab_.link(host_, kClientHost).add(toxics);
}

FuzzPlayer::Line& FuzzPlayer::open_line() {
  std::unique_ptr<Line>& made = lines_[current_ - 1];
  if (!made) made = std::make_unique<Line>(current_, role_);
  open(*made);
  return *made;
}

// What is said on a connection that cannot be had is lost.
void FuzzPlayer::open(Line& line) {
  if (line.connection || line.is_opening) return;
  Result<std::unique_ptr<net::Connection>> connection = open_.now();
  if (connection) {
    line.connection = std::move(*connection);
  } else if (!would_block(connection.error())) {
    line.unsent.clear();
  } else if (open_.later) {
    line.is_opening = true;
    opening_.spawn(open_later(line));
  }
}

void FuzzPlayer::close_line() {
  std::unique_ptr<Line>& made = lines_[current_ - 1];
  if (!made) return;
  if (made->connection) (void)made->connection->try_close_write();
  made->connection.reset();
  past_.push_back(std::move(made));
}

Task<> FuzzPlayer::open_later(Line& line) {
  Result<net::Connected> connected = co_await open_.later();
  line.is_opening = false;
  if (connected) line.connection = std::move(connected->connection);
}

// Lets everything run that can, sending and reading on.
void FuzzPlayer::run() {
  do {
    lab_.settle();
  } while (pump());
}

// Whether anything has moved, so that somebody may be ready.
bool FuzzPlayer::pump() {
  bool has_moved = false;
  for (const std::unique_ptr<Line>& line : lines_) {
    if (!line || line->is_over()) continue;
    open(*line);
    if (!line->connection) continue;
    // Reads first: what has come answers what was said before.
    if (!line->is_paused && pump_in(*line)) has_moved = true;
    const std::size_t unsent = line->unsent.size();
    if (unsent > 0 || line->wants_finish || line->wants_reset) pump_out(*line);
    if (line->unsent.size() != unsent) has_moved = true;
  }
  return has_moved;
}

// A piece at a time: the next one when all has run.
void FuzzPlayer::pump_out(Line& line) {
  if (!line.connection) return;
  if (!line.unsent.empty()) {
    const Bytes piece = Bytes(line.unsent).substr(0, line.piece_bytes);
    const Result<std::size_t> taken = line.connection->try_write({&piece, 1});
    if (!taken) {
      if (would_block(taken.error())) return;
      line.unsent.clear();
    } else {
      for (Bytes left = piece.substr(0, *taken); !left.empty();) left.remove_prefix(line.says.follow(left).size);
      line.unsent.erase(0, *taken);
    }
  }
  if (!line.unsent.empty()) return;
  if (line.wants_finish) {
    (void)line.connection->try_close_write();
    line.wants_finish = false;
  }
  if (line.wants_reset) {
    line.connection->abort();
    line.was_reset = true;
  }
}

bool FuzzPlayer::pump_in(Line& line) {
  std::array<char, 4096> room;
  const Result<std::size_t> count = line.connection->try_read(room);
  if (!count) {
    if (would_block(count.error())) return false;
    line.was_reset = true;
    return true;
  }
  if (*count == 0) line.is_finished = true;
  for (Bytes left(room.data(), *count); !left.empty();) {
    const MessageFollower::Run run = line.hears.follow(left);
    left.remove_prefix(run.size);
    const Message& message = line.hears.message();
    const bool may_answer_head =
        message.request.starts_with("HEAD ") || line.says.phase() == MessageFollower::Phase::head;
    if (run.ends_head && message.status >= 400 && may_answer_head) line.has_refused_head = true;
  }
  return true;
}

void FuzzPlayer::wind_up(Duration patience) {
  decisions_.disarm();
  lab_.world().faults().stop_offering();
  for (inmem::Link::Guard& guard : guards_) guard.end();
  for (const std::unique_ptr<Line>& line : lines_) {
    if (line) line->is_paused = false;
  }
  run();
  // In steps that grow, so that what is slow is read before a deadline passes.
  const TimePoint end = after(lab_.now(), patience);
  for (Duration step = std::chrono::seconds(1); lab_.now() < end && lab_.world().scheduler().can_progress();
       step *= 2) {
    lab_.world().advance_to(std::min(end, after(lab_.now(), step)));
    run();
  }
  for (const std::unique_ptr<Line>& line : lines_) {
    if (line && line->is_finished) line->hears.finish();
  }
}

void FuzzPlayer::check() const {
  for (const std::unique_ptr<Line>& line : past_) check(*line);
  for (const std::unique_ptr<Line>& line : lines_) {
    if (line) check(*line);
  }
}

void FuzzPlayer::check(const Line& line) const {
  using Phase = MessageFollower::Phase;
  const std::string who = "number " + std::to_string(line.number) + ": ";
  const Message& message = line.hears.message();
  // Whether a refused request was a HEAD is for each side to guess.
  const bool is_unread = role_ == Role::client && message.status >= 400 && line.says.phase() != Phase::idle;
  const bool is_refusal = is_unread || line.has_refused_head;
  if (line.hears.phase() == Phase::lost && !is_refusal) {
    throw FuzzFailed(who + "what came is not HTTP: " + std::string(line.hears.why_lost()) + ", in message " +
                     std::to_string(message.number) + ", " + message.start_line);
  }
  if (role_ == Role::client && line.conversation.answered > line.conversation.asked + 1) {
    throw FuzzFailed(who + std::to_string(line.conversation.answered) + " responses to " +
                     std::to_string(line.conversation.asked) + " requests");
  }
  const bool is_whole = line.hears.phase() == Phase::idle || line.hears.phase() == Phase::tunnel || is_refusal;
  if (line.is_finished && !has_meddled_ && !is_whole) {
    throw FuzzFailed(who + "the end came within message " + std::to_string(message.number) + ", " + message.start_line);
  }
}

// ---- fuzz ----

namespace {

Task<> shut_down(server::Worker& worker, TimePoint deadline) { (void)co_await worker.shutdown(deadline); }

void run_server(Lab& lab, FuzzDecisions& decisions, const Server& server, const FuzzInput& input,
                const FuzzOptions& options) {
  const net::Address address = *net::Address::parse("app:80");
  server::Worker& worker = lab.serve(server, "app:80");
  FuzzPlayer::Open open;
  open.now = [&lab, &address]() -> Result<std::unique_ptr<net::Connection>> {
    Result<net::Connected> connected = lab.world().dial_now(address);
    if (!connected) return fail(connected.error());
    return std::move(connected->connection);
  };
  open.later = [&lab, &address] { return lab.runtime().network().dial(address, after(lab.now(), kDialTimeout)); };
  FuzzPlayer player(lab, decisions, Role::client, std::move(open), "app");
  player.on_shutdown([&lab, &worker] { lab.spawn(shut_down(worker, after(lab.now(), kShutdownTime))); });
  player.set_invariant(options.invariant);
  player.play(input);
  player.wind_up(options.patience);
  player.check();
  if (worker.open_connections() > 0) {
    throw FuzzFailed("every deadline has passed, and " + std::to_string(worker.open_connections()) +
                     " connections are open:\n" + lab.describe_waits());
  }
}

std::string describe_failure(const std::string& why, const FuzzInput& input, const Lab& lab) {
  return why + "\n--- the input, as a text for the corpus or lab::from_text():\n" + input.to_text() +
         "--- last events:\n" + tail(lab.log(), kShownEvents);
}

}  // namespace

void fuzz(const Server& server, Bytes octets, const FuzzOptions& options) {
  const FuzzInput input = FuzzInput::parse(octets);
  const std::string choices = input.choices();
  FuzzDecisions decisions(choices, 1);
  LabOptions lab_options{.oracle = &decisions};
  if (!choices.empty()) lab_options.freedom = Freedom::explore;
  Lab lab(lab_options);
  net::ChannelOptions narrow;
  narrow.with_capacity(options.pipe_bytes);
  lab.world().network().set_pipe_options(narrow);
  try {
    run_server(lab, decisions, server, input, options);
    lab.finish();
  } catch (const std::exception& error) {
    lab.allow_leaks();
    throw FuzzFailed(describe_failure(error.what(), input, lab));
  }
}

// ---- for targets ----

namespace {

// The memory of one input is kept for the next one: getting it from the system each time is a third of the time.
bool keep_memory() {
#if defined(__GLIBC__)
  constexpr int kKeptBytes = 64 * 1024 * 1024;
  return mallopt(M_MMAP_THRESHOLD, kKeptBytes / 2) != 0 && mallopt(M_TRIM_THRESHOLD, kKeptBytes) != 0;
#else
  return false;
#endif
}

}  // namespace

int run_fuzz_target(const std::uint8_t* data, std::size_t size, const std::function<void(Bytes)>& run) {
  [[maybe_unused]] static const bool keeps_memory = keep_memory();
  try {
    run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
    return 0;
  } catch (const BadFuzzText& error) {
    // A fuzzer makes many of them; a person wants to know.
    if (LLVMFuzzerMutate == nullptr) std::fprintf(stderr, "%s\n", error.what());
    return -1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::abort();
  }
}

std::size_t mutate_fuzz_input(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
  if (LLVMFuzzerMutate == nullptr) return size;
  const Bytes input(reinterpret_cast<const char*>(data), size);  // NOLINT: libFuzzer's signature
  const bool by_octets = seed % 2 == 0 && !input.starts_with(kFuzzTextMark);
  if (by_octets) return LLVMFuzzerMutate(data, size, room);
  const ChangeOctets change = [](char* octets, std::size_t count, std::size_t most) {
    return LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(octets), count, most);  // NOLINT: libFuzzer's signature
  };
  const std::string mutated = mutate(input, room, seed / 2, change);
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated.size();
}

}  // namespace pipette::lab
