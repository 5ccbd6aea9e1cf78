// One process takes the place of another, while clients go on.
#include "pipette/app/hand_over.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sched.h>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/client/client.h"
#include "pipette/tcp/descriptor.h"
#include "pipette/tcp/runtime.h"

#include "tests/app/process.h"

namespace pipette::app {
namespace {

using test::next;
using test::Process;
using test::wait_for;
using testing::IsEmpty;

std::string url_of(const std::string& address) { return "http://" + address + "/"; }

std::string file_of(const std::string& what) {
  return testing::TempDir() + "pipette-" + what + "-" + std::to_string(::getpid());
}

// ---- clients that never stop -------------------------------------------------------------------------------------

struct Load {
  bool is_over = false;
  std::uint64_t answered = 0;
  std::vector<std::string> failures;
  std::set<std::string> processes;  // that have answered
};

// Some of them keep their connections, others make one for each request.
Task<> ask_on(Client& client, std::string url, bool keeps, Load& load) {
  while (!load.is_over) {
    client::Request request;
    request.url = url;
    if (!keeps) (void)request.fields.add("Connection", "close");
    const Result<client::Response> page = co_await client.call(std::move(request));
    if (page && page->status == 200) {
      ++load.answered;
      load.processes.insert(page->body);
    } else {
      load.failures.push_back(page ? std::to_string(page->status) : page.error().message());
    }
  }
}

int restarts() {
  const char* const asked = std::getenv("PIPETTE_RESTARTS");
  return asked == nullptr ? 5 : std::atoi(asked);
}

Task<> restart_under_load(tcp::Runtime& runtime, std::vector<std::string> arguments, int times, Load& load) {
  Process server(runtime, std::move(arguments));
  std::vector<std::string> where = co_await next(server, "listening");
  EXPECT_EQ(where.size(), 2U);
  const std::string address = where.at(1);
  Client client(runtime);
  async::TaskGroup clients(runtime.loop());
  for (int i = 0; i < 8; ++i) clients.spawn(ask_on(client, url_of(address), i % 2 == 0, load));
  for (int i = 0; i < times; ++i) {
    const pid_t old = std::stoi(where.at(0));
    ::kill(old, SIGUSR2);
    where = co_await next(server, "listening");
    EXPECT_EQ(where.at(1), address);
    const std::vector<std::string> ended = co_await next(server, "ended");
    EXPECT_EQ(ended.at(0), std::to_string(old));
    EXPECT_EQ(ended.at(2), "0") << "connections that were cut";
    EXPECT_EQ(wait_for(old), 0);
  }
  load.is_over = true;
  co_await clients.join();
  EXPECT_EQ(client.counts().repeated, 0U) << "no kept connection was closed under a request";
  client.close_idle();
  ::kill(std::stoi(where.at(0)), SIGTERM);
  const std::vector<std::string> ended = co_await next(server, "ended");
  EXPECT_EQ(ended.at(0), where.at(0));
}

TEST(HandOver, LosesNoConnectionAndNoRequestUnderLoad) {
  for (const char* const threads : {"1", "3"}) {
    tcp::Runtime runtime;
    Load load;
    runtime.run(restart_under_load(runtime, {"--threads", threads, "127.0.0.1:0"}, restarts(), load));
    EXPECT_THAT(load.failures, IsEmpty());
    EXPECT_GE(load.processes.size(), static_cast<std::size_t>(restarts()));
    RecordProperty("answered", std::to_string(load.answered));
  }
}

// ---- what may go wrong -------------------------------------------------------------------------------------------

Task<> fail_to_hand_over(tcp::Runtime& runtime, std::string how, std::string expected) {
  const std::string flag = file_of("flag");
  std::vector<std::string> arguments = {how, flag, "--ready-ms", "3000", "127.0.0.1:0"};
  if (how == "--fail-if") arguments[3] = "60000";
  Process server(runtime, std::move(arguments));
  const std::vector<std::string> where = co_await next(server, "listening");
  std::ofstream(flag) << "there";
  server.kill(SIGUSR2);
  const std::vector<std::string> logged = co_await next(server, "log");
  std::string text;
  for (const std::string& word : logged) text += word + " ";
  EXPECT_THAT(text, testing::HasSubstr("this one serves on: " + expected));
  std::filesystem::remove(flag);
  Client client(runtime);
  const Result<client::Response> page = co_await client.get(url_of(where.at(1)));
  EXPECT_EQ(page.value().body, where.at(0)) << "the old one";

  server.kill(SIGUSR2);  // and it may try again
  const std::vector<std::string> heir = co_await next(server, "listening");
  EXPECT_EQ(heir.at(1), where.at(1));
  client.close_idle();
  const std::vector<std::string> ended = co_await next(server, "ended");
  EXPECT_EQ(ended.at(0), where.at(0));
}

TEST(HandOver, LeavesTheOldProcessServingWhenTheNewOneDoesNotComeUp) {
  struct Case {
    std::string how;
    Errc error;
  };
  for (const Case& each : {Case{"--fail-if", Errc::connection_reset}, Case{"--hang-if", Errc::timed_out}}) {
    tcp::Runtime runtime;
    runtime.run(fail_to_hand_over(runtime, each.how, make_error_code(each.error).message()));
  }
}

// ---- what is handed over -----------------------------------------------------------------------------------------

// A connection that idles has one more answer of the process that it is connected to.
Task<> keep_one_idle(tcp::Runtime& runtime) {
  Process server(runtime, {"127.0.0.1:0"});
  const std::vector<std::string> where = co_await next(server, "listening");
  Client client(runtime);
  const Result<client::Response> before = co_await client.get(url_of(where.at(1)));
  EXPECT_EQ(before.value().body, where.at(0));
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  Client other(runtime);
  for (;;) {  // until the old one accepts no more
    const Result<client::Response> page = co_await other.get(url_of(where.at(1)));
    other.close_idle();
    if (page.value().body == heir.at(0)) break;
  }
  const Result<client::Response> once_more = co_await client.get(url_of(where.at(1)));
  EXPECT_EQ(once_more.value().body, where.at(0));
  EXPECT_EQ(once_more.value().header("Connection"), "close");
  const Result<client::Response> later = co_await client.get(url_of(where.at(1)));
  EXPECT_EQ(later.value().body, heir.at(0));
  EXPECT_EQ(client.counts().dials, 2U);
  EXPECT_EQ(client.counts().repeated, 0U);
}

TEST(HandOver, GivesIdleConnectionsOneMoreAnswer) {
  tcp::Runtime runtime;
  runtime.run(keep_one_idle(runtime));
}

Task<> hand_over_a_path(tcp::Runtime& runtime) {
  const std::string path = file_of("hand-over");
  Process server(runtime, {"--threads", "2", "unix:" + path});
  std::vector<std::string> where = co_await next(server, "listening");
  for (int i = 0; i < 2; ++i) {
    const std::string old = where.at(0);
    ::kill(std::stoi(old), SIGUSR2);
    where = co_await next(server, "listening");
    EXPECT_EQ(where.at(1), "unix:" + path);
    const std::vector<std::string> ended = co_await next(server, "ended");
    EXPECT_EQ(ended.at(0), old);
    EXPECT_TRUE(std::filesystem::exists(path)) << "it is the next one's";
  }
  ::kill(std::stoi(where.at(0)), SIGTERM);
  (void)co_await next(server, "ended");
  EXPECT_FALSE(std::filesystem::exists(path)) << "the last one cleans up";
}

TEST(HandOver, LeavesAUnixPathToTheLastOne) {
  tcp::Runtime runtime;
  runtime.run(hand_over_a_path(runtime));
}

Task<> hand_over_without_a_path(tcp::Runtime& runtime) {
  const std::string path = file_of("unwanted");
  Process server(runtime, {"--next-at", "127.0.0.1:0", "unix:" + path});
  (void)co_await next(server, "listening");
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  Client client(runtime);
  const Result<client::Response> page = co_await client.get(url_of(heir.at(1)));
  EXPECT_EQ(page.value().body, heir.at(0));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(HandOver, RemovesAUnixPathThatIsNotAskedForAnyMore) {
  tcp::Runtime runtime;
  runtime.run(hand_over_without_a_path(runtime));
}

// The next one comes to the FIFO, and is held there for as long as that is open.
tcp::Descriptor hold_the_next_one(const Process& server, const std::string& fifo) {
  EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  server.kill(SIGUSR2);
  tcp::Descriptor held(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(held.is_open());
  return held;
}

// It has adopted the path when it fails, and time to clean up: the old one, who would kill it, stands still.
Task<> fail_with_a_path(tcp::Runtime& runtime) {
  const std::string fifo = file_of("fifo");
  const std::string flag = file_of("throw");
  const std::string path = file_of("kept");
  Process server(runtime, {"--wait-if", fifo, "--throw-if", flag, "unix:" + path});
  (void)co_await next(server, "listening");
  std::ofstream(flag) << "there";
  tcp::Descriptor held = hold_the_next_one(server, fifo);
  server.kill(SIGSTOP);
  held.close();
  (void)co_await next(server, "failed");
  server.kill(SIGCONT);
  (void)co_await next(server, "log");
  EXPECT_TRUE(std::filesystem::exists(path)) << "the old one listens there";
  std::filesystem::remove(fifo);
  std::filesystem::remove(flag);
  server.kill(SIGTERM);
  (void)co_await next(server, "ended");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(HandOver, LeavesAUnixPathToTheOldProcessWhenTheNewOneDoesNotComeUp) {
  tcp::Runtime runtime;
  runtime.run(fail_with_a_path(runtime));
}

// ---- on which cores -----------------------------------------------------------------------------------------------

int cores_of(pid_t thread) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(thread, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 0;
}

// Of the thread that has the most: not each is bound to one.
int most_cores_of(const std::string& process) {
  int most = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + process + "/task")) {
    most = std::max(most, cores_of(std::stoi(thread.path().filename())));
  }
  return most;
}

Task<> hand_over_pinned(tcp::Runtime& runtime) {
  Process server(runtime, {"--threads", "0", "--pin", "127.0.0.1:0"});
  (void)co_await next(server, "listening");
  server.kill(SIGUSR2);
  const std::vector<std::string> heir = co_await next(server, "listening");
  EXPECT_EQ(most_cores_of(heir.at(0)), cores_of(0));
}

TEST(HandOver, GivesTheNextProcessAllCoresAlsoFromALoopThatIsPinned) {
  if (cores_of(0) == 1) GTEST_SKIP() << "there is one core";
  tcp::Runtime runtime;
  runtime.run(hand_over_pinned(runtime));
}

// ---- which descriptors ----------------------------------------------------------------------------------------------

// Those that a program would have which the process starts.
std::set<std::string> inheritable(const std::string& process) {
  std::set<std::string> numbers;
  for (const auto& file : std::filesystem::directory_iterator("/proc/" + process + "/fdinfo")) {
    std::ifstream info(file.path());
    std::string word;
    while (info >> word && word != "flags:") {
    }
    info >> word;
    if ((std::stoul(word, nullptr, 8) & O_CLOEXEC) == 0) numbers.insert(file.path().filename());
  }
  return numbers;
}

// While it waits to be let go: the old one, who would do that, stands still.
Task<> look_at_the_next_one(tcp::Runtime& runtime) {
  const std::string fifo = file_of("fifo");
  Process server(runtime, {"--wait-if", fifo, "127.0.0.1:0"});
  const std::vector<std::string> where = co_await next(server, "listening");
  tcp::Descriptor held = hold_the_next_one(server, fifo);
  server.kill(SIGSTOP);
  held.close();
  const std::vector<std::string> heir = co_await next(server, "listening");
  EXPECT_EQ(inheritable(heir.at(0)), inheritable(where.at(0)));
  server.kill(SIGCONT);
  (void)co_await next(server, "ended");
  std::filesystem::remove(fifo);
}

TEST(HandOver, IsNoMatterOfProgramsThatTheNextProcessStarts) {
  tcp::Runtime runtime;
  runtime.run(look_at_the_next_one(runtime));
}

// ---- a service that is told to stop --------------------------------------------------------------------------------

using Connection = std::unique_ptr<net::Connection>;

// Null: nobody listens there.
Task<Connection> connect(tcp::Runtime& runtime, std::string address) {
  Result<net::Connected> connected = co_await runtime.network().dial(*net::Address::parse(address), kNever);
  co_return connected ? std::move(connected->connection) : nullptr;
}

Task<Connection> begin_request(tcp::Runtime& runtime, std::string address) {
  Connection connection = co_await connect(runtime, std::move(address));
  constexpr std::array<Bytes, 1> kHalf = {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"};
  EXPECT_TRUE(connection->try_write(kHalf));
  co_return connection;
}

Task<> read_to_end(net::Connection& connection, std::string& text) {
  for (;;) {
    std::array<char, 512> room;
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (!count || *count == 0) co_return;
    text.append(room.data(), *count);
  }
}

// When it has heard SIGTERM, it closes what idles.
Task<> stop_and_hand_over(tcp::Runtime& runtime, bool stops_first) {
  const std::string fifo = file_of("fifo");
  Process server(runtime, {"--wait-if", fifo, "127.0.0.1:0"});
  const std::vector<std::string> where = co_await next(server, "listening");
  Connection under_way = co_await begin_request(runtime, where.at(1));
  Connection idle = co_await connect(runtime, where.at(1));
  Client client(runtime);
  (void)co_await client.get(url_of(where.at(1)));  // so the server has seen those before
  client.close_idle();
  tcp::Descriptor held;
  if (!stops_first) held = hold_the_next_one(server, fifo);
  server.kill(SIGTERM);
  std::string text;
  co_await read_to_end(*idle, text);
  idle.reset();
  if (stops_first) server.kill(SIGUSR2);
  const std::vector<std::string> logged = co_await next(server, "log");
  EXPECT_THAT(logged, testing::Contains("told")) << "and nobody takes over";
  std::filesystem::remove(fifo);
  constexpr std::array<Bytes, 1> kRest = {"\r\n"};
  EXPECT_TRUE(under_way->try_write(kRest));
  co_await read_to_end(*under_way, text);
  under_way.reset();
  EXPECT_THAT(text, testing::StartsWith("HTTP/1.1 200"));
  const std::vector<std::string> ended = co_await next(server, "ended");
  EXPECT_THAT(ended, testing::Contains(where.at(0)));
  EXPECT_EQ(wait_for(server.pid()), 0);
  const Connection refused = co_await connect(runtime, where.at(1));
  EXPECT_EQ(refused, nullptr) << "nobody is left";
}

TEST(HandOver, IsOffWhenTheServiceIsToldToStop) {
  for (const bool stops_first : {false, true}) {
    tcp::Runtime runtime;
    runtime.run(stop_and_hand_over(runtime, stops_first));
  }
}

}  // namespace
}  // namespace pipette::app
