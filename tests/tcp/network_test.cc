#include "pipette/net/network.h"

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

#include "pipette/async/task_group.h"
#include "pipette/tcp/internal/connection.h"
#include "pipette/tcp/internal/endpoint.h"
#include "pipette/tcp/internal/network.h"
#include "pipette/tcp/runtime.h"

#include "tests/net/transport.h"

namespace pipette::tcp {
namespace {

using namespace std::chrono_literals;
using net::Address;
using net::Connected;
using net::fails_with;
using net::Listener;

// Runs one task to its end, and hands back what it returned.
template <class T>
Task<> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await task);
}

Task<Result<Connected>> accept_from(Listener& listener) { co_return co_await listener.accept(); }
Task<> accept_and_ignore(Listener& listener) { std::ignore = co_await listener.accept(); }
Task<> read_and_ignore(net::Connection& connection) {
  std::array<char, 16> room;
  std::ignore = co_await connection.read_some(room);
}

Task<Result<std::size_t>> read_from(net::Connection& connection) {
  std::array<char, 16> room;
  co_return co_await connection.read_some(room);
}

int count_entries(const char* folder) {
  const std::filesystem::directory_iterator entries(folder);
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}
int count_threads() { return count_entries("/proc/self/task"); }
int count_descriptors() { return count_entries("/proc/self/fd"); }

// How a connection has its peer probed: "15 s, then every 15 s, 9 times".
std::string probes(const Connected& connected) {
  const int fd = static_cast<const Connection&>(*connected.connection).fd();
  const auto option = [fd](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
  };
  if (option(SOL_SOCKET, SO_KEEPALIVE) == 0) return "off";
  return std::to_string(option(IPPROTO_TCP, TCP_KEEPIDLE)) + " s, then every " +
         std::to_string(option(IPPROTO_TCP, TCP_KEEPINTVL)) + " s, " +
         std::to_string(option(IPPROTO_TCP, TCP_KEEPCNT)) + " times";
}

class TcpNetwork : public testing::Test {
 protected:
  TcpNetwork() {
    std::string pattern = std::filesystem::temp_directory_path() / "pipette-network-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~TcpNetwork() override { std::filesystem::remove_all(folder_); }

  async::Loop& loop() { return runtime_.loop(); }
  net::Network& network() { return runtime_.network(); }

  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    runtime_.run(keep(std::move(task), result));
    return std::move(*result);
  }
  std::unique_ptr<Listener> listen(const char* address) {
    auto listener = network().listen(*Address::parse(address));
    if (!listener) throw std::system_error(listener.error(), address);
    return std::move(*listener);
  }
  // One whose backlog is full: the kernel drops what else is sent there, so dialing it takes forever.
  std::unique_ptr<Listener> make_silent_listener() {
    auto listener =
        network().listen(*Address::parse("127.0.0.1:0"), net::ListenOptions{.backlog = 1, .reuse_port = false});
    while (auto dialed = await(network().dial((*listener)->address(), after(loop().now(), 20ms)))) {
      in_backlog_.push_back(std::move(*dialed));
    }
    return std::move(*listener);
  }
  Result<Connected> dial(const Address& address) { return await(network().dial(address, after(loop().now(), 10s))); }

  static std::size_t send(const Connected& to, Bytes text) {
    return to.connection->try_write(std::span(&text, 1)).value();
  }

  std::array<char, 16> room_;
  std::filesystem::path folder_;
  Runtime runtime_;
  std::vector<Connected> in_backlog_;
};

// ---- names ---------------------------------------------------------------------------------------------

TEST_F(TcpNetwork, ResolvesLocalhost) {
  const auto found = await(network().resolve("localhost", 80, after(loop().now(), 10s)));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(*found, testing::Contains(testing::AnyOf(*Address::parse("127.0.0.1:80"), *Address::parse("[::1]:80"))));
}

