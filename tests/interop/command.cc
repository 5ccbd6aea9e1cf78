#include "tests/interop/command.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "tests/interop/child.h"

namespace pipette::interop {
namespace {

// In a child between fork() and exec().
[[noreturn]] void become(char* const* arguments, int in, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

Command::Command(Loopback& loopback, std::vector<std::string> words) : loopback_(loopback) {
  words[0] = find_program(words[0]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string pattern = std::filesystem::temp_directory_path() / "pipette-command-XXXXXX";
  const int out = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (out < 0) throw std::system_error(errno, std::generic_category(), pattern);
  out_ = pattern;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = ::fork();
  if (pid_ == 0) become(arguments.data(), pipe[0], out);
  ::close(out);
  ::close(pipe[0]);
  in_ = pipe[1];
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
}

Command::~Command() {
  finish();
  if (is_running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove(out_, ignored);
}

void Command::say(std::string_view text) { (void)!::write(in_, text.data(), text.size()); }

void Command::finish() {
  if (in_ >= 0) ::close(std::exchange(in_, -1));
}

std::string Command::said() const { return read_file(out_); }

bool Command::wait_until_said(std::string_view text) {
  const auto has_said = [&] { return said().contains(text); };
  loopback_.wait_until([&] { return has_said() || !is_running(); });
  return has_said();
}

std::optional<int> Command::wait() {
  finish();
  loopback_.wait_until([&] { return !is_running(); });
  return status_;
}

bool Command::is_running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = -1;
  if (WIFEXITED(status)) status_ = WEXITSTATUS(status);
  return false;
}

}  // namespace pipette::interop
