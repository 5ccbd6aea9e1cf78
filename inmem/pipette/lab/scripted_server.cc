#include "pipette/lab/scripted_server.h"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "pipette/async/sleep.h"
#include "pipette/http/status.h"
#include "pipette/inmem/text.h"

namespace pipette::lab {
namespace {

constexpr std::size_t kNearestShown = 3;
// Behind an accept that has failed, which may fail again.
constexpr Duration kPause = std::chrono::milliseconds(100);

// Octets of the request that `input` begins with, or of what stands in its place; 0 when it is not whole.
std::size_t size_to_answer(std::string_view input) {
  if (const std::optional<std::size_t> size = request_size(input)) return *size;
  const std::size_t head_end = input.find("\r\n\r\n");
  return head_end == std::string_view::npos ? 0 : head_end + 4;
}

}  // namespace

std::string respond(int status, std::string_view body, std::string_view fields) {
  std::string text(http::status_line(status));
  text.append(fields).append("Content-Length: ").append(std::to_string(body.size()));
  return text.append("\r\n\r\n").append(body);
}

ScriptedServer::ScriptedServer(Lab& lab, std::string_view address)
    : lab_(lab), exceptions_(std::uncaught_exceptions()), tasks_(lab.world().loop()) {
  const Result<net::Address> where = net::Address::parse(address);
  if (!where) throw std::system_error(where.error(), std::string(address));
  Result<std::unique_ptr<net::Listener>> listener = lab.runtime_of(*where).network().listen(*where);
  if (!listener) throw std::system_error(listener.error(), "listen on " + std::string(address));
  tasks_.spawn(accept(std::move(*listener)));
  lab.world().watch(*this);
}

ScriptedServer::~ScriptedServer() {
  if (was_reported_ || std::uncaught_exceptions() > exceptions_) return;
  lab_.world().add_unfinished(report());
}

// ---- what is said ----------------------------------------------------------------------------------------

void ScriptedServer::answer(Script script) {
  answers_.push_back(std::move(script));
  has_had_answers_ = true;
}

void ScriptedServer::answer(std::string octets, Then then) {
  Script script;
  script.send(std::move(octets));
  if (then == Then::close) script.close_write();
  if (then == Then::reset) script.abort();
  answer(std::move(script));
}

void ScriptedServer::on(std::string_view pattern, Script script, std::size_t times, Where where) {
  rules_.push_back({Pattern(pattern), std::move(script), times, where});
}

void ScriptedServer::on(std::string_view pattern, std::string octets, std::size_t times, Where where) {
  on(pattern, Script().send(std::move(octets), where), times, where);
}

net::Connection& ScriptedServer::at(std::size_t index) {
  if (!connections_.at(index)) throw std::logic_error("the script has closed this connection");
  return *connections_[index];
}

// ---- what comes ------------------------------------------------------------------------------------------

Task<> ScriptedServer::accept(std::unique_ptr<net::Listener> listener) {
  for (;;) {
    Result<net::Connected> connected = co_await listener->accept();
    if (!connected && connected.error() == make_error_code(Errc::listener_closed)) co_return;
    if (!connected) {
      inmem::Loop& loop = lab_.world().loop();
      co_await async::sleep_until(loop, after(loop.now(), kPause));
      continue;
    }
    connections_.push_back(std::move(connected->connection));
    tasks_.spawn(converse(connections_.back()));
  }
}

Task<> ScriptedServer::converse(std::unique_ptr<net::Connection>& connection) {
  std::string input;
  while (connection) {
    const std::size_t size = co_await next_request(*connection, input);
    if (size == 0) {
      ++left_;
      co_return;
    }
    requests_.push_back(input.substr(0, size));
    input.erase(0, size);
    const Script* script = find_answer(requests_.back());
    if (script == nullptr) {
      unmatched_.push_back(describe_unmatched(requests_.back()));
      continue;
    }
    const auto run = runs_.emplace(runs_.end(), lab_.world().loop(), *script);
    co_await run->play(connection, input);
    if (run->has_failed()) co_return;
    runs_.erase(run);
  }
}

// The size of the request that `input` begins with; 0 when the client has left instead.
Task<std::size_t> ScriptedServer::next_request(net::Connection& connection, std::string& input) {
  std::array<char, 4096> room;
  for (;;) {
    const std::size_t size = input.empty() ? 0 : size_to_answer(input);
    if (size > 0) co_return size;
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (!count || *count == 0) co_return 0;
    input.append(room.data(), *count);
  }
}

const Script* ScriptedServer::find_answer(const std::string& request) {
  for (Rule& rule : rules_) {
    if (rule.left == 0 || rule.pattern.match(request).outcome != Pattern::Outcome::matched) continue;
    if (rule.left != kAlways) --rule.left;
    return &rule.script;
  }
  if (answers_.empty()) return nullptr;
  answer_ = std::move(answers_.front());
  answers_.pop_front();
  return &answer_;
}

// ---- what went wrong -------------------------------------------------------------------------------------

std::string ScriptedServer::describe_unmatched(const std::string& request) const {
  struct Miss {
    const Rule* rule;
    Pattern::Match match;
  };
  std::vector<Miss> misses;
  for (const Rule& rule : rules_) misses.push_back({&rule, rule.pattern.match(request)});
  const auto is_nearer = [](const Miss& a, const Miss& b) { return a.match.size > b.match.size; };
  const std::size_t shown = std::min(misses.size(), kNearestShown);
  std::string text = "nobody has an answer to " + inmem::quote(request) + "\n";
  for (std::size_t i = 0; i < shown; ++i) {
    const auto begin = misses.begin() + static_cast<std::ptrdiff_t>(i);
    const auto nearest = std::min_element(begin, misses.end(), is_nearer);  // the first of several
    std::rotate(begin, nearest, nearest + 1);
    const auto& [rule, match] = misses[i];
    text += describe(rule->where) + ": " + inmem::quote(rule->pattern.text());
    if (match.outcome == Pattern::Outcome::matched) {
      text += " matches, and is used up\n";
    } else {
      text += " matches up to octet " + std::to_string(match.size) + "\n" + describe_mismatch(match, request);
    }
  }
  return text;
}

std::string ScriptedServer::report() const {
  std::string text;
  if (has_answers()) {
    for (const std::string& unmatched : unmatched_) text += unmatched;
  }
  for (const ScriptRun& run : runs_) {
    if (run.has_failed()) text += run.report();
  }
  return text;
}

void ScriptedServer::verify(Where where) {
  lab_.settle();
  std::string text;
  for (const std::string& report : unmatched_) text += report;
  for (const ScriptRun& run : runs_) text += run.report();
  if (!answers_.empty()) text += std::to_string(answers_.size()) + " answers were not asked for\n";
  for (const Rule& rule : rules_) {
    if (rule.left == 0 || rule.left == kAlways) continue;
    text += describe(rule.where) + ": " + inmem::quote(rule.pattern.text()) + " was expected " +
            std::to_string(rule.left) + " times more\n";
  }
  if (text.empty()) return;
  was_reported_ = true;
  fail_expectation(text, where);
}

}  // namespace pipette::lab
