// The contract suites on the kernel's sockets, TCP on loopback and Unix sockets, and on the pool's threads.
#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

#include "pipette/async/timer.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

#include "tests/net/blocking_contract.h"
#include "tests/net/connection_contract.h"
#include "tests/net/listener_contract.h"

namespace pipette::net {
namespace {

using namespace std::chrono_literals;

class SocketTransport : public Transport {
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
    loop.arm(guard, after(loop.now(), 10s));
    loop.turn();
    return !guard.has_fired;
  }

  void exhaust_descriptors(const Address&) override {
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
  explicit TcpTransport(const char* any) : any_(*Address::parse(any)) {}
  Address any_address() override { return any_; }

 private:
  Address any_;
};

class UnixTransport final : public SocketTransport {
 public:
  UnixTransport() {
    std::string pattern = std::filesystem::temp_directory_path() / "pipette-contract-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~UnixTransport() override { std::filesystem::remove_all(folder_); }

  Address any_address() override { return Address::unix_path(folder_ / std::to_string(next_++)); }
  bool may_hide_resets() const override { return true; }

 private:
  std::filesystem::path folder_;
  int next_ = 0;
};

std::unique_ptr<Transport> make_tcp4() { return std::make_unique<TcpTransport>("127.0.0.1:0"); }
std::unique_ptr<Transport> make_unix() { return std::make_unique<UnixTransport>(); }

const auto kSockets = testing::Values(TransportCase{"Tcp", make_tcp4}, TransportCase{"Unix", make_unix});

INSTANTIATE_TEST_SUITE_P(Sockets, ConnectionContract, kSockets, case_name);
INSTANTIATE_TEST_SUITE_P(Sockets, ListenerContract, kSockets, case_name);
INSTANTIATE_TEST_SUITE_P(Sockets, BlockingContract, testing::Values(TransportCase{"Threads", make_tcp4}), case_name);

}  // namespace
}  // namespace pipette::net
