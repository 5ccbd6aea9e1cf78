// What becomes of those who wait to be accepted when the process has no descriptor left, with real ones.
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/async/sleep.h"
#include "pipette/async/stop.h"
#include "pipette/async/task_group.h"
#include "pipette/server/server.h"
#include "pipette/server/worker.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

#include "tests/net/transport.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;
using net::Connected;
using net::fails_with;
using net::Listener;
using server::Server;
using server::Worker;

// Takes every descriptor that the process has left, until it dies; gives back as many as it is asked for.
class Famine {
 public:
  Famine() {
    ::getrlimit(RLIMIT_NOFILE, &limit_);
    const rlimit low{.rlim_cur = std::min<rlim_t>(limit_.rlim_cur, 256), .rlim_max = limit_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = open(); fd >= 0; fd = open()) taken_.push_back(fd);
  }
  Famine(const Famine&) = delete;
  Famine& operator=(const Famine&) = delete;
  ~Famine() {
    while (!taken_.empty()) give_back();
    ::setrlimit(RLIMIT_NOFILE, &limit_);
  }

  void give_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  static int open() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

  rlimit limit_{};
  std::vector<int> taken_;
};

template <class T>
Task<> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await task);
}

Task<Result<Connected>> accept_from(Listener& listener) { co_return co_await listener.accept(); }

// What comes until the stream ends, however it does, or within ten seconds.
Task<Result<std::string>> read_all(net::Connection& connection, TimePoint deadline) {
  connection.set_deadline(net::Direction::read, deadline);
  std::string received;
  std::array<char, 256> room;
  for (;;) {
    const Result<std::size_t> count = co_await connection.read_some(room);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return received;
    received.append(room.data(), *count);
  }
}

server::ServerOptions quiet() {
  server::ServerOptions options;
  options.log = [](std::string_view) {};
  return options;
}

class Shedding : public testing::Test {
 protected:
  // A sanitizer takes a closer look at the first object of each class, and needs descriptors for that: so whoever plays
  // in a famine has played before.
  void SetUp() override {
    const std::unique_ptr<Listener> listener = listen();
    const Connected dialed = dial(listener->address());
    EXPECT_TRUE(listener->shed());
    EXPECT_TRUE(is_dropped(dialed));
    async::StopSource never(loop());
    runtime_.run(pause(loop(), never.token()));
    EXPECT_NE(make_error_code(Errc::too_many_open_files).message(), "");
    Worker worker(server_, runtime_);
    async::TaskGroup serving(loop());
    std::unique_ptr<Listener> served = listen();
    const net::Address address = served->address();
    serving.spawn(worker.serve(std::move(served)));
    EXPECT_TRUE(is_served(dial(address)));
    await(worker.shutdown(after(loop().now(), 10s)));
  }

  async::Loop& loop() { return runtime_.loop(); }

  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    runtime_.run(keep(std::move(task), result));
    return std::move(*result);
  }
  std::unique_ptr<Listener> listen() { return *runtime_.network().listen(*net::Address::parse("127.0.0.1:0")); }
  Connected dial(const net::Address& address) {
    return *await(runtime_.network().dial(address, after(loop().now(), 10s)));
  }
  Result<Connected> accept(Listener& listener) { return await(accept_from(listener)); }
  static void send(const Connected& to, Bytes text) {
    ASSERT_EQ(to.connection->try_write(std::span(&text, 1)).value(), text.size());
  }
  Result<std::string> read_all(const Connected& from) {
    return await(tcp::read_all(*from.connection, after(loop().now(), 10s)));
  }
  // Whether the other side drops it, unserved.
  bool is_dropped(const Connected& connected) {
    const Result<std::string> received = read_all(connected);
    return received ? received->empty() : received.error() == make_error_code(Errc::connection_reset);
  }
  bool is_served(const Connected& connected) {
    send(connected, kGet);
    EXPECT_TRUE(connected.connection->try_close_write());
    const Result<std::string> received = read_all(connected);
    return received && received->starts_with("HTTP/1.1 200 OK\r\n") && received->ends_with("\r\n\r\nHello");
  }

  // One turn of the loop, which has nothing to wait for.
  void turn() {
    loop().post([] {});
    static_cast<Loop&>(loop()).turn();
  }

  static constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const Server server_{[](RequestCtx& ctx) { ctx.set_body("Hello"); }, quiet()};
  Runtime runtime_;

 private:
  static Task<> pause(async::Loop& loop, async::StopToken token) {
    co_await async::sleep_until(loop, after(loop.now(), 1ms), token);
  }
};

