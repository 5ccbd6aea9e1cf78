#include "pipette/app/serve.h"

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sstream>
#include <stop_token>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/app/fetch.h"
#include "pipette/server/blocking.h"
#include "pipette/tcp/internal/endpoint.h"
#include "pipette/tcp/runtime.h"

namespace pipette::app {
namespace {

using namespace std::chrono_literals;

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

// Of silence until a probe, in seconds; 0: there are no probes.
int probed_after(int fd) {
  return option_of(fd, SOL_SOCKET, SO_KEEPALIVE) == 0 ? 0 : option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE);
}

// The descriptor that listens at `address`; -1: none.
int listening_descriptor(const net::Address& address) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 && tcp::local_address(fd) == address) return fd;
  }
  return -1;
}

// Thrown where a test has seen enough.
struct Enough {};

TEST(ServeTcp, HasClientsProbedAsItsServerWasTold) {
  struct Case {
    Duration keep_alive;
    int seconds;
  };
  for (const Case& each : {Case{server::ServerOptions().tcp_keepalive, 15}, Case{7s, 7}, Case{0s, 0}}) {
    server::ServerOptions options;
    options.tcp_keepalive = each.keep_alive;
    const Server server([](RequestCtx&) {}, options);
    ServeOptions serving;
    serving.on_listening = [&each](const net::Address& address) {
      EXPECT_EQ(probed_after(listening_descriptor(address)), each.seconds);
      throw Enough();
    };
    EXPECT_THROW(serve_tcp(server, "127.0.0.1:0", serving), Enough);
  }
}

// serve_tcp() on a thread of its own, until stop(), or the end.
class Served {
 public:
  explicit Served(Handler handler, ServeOptions options = {}, server::ServerOptions serving = {},
                  std::vector<ListenAt> addresses = {{.address = "127.0.0.1:0"}})
      : server_(std::move(handler), std::move(serving)) {
    options.stops_at_signals = false;
    options.stop = stop_.get_token();
    options.on_listening = [this, missing = addresses.size()](const net::Address& address) mutable {
      addresses_.push_back(address);
      if (--missing == 0) listening_.set_value();
    };
    auto listening = listening_.get_future();
    report_ = std::async(std::launch::async, [this, options = std::move(options), at = std::move(addresses)] {
      return serve_tcp(server_, at, options);
    });
    listening.wait();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() { stop_.request_stop(); }

  const Server& server() const { return server_; }
  const std::vector<net::Address>& addresses() const { return addresses_; }
  std::string url(const std::string& path = "/") const { return "http://" + addresses_[0].to_string() + path; }
  server::ShutdownReport stop() {
    stop_.request_stop();
    return report_.get();
  }

 private:
  std::stop_source stop_;
  std::promise<void> listening_;
  std::vector<net::Address> addresses_;
  const Server server_;
  std::future<server::ShutdownReport> report_;  // waits when it dies
};

std::string this_thread() {
  std::ostringstream id;
  id << std::this_thread::get_id();
  return id.str();
}

void tell_thread(RequestCtx& ctx) { ctx.set_body(this_thread()); }

// Connections that stay open, each asked once: how many each thread has answered.
std::map<std::string, int> ask(const std::string& url, std::vector<std::unique_ptr<BlockingClient>>& clients,
                               std::size_t count) {
  std::map<std::string, int> answers;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<BlockingClient>());
    ++answers[clients.back()->get(url).value().body];
  }
  return answers;
}

// The same, at a Unix socket.
Task<> ask_at(tcp::Runtime& runtime, const std::string& path, int count, std::map<std::string, int>& answers) {
  ClientOptions options;
  options.dialer.dial = [&runtime, path](const net::Address&, TimePoint deadline) {
    return runtime.network().dial(net::Address::unix_path(path), deadline);
  };
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Client>(runtime, options));
    const Result<client::Response> page = co_await clients.back()->get("http://app/");
    ++answers[page.value().body];
  }
}

TEST(ServeTcp, ServesOnOneThreadUnlessItIsToldOtherwise) {
  std::string there;
  const Server server([&there](RequestCtx&) { there = this_thread(); });
  std::stop_source stop;
  std::jthread client;
  ServeOptions options;
  options.stops_at_signals = false;
  options.stop = stop.get_token();
  options.on_listening = [&](const net::Address& address) {
    client = std::jthread([&stop, url = "http://" + address.to_string()] {
      EXPECT_TRUE(fetch(url));
      stop.request_stop();
    });
  };
  EXPECT_EQ(serve_tcp(server, "127.0.0.1:0", options).served, 1U);
  EXPECT_EQ(there, this_thread());
}

TEST(ServeTcp, HasALoopAThreadAndOneListenerEach) {
  for (const bool pins : {false, true}) {
    ServeOptions options;
    options.threads = 2;
    options.pin_threads = pins;
    Served app(tell_thread, options);
    std::vector<std::unique_ptr<BlockingClient>> clients;
    const auto answers = ask(app.url(), clients, 64);  // one thread alone would be one in 2^63
    EXPECT_EQ(answers.size(), 2U);
    EXPECT_EQ(app.server().metrics().open_connections, 64U);
    clients.clear();
    EXPECT_EQ(app.stop().served, 64U) << "of all loops";
  }
}

TEST(ServeTcp, HandsConnectionsToTheLoopThatHasTheFewest) {
  ServeOptions options;
  options.threads = 4;
  options.distribution = Distribution::single_acceptor;
  Served app(tell_thread, options);
  std::vector<std::unique_ptr<BlockingClient>> clients;
  const auto answers = ask(app.url(), clients, 12);
  ASSERT_EQ(answers.size(), 4U);
  for (const auto& [thread, count] : answers) EXPECT_EQ(count, 3) << thread;
}

