// The kernel's sockets for the contract suites: TCP on loopback, and Unix sockets.
//
// Lifetime  as of lab::Transport.   Threads  that of the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "pipette/async/timer.h"
#include "pipette/lab/contract/transport.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

namespace pipette::test {

class SocketTransport : public lab::Transport {
 public:
  SocketTransport() { ::getrlimit(RLIMIT_NOFILE, &limit_); }

  Runtime& runtime() override { return runtime_; }

  // Whatever is to happen on this machine alone happens within seconds.
  bool step() override {
    struct Guard final : async::Timer {
      void run() override { has_fired = true; }
      bool has_fired = false;
    } guard;
    auto& loop = static_cast<tcp::Loop&>(runtime_.loop());
    loop.arm(guard, after(loop.now(), std::chrono::seconds(10)));
    loop.turn();
    return !guard.has_fired;
  }

  void exhaust_descriptors(const net::Address&) override {
    const int next = ::dup(STDIN_FILENO);
    ::close(next);
    const rlimit full{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = limit_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &full);
  }
  void restore_descriptors() override { ::setrlimit(RLIMIT_NOFILE, &limit_); }

 private:
  rlimit limit_{};
  tcp::Runtime runtime_;
};

class TcpTransport final : public SocketTransport {
 public:
  explicit TcpTransport(const char* any) : any_(*net::Address::parse(any)) {}
  net::Address any_address() override { return any_; }

 private:
  net::Address any_;
};

class UnixTransport final : public SocketTransport {
 public:
  UnixTransport() {
    std::string pattern = std::filesystem::temp_directory_path() / "pipette-contract-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~UnixTransport() override { std::filesystem::remove_all(folder_); }

  net::Address any_address() override { return net::Address::unix_path(folder_ / std::to_string(next_++)); }
  bool may_hide_resets() const override { return true; }

 private:
  std::filesystem::path folder_;
  int next_ = 0;
};

}  // namespace pipette::test
