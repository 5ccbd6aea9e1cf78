// ScriptedServer: a server that says exactly the octets a test gives it, and shows what the clients sent.
//
//   ScriptedServer server(lab, "app:80");
//   server.answer("HTTP/1.1 204 No Content\r\n\r\n");               // to the next request, whatever it is
//   server.answer_and_close("HTTP/1.0 200 OK\r\n\r\nbody");         // to the one after it, then FIN
//   server.on("GET /slow *", Script().wait(5s).send(respond(200, "at last")));        // to each such request
//   lab.get("http://app/");   EXPECT_EQ(server.requests()[0], "GET / HTTP/1.1\r\n…");
//
// A request gets the answer of the first pattern that it matches and that has any left; otherwise the next one of the
// answers that wait for any request, whichever connection asks. An answer is a Script, so it may delay, be cut short,
// lie about its length, go on reading, finish, close or reset. When there is no answer, the connection is held and
// stays silent; unmatched() has the request, and the patterns that came nearest.
//
// A request ends as its framing says, and where that makes no sense with its head.
//
// An answer that has failed, and a request for which a server that has some had none, are failures: the lab tells of
// them at its end, as of leaks, unless verify() has. verify() is stricter: it also wants everything asked for and said.
//
// Errors    the constructor throws std::system_error when nobody can listen there; verify() fails the test.
// Lifetime  the lab outlives it.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/inmem/world.h"
#include "pipette/lab/lab.h"
#include "pipette/lab/script.h"

namespace pipette::lab {

// A whole response with a Content-Length, and with `fields` in front of it: lines, each with its CRLF.
std::string respond(int status, std::string_view body = "", std::string_view fields = "");

class ScriptedServer final : inmem::Undertaking {
 public:
  enum class Then { stay, close, reset };
  static constexpr std::size_t kAlways = SIZE_MAX;

  ScriptedServer(Lab& lab, std::string_view address);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  // To the next request that no pattern answers.
  void answer(Script script);
  void answer(std::string octets, Then then = Then::stay);
  void answer_and_close(std::string octets) { answer(std::move(octets), Then::close); }
  // Resets the connection when the next request has come.
  void reset_next() { answer("", Then::reset); }

  // To `times` requests that begin as `pattern` (pattern.h) says.
  void on(std::string_view pattern, Script script, std::size_t times = kAlways, Where where = Where::current());
  void on(std::string_view pattern, std::string octets, std::size_t times = kAlways, Where where = Where::current());

  // Whole requests, in order.
  const std::vector<std::string>& requests() const { return requests_; }
  // A report for each request that had no answer.
  const std::vector<std::string>& unmatched() const { return unmatched_; }
  // Fails the test when a request had no answer, an answer has failed or is not finished, or a counted one was not
  // asked for.
  void verify(Where where = Where::current());

  std::size_t accepted() const { return connections_.size(); }
  // How many connections their clients have left.
  std::size_t left() const { return left_; }
  // Closes the connection that was accepted as number `index`, on which nothing may be under way.
  void close(std::size_t index) { (void)at(index).try_close_write(); }
  // Says something nobody asked for.
  void say(std::size_t index, Bytes octets) { (void)at(index).try_write({&octets, 1}); }

 private:
  struct Rule {
    Pattern pattern;
    Script script;
    std::size_t left;
    Where where;
  };

  std::string report() const override;
  bool has_answers() const { return !rules_.empty() || has_had_answers_; }
  Task<> accept(std::unique_ptr<net::Listener> listener);
  Task<> converse(std::unique_ptr<net::Connection>& connection);
  Task<std::size_t> next_request(net::Connection& connection, std::string& input);
  const Script* find_answer(const std::string& request);
  std::string describe_unmatched(const std::string& request) const;
  net::Connection& at(std::size_t index);

  Lab& lab_;
  std::vector<Rule> rules_;
  std::deque<Script> answers_;
  Script answer_;  // the last one that was taken from answers_
  std::vector<std::string> requests_;
  std::vector<std::string> unmatched_;
  std::deque<std::unique_ptr<net::Connection>> connections_;  // null: closed here
  std::list<ScriptRun> runs_;                                 // that are under way, or have failed
  std::size_t left_ = 0;
  bool has_had_answers_ = false;
  bool was_reported_ = false;
  int exceptions_;          // on their way when it began
  async::TaskGroup tasks_;  // last: its tasks use all of the above
};

}  // namespace pipette::lab

namespace pipette {
using lab::Play;
using lab::Script;
using lab::ScriptedServer;
}  // namespace pipette