TEST_F(TcpNetwork, DoesNotFindAHostThatCannotBe) {
  EXPECT_THAT(await(network().resolve("no-such-host.invalid", 80, kNever)), fails_with(Errc::host_not_found));
  EXPECT_THAT(dial(Address::name("no-such-host.invalid", 80)), fails_with(Errc::host_not_found));
}

TEST_F(TcpNetwork, ResolvesSeveralNamesAtATime) {
  async::TaskGroup group(loop());
  std::array<std::optional<Result<std::vector<Address>>>, 3> found;
  for (auto& result : found) group.spawn(keep(network().resolve("localhost", 80, kNever), result));
  const auto join = [](async::TaskGroup& all) -> Task<> { co_await all.join(); };
  runtime_.run(join(group));
  for (const auto& result : found) EXPECT_TRUE(*result);
}

TEST_F(TcpNetwork, DialsByName) {
  const auto listener = listen("127.0.0.1:0");
  const auto dialed = dial(Address::name("localhost", listener->address().port()));
  ASSERT_TRUE(dialed) << dialed.error().message();
  EXPECT_EQ(dialed->remote, listener->address()) << "also after an address where nobody listens";
}

TEST_F(TcpNetwork, ListensByName) {
  const auto listener = listen("localhost:0");
  EXPECT_NE(listener->address().port(), 0);
  EXPECT_TRUE(dial(listener->address()));
}

TEST_F(TcpNetwork, CancelsAResolveWhoseTaskDies) {
  Task<Result<std::vector<Address>>> resolving = network().resolve("localhost", 80, kNever);
  resolving.start();
  EXPECT_FALSE(resolving.done()) << "the answer comes from the loop, which does not run";
}

TEST_F(TcpNetwork, StartsNoThreadForLiterals) {
  const int before = count_threads();
  const auto listener = listen("127.0.0.1:0");
  EXPECT_TRUE(dial(listener->address()));
  EXPECT_TRUE(await(network().resolve("127.0.0.1", 80, kNever)));
  EXPECT_EQ(count_threads(), before);
}

// ---- dialing -------------------------------------------------------------------------------------------

TEST_F(TcpNetwork, EndsADialAtItsDeadline) {
  const auto silent = make_silent_listener();
  const TimePoint deadline = after(loop().now(), 20ms);
  EXPECT_THAT(await(network().dial(silent->address(), deadline)), fails_with(std::errc::timed_out));
  EXPECT_GE(loop().now(), deadline);
}

TEST_F(TcpNetwork, TriesTheNextAddressAfterOneThatRefuses) {
  const Address nobody = listen("127.0.0.1:0")->address();
  const auto listener = listen("127.0.0.1:0");
  auto& tcp_network = static_cast<Network&>(network());
  const std::vector<Address> both = {nobody, listener->address()};
  const net::DialOptions options;
  const auto dialed = await(tcp_network.dial_first_of(both, options));
  ASSERT_TRUE(dialed) << dialed.error().message();
  EXPECT_EQ(dialed->remote, listener->address());
  const std::vector<Address> none = {nobody, nobody};
  EXPECT_THAT(await(tcp_network.dial_first_of(none, options)), fails_with(std::errc::connection_refused));
}

TEST_F(TcpNetwork, LeavesTimeForTheNextAddressAfterOneThatIsSilent) {
  const auto silent = make_silent_listener();
  const auto listener = listen("127.0.0.1:0");
  const std::vector<Address> both = {silent->address(), listener->address()};
  net::DialOptions options;
  options.deadline = after(loop().now(), 50ms);
  const auto dialed = await(static_cast<Network&>(network()).dial_first_of(both, options));
  ASSERT_TRUE(dialed) << dialed.error().message();
  EXPECT_EQ(dialed->remote, listener->address());
}

