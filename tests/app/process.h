// Process: a program of ours that a test starts, and what it says, line by line.
//
//   Process server(runtime, {"--threads", "2", "127.0.0.1:0"});      tests/app/test_server.cc
//   std::string line = co_await server.line();                       "listening 4711 127.0.0.1:40001"
//   server.kill(SIGUSR2);   int status = wait_for(pid);
//
// Processes that it starts write to the same output, and become children of the test when it ends; those that are left
// are killed when it dies.
//
// Lifetime  the runtime outlives it.   Threads  that of the runtime.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "pipette/async/task.h"
#include "pipette/tcp/runtime.h"

namespace pipette::test {

// What it is given beside its arguments.
struct Gifts {
  std::vector<std::string> environment;  // on top of that of the test
  std::vector<int> sockets;              // as systemd gives them: from descriptor 3 on, with LISTEN_FDS and LISTEN_PID
};

class Process {
 public:
  Process(tcp::Runtime& runtime, std::vector<std::string> arguments, Gifts gifts = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  void kill(int signal) const;
  // Without its line feed; empty when nobody is left who could say anything.
  Task<std::string> line();

 private:
  pid_t pid_ = -1;
  std::string said_;
  std::unique_ptr<net::Connection> output_;
};

// The exit status of a process that the test has started, or one of its; -1 when a signal has ended it.
int wait_for(pid_t pid);

// The next line that begins with `word`: the words behind that. None at the end.
Task<std::vector<std::string>> next(Process& process, std::string word);

}  // namespace pipette::test
