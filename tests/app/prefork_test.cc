// A master and its processes, seen from outside.
#include "pipette/app/prefork.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/tcp/runtime.h"

#include "tests/app/process.h"

namespace pipette::app {
namespace {

using test::next;
using test::Process;
using test::wait_for;
using testing::SizeIs;

// Where each of them listens; their numbers go into `processes`.
Task<std::string> come_up(Process& master, std::size_t count, std::set<std::string>& processes) {
  std::string address;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::string> where = co_await next(master, "listening");
    processes.insert(where.at(0));
    if (i == 0) address = where.at(1);
    EXPECT_EQ(where.at(1), address) << "all at the same";
  }
  co_return address;
}

// Asks on connections of their own until each process has answered.
Task<> hear_all(tcp::Runtime& runtime, std::string address, std::set<std::string> processes) {
  Client client(runtime);
  while (!processes.empty()) {
    const Result<client::Response> page = co_await client.get("http://" + address + "/");
    EXPECT_TRUE(page) << page.error().message();
    if (!page) co_return;
    processes.erase(page->body);
    client.close_idle();
  }
}

Task<> serve_with_three(tcp::Runtime& runtime) {
  Process master(runtime, {"--prefork", "3", "127.0.0.1:0"});
  std::set<std::string> processes;
  const std::string address = co_await come_up(master, 3, processes);
  EXPECT_THAT(processes, SizeIs(3));
  co_await hear_all(runtime, address, processes);

  // One that crashes is replaced, at the same socket.
  const std::string victim = *processes.begin();
  ::kill(std::stoi(victim), SIGKILL);
  processes.erase(victim);
  const std::vector<std::string> logged = co_await next(master, "log");
  EXPECT_THAT(logged, testing::Contains("signal"));
  const std::string again = co_await come_up(master, 1, processes);
  EXPECT_EQ(again, address);
  EXPECT_THAT(processes, SizeIs(3));
  co_await hear_all(runtime, address, processes);

  master.kill(SIGHUP);
  std::set<std::string> reloaded;
  while (reloaded.size() < 3) {
    const std::vector<std::string> who = co_await next(master, "reloaded");
    reloaded.insert(who.at(0));
  }
  EXPECT_EQ(reloaded, processes);

  master.kill(SIGTERM);
  const std::vector<std::string> over = co_await next(master, "over");
  EXPECT_THAT(over, testing::ElementsAre(std::to_string(master.pid()), "1"));
  EXPECT_EQ(wait_for(master.pid()), 0);
}

TEST(Prefork, ServesInEachProcessReplacesOneThatCrashesAndPassesSignalsOn) {
  tcp::Runtime runtime;
  runtime.run(serve_with_three(runtime));
}

// Where its first thread may run.
std::vector<int> cores_of(const std::string& process) {
  std::vector<int> numbers;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(std::stoi(process), sizeof cores, &cores);
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &cores)) numbers.push_back(core);
  }
  return numbers;
}

Task<> serve_pinned(tcp::Runtime& runtime) {
  Process master(runtime, {"--pin", "--prefork", "2", "127.0.0.1:0"});
  std::set<std::string> processes;
  const std::string address = co_await come_up(master, 2, processes);
  co_await hear_all(runtime, address, processes);
  std::set<int> cores;
  for (const std::string& process : processes) {
    const std::vector<int> its = cores_of(process);
    EXPECT_THAT(its, SizeIs(1));
    cores.insert(its.begin(), its.end());
  }
  EXPECT_THAT(cores, SizeIs(2));
}

TEST(Prefork, GivesEachProcessACoreOfItsOwn) {
  if (cores_of("0").size() == 1) GTEST_SKIP() << "there is one core";
  tcp::Runtime runtime;
  runtime.run(serve_pinned(runtime));
}

Task<> outlive_the_master(tcp::Runtime& runtime) {
  Process master(runtime, {"--prefork", "2", "127.0.0.1:0"});
  std::set<std::string> processes;
  const std::string address = co_await come_up(master, 2, processes);
  co_await hear_all(runtime, address, processes);
  master.kill(SIGKILL);
  std::set<std::string> ended;
  while (ended.size() < 2) {
    const std::vector<std::string> who = co_await next(master, "ended");
    ended.insert(who.at(0));
  }
  EXPECT_EQ(ended, processes);
}

TEST(Prefork, EndsItsProcessesInOrderWhenTheMasterIsKilled) {
  tcp::Runtime runtime;
  runtime.run(outlive_the_master(runtime));
}

// It has been started three times, twice of them again.
Task<> give_up(tcp::Runtime& runtime, std::string how) {
  const std::string flag = testing::TempDir() + "pipette-prefork-" + std::to_string(::getpid());
  std::ofstream(flag) << "there";
  Process master(runtime, {std::move(how), flag, "--prefork", "1", "127.0.0.1:0"});
  const std::vector<std::string> over = co_await next(master, "over");
  EXPECT_THAT(over, testing::ElementsAre(std::to_string(master.pid()), "2", "gave-up"));
  EXPECT_EQ(wait_for(master.pid()), 1);
  std::filesystem::remove(flag);
}

TEST(Prefork, GivesUpOnProcessesThatKeepEnding) {
  for (const char* const how : {"--fail-if", "--throw-if"}) {
    tcp::Runtime runtime;
    runtime.run(give_up(runtime, how));
  }
}

Task<> share_a_path(tcp::Runtime& runtime) {
  const std::string path = testing::TempDir() + "pipette-shared-" + std::to_string(::getpid());
  Process master(runtime, {"--prefork", "2", "unix:" + path});
  std::set<std::string> processes;
  const std::string address = co_await come_up(master, 2, processes);
  EXPECT_EQ(address, "unix:" + path);
  EXPECT_TRUE(std::filesystem::exists(path));
  master.kill(SIGTERM);
  (void)co_await next(master, "over");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Prefork, SharesAUnixSocketAndRemovesItInTheEnd) {
  tcp::Runtime runtime;
  runtime.run(share_a_path(runtime));
}

}  // namespace
}  // namespace pipette::app
