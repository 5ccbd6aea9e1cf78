#include "pipette/app/prefork.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "pipette/app/inherited.h"
#include "pipette/app/internal/cores.h"
#include "pipette/app/internal/environment.h"
#include "pipette/app/supervisor.h"
#include "pipette/tcp/descriptor.h"
#include "pipette/tcp/runtime.h"

namespace pipette::app {
namespace {

using tcp::Descriptor;

[[noreturn]] void give_up(const std::string& what) { throw std::system_error(errno, std::system_category(), what); }

TimePoint now() {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void write_log(const PreforkOptions& options, const std::string& line) {
  if (options.log) {
    options.log(line);
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

// What the processes listen at: the master's for as long as it lives.
class Sockets {
 public:
  Sockets(const PreforkOptions& options, std::size_t processes) : options_(options), of_(processes) {
    std::vector<Inherited> given;
    if (options.inherit != Inherit::nothing) given = inherited_listeners();
    tcp::Runtime runtime;
    for (const ListenAt& where : options.addresses) open(runtime, where, given);
    if (options.inherit == Inherit::all) share(given);
  }

  // The numbers of those that one process accepts from, as its environment has them.
  std::string list_for(std::size_t process) const {
    std::string list;
    for (const std::size_t index : of_[process]) {
      list += (list.empty() ? "" : ",") + std::to_string(all_[index].descriptor.get());
    }
    return list;
  }
  // In a process that has been started: all but its own.
  void close_others(std::size_t process) {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (std::ranges::find(of_[process], i) == of_[process].end()) all_[i].descriptor.close();
    }
  }
  void remove_paths() {
    tcp::Runtime runtime;
    for (Socket& each : all_) {
      if (each.is_ours) (void)runtime.adopt_listener(each.descriptor.release(), {}, tcp::UnixPath::remove);
    }
  }

 private:
  using Listener = std::unique_ptr<net::Listener>;

  struct Socket {
    Descriptor descriptor;
    bool is_ours;  // not the supervisor's
  };

  void open(tcp::Runtime& runtime, const ListenAt& where, std::vector<Inherited>& given) {
    const Result<net::Address> address = net::Address::parse(where.address);
    if (!address) throw std::system_error(address.error(), where.address);
    const std::vector<Inherited> matching = take_matching(given, *address);
    if (!matching.empty()) return share(matching);
    const bool is_path = address->kind() == net::Address::Kind::unix_path;
    net::ListenOptions listening = where.listening;
    listening.reuse_port = false;
    const auto listen = [&](const net::Address& at) {
      Result<Listener> listener = runtime.network().listen(at, listening);
      if (!listener) throw std::system_error(listener.error(), "listen on " + at.to_string());
      return std::move(*listener);
    };
    // Somebody else's port is not to be shared by mistake, though he would share it.
    if (!is_path && address->port() != 0) listen(*address).reset();
    listening.reuse_port = !is_path;
    const Listener first = listen(*address);
    const std::size_t shared = add(runtime);
    of_[0].push_back(shared);
    for (std::size_t i = 1; i < of_.size(); ++i) {
      Result<Listener> own = fail(Errc::not_supported);
      if (!is_path) own = runtime.network().listen(first->address(), listening);
      of_[i].push_back(own ? add(runtime) : shared);
      if (own || is_path) continue;
      write_log(options_, "process " + std::to_string(i) + " accepts from the first one's socket at " +
                              first->address().to_string() + ": " + own.error().message());
    }
    runtime.leave_unix_paths();  // the listeners go; what they listened with stays
  }

  // What the supervisor gave cannot be had once more, so all accept from it.
  void share(const std::vector<Inherited>& given) {
    for (const Inherited& each : given) {
      for (std::vector<std::size_t>& of_one : of_) of_one.push_back(all_.size());
      all_.push_back({Descriptor(each.descriptor), false});
    }
  }

  // Without the close-on-exec flag: nobody has taken it yet.
  std::size_t add(tcp::Runtime& runtime) {
    Descriptor descriptor(::fcntl(runtime.listening().back().descriptor, F_DUPFD, 0));
    if (!descriptor.is_open()) give_up("dup");
    all_.push_back({std::move(descriptor), true});
    return all_.size() - 1;
  }

  const PreforkOptions& options_;
  std::vector<Socket> all_;
  std::vector<std::vector<std::size_t>> of_;  // each process, by index
};

// The signals that the master waits for; they are blocked for as long as it lives, and in nobody that it starts.
class Mailbox {
 public:
  Mailbox() {
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (const int signal : {SIGCHLD, SIGHUP, SIGINT, SIGTERM}) ::sigaddset(&wanted, signal);
    ::sigprocmask(SIG_BLOCK, &wanted, &before_);
    descriptor_ = Descriptor(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (descriptor_.is_open()) return;
    unblock();
    give_up("signalfd");
  }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { unblock(); }

  void unblock() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  int descriptor() const { return descriptor_.get(); }
  // 0: there is none.
  int next() const {
    signalfd_siginfo signal;
    const bool is_there = ::read(descriptor_.get(), &signal, sizeof signal) == ssize_t{sizeof signal};
    return is_there ? static_cast<int>(signal.ssi_signo) : 0;
  }

 private:
  sigset_t before_;
  Descriptor descriptor_;
};

class Master {
 public:
  Master(const PreforkOptions& options, const std::function<int(std::size_t)>& serve)
      : options_(options),
        serve_(serve),
        processes_(options.processes == 0 ? usable_cores().size() : options.processes),
        sockets_(options, processes_.size()) {}

  PreforkReport run() {
    for (std::size_t i = 0; i < processes_.size(); ++i) start(i);
    next_sign_ = supervisor_.watchdog() > Duration::zero() ? now() : kNever;
    while (is_anybody_left()) {
      wait();
      heed_signals();
      hear_who_is_ready();
      collect();
      act_by_time();
    }
    sockets_.remove_paths();
    return report_;
  }

 private:
  struct Process {
    pid_t pid = -1;    // -1: there is none
    Descriptor waits;  // until it is ready
    bool is_ready = false;
    TimePoint started{};
    std::size_t failures = 0;  // in a row
    TimePoint restart = kNever;
  };

  bool is_anybody_left() const {
    return std::ranges::any_of(processes_, [](const Process& each) { return each.pid >= 0 || each.restart != kNever; });
  }

  void start(std::size_t number) {
    Process& process = processes_[number];
    process.restart = kNever;
    process.is_ready = false;
    process.started = now();
    std::array<int, 2> ends;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return start_later(process);
    Descriptor its_end(ends[1]);
    process.waits = Descriptor(ends[0]);
    const pid_t master = ::getpid();
    std::fflush(nullptr);  // or what waits there is written twice
    process.pid = ::fork();
    if (process.pid < 0) return start_later(process);
    if (process.pid == 0) become(number, master, its_end.release());
  }

  void start_later(Process& process) {
    log("a process cannot be started: " + std::system_category().message(errno));
    process.waits.close();
    process.restart = after(now(), options_.longest_pause);
  }

  [[noreturn]] void become(std::size_t number, pid_t master, int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != master) ::_exit(1);  // it was gone before we asked to be told
    mailbox_.unblock();
    for (Process& each : processes_) each.waits.close();
    sockets_.close_others(number);
    for (const char* const name :
         {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}) {
      ::unsetenv(name);
    }
    ::setenv(kListenParent, std::to_string(master).c_str(), 1);
    ::setenv(kListenDescriptors, sockets_.list_for(number).c_str(), 1);
    ::setenv(kReadyDescriptor, std::to_string(ready).c_str(), 1);
    ::setenv(kProcessNumber, std::to_string(number).c_str(), 1);
    int status = 1;
    try {
      status = serve_(number);
    } catch (const std::exception& error) {
      log("process " + std::to_string(number) + ": " + error.what());
    } catch (...) {
      log("process " + std::to_string(number) + ": an exception");
    }
    std::fflush(nullptr);
    ::_exit(status);  // what the master holds is not ours to destroy
  }

  // Until something happens, or it is time for something.
  void wait() {
    std::vector<pollfd> all = {{.fd = mailbox_.descriptor(), .events = POLLIN, .revents = 0}};
    TimePoint next = std::min(kill_at_, next_sign_);
    for (const Process& each : processes_) {
      next = std::min(next, each.restart);
      if (each.waits.is_open()) all.push_back({.fd = each.waits.get(), .events = POLLIN, .revents = 0});
    }
    int timeout = -1;
    if (next != kNever) {
      constexpr std::int64_t kLongest = 3'600'000;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongest));
    }
    ::poll(all.data(), all.size(), timeout);
  }

  void heed_signals() {
    for (int signal = mailbox_.next(); signal != 0; signal = mailbox_.next()) {
      if (signal == SIGHUP) tell_all(SIGHUP);
      if (signal == SIGINT || signal == SIGTERM) end();
    }
  }

  // The first time they are asked to, then made to.
  void end() {
    if (is_ending_) {
      tell_all(SIGKILL);
      return;
    }
    is_ending_ = true;
    supervisor_.tell("STOPPING=1");
    kill_at_ = after(now(), options_.shutdown_grace);
    for (Process& each : processes_) each.restart = kNever;
    tell_all(SIGTERM);
  }

  void tell_all(int signal) const {
    for (const Process& each : processes_) {
      if (each.pid >= 0) ::kill(each.pid, signal);
    }
  }

  void hear_who_is_ready() {
    for (Process& each : processes_) {
      if (!each.waits.is_open()) continue;
      std::array<char, 1> word = {'g'};
      const auto count = ::recv(each.waits.get(), word.data(), word.size(), MSG_DONTWAIT);
      if (count < 0) continue;
      each.is_ready = count > 0;
      each.waits.close();  // which lets it go
    }
    const bool are_all = std::ranges::all_of(processes_, &Process::is_ready);
    if (are_all && !std::exchange(was_ready_, true)) supervisor_.tell("READY=1");
  }

  void collect() {
    int status = 0;
    for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
      const auto ended = std::ranges::find(processes_, pid, &Process::pid);
      if (ended != processes_.end()) replace(*ended, status);
    }
  }