TEST_F(TcpNetwork, RefusesAddressesThatCannotBe) {
  EXPECT_THAT(dial(Address()), fails_with(Errc::bad_address));
  EXPECT_THAT(dial(Address::unix_path(std::string(200, 'x'))), fails_with(Errc::bad_address));
  EXPECT_THAT(network().listen(Address()), fails_with(Errc::bad_address));
  EXPECT_THAT(network().listen(*Address::parse("192.0.2.1:0")), fails_with(std::errc::address_not_available));
}

// ---- listening -----------------------------------------------------------------------------------------

TEST_F(TcpNetwork, AcceptsIpv4OnEveryInterfaceOfIpv6) {
  const auto listener = network().listen(*Address::parse("[::]:0"));
  if (!listener) GTEST_SKIP() << "no IPv6 here: " << listener.error().message();
  const Address ipv4 = Address::ipv4({127, 0, 0, 1}, (*listener)->address().port());
  const auto dialed = dial(ipv4);
  ASSERT_TRUE(dialed) << dialed.error().message();
  const auto accepted = await(accept_from(**listener));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->local, ipv4);
  EXPECT_EQ(accepted->remote, dialed->local);
}

TEST_F(TcpNetwork, TellsOnWhichInterfaceAConnectionCame) {
  const auto listener = listen(":0");
  const Address one = Address::ipv4({127, 0, 0, 2}, listener->address().port());
  const auto dialed = dial(one);
  ASSERT_TRUE(dialed);
  const auto accepted = await(accept_from(*listener));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->local, one);
}

TEST_F(TcpNetwork, DialsFromALocalAddress) {
  const auto listener = listen("127.0.0.1:0");
  net::DialOptions options;
  options.deadline = after(loop().now(), 10s);
  options.local = *Address::parse("127.0.0.2:0");
  const auto dialed = await(network().dial(listener->address(), options));
  ASSERT_TRUE(dialed) << dialed.error().message();
  EXPECT_EQ(dialed->local.ip_text(), "127.0.0.2");
  EXPECT_NE(dialed->local.port(), 0);
  const auto accepted = await(accept_from(*listener));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->remote, dialed->local);

  options.local = *Address::parse("192.0.2.1:0");  // nobody's: RFC 5737
  EXPECT_THAT(await(network().dial(listener->address(), options)), fails_with(std::errc::address_not_available));
  options.local = *Address::parse("[::1]:0");
  EXPECT_THAT(await(network().dial(listener->address(), options)), fails_with(Errc::bad_address));
}

TEST_F(TcpNetwork, SharesAPortOnlyWhenAsked) {
  net::ListenOptions shared;
  shared.reuse_port = true;
  const auto first = network().listen(*Address::parse("127.0.0.1:0"), shared);
  ASSERT_TRUE(first);
  EXPECT_TRUE(network().listen((*first)->address(), shared));
  EXPECT_THAT(network().listen((*first)->address()), fails_with(std::errc::address_in_use));
}

// ---- options of listeners and dials --------------------------------------------------------------------

TEST_F(TcpNetwork, AcceptsWhoHasSpokenWhenItIsToldTo) {
  net::ListenOptions options;
  options.defer_accept = 10s;
  const auto listener = network().listen(*Address::parse("127.0.0.1:0"), options);
  ASSERT_TRUE(listener);
  const auto dialed = dial((*listener)->address());
  ASSERT_TRUE(dialed);
  EXPECT_THAT((*listener)->try_accept(), fails_with(Errc::would_block));
  EXPECT_EQ(send(*dialed, "hello"), 5U);
  const auto accepted = await(accept_from(**listener));
  ASSERT_TRUE(accepted);
  EXPECT_EQ((*accepted).connection->try_read(room_).value(), 5U) << "without any wait";
}

TEST_F(TcpNetwork, TakesSoManyFastOpenersAndNoMore) {
  for (const int count : {0, 7}) {
    net::ListenOptions options;
    options.fast_open = count;
    const auto listener = network().listen(*Address::parse("127.0.0.1:0"), options);
    ASSERT_TRUE(listener);
    int taken = -1;
    socklen_t size = sizeof taken;
    ::getsockopt(runtime_.listening().back().descriptor, IPPROTO_TCP, TCP_FASTOPEN, &taken, &size);
    EXPECT_EQ(taken, count);
  }
}