TEST(ServeTcp, ListensAtSeveralAddressesAmongThemUnixSockets) {
  const std::string path = testing::TempDir() + "pipette-serve-" + std::to_string(::getpid());
  ServeOptions options;
  options.threads = 2;
  {
    Served app(tell_thread, options, {}, {{.address = "127.0.0.1:0"}, {.address = "unix:" + path}});
    ASSERT_EQ(app.addresses().size(), 2U);
    tcp::Runtime runtime;
    std::map<std::string, int> answers;
    runtime.run(ask_at(runtime, path, 4, answers));
    EXPECT_EQ(answers.size(), 2U) << "two of them each";
    EXPECT_EQ(fetch(app.url()).value().status, 200);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ServeTcp, CountsConnectionsOfAnAddressOverAllLoops) {
  for (const Distribution how : {Distribution::reuse_port, Distribution::single_acceptor}) {
    server::ServerOptions limits;
    limits.max_conns_per_ip = 3;
    ServeOptions options;
    options.threads = 4;
    options.distribution = how;
    Served app(tell_thread, options, limits);
    std::vector<std::unique_ptr<BlockingClient>> clients;
    (void)ask(app.url(), clients, 3);
    EXPECT_EQ(fetch(app.url()).value().status, 429);
    EXPECT_EQ(app.server().metrics().rejected_per_ip, 1U);
  }
}

TEST(ServeTcp, RefusesAPortThatIsTakenAlsoOneThatWouldBeShared) {
  for (const std::size_t threads : {1U, 2U}) {
    ServeOptions options;
    options.threads = threads;
    const Served app(tell_thread, options);
    for (const std::size_t others : {1U, 2U}) {
      options.threads = others;
      const Server second(tell_thread);
      try {
        serve_tcp(second, app.addresses()[0].to_string(), options);
        ADD_FAILURE() << "it was not refused";
      } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
        EXPECT_THAT(error.what(), testing::HasSubstr(app.addresses()[0].to_string()));
      }
    }
  }
}

TEST(ServeTcp, RefusesToHandOverWhatTheNextProcessMayNotTake) {
  ServeOptions options;
  options.inherit = Inherit::nothing;
  options.hand_over.emplace();
  options.on_listening = [](const net::Address&) { throw Enough(); };
  const Server server(tell_thread);
  try {
    serve_tcp(server, "127.0.0.1:0", options);
    ADD_FAILURE() << "it was not refused";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr("Inherit::nothing"));
  }
  options.hand_over.reset();
  EXPECT_THROW(serve_tcp(server, "127.0.0.1:0", options), Enough) << "alone it is well";
}

TEST(ServeTcp, EndsWhenItIsToldBeforeItHasBegun) {
  std::stop_source stop;
  stop.request_stop();
  ServeOptions options;
  options.threads = 3;
  options.stop = stop.get_token();
  const Server server(tell_thread);
  EXPECT_EQ(serve_tcp(server, "127.0.0.1:0", options).served, 0U);
}

TEST(ServeTcp, WaitsForExchangesOnEachLoop) {
  ServeOptions options;
  options.threads = 2;
  options.distribution = Distribution::single_acceptor;
  std::latch begun(4);
  options.shutdown_grace = server::Worker::kStopNotice;
  Served app(blocking([&](RequestCtx& ctx, BlockingCtx& wait) {
               begun.count_down();
               (void)wait.sleep_for(1h);  // until the notice that the end is near
               ctx.set_body("done");
             }),
             options);
  std::vector<std::future<Result<client::Response>>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(std::async(std::launch::async, [&app] { return fetch(app.url()); }));
  }
  begun.wait();
  const server::ShutdownReport report = app.stop();
  EXPECT_EQ(report.served, 4U);
  EXPECT_EQ(report.cut, 0U);
  for (auto& answer : answers) EXPECT_EQ(answer.get().value().body, "done");
}

// For ThreadSanitizer.
TEST(ServeTcp, ServesBlockingAndPlainHandlersUnderLoad) {
  for (const Distribution how : {Distribution::reuse_port, Distribution::single_acceptor}) {
    server::ServerOptions limits;
    limits.max_conns_per_ip = 100;
    ServeOptions options;
    options.threads = 4;
    options.distribution = how;
    options.blocking.max_threads = 2;
    const Handler block = blocking([](RequestCtx& ctx, BlockingCtx&) { ctx.set_body(this_thread()); });
    std::atomic<int> counter = 0;
    Served app(
        [&](RequestCtx& ctx) -> Task<> {
          counter.fetch_add(1);
          if (ctx.path() == "/blocking") co_await (*block.coroutine())(ctx);
        },
        options, limits);
    constexpr int kClients = 6;
    constexpr int kCalls = 40;
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&app, i] {
        for (int calls = 0; calls < kCalls; calls += 10) {
          BlockingClient client;
          for (int j = 0; j < 10; ++j) {
            EXPECT_EQ(client.get(app.url((i + j) % 2 == 0 ? "/blocking" : "/plain")).value().status, 200);
          }
        }
      });
    }
    clients.clear();
    EXPECT_EQ(app.server().metrics().exchanges, std::uint64_t{kClients * kCalls});
    EXPECT_EQ(app.stop().served, std::uint64_t{kClients * kCalls});
    EXPECT_EQ(counter.load(), kClients * kCalls);
  }
}

}  // namespace
}  // namespace pipette::app