  void replace(Process& process, int status) {
    const std::string who = "process " + std::to_string(process.pid);
    process.pid = -1;
    process.waits.close();
    if (is_ending_) return;
    log(who + (WIFSIGNALED(status) ? " was ended by signal " + std::to_string(WTERMSIG(status))
                                   : " has ended with status " + std::to_string(WEXITSTATUS(status))));
    if (now() - process.started >= options_.healthy_after) process.failures = 0;
    if (++process.failures >= options_.recover_threshold) {
      log("processes end as soon as they are started: giving up");
      report_.gave_up = true;
      return end();
    }
    Duration pause = options_.first_pause;
    for (std::size_t i = 1; i < process.failures && pause < options_.longest_pause; ++i) pause *= 2;
    process.restart = after(now(), std::min(pause, options_.longest_pause));
  }

  void act_by_time() {
    const TimePoint time = now();
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (processes_[i].restart > time) continue;
      ++report_.restarts;
      start(i);
    }
    if (next_sign_ <= time) {
      supervisor_.tell_alive();
      next_sign_ = after(time, supervisor_.watchdog() / 2);
    }
    if (kill_at_ > time) return;
    kill_at_ = kNever;
    tell_all(SIGKILL);
  }

  void log(const std::string& line) const { write_log(options_, line); }

  const PreforkOptions& options_;
  const std::function<int(std::size_t)>& serve_;
  std::vector<Process> processes_;
  Sockets sockets_;
  Mailbox mailbox_;
  const Supervisor supervisor_;
  bool was_ready_ = false;
  bool is_ending_ = false;
  TimePoint kill_at_ = kNever;
  TimePoint next_sign_ = kNever;
  PreforkReport report_;
};

}  // namespace

PreforkReport prefork(const PreforkOptions& options, const std::function<int(std::size_t number)>& serve) {
  return Master(options, serve).run();
}

}  // namespace pipette::app
