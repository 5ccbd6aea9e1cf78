#include "pipette/app/supervisor.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "pipette/tcp/descriptor.h"
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
  explicit Ear(const std::string& name) : name_(name), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    constexpr timeval kPatience = {.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  }
  ~Ear() { std::filesystem::remove(name_); }

  // The next thing that it is told; waits for it.
  std::string hear() {
    std::array<char, 512> room;
    const auto count = ::recv(socket_.get(), room.data(), room.size(), 0);
    return count < 0 ? "(nothing)" : std::string(room.data(), static_cast<std::size_t>(count));
  }

 private:
  std::string name_;
  tcp::Descriptor socket_;
};

TEST(Supervisor, IsToldAtAPathAndAtAnAbstractName) {
  for (const std::string& name : {name_of("notify"), "@pipette-notify-" + std::to_string(::getpid())}) {
    Ear ear(name);
    const Supervisor supervisor(name);
    EXPECT_TRUE(supervisor.is_there());
    EXPECT_TRUE(supervisor.tell("READY=1\nSTATUS=well"));
    EXPECT_EQ(ear.hear(), "READY=1\nSTATUS=well");
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
  Ear ear(name);
  Gifts gifts;
  gifts.environment = {"NOTIFY_SOCKET=" + name};
  Process server(runtime, {"127.0.0.1:0"}, gifts);
  EXPECT_EQ(ear.hear(), "READY=1");
  server.kill(SIGHUP);
  EXPECT_THAT(ear.hear(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  EXPECT_EQ(ear.hear(), "READY=1");
  (void)co_await next(server, "listening");
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  EXPECT_EQ(ear.hear(), "MAINPID=" + heir.at(0) + "\nREADY=1") << "before the new one speaks";
  EXPECT_EQ(ear.hear(), "READY=1");
  ::kill(std::stoi(heir.at(0)), SIGTERM);
  EXPECT_EQ(ear.hear(), "STOPPING=1");
}

TEST(Supervisor, HearsOfEachStepOfAServer) {
  tcp::Runtime runtime;
  runtime.run(follow_a_server(runtime));
}

TEST(Supervisor, HearsThatAServerIsAlive) {
  tcp::Runtime runtime;
  const std::string name = name_of("watchdog");
  Ear ear(name);
  Gifts gifts;
  gifts.environment = {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=20000"};
  const Process server(runtime, {"--threads", "3", "127.0.0.1:0"}, gifts);
  EXPECT_EQ(ear.hear(), "READY=1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ear.hear(), "WATCHDOG=1");
}

}  // namespace
}  // namespace pipette::app
