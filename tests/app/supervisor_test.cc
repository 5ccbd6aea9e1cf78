#include "pipette/app/supervisor.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "pipette/client/client.h"
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
    constexpr int kOn = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &kOn, sizeof kOn);
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
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> more;
    iovec text = {.iov_base = room.data(), .iov_len = room.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = more.data();
    message.msg_controllen = more.size();
    const auto count = ::recvmsg(socket_.get(), &message, 0);
    if (count < 0) return "(nothing)";
    ucred who{};
    if (const cmsghdr* first = CMSG_FIRSTHDR(&message)) std::memcpy(&who, CMSG_DATA(first), sizeof who);
    teller_ = who.pid;
    return {room.data(), static_cast<std::size_t>(count)};
  }
  // Who told it that.
  pid_t teller() const { return teller_; }

 private:
  std::string name_;
  pid_t teller_ = -1;
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

// Until it takes no more: how many signs of life it has to hear then.
int tell_too_much(const std::string& name) {
  const Supervisor supervisor(name);
  int signs = 0;
  while (signs < 1'000'000 && supervisor.tell_alive()) ++signs;
  EXPECT_LT(signs, 1'000'000) << "a sign of life is not waited for";
  return signs;
}

TEST(Supervisor, IsWaitedForWhenItIsBehind) {
  const std::string name = name_of("behind");
  Ear ear(name);
  const int signs = tell_too_much(name);
  std::latch about_to(1);
  std::thread reader([&] {
    about_to.wait();
    for (int i = 0; i < signs; ++i) EXPECT_EQ(ear.hear(), "WATCHDOG=1");
  });
  about_to.count_down();
  EXPECT_TRUE(Supervisor(name).tell("READY=1"));
  reader.join();
  EXPECT_EQ(ear.hear(), "READY=1");
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

// It has gone when it is let go: the server waits for us in between.
Task<> lose_the_next_one(tcp::Runtime& runtime) {
  const std::string name = name_of("quit");
  const std::string flag = name_of("quit-flag");
  Ear ear(name);
  Gifts gifts;
  gifts.environment = {"NOTIFY_SOCKET=" + name};
  Process server(runtime, {"--quit-if", flag, "127.0.0.1:0"}, gifts);
  EXPECT_EQ(ear.hear(), "READY=1");
  const std::vector<std::string> where = co_await next(server, "listening");
  std::ofstream(flag) << "there";
  const int signs = tell_too_much(name);
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "quit");
  for (int i = 0; i < signs; ++i) EXPECT_EQ(ear.hear(), "WATCHDOG=1");
  EXPECT_EQ(ear.hear(), "MAINPID=" + heir.at(0) + "\nREADY=1");
  EXPECT_EQ(ear.hear(), "MAINPID=" + where.at(0) + "\nREADY=1");
  const std::vector<std::string> logged = co_await next(server, "log");
  EXPECT_THAT(logged, testing::Contains("serves"));
  std::filesystem::remove(flag);
  Client client(runtime);
  const Result<client::Response> page = co_await client.get("http://" + where.at(1) + "/");
  EXPECT_EQ(page.value().body, where.at(0));
}

TEST(Supervisor, HearsThatTheOldProcessServesOnWhenTheNewOneHasGoneAtTheLastMoment) {
  tcp::Runtime runtime;
  runtime.run(lose_the_next_one(runtime));
}

// A connection that idles keeps the old one, until it is told to stop.
Task<> replace_one_that_lives_on(tcp::Runtime& runtime) {
  const std::string name = name_of("replaced");
  Ear ear(name);
  Gifts gifts;
  gifts.environment = {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=20000"};
  Process server(runtime, {"127.0.0.1:0"}, gifts);
  const std::vector<std::string> where = co_await next(server, "listening");
  net::Connected idle = (co_await runtime.network().dial(*net::Address::parse(where.at(1)), kNever)).value();
  constexpr std::array<Bytes, 1> kRequest = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
  EXPECT_TRUE(idle.connection->try_write(kRequest));
  std::array<char, 512> room;
  (void)co_await idle.connection->read_some(room);
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  const pid_t main = std::stoi(heir.at(0));
  while (!ear.hear().starts_with("MAINPID=")) {
  }
  for (int i = 0; i < 10; ++i) {
    const std::string told = ear.hear();
    EXPECT_EQ(ear.teller(), main) << told;
  }
  server.kill(SIGTERM);
  (void)co_await idle.connection->read_some(room);
  idle.connection.reset();
  (void)co_await next(server, "ended");
  ::kill(main, SIGTERM);
  for (std::string told; told != "STOPPING=1";) {
    told = ear.hear();
    EXPECT_EQ(ear.teller(), main) << told;
  }
}

TEST(Supervisor, HearsNoMoreOfAProcessThatWasReplaced) {
  tcp::Runtime runtime;
  runtime.run(replace_one_that_lives_on(runtime));
}

}  // namespace
}  // namespace pipette::app
