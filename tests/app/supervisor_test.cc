#include "pipette/app/supervisor.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "pipette/tcp/handed.h"
#include "pipette/tcp/runtime.h"

#include "tests/app/process.h"

namespace pipette::app {
namespace {

using namespace std::chrono_literals;
using test::Gifts;
using test::next;
using test::Process;

std::string name_of(const std::string& what) {
  return testing::TempDir() + "pipette-" + what + "-" + std::to_string(::getpid());
}

// Who listens at NOTIFY_SOCKET: a path, or "@" and a name.
class Ear {
 public:
  Ear(tcp::Runtime& runtime, const std::string& name) : name_(name) {
    tcp::Handed handed;
    handed.descriptor = tcp::Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(handed.descriptor.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    socket_ = tcp::take(runtime, std::move(handed)).value().connection;
  }
  ~Ear() { std::filesystem::remove(name_); }

  // The next thing that it is told.
  Task<std::string> hear() {
    std::array<char, 512> room;
    const Result<std::size_t> count = co_await socket_->read_some(room);
    co_return std::string(room.data(), count.value());
  }

 private:
  std::string name_;
  std::unique_ptr<net::Connection> socket_;
};

Task<> tell(tcp::Runtime& runtime, std::string name) {
  Ear ear(runtime, name);
  const Supervisor supervisor(name);
  EXPECT_TRUE(supervisor.is_there());
  EXPECT_TRUE(supervisor.tell("READY=1\nSTATUS=well"));
  const std::string heard = co_await ear.hear();
  EXPECT_EQ(heard, "READY=1\nSTATUS=well");
}

TEST(Supervisor, IsToldAtAPathAndAtAnAbstractName) {
  for (const std::string& name : {name_of("notify"), "@pipette-notify-" + std::to_string(::getpid())}) {
    tcp::Runtime runtime;
    runtime.run(tell(runtime, name));
  }
}

TEST(Supervisor, MayBeNobody) {
  for (const std::string& name : {std::string(), name_of("nobody"), std::string(108, 'x')}) {
    EXPECT_FALSE(Supervisor(name).tell("READY=1")) << name;
  }
  EXPECT_EQ(Supervisor("", 1s).watchdog(), 0s);
  EXPECT_EQ(Supervisor("@somebody", 1s).watchdog(), 1s);
}

Task<> follow_a_server(tcp::Runtime& runtime) {
  const std::string name = name_of("server");
  Ear ear(runtime, name);
  Gifts gifts;
  gifts.environment = {"NOTIFY_SOCKET=" + name};
  Process server(runtime, {"127.0.0.1:0"}, gifts);
  std::string heard = co_await ear.hear();
  EXPECT_EQ(heard, "READY=1");
  server.kill(SIGHUP);
  heard = co_await ear.hear();
  EXPECT_THAT(heard, testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  heard = co_await ear.hear();
  EXPECT_EQ(heard, "READY=1");
  (void)co_await next(server, "listening");
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  heard = co_await ear.hear();
  EXPECT_EQ(heard, "MAINPID=" + heir.at(0) + "\nREADY=1") << "before the new one speaks";
  heard = co_await ear.hear();
  EXPECT_EQ(heard, "READY=1");
  ::kill(std::stoi(heir.at(0)), SIGTERM);
  heard = co_await ear.hear();
  EXPECT_EQ(heard, "STOPPING=1");
}

TEST(Supervisor, HearsOfEachStepOfAServer) {
  tcp::Runtime runtime;
  runtime.run(follow_a_server(runtime));
}

Task<> watch_a_server(tcp::Runtime& runtime) {
  const std::string name = name_of("watchdog");
  Ear ear(runtime, name);
  Gifts gifts;
  gifts.environment = {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=20000"};
  Process server(runtime, {"--threads", "3", "127.0.0.1:0"}, gifts);
  std::string heard = co_await ear.hear();
  EXPECT_EQ(heard, "READY=1");
  for (int i = 0; i < 3; ++i) {
    heard = co_await ear.hear();
    EXPECT_EQ(heard, "WATCHDOG=1");
  }
}

TEST(Supervisor, HearsThatAServerIsAlive) {
  tcp::Runtime runtime;
  runtime.run(watch_a_server(runtime));
}

}  // namespace
}  // namespace pipette::app