TEST_F(Shedding, TellsThoseWhoWaitAndServesAgainOnceThereAreDescriptors) {
  Worker worker(server_, runtime_);
  async::TaskGroup serving(loop());
  std::unique_ptr<Listener> listener = listen();
  const net::Address address = listener->address();
  const Connected silent = dial(address);
  const Connected eager = dial(address);
  send(eager, kGet);
  {
    const Famine famine;
    serving.spawn(worker.serve(std::move(listener)));
    EXPECT_TRUE(is_dropped(silent));
    EXPECT_TRUE(is_dropped(eager));
  }
  EXPECT_EQ(worker.metrics().connections_shed.get(), 2U) << "the spare descriptor is there for each";
  EXPECT_EQ(worker.metrics().accept_errors.get(), 1U);
  EXPECT_EQ(worker.metrics().accepted.get(), 0U);
  EXPECT_TRUE(is_served(dial(address)));
  EXPECT_EQ(worker.metrics().connections_shed.get(), 2U);
  EXPECT_EQ(await(worker.shutdown(after(loop().now(), 10s))).served, 1U);
}

TEST_F(Shedding, WorksWithoutASpareDescriptorAndTakesOneWhenItCan) {
  std::unique_ptr<Listener> listener;
  {
    Famine famine;
    famine.give_back();
    listener = listen();
  }
  std::vector<Connected> dialed;
  for (int i = 0; i < 3; ++i) dialed.push_back(dial(listener->address()));
  struct Seen {
    Result<Connected> before;
    bool has_shed;
    Result<Connected> after;
  };
  const auto shed_in_famine = [&] {
    const Famine famine;
    Result<Connected> before = accept(*listener);
    const bool has_shed = listener->shed();
    return Seen{std::move(before), has_shed, accept(*listener)};
  };
  const Seen without = shed_in_famine();
  EXPECT_THAT(without.before, fails_with(Errc::too_many_open_files));
  EXPECT_FALSE(without.has_shed) << "it has no means to";
  EXPECT_THAT(without.after, fails_with(Errc::too_many_open_files));
  EXPECT_EQ(accept(*listener)->remote, dialed[0].local);

  const Seen with = shed_in_famine();
  EXPECT_THAT(with.before, fails_with(Errc::too_many_open_files));
  EXPECT_TRUE(with.has_shed);
  ASSERT_THAT(with.after, fails_with(Errc::too_many_open_files)) << "it has its spare again";
  EXPECT_TRUE(is_dropped(dialed[1]));
  EXPECT_EQ(accept(*listener)->remote, dialed[2].local);
}

TEST_F(Shedding, WakesWhoWaitsForSomebodyToAcceptAndNobodyElse) {
  const std::unique_ptr<Listener> listener = listen();
  net::Wake acceptor;
  listener->wait(acceptor);
  const Connected first = dial(listener->address());
  turn();
  ASSERT_EQ(acceptor.count, 1);
  ASSERT_TRUE(accept(*listener));
  std::optional<Result<Connected>> nobody;
  std::optional<Result<Connected>> somebody;
  int woken_for_nobody = 0;
  {
    Famine famine;
    nobody = listener->try_accept();
    listener->wait(acceptor);
    turn();
    woken_for_nobody = acceptor.count;
    famine.give_back();
    const Connected dialed = dial(listener->address());
    turn();
    somebody = listener->try_accept();
    listener->wait(acceptor);
    turn();
  }
  EXPECT_THAT(*nobody, fails_with(Errc::would_block));
  EXPECT_EQ(woken_for_nobody, 1) << "or the loop would spin";
  EXPECT_THAT(*somebody, fails_with(Errc::too_many_open_files));
  EXPECT_EQ(acceptor.count, 3) << "since one waits still";
}

TEST_F(Shedding, GoesOnPastAClientThatHasGoneWhileItWaited) {
  const std::unique_ptr<Listener> listener = listen();
  const Connected gone = dial(listener->address());
  const Connected there = dial(listener->address());
  gone.connection->abort();
  Result<Connected> accepted = accept(*listener);
  // Linux hands it out all the same, other systems do not.
  if (accepted && accepted->remote == gone.local) accepted = accept(*listener);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->remote, there.local);
}

}  // namespace
}  // namespace pipette::tcp
