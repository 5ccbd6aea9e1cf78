#include "pipette/app/internal/successor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/app/internal/environment.h"
#include "pipette/tcp/handed.h"

namespace pipette::app {
namespace {

// What another process was told, or we were.
constexpr std::array<std::string_view, 8> kNotForOthers = {
    "LISTEN_PID=",         "LISTEN_FDS=",       "LISTEN_FDNAMES=", "WATCHDOG_PID=", "PIPETTE_LISTEN_PARENT=",
    "PIPETTE_LISTEN_FDS=", "PIPETTE_READY_FD=", "PIPETTE_PROCESS="};

// What this process was started with, its name first.
std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::string> command;
  for (std::size_t at = 0; at < text.size(); at += command.back().size() + 1) command.emplace_back(text.c_str() + at);
  return command;
}

std::vector<std::string> command_of(const HandOver& options) {
  std::vector<std::string> command = own_command();
  if (command.empty()) command.emplace_back();
  if (!options.program.empty()) command.front() = options.program;
  if (options.arguments) {
    command.resize(1);
    command.insert(command.end(), options.arguments->begin(), options.arguments->end());
  }
  return command;
}

std::vector<std::string> environment_for(std::span<const Passed> passed, int ready) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry(*each);
    bool is_for_it = true;
    for (const std::string_view name : kNotForOthers) is_for_it = is_for_it && !entry.starts_with(name);
    if (is_for_it) all.emplace_back(entry);
  }
  std::string list;
  for (const Passed& each : passed) {
    list += (list.empty() ? "" : ",") + std::to_string(each.descriptor) + (each.owns_path ? "r" : "");
  }
  all.push_back(std::string(kListenParent) + "=" + std::to_string(::getpid()));
  all.push_back(std::string(kListenDescriptors) + "=" + list);
  all.push_back(std::string(kReadyDescriptor) + "=" + std::to_string(ready));
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& each : strings) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Which of our descriptors another process gets, under the same numbers.
class Descriptors {
 public:
  Descriptors() { ::posix_spawn_file_actions_init(&actions_); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors() { ::posix_spawn_file_actions_destroy(&actions_); }

  // Onto itself: that takes the close-on-exec flag away, in the other process alone.
  void pass(int number) { ::posix_spawn_file_actions_adddup2(&actions_, number, number); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Successor::Successor(const HandOver& options, std::span<const Passed> passed) : ready_timeout_(options.ready_timeout) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::system_category(), "socketpair");
  }
  our_end_ = tcp::Descriptor(ends[0]);
  const tcp::Descriptor its_end(ends[1]);
  ::fcntl(our_end_.get(), F_SETFL, O_NONBLOCK);  // its own end blocks
  start(options, passed, its_end.get());
}

Successor::~Successor() {
  if (is_let_go_ || process_ < 0) return;
  kill();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Successor::start(const HandOver& options, std::span<const Passed> passed, int its_end) {
  std::vector<std::string> command = command_of(options);
  std::vector<std::string> environment = environment_for(passed, its_end);
  Descriptors descriptors;
  for (const Passed& each : passed) descriptors.pass(each.descriptor);
  descriptors.pass(its_end);
  const int error = ::posix_spawnp(&process_, command.front().c_str(), descriptors.get(), nullptr,
                                   pointers_to(command).data(), pointers_to(environment).data());
  if (error != 0) throw std::system_error(error, std::system_category(), command.front());
}

Task<Result<void>> Successor::ready(tcp::Runtime& runtime) {
  tcp::Handed end;
  end.descriptor = std::move(our_end_);
  Result<net::Connected> connected = tcp::take(runtime, std::move(end));
  if (!connected) co_return fail(connected.error());
  pair_ = std::move(connected->connection);
  pair_->set_deadline(net::Direction::read, after(runtime.loop().now(), ready_timeout_));
  std::array<char, 1> word;
  const Result<std::size_t> count = co_await pair_->read_some(word);
  if (!count) co_return fail(count.error());
  if (*count == 0) co_return fail(Errc::connection_reset);
  co_return Result<void>();
}

// The other end sees the word, or the end behind it.
Result<void> Successor::let_go() {
  constexpr std::array<Bytes, 1> kWord = {"g"};
  const Result<std::size_t> written = pair_->try_write(kWord);
  if (!written) return fail(written.error());
  (void)pair_->try_close_write();
  is_let_go_ = true;
  return {};
}

void Successor::kill() const {
  if (!is_let_go_) ::kill(process_, SIGKILL);
}

}  // namespace pipette::app
