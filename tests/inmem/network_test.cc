// Names, addresses, listeners and connections of a network that has no time.
#include "pipette/inmem/network.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pipette/inmem/transcript.h"
#include "pipette/inmem/world.h"

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using net::Address;
using testing::ElementsAre;
using testing::HasSubstr;

class NetworkTest : public testing::Test {
 protected:
  static Address address(std::string_view text) { return Address::parse(text).value(); }
  std::unique_ptr<net::Listener> listen(std::string_view text) { return listening().listen(address(text)).value(); }
  Result<net::Connected> dial(std::string_view text) { return dial_at(address(text)); }
  Result<net::Connected> dial_at(const Address& at) { return world_.dial_now(at); }
  Network& network() { return world_.network(); }
  // As the host "app" sees it, and as the host "client" does.
  net::Network& listening() { return world_.host("app").runtime().network(); }
  net::Network& dialing() { return world_.runtime().network(); }
  // The result of a task that does not wait.
  template <class T>
  static T result_of(Task<T> task) {
    task.start();
    EXPECT_TRUE(task.done());
    return task.await_resume();
  }

  World world_;
};

TEST_F(NetworkTest, GivesEachNameAnAddress) {
  const auto app = listen("app:80");
  const auto alias = listen("alias:80");
  const auto other = listen("app:81");
  EXPECT_EQ(app->address().to_string(), "10.0.1.1:80");
  EXPECT_EQ(alias->address().to_string(), "10.0.1.2:80");
  EXPECT_EQ(other->address().to_string(), "10.0.1.1:81");
}

TEST_F(NetworkTest, FindsAListenerByNameAndByAddress) {
  const auto listener = listen("app:80");
  for (const std::string_view text : {"app:80", "10.0.1.1:80"}) {
    Result<net::Connected> dialed = dial(text);
    ASSERT_TRUE(dialed) << text;
    Result<net::Connected> accepted = listener->try_accept();
    ASSERT_TRUE(accepted) << text;
    EXPECT_EQ(accepted->local, dialed->remote);
    EXPECT_EQ(accepted->remote, dialed->local);
    EXPECT_EQ(dialed->remote.to_string(), "10.0.1.1:80");
  }
}

TEST_F(NetworkTest, ListensOnEveryKindOfAddress) {
  for (const std::string_view text : {"127.0.0.1:80", "[::1]:80", "unix:/run/app.sock", "app:80"}) {
    const auto listener = listen(text);
    EXPECT_TRUE(dial(text)) << text;
    EXPECT_TRUE(listener->try_accept()) << text;
  }
  EXPECT_EQ(listening().listen(Address()).error(), std::errc::invalid_argument);
}

TEST_F(NetworkTest, SaysWhyItCannotConnect) {
  EXPECT_EQ(dial("nowhere:80").error(), Errc::host_not_found);
  EXPECT_EQ(dial("10.9.9.9:80").error(), std::errc::connection_refused);
  EXPECT_EQ(dial("unix:/nowhere").error(), std::errc::connection_refused);
  auto listener = listen("app:80");
  EXPECT_EQ(dial("app:81").error(), std::errc::connection_refused);
  listener->close();
  EXPECT_EQ(dial("app:80").error(), std::errc::connection_refused);
  listener.reset();
  EXPECT_EQ(dial("app:80").error(), std::errc::connection_refused);
}

TEST_F(NetworkTest, LetsOneListenAtAnAddress) {
  auto listener = listen("app:80");
  EXPECT_EQ(listening().listen(address("app:80")).error(), std::errc::address_in_use);
  EXPECT_EQ(listening().listen(address("10.0.1.1:80")).error(), std::errc::address_in_use);
  listener->close();
  EXPECT_TRUE(listening().listen(address("app:80")));
}

TEST_F(NetworkTest, ChoosesAPortForZero) {
  const auto first = listen("app:0");
  const auto second = listen("app:0");
  EXPECT_NE(first->address().port(), 0);
  EXPECT_NE(first->address().port(), second->address().port());
  EXPECT_TRUE(dial_at(first->address()));
}

TEST_F(NetworkTest, DialsFromALocalAddress) {
  struct Case {
    Address local;
    std::error_code error;
  };
  const auto listener = listen("app:80");
  const auto second = dialing().listen(address("second:0"));
  ASSERT_TRUE(second);
  const Address ip = (*second)->address().with_port(0);
  const Case cases[] = {
      {ip.with_port(4711), {}},
      {ip, {}},
      {world_.host("client").address(), {}},
      {world_.host("app").address(), Errc::address_not_available},
      {address("10.99.0.1:0"), Errc::address_not_available},
      {address("[::1]:0"), Errc::bad_address},
      {address("unix:/here"), Errc::bad_address},
  };
  for (const Case& each : cases) {
    net::DialOptions options;
    options.local = each.local;
    Task<Result<net::Connected>> dialing_it = dialing().dial(address("app:80"), options);
    dialing_it.start();
    ASSERT_TRUE(dialing_it.done());
    const Result<net::Connected> dialed = dialing_it.await_resume();
    EXPECT_EQ(dialed ? std::error_code() : dialed.error(), each.error) << each.local.to_string();
    if (!dialed) continue;
    EXPECT_EQ(dialed->local.with_port(0), each.local.with_port(0));
    EXPECT_EQ(dialed->local.port() == each.local.port(), each.local.port() != 0);
    const Result<net::Connected> accepted = listener->try_accept();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->remote, dialed->local);
  }
}