// The first dial asks for the peer's agreement; whether there is one is the system's affair, so both ways must do.
TEST_F(TcpNetwork, OpensFastWhenItIsToldTo) {
  net::ListenOptions listening;
  listening.fast_open = 16;
  const auto listener = network().listen(*Address::parse("127.0.0.1:0"), listening);
  ASSERT_TRUE(listener);
  net::DialOptions options;
  options.deadline = after(loop().now(), 10s);
  options.fast_open = true;
  for (int i = 0; i < 3; ++i) {
    const auto dialed = await(network().dial((*listener)->address(), options));
    ASSERT_TRUE(dialed) << dialed.error().message();
    EXPECT_EQ(dialed->remote, (*listener)->address());
    EXPECT_EQ(send(*dialed, "hello"), 5U);
    const auto accepted = await(accept_from(**listener));
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->remote, dialed->local);
    EXPECT_THAT(await(read_from(*accepted->connection)), net::gives(5));
  }
  const Address nobody = listen("127.0.0.1:0")->address();
  EXPECT_THAT(await(network().dial(nobody, options)), fails_with(std::errc::connection_refused));
}

// ---- sockets that listen already -----------------------------------------------------------------------

TEST_F(TcpNetwork, TellsWhatListens) {
  EXPECT_TRUE(runtime_.listening().empty());
  const auto first = listen("127.0.0.1:0");
  const auto second = network().listen(Address::unix_path(folder_ / "socket"));
  ASSERT_TRUE(second);
  const std::vector<Listening> both = runtime_.listening();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].address, first->address());
  EXPECT_EQ(both[1].address, (*second)->address());
  EXPECT_EQ(local_address(both[0].descriptor), first->address());
  first->close();
  ASSERT_EQ(runtime_.listening().size(), 1U);
  EXPECT_EQ(runtime_.listening()[0].address, (*second)->address());
}

TEST_F(TcpNetwork, AcceptsFromAQueueThatAnotherRuntimeLeaves) {
  for (const Address& any : {*Address::parse("127.0.0.1:0"), Address::unix_path(folder_ / "socket")}) {
    Runtime old;
    auto listener = old.network().listen(any);
    ASSERT_TRUE(listener);
    const Address address = (*listener)->address();
    auto dialed = dial(address);
    ASSERT_TRUE(dialed);
    const auto adopted = runtime_.adopt_listener(::dup(old.listening()[0].descriptor));
    ASSERT_TRUE(adopted) << adopted.error().message();
    EXPECT_EQ((*adopted)->address(), address);
    EXPECT_EQ(runtime_.listening().size(), 1U);
    old.leave_unix_paths();
    listener->reset();
    EXPECT_TRUE(await(accept_from(**adopted))) << "who waited already";
    dialed = dial(address);
    ASSERT_TRUE(dialed) << "who comes later";
    EXPECT_TRUE(await(accept_from(**adopted)));
  }
}

// As whoever starts us may have made it: it blocks, and goes on to programs that we start.
TEST_F(TcpNetwork, MakesAnAdoptedSocketItsOwn) {
  const int bare = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::listen(bare, 1), 0) << "on a port that the system chooses";
  net::ListenOptions options;
  options.keep_alive = 7s;
  const auto adopted = runtime_.adopt_listener(bare, options);
  ASSERT_TRUE(adopted) << adopted.error().message();
  EXPECT_THAT((*adopted)->try_accept(), fails_with(Errc::would_block));
  EXPECT_EQ(::fcntl(bare, F_GETFD), FD_CLOEXEC);
  const auto dialed = dial(Address::ipv4({127, 0, 0, 1}, (*adopted)->address().port()));
  ASSERT_TRUE(dialed);
  const auto accepted = await(accept_from(**adopted));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(probes(*accepted), "7 s, then every 7 s, 9 times");
}

