#include "tests/app/process.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "pipette/tcp/handed.h"

namespace pipette::test {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& each : strings) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

Process::Process(tcp::Runtime& runtime, std::vector<std::string> arguments, Gifts gifts) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::system_category(), "socketpair");
  }
  tcp::Handed ours;
  ours.descriptor = tcp::Descriptor(ends[0]);
  const tcp::Descriptor its(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  output_ = tcp::take(runtime, std::move(ours)).value().connection;

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, its.get(), STDOUT_FILENO);
  arguments.insert(arguments.begin(), PIPETTE_TEST_SERVER);
  std::vector<tcp::Descriptor> far;  // from where none is in the way of another
  if (!gifts.sockets.empty()) {
    gifts.environment.push_back("LISTEN_FDS=" + std::to_string(gifts.sockets.size()));
    const std::vector<std::string> shell = {"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""};
    arguments.insert(arguments.begin(), shell.begin(), shell.end());
  }
  for (const int socket : gifts.sockets) far.emplace_back(::fcntl(socket, F_DUPFD_CLOEXEC, 64));
  for (std::size_t i = 0; i < far.size(); ++i) {
    ::posix_spawn_file_actions_adddup2(&actions, far[i].get(), static_cast<int>(3 + i));
  }
  std::vector<std::string> variables = std::move(gifts.environment);
  for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawn(&pid_, arguments[0].c_str(), &actions, &attributes, pointers_to(arguments).data(),
                                  pointers_to(variables).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::system_category(), PIPETTE_TEST_SERVER);
}

// All of them are one group. Whoever is left of it becomes ours when its parent is gone.
Process::~Process() {
  ::kill(-pid_, SIGKILL);
  while (::waitpid(-pid_, nullptr, 0) > 0) {
  }
}

void Process::kill(int signal) const { ::kill(pid_, signal); }

Task<std::string> Process::line() {
  for (;;) {
    if (const std::size_t end = said_.find('\n'); end != std::string::npos) {
      std::string line = said_.substr(0, end);
      said_.erase(0, end + 1);
      co_return line;
    }
    std::array<char, 512> room;
    const Result<std::size_t> count = co_await output_->read_some(room);
    if (!count || *count == 0) co_return std::string();
    said_.append(room.data(), *count);
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Task<std::vector<std::string>> next(Process& process, std::string word) {
  for (;;) {
    const std::string line = co_await process.line();
    std::vector<std::string> words = words_of(line);
    if (words.empty()) co_return words;
    if (words[0] != word) continue;
    words.erase(words.begin());
    co_return words;
  }
}

}  // namespace pipette::test
