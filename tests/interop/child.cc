#include "tests/interop/child.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace pipette::interop {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// In a child between fork() and exec().
[[noreturn]] void become(char* const* arguments, const char* log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

pid_t spawn(std::vector<std::string> command, const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) become(arguments.data(), log.c_str());
  return pid;
}

}  // namespace

std::filesystem::path find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path program = std::filesystem::path(folder) / name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  throw MissingProgram(name);
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

Child::Child(Loopback& loopback, const std::vector<std::string>& command, const Prepare& prepare) {
  const std::filesystem::path program = find_program(command[0]);
  std::string pattern = std::filesystem::temp_directory_path() / "pipette-interop-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
  folder_ = pattern;
  std::vector<std::string> words = {program};
  for (std::size_t i = 1; i < command.size(); ++i) {
    words.push_back(replaced(replaced(command[i], "{port}", std::to_string(port_)), "{folder}", folder_.string()));
  }
  try {
    if (prepare) prepare(folder_, port_);
    start(loopback, words, /*tells_port=*/command.size() == 1);
  } catch (...) {
    clean_up();
    throw;
  }
}

Child::~Child() { clean_up(); }

void Child::start(Loopback& loopback, const std::vector<std::string>& command, bool tells_port) {
  pid_ = spawn(command, folder_ / "said");
  const auto is_up = [&] { return tells_port ? has_told_port() : loopback.accepts(port_); };
  const bool came = loopback.wait_until([&] { return !is_running() || is_up(); });
  if (!came || !is_running()) throw std::runtime_error(command[0] + " does not come up: " + said());
}

bool Child::has_told_port() {
  constexpr std::string_view kBefore = "listening on 127.0.0.1:";
  const std::string words = said();
  if (!words.starts_with(kBefore) || !words.contains('\n')) return false;
  port_ = static_cast<std::uint16_t>(std::stoi(words.substr(kBefore.size())));
  return true;
}

bool Child::is_running() {
  if (pid_ >= 0 && ::waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
  return pid_ >= 0;
}

std::string Child::said() const { return read_file(folder_ / "said"); }

void Child::kill() {
  if (!is_running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Child::clean_up() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace pipette::interop