TEST_F(TcpNetwork, AdoptsNothingThatAcceptsNoStreams) {
  struct Case {
    int descriptor;
    std::errc error;
  };
  const int before = count_descriptors();
  for (const Case& each :
       {Case{-1, std::errc::bad_file_descriptor}, Case{::open("/dev/null", O_RDONLY), std::errc::not_a_socket},
        Case{::socket(AF_INET, SOCK_STREAM, 0), std::errc::invalid_argument},
        Case{::socket(AF_INET, SOCK_DGRAM, 0), std::errc::wrong_protocol_type}}) {
    EXPECT_THAT(runtime_.adopt_listener(each.descriptor), fails_with(each.error));
  }
  EXPECT_EQ(count_descriptors(), before);
  EXPECT_TRUE(runtime_.listening().empty());
}

TEST_F(TcpNetwork, LeavesThePathOfAnAdoptedSocketUnlessItIsTold) {
  const std::filesystem::path path = folder_ / "socket";
  for (const UnixPath fate : {UnixPath::leave, UnixPath::remove}) {
    std::filesystem::remove(path);
    Runtime old;
    const auto listener = old.network().listen(Address::unix_path(path));
    ASSERT_TRUE(listener);
    const net::ListenOptions options;
    ASSERT_TRUE(runtime_.adopt_listener(::dup(old.listening()[0].descriptor), options, fate)) << "and closes it";
    EXPECT_EQ(std::filesystem::exists(path), fate == UnixPath::leave);
  }
}

// ---- probes --------------------------------------------------------------------------------------------

TEST_F(TcpNetwork, ProbesThoseThatAreSilentAtBothEnds) {
  const auto listener = listen("127.0.0.1:0");
  const auto dialed = dial(listener->address());
  const auto accepted = await(accept_from(*listener));
  ASSERT_TRUE(dialed && accepted);
  EXPECT_EQ(probes(*dialed), "15 s, then every 15 s, 9 times");
  EXPECT_EQ(probes(*accepted), "15 s, then every 15 s, 9 times");
}

TEST_F(TcpNetwork, ProbesThoseItAcceptsAsItWasTold) {
  struct Case {
    Duration keep_alive;
    std::string probes;
  };
  for (const Case& each : {Case{1500ms, "2 s, then every 2 s, 9 times"}, Case{1ns, "1 s, then every 1 s, 9 times"},
                           Case{24h, "32767 s, then every 32767 s, 9 times"}, Case{0s, "off"}, Case{-1s, "off"},
                           Case{Duration::max(), "off"}}) {
    net::ListenOptions options;
    options.keep_alive = each.keep_alive;
    const auto listener = network().listen(*Address::parse("127.0.0.1:0"), options);
    ASSERT_TRUE(listener);
    const auto dialed = dial((*listener)->address());
    const auto accepted = await(accept_from(**listener));
    ASSERT_TRUE(dialed && accepted);
    EXPECT_EQ(probes(*accepted), each.probes);
  }
}

