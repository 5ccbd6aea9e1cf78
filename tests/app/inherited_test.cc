// Sockets that a process was given, as systemd gives them.
#include "pipette/app/inherited.h"

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/tcp/runtime.h"

#include "tests/app/process.h"

namespace pipette::app {
namespace {

using test::Gifts;
using test::next;
using test::Process;

// What the process that activates listens at.
class Sockets {
 public:
  explicit Sockets(tcp::Runtime& runtime) : runtime_(runtime) {}
  std::string add(const std::string& address) {
    listeners_.push_back(runtime_.network().listen(*net::Address::parse(address)).value());
    return listeners_.back()->address().to_string();
  }
  std::vector<int> descriptors() const {
    std::vector<int> all;
    for (const tcp::Listening& each : runtime_.listening()) all.push_back(each.descriptor);
    return all;
  }
  // From now on it is up to the other process.
  void let_go() {
    runtime_.leave_unix_paths();
    listeners_.clear();
  }

 private:
  tcp::Runtime& runtime_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

Task<> get(tcp::Runtime& runtime, std::string address, std::string& body) {
  ClientOptions options;
  options.dialer.dial = [&runtime, address](const net::Address&, TimePoint deadline) {
    return runtime.network().dial(*net::Address::parse(address), deadline);
  };
  Client client(runtime, options);
  const Result<client::Response> page = co_await client.get("http://app/");
  body = page ? page->body : page.error().message();
}

Task<> activate(tcp::Runtime& runtime, std::string threads, bool sends_more) {
  const std::string path = "unix:" + testing::TempDir() + "pipette-activated-" + std::to_string(::getpid());
  Sockets sockets(runtime);
  const std::string tcp_address = sockets.add("127.0.0.1:0");
  (void)sockets.add(path);
  if (sends_more) (void)sockets.add("127.0.0.1:0");
  Gifts gifts;
  gifts.sockets = sockets.descriptors();
  Process server(runtime, {"--threads", threads, tcp_address, path}, gifts);
  if (threads != "1") {
    const std::string line = co_await server.line();
    EXPECT_THAT(line, testing::HasSubstr("the first loop accepts for all at " + tcp_address));
    if (!line.starts_with("log")) co_return;
  }
  std::vector<std::string> found;
  const std::vector<std::string> first = co_await next(server, "listening");
  const std::vector<std::string> second = co_await next(server, "listening");
  found = {first.at(1), second.at(1)};
  EXPECT_THAT(found, testing::UnorderedElementsAre(tcp_address, path));
  sockets.let_go();
  for (const std::string& address : {tcp_address, path}) {
    std::string body;
    co_await get(runtime, address, body);
    EXPECT_EQ(body, first.at(0)) << address;
  }
  server.kill(SIGTERM);
  (void)co_await next(server, "ended");
  EXPECT_TRUE(std::filesystem::exists(path.substr(5))) << "it is systemd's";
  std::filesystem::remove(path.substr(5));
}

TEST(Inherited, SocketsAreServedThatMatchWhatIsAskedFor) {
  for (const std::string threads : {"1", "2"}) {
    for (const bool sends_more : {false, true}) {
      tcp::Runtime runtime;
      runtime.run(activate(runtime, threads, sends_more));
    }
  }
}

// All processes of a master accept from the sockets that it was given, and leave them.
Task<> activate_a_master(tcp::Runtime& runtime) {
  const std::string path = "unix:" + testing::TempDir() + "pipette-master-" + std::to_string(::getpid());
  Sockets sockets(runtime);
  const std::string tcp_address = sockets.add("127.0.0.1:0");
  (void)sockets.add(path);
  Gifts gifts;
  gifts.sockets = sockets.descriptors();
  Process master(runtime, {"--prefork", "2", tcp_address, path}, gifts);
  std::multiset<std::string> processes;
  std::multiset<std::string> addresses;
  for (int i = 0; i < 4; ++i) {
    const std::vector<std::string> where = co_await next(master, "listening");
    processes.insert(where.at(0));
    addresses.insert(where.at(1));
  }
  EXPECT_THAT(addresses, testing::UnorderedElementsAre(tcp_address, tcp_address, path, path));
  sockets.let_go();
  for (const std::string& address : {tcp_address, path}) {
    std::string body;
    co_await get(runtime, address, body);
    EXPECT_TRUE(processes.contains(body)) << body;
  }
  master.kill(SIGTERM);
  (void)co_await next(master, "over");
  EXPECT_TRUE(std::filesystem::exists(path.substr(5))) << "it is systemd's";
  std::filesystem::remove(path.substr(5));
}

TEST(Inherited, SocketsAreServedByAllProcessesOfAMaster) {
  tcp::Runtime runtime;
  runtime.run(activate_a_master(runtime));
}

// An old version does not ask for what the new one does.
Task<> leave_one_to_the_next(tcp::Runtime& runtime) {
  Sockets sockets(runtime);
  const std::string address = sockets.add("127.0.0.1:0");
  Gifts gifts;
  gifts.sockets = sockets.descriptors();
  Process server(runtime, {"--next-at", address, "127.0.0.2:0"}, gifts);
  const std::vector<std::string> where = co_await next(server, "listening");
  EXPECT_NE(where.at(1), address);
  sockets.let_go();
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  EXPECT_EQ(heir.at(1), address);
  std::string body;
  co_await get(runtime, address, body);
  EXPECT_EQ(body, heir.at(0));
}

TEST(Inherited, SocketsThatNobodyTookAreLeftToTheNextProcess) {
  tcp::Runtime runtime;
  runtime.run(leave_one_to_the_next(runtime));
}

// Nobody has asked for what another process was told to take.
Task<> start_with_those_of_another(tcp::Runtime& runtime) {
  Sockets sockets(runtime);
  const std::string address = sockets.add("127.0.0.1:0");
  Gifts gifts;
  gifts.environment = {"LISTEN_FDS=1", "LISTEN_PID=1"};
  Process server(runtime, {address}, gifts);
  const std::vector<std::string> failed = co_await next(server, "failed");
  EXPECT_FALSE(failed.empty()) << "it listens by itself, where somebody else does";
}

TEST(Inherited, SocketsOfAnotherProcessAreNot) {
  tcp::Runtime runtime;
  runtime.run(start_with_those_of_another(runtime));
}

TEST(Inherited, AreNoneWhereNothingSaysSo) { EXPECT_TRUE(inherited_listeners().empty()); }

}  // namespace
}  // namespace pipette::app
