// Script: what one side of a connection does, step by step, and by itself; Play: a peer that does it.
//
//   Script script;
//   script.send("GET / HTTP/1.1\r\nHost: a\r\n").wait(5s).send("\r\n").expect_response(200).close_write();
//   Play play(lab.connect("app:80"), script);
//   lab.get("http://app/other");   lab.advance(5s);          // the peer goes on meanwhile, on virtual time
//   play.finish();                                           // fails with what went wrong, or was not reached
//
// A script that was not played to its end is a failure: the lab tells of it at its end, as of a leak, unless finish()
// has told it, or the play died of an exception. The report names the step and the line of the test that added
// it. In a world without a lab only finish() tells.
//
// A step that expects reads until it has what it expects, and consumes that; no other step reads. Responses are framed
// by the methods of the requests the script has sent, one by one: expect_response() takes each of them.
//
// Errors    a failed step ends the script; report() and finish() say why.
// Lifetime  the lab outlives the play.   Threads  one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/async/loop.h"
#include "pipette/async/task.h"
#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/lab/expectation.h"
#include "pipette/lab/message.h"
#include "pipette/lab/pattern.h"
#include "pipette/lab/peer.h"
#include "pipette/net/connection.h"

namespace pipette::lab {

class Script {
 public:
  Script& send(std::string octets, Where where = Where::current());
  // The first octet at once, and one each time `per_octet` has passed.
  Script& send_slowly(std::string octets, Duration per_octet, Where where = Where::current());
  Script& wait(Duration wait, Where where = Where::current());
  Script& expect(std::string octets, Where where = Where::current());
  Script& expect_matching(std::string_view pattern, Where where = Where::current());
  Script& expect_response(int status, Where where = Where::current());
  // The other side finishes, with nothing more to read; or it resets, whatever there is to read.
  Script& expect_closed(Where where = Where::current());
  Script& expect_reset(Where where = Where::current());
  // Finishes sending, and can still read.
  Script& close_write(Where where = Where::current());
  // Closes the connection, as the kernel does: in order, or with a reset when something is unread.
  Script& close(Where where = Where::current());
  // Resets the connection.
  Script& abort(Where where = Where::current());

  bool empty() const { return steps_.empty(); }
  std::size_t size() const { return steps_.size(); }

 private:
  friend class ScriptRun;

  enum class Kind : unsigned char {
    send,
    wait,
    expect,
    expect_matching,
    expect_response,
    expect_closed,
    expect_reset,
    close_write,
    close,
    abort
  };
  struct Step {
    Kind kind;
    Where where;
    std::string octets;
    Duration time{};  // to wait, or for each octet
    int status = 0;
    std::optional<Pattern> pattern;

    std::string describe() const;
  };

  Script& add(Step step);

  std::vector<Step> steps_;
};

// A script on its way over one connection. What Play and ScriptedServer are made of.
class ScriptRun {
 public:
  ScriptRun(async::Loop& loop, Script script) : loop_(loop), script_(std::move(script)) {}

  // `connection` is closed by some steps and null from then on; `input` is what was read and not consumed. Both outlive
  // the task.
  Task<> play(std::unique_ptr<net::Connection>& connection, std::string& input);

  bool is_done() const { return failure_.empty() && step_ == script_.steps_.size(); }
  bool has_failed() const { return !failure_.empty(); }
  // What has failed, or which steps are still to come; empty when all are done.
  std::string report() const;

 private:
  using Step = Script::Step;

  enum class End : unsigned char { open, finished, reset };

  Task<> do_step(const Step& step, std::unique_ptr<net::Connection>& connection, std::string& input);
  Task<> send(const Step& step, net::Connection& connection);
  Task<> expect(const Step& step, net::Connection& connection, std::string& input);
  Task<> expect_end(const Step& step, net::Connection& connection, std::string& input);
  Task<> read(net::Connection& connection, std::string& input);
  bool take(const Step& step, std::string& input);
  void fail_step(const Step& step, std::string why);

  async::Loop& loop_;
  Script script_;
  std::size_t step_ = 0;
  End end_ = End::open;
  SentRequests sent_;
  std::string failure_;
};

// A peer that plays a script by itself, as the clock goes on.
class Play {
 public:
  Play(Peer peer, Script script);
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;
  ~Play();

  bool is_done() const;
  // What has failed, or which steps are still to come; empty when all are done.
  std::string report() const;
  // Lets everything run that can, and fails the test (expectation.h) unless all is done then.
  void finish(Where where = Where::current());

 private:
  struct State;

  std::unique_ptr<State> state_;
  bool was_reported_ = false;
  int exceptions_;  // on their way when it began
};

}  // namespace pipette::lab