// The system gives up on a peer that takes nothing for a millisecond, as it does on one that no probe has reached.
TEST_F(TcpNetwork, SaysOfAPeerThatIsGoneThatTheConnectionBroke) {
  const auto listener = listen("127.0.0.1:0");
  const auto dialed = dial(listener->address());
  auto accepted = await(accept_from(*listener));
  ASSERT_TRUE(dialed && accepted);
  net::Connection& connection = *accepted->connection;
  const int patience = 1;
  ::setsockopt(static_cast<Connection&>(connection).fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  const std::string much(1 << 20, 'x');
  const Bytes piece = much;
  while (connection.try_write(std::span(&piece, 1))) continue;
  connection.set_deadline(net::Direction::read, after(loop().now(), 10s));
  EXPECT_THAT(await(read_from(connection)), fails_with(std::errc::connection_reset)) << "it was no deadline of ours";
  EXPECT_THAT(await(read_from(connection)), fails_with(std::errc::connection_reset)) << "and stays broken";
}

// ---- Unix sockets --------------------------------------------------------------------------------------

TEST_F(TcpNetwork, LetsThoseConnectWhoMay) {
  const std::filesystem::path path = folder_ / "socket";
  for (const unsigned mode : {0600U, 0666U, 0000U}) {
    net::ListenOptions options;
    options.unix_mode = mode;
    ASSERT_TRUE(network().listen(Address::unix_path(path), options)) << "and closes it";
    const auto listener = network().listen(Address::unix_path(path), options);
    ASSERT_TRUE(listener);
    EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(path).permissions()), mode);
  }
}

TEST_F(TcpNetwork, RemovesItsPathWhenItCloses) {
  const std::filesystem::path path = folder_ / "socket";
  const auto listener = network().listen(Address::unix_path(path));
  ASSERT_TRUE(listener);
  EXPECT_TRUE(std::filesystem::is_socket(path));
  (*listener)->close();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TcpNetwork, LeavesAPathThatIsSomebodyElsesByNow) {
  const std::filesystem::path path = folder_ / "socket";
  const auto first = network().listen(Address::unix_path(path));
  ASSERT_TRUE(first);
  std::filesystem::rename(path, folder_ / "moved");
  const auto second = network().listen(Address::unix_path(path));
  ASSERT_TRUE(second);
  (*first)->close();
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(dial(Address::unix_path(path)));
}

TEST_F(TcpNetwork, ReplacesAPathThatADeadProcessLeft) {
  const std::filesystem::path path = folder_ / "socket";
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.string().copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ::close(dead);
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_THAT(dial(Address::unix_path(path)), fails_with(std::errc::connection_refused));
  const auto listener = network().listen(Address::unix_path(path));
  ASSERT_TRUE(listener) << listener.error().message();
  EXPECT_TRUE(dial(Address::unix_path(path)));
}

TEST_F(TcpNetwork, LeavesAFileThatIsNoSocket) {
  const std::filesystem::path path = folder_ / "precious";
  std::ofstream(path) << "data";
  EXPECT_THAT(network().listen(Address::unix_path(path)), fails_with(std::errc::address_in_use));
  EXPECT_EQ(std::filesystem::file_size(path), 4U);
}

// ---- the end -------------------------------------------------------------------------------------------

TEST_F(TcpNetwork, FreesWhatIsStillPendingWhenTheRuntimeDies) {
  Runtime runtime;
  const auto listener = runtime.network().listen(*Address::parse("127.0.0.1:0"));
  ASSERT_TRUE(listener);
  std::optional<Result<Connected>> dialed;
  runtime.run(keep(runtime.network().dial((*listener)->address(), kNever), dialed));
  ASSERT_TRUE(*dialed);
  // Each is destroyed while its operation is pending, and no turn of the loop comes after.
  Task<> reading = read_and_ignore(*(**dialed).connection);
  reading.start();
  Task<> accepting = accept_and_ignore(**listener);
  accepting.start();
  Task<Result<std::vector<Address>>> resolving = runtime.network().resolve("localhost", 80, kNever);
  resolving.start();
  Task<int> signal = runtime.wait_for_signal();
  signal.start();
}

TEST_F(TcpNetwork, ClosesADescriptorAtOnceWhileAnOperationIsPending) {
  const auto listener = listen("127.0.0.1:0");
  auto dialed = dial(listener->address());
  ASSERT_TRUE(dialed);
  Task<> reading = read_and_ignore(*dialed->connection);
  reading.start();
  const int before = count_descriptors();
  reading = Task<>();
  dialed->connection.reset();
  EXPECT_EQ(count_descriptors(), before - 1);
}

}  // namespace
}  // namespace pipette::tcp
