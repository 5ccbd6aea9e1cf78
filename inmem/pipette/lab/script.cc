#include "pipette/lab/script.h"

#include <array>
#include <exception>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/async/task_group.h"
#include "pipette/inmem/text.h"

namespace pipette::lab {
namespace {

constexpr std::size_t kShownBytes = 60;

}  // namespace

Script& Script::add(Step step) {
  steps_.push_back(std::move(step));
  return *this;
}
Script& Script::send(std::string octets, Where where) { return send_slowly(std::move(octets), Duration(0), where); }
Script& Script::send_slowly(std::string octets, Duration per_octet, Where where) {
  return add({Kind::send, where, std::move(octets), per_octet, 0, {}});
}
Script& Script::wait(Duration wait, Where where) { return add({Kind::wait, where, {}, wait, 0, {}}); }
Script& Script::expect(std::string octets, Where where) {
  return add({Kind::expect, where, std::move(octets), {}, 0, {}});
}
Script& Script::expect_matching(std::string_view pattern, Where where) {
  return add({Kind::expect_matching, where, {}, {}, 0, Pattern(pattern)});
}
Script& Script::expect_response(int status, Where where) {
  return add({Kind::expect_response, where, {}, {}, status, {}});
}
Script& Script::expect_closed(Where where) { return add({Kind::expect_closed, where, {}, {}, 0, {}}); }
Script& Script::expect_reset(Where where) { return add({Kind::expect_reset, where, {}, {}, 0, {}}); }
Script& Script::close_write(Where where) { return add({Kind::close_write, where, {}, {}, 0, {}}); }
Script& Script::close(Where where) { return add({Kind::close, where, {}, {}, 0, {}}); }
Script& Script::abort(Where where) { return add({Kind::abort, where, {}, {}, 0, {}}); }

std::string Script::Step::describe() const {
  switch (kind) {
    case Kind::send:
      return "send " + inmem::quote(octets, kShownBytes) +
             (time > Duration(0) ? ", one each " + inmem::exact_text(time) : "");
    case Kind::wait:
      return "wait " + inmem::exact_text(time);
    case Kind::expect:
      return "expect " + inmem::quote(octets, kShownBytes);
    case Kind::expect_matching:
      return "expect matching " + inmem::quote(pattern->text(), kShownBytes);
    case Kind::expect_response:
      return "expect a response " + std::to_string(status);
    case Kind::expect_closed:
      return "expect an end";
    case Kind::expect_reset:
      return "expect a reset";
    case Kind::close_write:
      return "finish sending";
    case Kind::close:
      return "close";
    case Kind::abort:
      break;
  }
  return "reset";
}

// ---- a run -----------------------------------------------------------------------------------------------

Task<> ScriptRun::play(std::unique_ptr<net::Connection>& connection, std::string& input) {
  while (!has_failed() && !is_done()) {
    const Step& step = script_.steps_[step_];
    co_await do_step(step, connection, input);
    if (!has_failed()) ++step_;
  }
}

Task<> ScriptRun::do_step(const Step& step, std::unique_ptr<net::Connection>& connection, std::string& input) {
  using Kind = Script::Kind;
  if (step.kind == Kind::wait) {
    co_await async::sleep_until(loop_, after(loop_.now(), step.time));
    co_return;
  }
  if (!connection) {
    fail_step(step, "the script has closed the connection");
    co_return;
  }
  switch (step.kind) {
    case Kind::send:
      co_await send(step, *connection);
      break;
    case Kind::expect_closed:
    case Kind::expect_reset:
      co_await expect_end(step, *connection, input);
      break;
    case Kind::close:
      (void)connection->try_close_write();
      connection.reset();
      break;
    case Kind::close_write:
      (void)connection->try_close_write();
      break;
    case Kind::abort:
      connection->abort();
      break;
    default:
      co_await expect(step, *connection, input);
  }
}

Task<> ScriptRun::send(const Step& step, net::Connection& connection) {
  sent_.add(step.octets);
  const bool is_slow = step.time > Duration(0);
  const std::size_t at_once = is_slow ? 1 : step.octets.size();
  for (std::size_t at = 0; at < step.octets.size(); at += at_once) {
    if (at > 0) co_await async::sleep_until(loop_, after(loop_.now(), step.time));
    const Bytes piece = Bytes(step.octets).substr(at, at_once);
    const std::span<const Bytes> pieces(&piece, 1);
    const Result<void> written = co_await connection.write(pieces);
    if (written) continue;
    fail_step(step, "it could not be sent: " + std::string(errc_row(errc_of(written.error())).message));
    co_return;
  }
}

Task<> ScriptRun::expect(const Step& step, net::Connection& connection, std::string& input) {
  while (!take(step, input) && !has_failed()) co_await read(connection, input);
}

// Whether `input` begins with what is expected, which is consumed then. Fails when it never will.
bool ScriptRun::take(const Step& step, std::string& input) {
  const bool is_end = end_ != End::open;
  const std::string_view and_the_end = is_end ? ", and nothing more will" : "";
  if (step.kind == Script::Kind::expect_response) {
    const Result<FoundResponse> found = find_response(input, sent_.next(), is_end);
    if (!found) {
      fail_step(step, "no response: " + found.error().message() + "\n  received  " + inmem::quote(input) + "\n");
    } else if (found->size > 0 && found->response.status != step.status) {
      fail_step(step, "a response " + std::to_string(found->response.status) + " came\n  received  " +
                          inmem::quote(input) + "\n");
    } else if (found->size > 0) {
      if (step.status >= 200) (void)sent_.take();
      input.erase(0, found->size);
      return true;
    }
    return false;
  }
  if (step.kind == Script::Kind::expect_matching) {
    const Pattern::Match match = step.pattern->match(input);
    if (match.outcome == Pattern::Outcome::matched) {
      input.erase(0, match.size);
      return true;
    }
    if (match.outcome == Pattern::Outcome::different || is_end) {
      fail_step(step, "something else came at octet " + std::to_string(match.size) + std::string(and_the_end) + "\n" +
                          describe_mismatch(match, input));
    }
    return false;
  }
  const std::size_t same = common_prefix(step.octets, input);
  if (same == step.octets.size()) {
    input.erase(0, same);
    return true;
  }
  if (same < input.size() || is_end) {
    fail_step(step, "something else came at octet " + std::to_string(same) + std::string(and_the_end) + "\n" +
                        describe_difference(step.octets, input, same));
  }
  return false;
}

Task<> ScriptRun::expect_end(const Step& step, net::Connection& connection, std::string& input) {
  const bool wants_reset = step.kind == Script::Kind::expect_reset;
  while (end_ == End::open && (input.empty() || wants_reset)) co_await read(connection, input);
  if (wants_reset) {
    if (end_ == End::reset) co_return;
    fail_step(step, "the other side has finished in order");
  } else if (end_ == End::reset) {
    fail_step(step, "the connection was reset");
  } else if (!input.empty()) {
    fail_step(step, "there is more to read\n  received  " + inmem::quote(input) + "\n");
  }
}

Task<> ScriptRun::read(net::Connection& connection, std::string& input) {
  std::array<char, 4096> room;
  const Result<std::size_t> count = co_await connection.read_some(room);
  if (!count) {
    end_ = End::reset;
  } else if (*count == 0) {
    end_ = End::finished;
  } else {
    input.append(room.data(), *count);
  }
}

void ScriptRun::fail_step(const Step& step, std::string why) {
  failure_ = describe(step.where) + ": step " + std::to_string(step_ + 1) + " of " +
             std::to_string(script_.steps_.size()) + " failed, at " + inmem::format_time(loop_.now()) + "\n  " +
             step.describe() + "\n  " + std::move(why);
}

std::string ScriptRun::report() const {
  if (has_failed() || is_done()) return failure_;
  std::string text =
      "a script was not played to its end; what is left of its " + std::to_string(script_.steps_.size()) + " steps:\n";
  for (std::size_t i = step_; i < script_.steps_.size(); ++i) {
    const Step& step = script_.steps_[i];
    text += "  " + describe(step.where) + ": " + step.describe() + "\n";
  }
  return text;
}

// ---- a play ----------------------------------------------------------------------------------------------

struct Play::State final : inmem::Undertaking {
  State(inmem::World& owner, std::unique_ptr<net::Connection> taken, std::string received, Script script)
      : world(owner),
        connection(std::move(taken)),
        input(std::move(received)),
        run(owner.loop(), std::move(script)),
        tasks(owner.loop()) {
    tasks.spawn(run.play(connection, input));
    world.watch(*this);
  }
  std::string report() const override { return run.report(); }

  inmem::World& world;
  std::unique_ptr<net::Connection> connection;
  std::string input;
  ScriptRun run;
  async::TaskGroup tasks;  // last: its task uses all of the above
};

Play::Play(Peer peer, Script script) : exceptions_(std::uncaught_exceptions()) {
  if (peer.unsent() > 0) throw std::logic_error("a peer that still has something to send cannot play a script");
  std::string received = peer.unread();
  inmem::World& world = peer.world();
  state_ = std::make_unique<State>(world, std::move(peer).release(), std::move(received), std::move(script));
  world.settle();
}

Play::~Play() {
  if (was_reported_ || std::uncaught_exceptions() > exceptions_) return;
  try {
    state_->world.settle();
  } catch (...) {  // NOLINT(bugprone-empty-catch): what is wrong with the world, the next one to drive it will meet too
  }
  state_->world.add_unfinished(report());
}

bool Play::is_done() const { return state_->run.is_done(); }
std::string Play::report() const { return state_->report(); }

void Play::finish(Where where) {
  state_->world.settle();
  const std::string text = report();
  if (text.empty()) return;
  was_reported_ = true;
  fail_expectation(text, where);
}

}  // namespace pipette::lab