TEST_F(NetworkTest, NeverRunsOutOfPorts) {
  world_.log().set_recording(false);
  const auto listener = listen("app:80");
  for (int i = 0; i < 20'000; ++i) {
    const Result<net::Connected> dialed = dial("app:80");
    ASSERT_TRUE(dialed);
    ASSERT_GE(dialed->local.port(), 49152);
    ASSERT_TRUE(listener->try_accept());
  }
  EXPECT_GE(listen("app:0")->address().port(), 49152);
}

TEST_F(NetworkTest, RefusesMoreThanTheBacklogHolds) {
  net::ListenOptions options;
  options.backlog = 2;
  const auto listener = listening().listen(address("app:80"), options).value();
  const auto first = dial("app:80");
  const auto second = dial("app:80");
  EXPECT_TRUE(first && second);
  EXPECT_EQ(dial("app:80").error(), std::errc::connection_refused);
  EXPECT_TRUE(listener->try_accept());
  EXPECT_TRUE(dial("app:80"));
}

TEST_F(NetworkTest, SaysThatNobodyListensWhereAcceptsAreToFail) {
  EXPECT_THROW(network().fail_accept(address("app:81"), Errc::too_many_open_files), std::system_error);
}

TEST_F(NetworkTest, FailsAcceptsAsOftenAsItWasTold) {
  const auto listener = listen("app:80");
  const auto dialed = dial("app:80");
  network().fail_accept(address("app:80"), Errc::too_many_open_files, 2);
  EXPECT_EQ(listener->try_accept().error(), std::errc::too_many_files_open);
  EXPECT_EQ(listener->try_accept().error(), std::errc::too_many_files_open);
  EXPECT_TRUE(listener->try_accept());
  EXPECT_THAT(transcript_lines(world_.log()),
              ElementsAre("+0.000000000  listening on app:80", "+0.000000000  conn 1  client dials app:80",
                          "+0.000000000  accept failed: app:80: no file descriptor left in the process",
                          "+0.000000000  accept failed: app:80: no file descriptor left in the process",
                          "+0.000000000  conn 1  app accepts", HasSubstr("reset: app is dropped while open")));
}

TEST_F(NetworkTest, DropsWhatNobodyAccepted) {
  auto listener = listen("app:80");
  const Result<net::Connected> dialed = dial("app:80");
  ASSERT_TRUE(dialed);
  listener->close();
  std::array<char, 10> room;
  EXPECT_EQ(dialed->connection->try_read(room).error(), std::errc::connection_reset);
}

TEST_F(NetworkTest, MakesPipesAsItWasTold) {
  const auto listener = listen("app:80");
  net::ChannelOptions options;
  options.with_capacity(3);
  network().set_pipe_options(options);
  const Result<net::Connected> narrow = dial("app:80");
  network().set_pipe_options(net::ChannelOptions());
  const Result<net::Connected> wide = dial("app:80");
  const Bytes bytes = "abcdef";
  EXPECT_EQ(narrow->connection->try_write({&bytes, 1}), 3U);
  EXPECT_EQ(wide->connection->try_write({&bytes, 1}), 6U);
}

TEST_F(NetworkTest, DialsAndResolvesWithoutWaiting) {
  const auto listener = listen("app:80");
  EXPECT_TRUE(result_of(dialing().dial(address("app:80"), kNever)));
  EXPECT_EQ(result_of(dialing().dial(address("app:80"), world_.loop().now())).error(), std::errc::timed_out);
  EXPECT_EQ(result_of(dialing().resolve("app", 80, kNever)).value(), std::vector<Address>(1, address("10.0.1.1:80")));
  EXPECT_EQ(result_of(dialing().resolve("10.1.2.3", 80, kNever)).value(),
            std::vector<Address>(1, address("10.1.2.3:80")));
  EXPECT_EQ(result_of(dialing().resolve("nowhere", 80, kNever)).error(), Errc::host_not_found);
  EXPECT_EQ(result_of(dialing().resolve("no where", 80, kNever)).error(), std::errc::invalid_argument);
  EXPECT_EQ(result_of(dialing().resolve("app", 80, world_.loop().now())).error(), std::errc::timed_out);
}

TEST_F(NetworkTest, DescribesWhoWaits) {
  const auto listener = listen("app:80");
  EXPECT_EQ(network().describe_waits(), "");
  struct : net::Waiter {
    void run() override {}
  } acceptor, reader;
  const Result<net::Connected> dialed = dial("app:80");
  dialed->connection->wait(net::Direction::read, reader);
  ASSERT_TRUE(listener->try_accept());
  world_.settle();
  EXPECT_EQ(network().describe_waits(), "");
  const Result<net::Connected> other = dial("app:80");
  const Result<net::Connected> accepted = listener->try_accept();
  other->connection->wait(net::Direction::read, reader);
  listener->wait(acceptor);
  EXPECT_EQ(network().describe_waits(), "  listener app:80 waits for a connection\n  conn 2: client waits to read\n");
}

}  // namespace
}  // namespace pipette::inmem
